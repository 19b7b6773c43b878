/* A board that is a process: its UART is standard input and output, its sensors and motors are those of the mock.

   board BODY: the file of the memory that is shared with the mock (body.h). Ends with its standard input. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "board.h"
#include "simulated.h"

#define MILLISECOND 1000000 /* ns */

static char **arguments;
static volatile struct body *body;
static uint64_t started;
static uint8_t heard[256];
static ssize_t held, taken;

static uint64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 * MILLISECOND + (uint64_t)now.tv_nsec;
}

void board_start(void) {
    fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
    started = nanoseconds();
    simulated_start(body);
}

uint32_t board_milliseconds(void) {
    return (uint32_t)((nanoseconds() - started) / MILLISECOND);
}

int board_read(void) {
    if (taken == held) {
        taken = 0;
        held = read(STDIN_FILENO, heard, sizeof heard);
        if (held == 0) {
            exit(0); /* the mock has gone */
        }
        held = held < 0 ? 0 : held;
    }
    return taken < held ? heard[taken++] : -1;
}

bool board_write(uint8_t byte) {
    return write(STDOUT_FILENO, &byte, 1) == 1;
}

void board_sensors(const struct robot *robot, struct sensors *sensors) {
    simulated_sensors(robot, sensors);
}

void board_motors(const struct robot *robot) {
    simulated_motors(robot);
}

void board_wait(void) {
    struct pollfd uart = {.fd = STDIN_FILENO, .events = POLLIN};
    long passed = (long)((nanoseconds() - started) % MILLISECOND);
    ppoll(&uart, 1, &(struct timespec){.tv_nsec = MILLISECOND - passed}, NULL);
}

void board_alive(void) {
    if (simulated_reset()) {
        execv("/proc/self/exe", arguments); /* forgets everything, as a reset does */
        exit(2);
    }
}

int main(int count, char **given) {
    if (count != 2) {
        fprintf(stderr, "usage: board BODY\n");
        return 2;
    }
    arguments = given;
    int file = open(given[1], O_RDWR);
    void *memory = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *body, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) {
        fprintf(stderr, "board: %s: %s\n", given[1], strerror(errno));
        return 2;
    }
    body = memory;
    board_loop();
}
