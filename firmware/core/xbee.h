/* Frames of the 802.15.4 XBee in API mode 1 and 2 (escaped), and a parser with a bounded buffer that resynchronises. */
#ifndef XBEE_H
#define XBEE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XBEE_MAX_PAYLOAD 100
#define XBEE_MAX_DATA (XBEE_MAX_PAYLOAD + 5)
#define XBEE_MAX_FRAME (2 * (XBEE_MAX_DATA + 3) + 1) /* every byte escaped */

enum xbee_kind { XBEE_TX_REQUEST = 0x01, XBEE_RX_PACKET = 0x81, XBEE_TX_STATUS = 0x89 };

/* A good frame of any kind. */
struct xbee_frame {
    uint8_t length;
    uint8_t data[XBEE_MAX_DATA]; /* data[0] is the kind */
};

struct xbee_parser {
    bool escaped;
    uint16_t held;
    uint32_t bad_frames; /* delimiters that started no good frame */
    uint8_t buffer[XBEE_MAX_FRAME];
};

void xbee_init(struct xbee_parser *parser, bool escaped);

/* Take a byte; true when it completes a frame. Call `xbee_more` then until it returns false. */
bool xbee_push(struct xbee_parser *parser, uint8_t byte, struct xbee_frame *frame);
bool xbee_more(struct xbee_parser *parser, struct xbee_frame *frame);

/* Give up an incomplete frame: the line has been silent. True when a frame lay behind it; call again until false. */
bool xbee_resync(struct xbee_parser *parser, struct xbee_frame *frame);

/* Write a frame of `length` bytes of data; return the bytes it takes, at most XBEE_MAX_FRAME. */
size_t xbee_encode(uint8_t *out, bool escaped, const uint8_t *data, size_t length);

#endif
