/* ImageProc packets: the RF payload inside an XBee frame. A payload is status (always 0), type, little-endian data. */
#ifndef PACKET_H
#define PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LEFT, RIGHT, SIDES };

enum packet_type {
    TELEMETRY = 0x20,
    SET_THRUST_OPEN_LOOP = 0x80,
    PID_START_MOTORS = 0x81,
    SET_PID_GAINS = 0x82,
    GET_AMS_POS = 0x84,
    SET_TIMEOUT = 0x85,
    SET_VEL_PROFILE = 0x8D,
    WHO_AM_I = 0x8E,
    ZERO_POS = 0x90,
    START_TIMED_RUN = 0x91,
    PID_STOP_MOTORS = 0x92,
    SET_THRUST_GET_IMU = 0x95,
    SET_VEL_GET_IMU = 0x96,
    SET_PID_OUTPUT_CHANNEL = 0x97,
};

#define PACKET_NUMBERS 12
#define PACKET_MAX_ANSWER 64

/* A command: its type and its numbers, in the order of the wire. */
struct command {
    uint8_t type;
    uint8_t count;
    int32_t number[PACKET_NUMBERS];
};

/* What telemetry carries besides the command that it echoes. Pairs are left, right. */
struct telemetry {
    uint32_t index;
    uint32_t timestamp; /* us */
    int32_t position[SIDES]; /* 65536 counts a revolution */
    int32_t command[SIDES];
    int16_t duty[SIDES];
    int16_t gyro[3];
    int16_t accel[3];
    int16_t back_emf[SIDES];
    int16_t battery;
};

/* Decode a command. False: another status, an unknown type, a wrong length. */
bool packet_decode(const uint8_t *payload, size_t length, struct command *command);

/* Encode an answer into PACKET_MAX_ANSWER bytes; return its length. */
size_t packet_telemetry(uint8_t *out, const struct telemetry *telemetry);
size_t packet_gains(uint8_t *out, const struct command *gains);
size_t packet_position(uint8_t *out, const int32_t position[SIDES]);
size_t packet_name(uint8_t *out, const char *name);

#endif
