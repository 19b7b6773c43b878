/* The firmware without its board: bytes of the robot's XBee in and out, a tick a millisecond. */
#ifndef FIRMWARE_H
#define FIRMWARE_H

#include "robot.h"
#include "xbee.h"

/* An incomplete frame is given up after so many ms without a byte: longer than a late board takes to read what waits,
   shorter than the timeout of a robot that is not commanded. */
#define LINE_SILENT 100

struct firmware {
    struct robot robot;
    struct xbee_parser parser;
    struct sensors sensors; /* of the last tick */
    uint32_t quiet; /* ms since the last byte */
    uint16_t sent, queued; /* of `out` */
    uint8_t out[4 * XBEE_MAX_FRAME]; /* bytes for the XBee; an answer without room is dropped whole */
};

void firmware_reset(struct firmware *firmware, const struct sensors *sensors, bool escaped);
void firmware_byte(struct firmware *firmware, uint8_t byte);
void firmware_tick(struct firmware *firmware, const struct sensors *sensors);

/* Take the next byte for the XBee; -1 when there is none. */
int firmware_output(struct firmware *firmware);

#endif
