/* Arm MPS2 with the image AN385 (Cortex-M3 at 25 MHz), as QEMU emulates it: UART 0, timer 0, watchdog. In place of
   sensors and motors: a robot on a stand, or the mock's body where the board's 16 MiB of PSRAM are shared with it.
   Source: Arm, Cortex-M System Design Kit Technical Reference Manual (DDI 0479). */
#include "board.h"
#include "cortex_m.h"
#include "simulated.h"

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

#define BYTE_INTERRUPT 0u /* a byte from UART 0 */
#define PSRAM 0x21000000u

#define WATCHDOG 0x40008000u
#define WATCHDOG_LOAD REGISTER(WATCHDOG + 0x0)
#define WATCHDOG_CONTROL REGISTER(WATCHDOG + 0x8)
#define WATCHDOG_CLEAR REGISTER(WATCHDOG + 0xC)
#define WATCHDOG_LOCK REGISTER(WATCHDOG + 0xC00)
#define UNLOCK 0x1ACCE551u
#define INTERRUPT_AND_RESET 3u

static struct cortex_m_clock clock;

void board_start(void) {
    UART_DIVIDER = CLOCK / BAUD;
    UART_CONTROL = BOTH_WAYS | RX_INTERRUPT_ENABLE;
    cortex_m_start(CLOCK, BYTE_INTERRUPT);
    TIMER_RELOAD = 0xFFFFFFFF;
    TIMER_VALUE = 0xFFFFFFFF;
    TIMER_CONTROL = 1;
    clock.last = ~TIMER_VALUE;
    WATCHDOG_LOCK = UNLOCK;
    WATCHDOG_LOAD = CLOCK; /* a second */
    WATCHDOG_CONTROL = INTERRUPT_AND_RESET;
    simulated_start((volatile struct body *)PSRAM);
}

uint32_t board_milliseconds(void) {
    return cortex_m_milliseconds(&clock, ~TIMER_VALUE, CLOCK / 1000);
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

void board_sensors(const struct robot *robot, struct sensors *sensors) {
    simulated_sensors(robot, sensors);
}

void board_motors(const struct robot *robot) {
    simulated_motors(robot);
}

void board_wait(void) {
    cortex_m_wait();
    UART_INTERRUPT = RX_INTERRUPT;
    cortex_m_acknowledge(BYTE_INTERRUPT);
}

void board_alive(void) {
    WATCHDOG_CLEAR = 1;
    if (simulated_reset()) {
        cortex_m_reset();
    }
}
