#include "radio.h"

#define HOST_ADDRESS 0x0010
#define RSSI 40
#define HEAD 5 /* of a TX request: kind, frame id, address (2), options; of an RX packet as many */
#define ACKNOWLEDGED 0
#define NOT_ACKNOWLEDGED 1

void radio_init(
    struct radio *radio, bool escaped, uint16_t robot_address, radio_write *to_host, radio_write *to_robot
) {
    xbee_init(&radio->host, escaped);
    xbee_init(&radio->robot, escaped);
    radio->robot_address = robot_address;
    radio->host_address = HOST_ADDRESS;
    radio->to_host = to_host;
    radio->to_robot = to_robot;
}

static void write_frame(radio_write *out, bool escaped, const uint8_t *data, size_t length) {
    uint8_t frame[XBEE_MAX_FRAME];
    out(frame, xbee_encode(frame, escaped, data, length));
}

/* Carry the payload of a TX request from `source` to the other side. */
static void deliver(const struct xbee_frame *request, uint16_t source, radio_write *out, bool escaped) {
    uint8_t data[XBEE_MAX_DATA] = {XBEE_RX_PACKET, (uint8_t)(source >> 8), (uint8_t)source, RSSI, 0};
    for (uint8_t i = HEAD; i < request->length; i++) {
        data[i] = request->data[i];
    }
    write_frame(out, escaped, data, request->length);
}

static bool is_request_to(const struct xbee_frame *frame, uint16_t address) {
    return frame->data[2] == address >> 8 && frame->data[3] == (address & 0xFF);
}

void radio_from_host(struct radio *radio, uint8_t byte) {
    struct xbee_frame frame;
    for (bool found = xbee_push(&radio->host, byte, &frame); found; found = xbee_more(&radio->host, &frame)) {
        if (frame.data[0] != XBEE_TX_REQUEST || frame.length < HEAD) {
            continue;
        }
        bool reaches = is_request_to(&frame, radio->robot_address);
        if (frame.data[1] != 0) {
            const uint8_t status[] = {XBEE_TX_STATUS, frame.data[1], reaches ? ACKNOWLEDGED : NOT_ACKNOWLEDGED};
            write_frame(radio->to_host, radio->host.escaped, status, sizeof status);
        }
        if (reaches) {
            deliver(&frame, radio->host_address, radio->to_robot, radio->robot.escaped);
        }
    }
}

void radio_from_robot(struct radio *radio, uint8_t byte) {
    struct xbee_frame frame;
    for (bool found = xbee_push(&radio->robot, byte, &frame); found; found = xbee_more(&radio->robot, &frame)) {
        if (frame.data[0] == XBEE_TX_REQUEST && frame.length >= HEAD && is_request_to(&frame, radio->host_address)) {
            deliver(&frame, radio->robot_address, radio->to_host, radio->host.escaped);
        }
    }
}
