/* STM32F405 (Cortex-M4 at 168 MHz): USART 1 on PA9 and PA10 to the XBee, timer 2, the independent watchdog; a robot on a
   stand in place of sensors and motors, which are those of your circuit. Not tried on a board.
   Source: ST, reference manual RM0090. With EMULATED it is for QEMU's netduinoplus2, which has no clock tree, no
   watchdog, and a timer 2 of 1 GHz. */
#include "board.h"
#include "cortex_m.h"
#include "simulated.h"

#define RCC 0x40023800u
#define RCC_CONTROL REGISTER(RCC + 0x00)
#define RCC_PLL REGISTER(RCC + 0x04)
#define RCC_CONFIG REGISTER(RCC + 0x08)
#define RCC_AHB1 REGISTER(RCC + 0x30)
#define RCC_APB1 REGISTER(RCC + 0x40)
#define RCC_APB2 REGISTER(RCC + 0x44)
#define PLL_ON (1u << 24)
#define PLL_READY (1u << 25)
#define PLL_168_MHZ (16u | 336u << 6 | 7u << 24) /* of the internal 16 MHz: / 16 * 336 / 2 */
#define BUSES (2u | 5u << 10 | 4u << 13) /* system from the PLL, APB1 / 4, APB2 / 2 */
#define SWITCHED 8u
#define FLASH_ACCESS REGISTER(0x40023C00u)
#define FIVE_WAIT_STATES (5u | 7u << 8) /* and both caches and prefetch */

#define PORT_A 0x40020000u
#define PORT_A_MODE REGISTER(PORT_A + 0x00)
#define PORT_A_FUNCTION REGISTER(PORT_A + 0x24)

#define USART 0x40011000u
#define USART_STATUS REGISTER(USART + 0x00)
#define USART_DATA REGISTER(USART + 0x04)
#define USART_DIVIDER REGISTER(USART + 0x08)
#define USART_CONTROL REGISTER(USART + 0x0C)
#define RECEIVED (1u << 5)
#define ROOM (1u << 7)
#define ON_BOTH_WAYS_WITH_INTERRUPT (1u << 13 | 1u << 5 | 1u << 3 | 1u << 2)
#define APB2 84000000u
#define BAUD 57600u

#define TIMER 0x40000000u
#define TIMER_CONTROL REGISTER(TIMER + 0x00)
#define TIMER_COUNT REGISTER(TIMER + 0x24)
#define TIMER_RELOAD REGISTER(TIMER + 0x2C)
#ifdef EMULATED
#define TIMER_CLOCK 1000000000u
#else
#define TIMER_CLOCK 84000000u
#endif

#define CORE_CLOCK 168000000u
#define BYTE_INTERRUPT 37u /* a byte from USART 1 */

#define WATCHDOG 0x40003000u
#define WATCHDOG_KEY REGISTER(WATCHDOG + 0x00)
#define WATCHDOG_DIVIDER REGISTER(WATCHDOG + 0x04)
#define WATCHDOG_RELOAD REGISTER(WATCHDOG + 0x08)
#define UNLOCK 0x5555u
#define RESTART 0xAAAAu
#define START 0xCCCCu
#define BY_32 3u /* of about 32 kHz */

static struct cortex_m_clock clock;

static void start_clocks(void) {
#ifndef EMULATED
    /* A clock that does not come up leaves the board here, with its motors off: at another rate every timeout is wrong. */
    FLASH_ACCESS = FIVE_WAIT_STATES;
    RCC_PLL = PLL_168_MHZ;
    RCC_CONTROL |= PLL_ON;
    while (!(RCC_CONTROL & PLL_READY)) {
    }
    RCC_CONFIG = BUSES;
    while (!(RCC_CONFIG & SWITCHED)) {
    }
#endif
    RCC_AHB1 |= 1u; /* port A */
    RCC_APB1 |= 1u; /* timer 2 */
    RCC_APB2 |= 1u << 4; /* USART 1 */
}

void board_start(void) {
    start_clocks();
    PORT_A_FUNCTION |= 7u << 4 | 7u << 8;
    PORT_A_MODE |= 2u << 18 | 2u << 20;
    USART_DIVIDER = (APB2 + BAUD / 2) / BAUD;
    USART_CONTROL = ON_BOTH_WAYS_WITH_INTERRUPT;
    TIMER_RELOAD = 0xFFFFFFFF;
    TIMER_CONTROL = 1;
    clock.last = TIMER_COUNT;
    cortex_m_start(CORE_CLOCK, BYTE_INTERRUPT);
    WATCHDOG_KEY = START;
    WATCHDOG_KEY = UNLOCK;
    WATCHDOG_DIVIDER = BY_32;
    WATCHDOG_RELOAD = 1000; /* a second */
    WATCHDOG_KEY = RESTART;
    simulated_start(NULL);
}

uint32_t board_milliseconds(void) {
    return cortex_m_milliseconds(&clock, TIMER_COUNT, TIMER_CLOCK / 1000);
}

int board_read(void) {
    return USART_STATUS & RECEIVED ? (int)(USART_DATA & 0xFF) : -1;
}

bool board_write(uint8_t byte) {
    if (!(USART_STATUS & ROOM)) {
        return false;
    }
    USART_DATA = byte;
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
    cortex_m_acknowledge(BYTE_INTERRUPT);
}

void board_alive(void) {
    WATCHDOG_KEY = RESTART;
}
