#include "pid.h"

/* A product as the firmware's 32-bit registers hold it: its low 32 bits, as two's complement. */
static int32_t product(int32_t gain, int64_t value) {
    return (int32_t)(uint32_t)((uint64_t)(int64_t)gain * (uint64_t)value);
}

void pid_configure(struct pid *pid, const int32_t gain[GAINS]) {
    for (int i = 0; i < GAINS; i++) {
        pid->gain[i] = (int16_t)gain[i];
    }
    pid->sum = 0;
}

void pid_aim(struct pid *pid, int32_t velocity, int64_t position) {
    pid->velocity = velocity;
    pid->goal = position;
    pid->sum = 0;
}

int16_t pid_update(struct pid *pid, int64_t position, int64_t velocity) {
    pid->goal += pid->velocity;
    int64_t error = pid->goal - position;
    pid->sum += error >> 4;
    int64_t out = pid->gain[KFF];
    out += product(pid->gain[KP], error) >> 12;
    out += (product(pid->gain[KI], pid->sum) >> 12) >> 4;
    out += product(pid->gain[KD], pid->velocity - velocity) >> 4;
    int64_t limited = out > LARGEST_DUTY ? LARGEST_DUTY : out < -LARGEST_DUTY ? -LARGEST_DUTY : out;
    if (limited != out) {
        pid->sum += pid->gain[KAW] * (limited - out) / 100;
    }
    return (int16_t)limited;
}
