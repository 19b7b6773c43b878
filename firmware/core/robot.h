/* The robot: answers packets, runs the leg controllers, switches the motors off when nobody commands them.

   `robot_receive` at any time, `robot_tick` once a millisecond. Hazards end in a duty of zero: no command for SET_TIMEOUT,
   an empty battery, a reset. Nothing moves before 0x81. */
#ifndef ROBOT_H
#define ROBOT_H

#include "packet.h"
#include "pid.h"

#define ENCODER_STEPS 16384 /* a revolution, as the sensor resolves it */
#define COUNTS_PER_STEP 4 /* 65536 counts a revolution on the wire */
#define BATTERY_CUTOFF 700 /* counts of the 10-bit converter; the lab's packs read 876 to 894 when charged */
#define BATTERY_PATIENCE 1000 /* ms below the cut-off that a start of the motors may last */

extern const char ROBOT_NAME[];

/* What the board measures. */
struct sensors {
    uint16_t encoder[SIDES]; /* absolute within the revolution, 0..ENCODER_STEPS-1 */
    int16_t gyro[3];
    int16_t accel[3];
    int16_t back_emf[SIDES];
    int16_t battery;
};

struct robot {
    uint32_t milliseconds; /* since power-up */
    uint32_t index; /* telemetry replies */
    uint32_t ignored; /* payloads that were no command */
    struct pid pid[SIDES];
    uint16_t reading[SIDES]; /* of the encoders, at the last tick */
    int64_t position[SIDES]; /* counts since ZERO_POS */
    int64_t step[SIDES]; /* counts in the last tick */
    int32_t velocity[SIDES]; /* commanded, counts/ms */
    int16_t thrust[SIDES]; /* commanded duty */
    int16_t duty[SIDES]; /* of the last tick */
    bool open_loop; /* thrust counts, not velocity */
    bool running;
    bool timed;
    bool empty; /* the battery is, until a reset */
    uint32_t run_until;
    int32_t timeout; /* ms, 0: none */
    uint32_t last_command;
    uint32_t low_since; /* ms below BATTERY_CUTOFF */
    int16_t cutoff; /* counts, 0: none */
};

/* Start as after a reset: motors off, no gains, no timeout, index and clock at zero. */
void robot_power_up(struct robot *robot, const struct sensors *sensors);

/* Run one millisecond; `robot->duty` is what the motors get, of FULL_DUTY. */
void robot_tick(struct robot *robot, const struct sensors *sensors);

/* What the motors are told now: leg velocity [counts/ms], or duty under 0x95; zero while they are off. */
void robot_command(const struct robot *robot, int32_t command[SIDES]);

/* Take a payload from the host; write the answer (PACKET_MAX_ANSWER bytes) and return its length, 0 without one. */
size_t robot_receive(
    struct robot *robot, const struct sensors *sensors, const uint8_t *payload, size_t length, uint8_t *answer
);

#endif
