/* Feed the firmware mutated frames and garbage, in both API modes: it must execute no command that is not in the bytes.

   fuzz SEED FRAMES: one frame in eight is garbage, the others are good commands with a few bytes changed, lost or added.
   What the firmware executes is checked against a second, simple reading of the same bytes: a command counts only where
   it stands with its length and a good checksum. (An 8-bit sum passes some multi-byte errors; no receiver can know.)
   Prints what it did; exit code 1 when a command was wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware.h"

static uint64_t state;

static uint32_t draw(uint32_t limit) { /* xorshift64* */
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 2685821657736338717u) >> 33) % limit;
}

/* A good frame with a random command for the robot; returns its length. */
static size_t command(uint8_t *out, bool escaped) {
    static const uint8_t kinds[][2] = {{0x81, 0}, {0x82, 20}, {0x84, 0}, {0x85, 2}, {0x8D, 24}, {0x8E, 0}, {0x90, 4},
                                       {0x91, 2}, {0x92, 0}, {0x95, 4}, {0x96, 4}, {0x97, 2}, {0x80, 4}, {0x20, 46}};
    const uint8_t *kind = kinds[draw(sizeof kinds / sizeof kinds[0])];
    uint8_t data[XBEE_MAX_DATA] = {XBEE_RX_PACKET, 0, 7, 40, 0, 0, kind[0]};
    for (uint8_t i = 0; i < kind[1]; i++) {
        data[7 + i] = (uint8_t)draw(256);
    }
    return xbee_encode(out, escaped, data, 7u + kind[1]);
}

static size_t mutate(uint8_t *data, size_t length, size_t room) {
    for (uint32_t changes = 1 + draw(4); changes > 0 && length > 0; changes--) {
        size_t place = draw((uint32_t)length);
        switch (draw(4)) {
        case 0:
            data[place] ^= (uint8_t)(1u << draw(8));
            break;
        case 1: /* lose a byte */
            memmove(data + place, data + place + 1, length - place - 1);
            length--;
            break;
        case 2: /* one too many */
            if (length < room) {
                memmove(data + place + 1, data + place, length - place);
                data[place] = (uint8_t)draw(256);
                length++;
            }
            break;
        default:
            length = place; /* cut short */
        }
    }
    return length;
}

/* Whether a command that the robot counts can be read from some delimiter on. */
static bool holds_command(const uint8_t *data, size_t length, bool escaped) {
    for (size_t begin = 0; begin < length; begin++) {
        uint8_t content[XBEE_MAX_DATA + 3];
        size_t found = 0, size = XBEE_MAX_DATA;
        uint8_t sum = 0;
        if (data[begin] != 0x7E) {
            continue;
        }
        for (size_t place = begin + 1; place < length && found < size + 3; place++) {
            uint8_t byte = data[place];
            if (escaped && byte == 0x7D && place + 1 < length) {
                byte = data[++place] ^ 0x20;
            }
            content[found++] = byte;
            sum = (uint8_t)(sum + (found > 2 ? byte : 0));
            if (found == 2) {
                size = (size_t)(content[0] << 8 | content[1]);
                size = size > XBEE_MAX_DATA ? 0 : size;
            }
        }
        struct command decoded;
        if (size >= 7 && found == size + 3 && sum == 0xFF && content[2] == XBEE_RX_PACKET &&
            packet_decode(content + 7, size - 5, &decoded)) {
            return true;
        }
    }
    return false;
}

/* Let the line fall silent, so that nothing is held back; return whether the robot heard a command. */
static bool executes(struct firmware *firmware, const struct sensors *sensors, const uint8_t *data, size_t length) {
    firmware->robot.last_command = UINT32_MAX;
    for (size_t k = 0; k < length; k++) {
        firmware_byte(firmware, data[k]);
    }
    while (firmware->parser.held > 0) {
        firmware_tick(firmware, sensors);
    }
    while (firmware_output(firmware) >= 0) {
    }
    return firmware->robot.last_command != UINT32_MAX;
}

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "usage: fuzz SEED FRAMES\n");
        return 2;
    }
    state = strtoull(arguments[1], NULL, 10) * 2u + 1u;
    const unsigned long frames = strtoul(arguments[2], NULL, 10);
    static struct firmware firmware;
    const struct sensors sensors = {.accel = {0, 0, 4096}, .battery = 880};
    unsigned long bytes = 0, executed = 0, wrong = 0;
    for (unsigned long i = 0; i < frames; i++) {
        bool escaped = i % 2 == 1;
        if (i < 2 || draw(1000) == 0) {
            firmware_reset(&firmware, &sensors, escaped);
        }
        firmware.parser.escaped = escaped;
        uint8_t data[2 * XBEE_MAX_FRAME];
        size_t length = draw(sizeof data);
        if (draw(8) == 0) {
            for (size_t k = 0; k < length; k++) {
                data[k] = (uint8_t)(draw(4) ? draw(256) : 0x7E);
            }
        } else {
            length = mutate(data, command(data, escaped), sizeof data);
        }
        bool heard = executes(&firmware, &sensors, data, length);
        executed += heard;
        wrong += heard && !holds_command(data, length, escaped);
        firmware_tick(&firmware, &sensors);
        wrong += abs(firmware.robot.duty[LEFT]) > LARGEST_DUTY || abs(firmware.robot.duty[RIGHT]) > LARGEST_DUTY;
        bytes += length;
    }
    printf("%lu frames, %lu bytes: %lu commands executed, %lu wrong\n", frames, bytes, executed, wrong);
    return wrong != 0;
}
