/* What a board gives to the firmware. A port to another board is one file that defines these. */
#ifndef BOARD_H
#define BOARD_H

#include "robot.h"

void board_start(void); /* clocks, UART, timer, watchdog; motors off */
uint32_t board_milliseconds(void); /* from a timer that runs freely, not from a count of interrupts, which may be lost */
int board_read(void); /* the next byte of the XBee, -1 when there is none */
bool board_write(uint8_t byte); /* false: no room now */
void board_sensors(const struct robot *robot, struct sensors *sensors); /* before the tick that follows robot's time */
void board_motors(const struct robot *robot); /* drive them with robot->duty, of FULL_DUTY, either sign */
void board_wait(void); /* sleep until a byte comes or a millisecond has passed; may return early */
void board_alive(void); /* the watchdog resets the board when this is not called for a second */

/* The loop of every board, called after a reset. */
_Noreturn void board_loop(void);

#endif
