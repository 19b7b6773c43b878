/* A robot on a stand behind a pseudo-terminal: its radio, and the firmware in this process or at the end of a socket.

   robot LINK [--uart SOCKET] [--address N] [--escaped]

   LINK becomes a link to the terminal, for the bridge or `millirobot link-test LINK`. With --uart the firmware runs
   elsewhere (an emulator), and its UART is that unix socket. Ends with SIGINT or SIGTERM. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "firmware.h"
#include "radio.h"
#include "stand.h"

#define CONNECT_TRIES 100 /* 50 ms apart: an emulator takes a moment to make its socket */

static volatile sig_atomic_t ended;
static int terminal = -1, uart = -1;
static struct radio radio;
static struct firmware firmware;
static struct stand stand;
static struct sensors sensors;

static void end(int number) {
    (void)number;
    ended = 1;
}

static void fail(const char *what) {
    fprintf(stderr, "robot: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void write_all(int file, const uint8_t *data, size_t length) {
    while (length > 0) {
        ssize_t written = write(file, data, length);
        if (written <= 0) {
            return; /* nobody reads: bytes without room are lost, as on a serial line */
        }
        data += written;
        length -= (size_t)written;
    }
}

static void to_host(const uint8_t *data, size_t length) {
    write_all(terminal, data, length);
}

static void to_robot(const uint8_t *data, size_t length) {
    if (uart >= 0) {
        write_all(uart, data, length);
        return;
    }
    for (size_t i = 0; i < length; i++) {
        firmware_byte(&firmware, data[i]);
    }
    for (int byte; (byte = firmware_output(&firmware)) >= 0;) {
        radio_from_robot(&radio, (uint8_t)byte);
    }
}

/* Make a raw terminal that stays alive without a client, and the link to it. */
static void open_terminal(const char *link) {
    terminal = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0) {
        fail("pseudo-terminal");
    }
    const char *name = ptsname(terminal);
    int clients = open(name, O_RDWR | O_NOCTTY);
    struct termios settings;
    if (clients < 0 || tcgetattr(clients, &settings) != 0) {
        fail(name);
    }
    cfmakeraw(&settings);
    if (tcsetattr(clients, TCSANOW, &settings) != 0) {
        fail(name);
    }
    if (symlink(name, link) != 0) {
        fail(link);
    }
}

static void open_uart(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        fail(path);
    }
    strcpy(address.sun_path, path);
    for (int tries = 0; tries < CONNECT_TRIES; tries++) {
        uart = socket(AF_UNIX, SOCK_STREAM, 0);
        if (uart >= 0 && connect(uart, (struct sockaddr *)&address, sizeof address) == 0) {
            return;
        }
        close(uart);
        nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
    }
    fail(path);
}

static uint64_t milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

/* Catch up, tick by tick; with an emulator the ticks are its own. */
static void tick(void) {
    static uint64_t ticks;
    uint64_t now = milliseconds();
    for (ticks = ticks ? ticks : now; uart < 0 && ticks < now; ticks++) {
        stand_tick(&stand, firmware.robot.duty, &sensors);
        firmware_tick(&firmware, &sensors);
    }
}

/* Wait a millisecond, and pass on what has come; false when the emulator is gone. */
static bool pump(void) {
    uint8_t data[512];
    struct pollfd files[] = {{.fd = terminal, .events = POLLIN}, {.fd = uart, .events = POLLIN}};
    int ready = poll(files, uart >= 0 ? 2 : 1, 1);
    tick(); /* before anything is read: what the robot answers is then as new as its stamp */
    if (ready <= 0) {
        return true;
    }
    if (files[0].revents & POLLIN) {
        ssize_t length = read(terminal, data, sizeof data);
        for (ssize_t i = 0; i < length; i++) {
            radio_from_host(&radio, data[i]);
        }
    }
    if (uart >= 0 && files[1].revents) {
        ssize_t length = read(uart, data, sizeof data);
        for (ssize_t i = 0; i < length; i++) {
            radio_from_robot(&radio, data[i]);
        }
        return length > 0;
    }
    return true;
}

static void live(void) {
    tick();
    while (!ended && pump()) {
    }
}

int main(int count, char **arguments) {
    const char *link = NULL, *socket_path = NULL;
    bool escaped = false;
    long address = 1;
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--escaped") == 0) {
            escaped = true;
        } else if (strcmp(arguments[i], "--uart") == 0 && i + 1 < count) {
            socket_path = arguments[++i];
        } else if (strcmp(arguments[i], "--address") == 0 && i + 1 < count) {
            address = strtol(arguments[++i], NULL, 0);
        } else if (link == NULL && arguments[i][0] != '-') {
            link = arguments[i];
        } else {
            link = NULL;
            break;
        }
    }
    if (link == NULL || address < 0 || address > 0xFFFE) {
        fprintf(stderr, "usage: robot LINK [--uart SOCKET] [--address N] [--escaped]\n");
        return 2;
    }
    struct sigaction action = {.sa_handler = end};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (socket_path != NULL) {
        open_uart(socket_path);
    }
    open_terminal(link);
    radio_init(&radio, escaped, (uint16_t)address, to_host, to_robot);
    stand_tick(&stand, firmware.robot.duty, &sensors);
    firmware_reset(&firmware, &sensors, escaped);
    live();
    unlink(link);
    return 0;
}
