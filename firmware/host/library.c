/* The core as a shared library, for tests in lock-step with another implementation of the robot. */
#include <stdlib.h>

#include "firmware.h"

struct robot *library_robot(const struct sensors *sensors, int16_t cutoff);
void library_power_up(struct robot *robot, const struct sensors *sensors);
void library_duty(const struct robot *robot, int16_t duty[SIDES]);
struct xbee_parser *library_parser(int escaped);
size_t library_feed(struct xbee_parser *parser, const uint8_t *data, size_t length, int resync, uint8_t *out);
int library_decodes(const uint8_t *payload, size_t length);

/* A robot to be freed with `free`. */
struct robot *library_robot(const struct sensors *sensors, int16_t cutoff) {
    struct robot *robot = malloc(sizeof *robot);
    if (robot != NULL) {
        robot_power_up(robot, sensors);
        robot->cutoff = cutoff;
    }
    return robot;
}

/* Reset a robot; it keeps its battery cut-off. */
void library_power_up(struct robot *robot, const struct sensors *sensors) {
    int16_t cutoff = robot->cutoff;
    robot_power_up(robot, sensors);
    robot->cutoff = cutoff;
}

/* What the motors get since the last tick. */
void library_duty(const struct robot *robot, int16_t duty[SIDES]) {
    duty[LEFT] = robot->duty[LEFT];
    duty[RIGHT] = robot->duty[RIGHT];
}

struct xbee_parser *library_parser(int escaped) {
    struct xbee_parser *parser = malloc(sizeof *parser);
    if (parser != NULL) {
        xbee_init(parser, escaped != 0);
    }
    return parser;
}

/* Feed bytes; write each frame found as its length and its data, and return how many bytes were written. */
size_t library_feed(struct xbee_parser *parser, const uint8_t *data, size_t length, int resync, uint8_t *out) {
    struct xbee_frame frame;
    size_t written = 0;
    for (size_t i = 0; i <= length; i++) {
        bool found = i < length ? xbee_push(parser, data[i], &frame) : resync && xbee_resync(parser, &frame);
        while (found) {
            out[written++] = frame.length;
            for (uint8_t k = 0; k < frame.length; k++) {
                out[written++] = frame.data[k];
            }
            found = i < length ? xbee_more(parser, &frame) : resync && xbee_resync(parser, &frame);
        }
    }
    return written;
}

/* The type of the command that a payload decodes to, -1 when it is refused. */
int library_decodes(const uint8_t *payload, size_t length) {
    struct command command;
    return packet_decode(payload, length, &command) ? command.type : -1;
}
