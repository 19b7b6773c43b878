/* What the boards with a Cortex-M share: registers of the core, a clock from a free-running timer, sleep. */
#ifndef CORTEX_M_H
#define CORTEX_M_H

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define CORTEX_M_SYSTICK_CONTROL REGISTER(0xE000E010u)
#define CORTEX_M_SYSTICK_RELOAD REGISTER(0xE000E014u)
#define CORTEX_M_ENABLE(number) REGISTER(0xE000E100u + 4u * ((number) / 32))
#define CORTEX_M_CLEAR(number) REGISTER(0xE000E280u + 4u * ((number) / 32))
#define CORTEX_M_INTERRUPT_STATE REGISTER(0xE000ED04u)
#define CORTEX_M_CLEAR_SYSTICK (1u << 25)
#define CORTEX_M_RESET_CONTROL REGISTER(0xE000ED0Cu)
#define CORTEX_M_REQUEST_RESET 0x05FA0004u

/* Wake every millisecond and with every interrupt `number`. Interrupts end the sleep and are never taken. */
static inline void cortex_m_start(uint32_t clock, unsigned number) {
    __asm__ volatile("cpsid i");
    CORTEX_M_ENABLE(number) = 1u << number % 32;
    CORTEX_M_SYSTICK_RELOAD = clock / 1000 - 1;
    CORTEX_M_SYSTICK_CONTROL = 7;
}

static inline void cortex_m_wait(void) {
    __asm__ volatile("wfi");
}

static inline void cortex_m_acknowledge(unsigned number) {
    CORTEX_M_CLEAR(number) = 1u << number % 32;
    CORTEX_M_INTERRUPT_STATE = CORTEX_M_CLEAR_SYSTICK;
}

static inline void cortex_m_reset(void) {
    CORTEX_M_RESET_CONTROL = CORTEX_M_REQUEST_RESET;
    for (;;) {
    }
}

/* Milliseconds from a timer of 32 bits that counts up at `counts` a millisecond; call it before the timer wraps twice. */
struct cortex_m_clock {
    uint32_t last, rest, milliseconds;
};

static inline uint32_t cortex_m_milliseconds(struct cortex_m_clock *clock, uint32_t now, uint32_t counts) {
    clock->rest += now - clock->last;
    clock->last = now;
    clock->milliseconds += clock->rest / counts;
    clock->rest %= counts;
    return clock->milliseconds;
}

#endif
