#include "firmware.h"

#define RX_HEAD 5 /* kind, source (2), RSSI, options */
#define TX_HEAD 5 /* kind, frame id, destination (2), options */

void firmware_reset(struct firmware *firmware, const struct sensors *sensors, bool escaped) {
    robot_power_up(&firmware->robot, sensors);
    xbee_init(&firmware->parser, escaped);
    firmware->sensors = *sensors;
    firmware->quiet = 0;
    firmware->sent = firmware->queued = 0;
}

/* Answer a packet of the host: frame id 0 asks our XBee for no status. */
static void send(struct firmware *firmware, const uint8_t *host, const uint8_t *answer, size_t length) {
    uint8_t data[TX_HEAD + PACKET_MAX_ANSWER] = {XBEE_TX_REQUEST, 0, host[0], host[1], 0};
    uint8_t frame[XBEE_MAX_FRAME];
    for (size_t i = 0; i < length; i++) {
        data[TX_HEAD + i] = answer[i];
    }
    size_t size = xbee_encode(frame, firmware->parser.escaped, data, TX_HEAD + length);
    if (firmware->sent == firmware->queued) {
        firmware->sent = firmware->queued = 0;
    }
    if (firmware->queued + size > sizeof firmware->out) {
        return;
    }
    for (size_t i = 0; i < size; i++) {
        firmware->out[firmware->queued++] = frame[i];
    }
}

static void hear(struct firmware *firmware, const struct xbee_frame *frame) {
    uint8_t answer[PACKET_MAX_ANSWER];
    if (frame->data[0] != XBEE_RX_PACKET || frame->length < RX_HEAD) {
        return;
    }
    const uint8_t *payload = frame->data + RX_HEAD;
    size_t length = (size_t)frame->length - RX_HEAD;
    size_t answered = robot_receive(&firmware->robot, &firmware->sensors, payload, length, answer);
    if (answered) {
        send(firmware, frame->data + 1, answer, answered);
    }
}

void firmware_byte(struct firmware *firmware, uint8_t byte) {
    struct xbee_frame frame;
    firmware->quiet = 0;
    for (bool found = xbee_push(&firmware->parser, byte, &frame); found; found = xbee_more(&firmware->parser, &frame)) {
        hear(firmware, &frame);
    }
}

void firmware_tick(struct firmware *firmware, const struct sensors *sensors) {
    struct xbee_frame frame;
    firmware->sensors = *sensors;
    if (firmware->parser.held && ++firmware->quiet > LINE_SILENT) {
        firmware->quiet = 0;
        while (xbee_resync(&firmware->parser, &frame)) {
            hear(firmware, &frame);
        }
    }
    robot_tick(&firmware->robot, sensors);
}

int firmware_output(struct firmware *firmware) {
    return firmware->sent < firmware->queued ? firmware->out[firmware->sent++] : -1;
}
