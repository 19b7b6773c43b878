/* Memory shared with the mock: what its body measures, and what the firmware makes its motors do.

   Both sides run in real time, each on its own clock. So the mock stamps its legs with the board's time, and the board
   lets them turn on at their speed from there: neither waits for the other, and a late one shifts no angle.
   `millirobot_adapt/sim/shared_body.py` holds the same layout. A sequence is odd while its part is written. */
#ifndef BODY_H
#define BODY_H

#include "robot.h"

#define BODY_MAGIC 0x59444F42u /* BODY */
#define BODY_ANGLE_STEPS 256 /* an encoder step */

/* Written by the mock. */
struct measured {
    uint32_t at; /* ms since power-up of the board: when the legs stood so */
    uint32_t angle[SIDES]; /* 1/256 encoder steps, wrapping */
    int32_t speed[SIDES]; /* 1/256 encoder steps a millisecond */
    int16_t gyro[3];
    int16_t accel[3];
    int16_t back_emf[SIDES];
    int16_t battery;
    int16_t unused;
};

/* Written by the board after every tick; times in ms since its power-up. */
struct driven {
    uint32_t resets; /* of the body, when the board started */
    uint32_t milliseconds;
    int32_t command[SIDES]; /* what the motors are told: counts/ms, or duty under 0x95; zero while they are off */
    uint32_t commanded_since;
    int32_t duty[SIDES];
    uint32_t last_packet;
    uint32_t last_duty; /* the last tick in which a motor was driven */
};

struct body {
    uint32_t magic; /* BODY_MAGIC where there is a mock */
    uint32_t resets; /* the board resets when this changes */
    uint32_t measured_sequence;
    struct measured measured;
    uint32_t driven_sequence;
    struct driven driven;
};

#endif
