/* Arm MPS2 with the image AN385 (Cortex-M3 at 25 MHz), as QEMU emulates it: UART 0, timer 0, watchdog; a robot on a stand
   in place of sensors and motors. Source: Arm, Cortex-M System Design Kit Technical Reference Manual (DDI 0479). */
#include "board.h"
#include "stand.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define CLOCK 25000000u /* Hz */

#define UART 0x40004000u
#define UART_DATA REGISTER(UART + 0x0)
#define UART_STATE REGISTER(UART + 0x4)
#define UART_CONTROL REGISTER(UART + 0x8)
#define UART_DIVIDER REGISTER(UART + 0x10)
#define UART_INTERRUPT REGISTER(UART + 0xC)
#define BOTH_WAYS 3u
#define RX_INTERRUPT_ENABLE 8u
#define RX_INTERRUPT 2u
#define TX_FULL 1u
#define RX_FULL 2u
#define BAUD 57600u

#define TIMER 0x40000000u
#define TIMER_CONTROL REGISTER(TIMER + 0x0)
#define TIMER_VALUE REGISTER(TIMER + 0x4) /* counts down */
#define TIMER_RELOAD REGISTER(TIMER + 0x8)

#define SYSTICK_CONTROL REGISTER(0xE000E010u)
#define SYSTICK_RELOAD REGISTER(0xE000E014u)
#define INTERRUPT_ENABLE REGISTER(0xE000E100u) /* bit 0: a byte from UART 0 */
#define INTERRUPT_CLEAR REGISTER(0xE000E280u)
#define PENDING REGISTER(0xE000ED04u)
#define CLEAR_SYSTICK (1u << 25)

#define WATCHDOG 0x40008000u
#define WATCHDOG_LOAD REGISTER(WATCHDOG + 0x0)
#define WATCHDOG_CONTROL REGISTER(WATCHDOG + 0x8)
#define WATCHDOG_CLEAR REGISTER(WATCHDOG + 0xC)
#define WATCHDOG_LOCK REGISTER(WATCHDOG + 0xC00)
#define UNLOCK 0x1ACCE551u
#define INTERRUPT_AND_RESET 3u

static struct stand stand;
static int16_t duty[SIDES];
static uint32_t last, rest, milliseconds;

void board_start(void) {
    UART_DIVIDER = CLOCK / BAUD;
    UART_CONTROL = BOTH_WAYS | RX_INTERRUPT_ENABLE;
    /* Interrupts end the sleep of `board_wait` and are never taken. */
    __asm__ volatile("cpsid i");
    INTERRUPT_ENABLE = 1;
    SYSTICK_RELOAD = CLOCK / 1000 - 1;
    SYSTICK_CONTROL = 7;
    TIMER_RELOAD = 0xFFFFFFFF;
    TIMER_VALUE = 0xFFFFFFFF;
    TIMER_CONTROL = 1;
    last = TIMER_VALUE;
    WATCHDOG_LOCK = UNLOCK;
    WATCHDOG_LOAD = CLOCK; /* a second */
    WATCHDOG_CONTROL = INTERRUPT_AND_RESET;
}

uint32_t board_milliseconds(void) {
    uint32_t now = TIMER_VALUE;
    rest += last - now;
    last = now;
    milliseconds += rest / (CLOCK / 1000);
    rest %= CLOCK / 1000;
    return milliseconds;
}

int board_read(void) {
    return UART_STATE & RX_FULL ? (int)(UART_DATA & 0xFF) : -1;
}

bool board_write(uint8_t byte) {
    if (UART_STATE & TX_FULL) {
        return false;
    }
    UART_DATA = byte;
    return true;
}

void board_sensors(struct sensors *sensors) {
    stand_tick(&stand, duty, sensors);
}

void board_motors(const int16_t wanted[SIDES]) {
    duty[LEFT] = wanted[LEFT];
    duty[RIGHT] = wanted[RIGHT];
}

void board_wait(void) {
    __asm__ volatile("wfi");
    UART_INTERRUPT = RX_INTERRUPT;
    INTERRUPT_CLEAR = 1;
    PENDING = CLEAR_SYSTICK;
}

void board_alive(void) {
    WATCHDOG_CLEAR = 1;
}
