/* The loop of every board: a tick a millisecond, however late, and bytes as they come. */
#include "board.h"
#include "firmware.h"

static struct firmware firmware;

_Noreturn void board_loop(void) {
    struct sensors sensors;
    int waiting = -1; /* a byte that found no room */
    board_start();
    board_sensors(&firmware.robot, &sensors);
    firmware_reset(&firmware, &sensors, false);
    for (uint32_t ticks = board_milliseconds();;) {
        /* Ticks first: what the robot answers is then as new as its stamp. */
        for (uint32_t now = board_milliseconds(); ticks != now; ticks++) {
            board_sensors(&firmware.robot, &sensors);
            firmware_tick(&firmware, &sensors);
            board_motors(&firmware.robot);
        }
        for (int byte; (byte = board_read()) >= 0;) {
            firmware_byte(&firmware, (uint8_t)byte);
        }
        for (;;) {
            waiting = waiting < 0 ? firmware_output(&firmware) : waiting;
            if (waiting < 0 || !board_write((uint8_t)waiting)) {
                break;
            }
            waiting = -1;
        }
        board_alive();
        board_wait();
    }
}
