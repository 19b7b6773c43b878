/* Reset of a Cortex-M: memory, then the loop. The linker script gives the addresses. */
#include <stddef.h>
#include <stdint.h>

#include "board.h"

extern uint32_t image_data[], data_begin[], data_end[], bss_begin[], bss_end[], stack_top[];
void reset(void);
void stuck(void);
void ignored(void);
void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memset(void *to, int value, size_t length);

/* A fault stops here; the watchdog resets the board, and motors are off after a reset. */
void stuck(void) {
    for (;;) {
    }
}

/* The first expiry of the watchdog is an NMI, the second a reset. */
void ignored(void) {
}

void reset(void) {
    for (uint32_t *from = image_data, *to = data_begin; to < data_end;) {
        *to++ = *from++;
    }
    for (uint32_t *to = bss_begin; to < bss_end;) {
        *to++ = 0;
    }
    board_loop();
}

__attribute__((section(".vectors"), used)) static const uintptr_t vectors[16] = {
    (uintptr_t)stack_top, (uintptr_t)reset, (uintptr_t)ignored, (uintptr_t)stuck, (uintptr_t)stuck, (uintptr_t)stuck,
    (uintptr_t)stuck,     0,                0,                  0,                0,                (uintptr_t)stuck,
    (uintptr_t)stuck,     0,                (uintptr_t)stuck,   (uintptr_t)stuck,
};

/* The compiler may call these for assignments of structs. */
void *memcpy(void *restrict to, const void *restrict from, size_t length) {
    uint8_t *target = to;
    for (const uint8_t *source = from; length > 0; length--) {
        *target++ = *source++;
    }
    return to;
}

void *memset(void *to, int value, size_t length) {
    for (uint8_t *target = to; length > 0; length--) {
        *target++ = (uint8_t)value;
    }
    return to;
}
