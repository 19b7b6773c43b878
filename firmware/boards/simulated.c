#include "simulated.h"

#include <stdatomic.h>

#include "stand.h"

#define TRIES 100 /* at a consistent copy; the mock may be interrupted while it writes, and the last copy then holds */
#define LONGEST_TURN 50 /* ms: legs that the mock has not reported for longer stand */

static volatile struct body *body;
static struct measured measured;
static struct driven driven;
static struct stand stand;

static void barrier(void) {
    atomic_thread_fence(memory_order_seq_cst);
}

void simulated_start(volatile struct body *shared) {
    body = shared != NULL && shared->magic == BODY_MAGIC ? shared : NULL;
    driven.resets = body != NULL ? body->resets : 0;
}

static void look(void) {
    for (int tries = 0; tries < TRIES; tries++) {
        uint32_t before = body->measured_sequence;
        barrier();
        struct measured copy = body->measured;
        barrier();
        if (before % 2 == 0 && before == body->measured_sequence) {
            measured = copy;
            return;
        }
    }
}

void simulated_sensors(const struct robot *robot, struct sensors *sensors) {
    if (body == NULL) {
        stand_tick(&stand, robot->duty, sensors);
        return;
    }
    look();
    int32_t turned = (int32_t)(robot->milliseconds + 1 - measured.at);
    turned = turned > LONGEST_TURN ? LONGEST_TURN : turned < -LONGEST_TURN ? -LONGEST_TURN : turned;
    for (int side = 0; side < SIDES; side++) {
        uint32_t angle = measured.angle[side] + (uint32_t)(measured.speed[side] * turned);
        sensors->encoder[side] = angle / BODY_ANGLE_STEPS % ENCODER_STEPS;
        sensors->back_emf[side] = measured.back_emf[side];
    }
    for (int axis = 0; axis < 3; axis++) {
        sensors->gyro[axis] = measured.gyro[axis];
        sensors->accel[axis] = measured.accel[axis];
    }
    sensors->battery = measured.battery;
}

void simulated_motors(const struct robot *robot) {
    if (body == NULL) {
        return;
    }
    int32_t command[SIDES];
    robot_command(robot, command);
    if (command[LEFT] != driven.command[LEFT] || command[RIGHT] != driven.command[RIGHT]) {
        driven.commanded_since = robot->milliseconds;
    }
    if (robot->duty[LEFT] != 0 || robot->duty[RIGHT] != 0) {
        driven.last_duty = robot->milliseconds;
    }
    for (int side = 0; side < SIDES; side++) {
        driven.command[side] = command[side];
        driven.duty[side] = robot->duty[side];
    }
    driven.milliseconds = robot->milliseconds;
    driven.last_packet = robot->last_command;
    body->driven_sequence = body->driven_sequence | 1; /* odd, also after a reset in the middle of a write */
    barrier();
    body->driven = driven;
    barrier();
    body->driven_sequence = body->driven_sequence + 1;
}

bool simulated_reset(void) {
    return body != NULL && body->resets != driven.resets;
}
