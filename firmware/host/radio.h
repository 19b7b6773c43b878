/* Two XBees and the air between them, without loss: the bytes of the host's serial port to those of the robot's, and back. */
#ifndef RADIO_H
#define RADIO_H

#include "xbee.h"

typedef void radio_write(const uint8_t *data, size_t length);

struct radio {
    struct xbee_parser host, robot;
    uint16_t robot_address, host_address;
    radio_write *to_host, *to_robot;
};

void radio_init(
    struct radio *radio, bool escaped, uint16_t robot_address, radio_write *to_host, radio_write *to_robot
);
void radio_from_host(struct radio *radio, uint8_t byte);
void radio_from_robot(struct radio *radio, uint8_t byte);

#endif
