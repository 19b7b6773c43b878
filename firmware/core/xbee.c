#include "xbee.h"

#define DELIMITER 0x7E
#define ESCAPE 0x7D
#define FLIP 0x20

enum outcome { INCOMPLETE, BROKEN, WHOLE };

void xbee_init(struct xbee_parser *parser, bool escaped) {
    parser->escaped = escaped;
    parser->held = 0;
    parser->bad_frames = 0;
}

static void drop(struct xbee_parser *parser, uint16_t count) {
    for (uint16_t i = count; i < parser->held; i++) {
        parser->buffer[i - count] = parser->buffer[i];
    }
    parser->held = (uint16_t)(parser->held - count);
}

/* Read `count` plain bytes behind the delimiter into `out`; `*end` is the raw byte after them. */
static enum outcome plain(const struct xbee_parser *parser, uint8_t *out, uint16_t count, uint16_t *end) {
    uint16_t place = 1;
    uint8_t flip = 0;
    for (uint16_t found = 0; found < count; place++) {
        if (place >= parser->held) {
            return INCOMPLETE;
        }
        uint8_t byte = parser->buffer[place];
        if (parser->escaped) {
            if (byte == DELIMITER) {
                return BROKEN; /* in escaped mode a delimiter always starts a frame */
            }
            if (byte == ESCAPE && !flip) {
                flip = FLIP;
                continue;
            }
        }
        out[found++] = byte ^ flip;
        flip = 0;
    }
    *end = place;
    return WHOLE;
}

/* Look at the frame that the delimiter at the head starts; `*end` is where it ends. */
static enum outcome look(const struct xbee_parser *parser, struct xbee_frame *frame, uint16_t *end) {
    uint8_t content[2 + XBEE_MAX_DATA + 1];
    enum outcome header = plain(parser, content, 2, end);
    if (header != WHOLE) {
        return header;
    }
    uint16_t length = (uint16_t)(content[0] << 8 | content[1]);
    if (length < 1 || length > XBEE_MAX_DATA) {
        return BROKEN;
    }
    enum outcome body = plain(parser, content, (uint16_t)(2 + length + 1), end);
    if (body != WHOLE) {
        return body;
    }
    uint8_t sum = 0;
    for (uint16_t i = 0; i < length; i++) {
        frame->data[i] = content[2 + i];
        sum = (uint8_t)(sum + content[2 + i]);
    }
    frame->length = (uint8_t)length;
    sum = (uint8_t)(sum + content[2 + length]);
    return sum == 0xFF ? WHOLE : BROKEN;
}

bool xbee_more(struct xbee_parser *parser, struct xbee_frame *frame) {
    for (;;) {
        uint16_t begin = 0;
        while (begin < parser->held && parser->buffer[begin] != DELIMITER) {
            begin++;
        }
        drop(parser, begin);
        if (parser->held == 0) {
            return false;
        }
        uint16_t end = 0;
        switch (look(parser, frame, &end)) {
        case INCOMPLETE:
            return false;
        case BROKEN:
            parser->bad_frames++;
            drop(parser, 1);
            break;
        case WHOLE:
            drop(parser, end);
            return true;
        }
    }
}

bool xbee_push(struct xbee_parser *parser, uint8_t byte, struct xbee_frame *frame) {
    /* Never full: the longest frame is complete or broken when the buffer is. */
    if (parser->held < sizeof parser->buffer) {
        parser->buffer[parser->held++] = byte;
    }
    return xbee_more(parser, frame);
}

bool xbee_resync(struct xbee_parser *parser, struct xbee_frame *frame) {
    while (parser->held > 0) {
        parser->bad_frames++;
        drop(parser, 1);
        if (xbee_more(parser, frame)) {
            return true;
        }
    }
    return false;
}

static size_t put(uint8_t *out, size_t place, bool escaped, uint8_t byte) {
    if (escaped && (byte == DELIMITER || byte == ESCAPE || byte == 0x11 || byte == 0x13)) {
        out[place++] = ESCAPE;
        byte ^= FLIP;
    }
    out[place++] = byte;
    return place;
}

size_t xbee_encode(uint8_t *out, bool escaped, const uint8_t *data, size_t length) {
    if (length > XBEE_MAX_DATA) {
        return 0;
    }
    uint8_t sum = 0;
    out[0] = DELIMITER;
    size_t place = put(out, 1, escaped, 0);
    place = put(out, place, escaped, (uint8_t)length);
    for (size_t i = 0; i < length; i++) {
        sum = (uint8_t)(sum + data[i]);
        place = put(out, place, escaped, data[i]);
    }
    return put(out, place, escaped, (uint8_t)(0xFF - sum));
}
