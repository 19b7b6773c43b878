#include "robot.h"

const char ROBOT_NAME[] = "millirobot_adapt reference firmware 1";

static void aim(struct robot *robot, int side, int32_t velocity) {
    pid_aim(&robot->pid[side], velocity, robot->position[side]);
}

/* Let the motors go; the next motor command moves them again. */
static void halt(struct robot *robot) {
    robot->open_loop = true;
    robot->thrust[LEFT] = robot->thrust[RIGHT] = 0;
}

static void start(struct robot *robot, bool timed, uint32_t duration) {
    robot->running = true;
    robot->timed = timed;
    robot->run_until = robot->milliseconds + duration;
    for (int side = 0; side < SIDES; side++) {
        robot->velocity[side] = 0;
        aim(robot, side, 0);
    }
}

void robot_power_up(struct robot *robot, const struct sensors *sensors) {
    int16_t cutoff = BATTERY_CUTOFF;
    *robot = (struct robot){.cutoff = cutoff};
    for (int side = 0; side < SIDES; side++) {
        int32_t reading = sensors->encoder[side];
        robot->reading[side] = (uint16_t)reading;
        robot->position[side] =
            (int64_t)(reading < ENCODER_STEPS / 2 ? reading : reading - ENCODER_STEPS) * COUNTS_PER_STEP;
    }
}

/* Follow the encoders through the end of a revolution: the step is the short way round. */
static void unwrap(struct robot *robot, const struct sensors *sensors) {
    for (int side = 0; side < SIDES; side++) {
        int32_t step = (sensors->encoder[side] - robot->reading[side]) & (ENCODER_STEPS - 1);
        if (step >= ENCODER_STEPS / 2) {
            step -= ENCODER_STEPS;
        }
        robot->reading[side] = sensors->encoder[side];
        robot->step[side] = (int64_t)step * COUNTS_PER_STEP;
        robot->position[side] += robot->step[side];
    }
}

static void watch(struct robot *robot, const struct sensors *sensors) {
    if (robot->timeout && robot->milliseconds - robot->last_command > (uint32_t)robot->timeout) {
        halt(robot);
    }
    if (robot->timed && robot->milliseconds > robot->run_until) {
        robot->timed = robot->running = false;
    }
    robot->low_since = sensors->battery < robot->cutoff ? robot->low_since + 1 : 0;
    if (robot->low_since > BATTERY_PATIENCE) {
        robot->empty = true;
    }
}

void robot_tick(struct robot *robot, const struct sensors *sensors) {
    robot->milliseconds++;
    unwrap(robot, sensors);
    watch(robot, sensors);
    for (int side = 0; side < SIDES; side++) {
        if (!robot->running || robot->empty) {
            robot->duty[side] = 0;
        } else if (robot->open_loop) {
            robot->duty[side] = robot->thrust[side];
        } else {
            robot->duty[side] = pid_update(&robot->pid[side], robot->position[side], robot->step[side]);
        }
    }
}

void robot_command(const struct robot *robot, int32_t command[SIDES]) {
    bool off = !robot->running || robot->empty;
    for (int side = 0; side < SIDES; side++) {
        command[side] = off ? 0 : robot->open_loop ? robot->thrust[side] : robot->velocity[side];
    }
}

/* The low 32 bits, as the counter on the wire holds them. */
static int32_t wrapped(int64_t count) {
    return (int32_t)(uint32_t)(uint64_t)count;
}

static size_t answer_telemetry(
    struct robot *robot, const struct sensors *sensors, const struct command *command, uint8_t *answer
) {
    struct telemetry telemetry = {
        .index = ++robot->index,
        .timestamp = robot->milliseconds * 1000u,
        .battery = sensors->battery,
    };
    for (int side = 0; side < SIDES; side++) {
        telemetry.position[side] = wrapped(robot->position[side]);
        telemetry.command[side] = command->number[side];
        telemetry.duty[side] = robot->duty[side];
        telemetry.back_emf[side] = sensors->back_emf[side];
    }
    for (int axis = 0; axis < 3; axis++) {
        telemetry.gyro[axis] = sensors->gyro[axis];
        telemetry.accel[axis] = sensors->accel[axis];
    }
    return packet_telemetry(answer, &telemetry);
}

/* Answer with what was measured before the command acts. */
static size_t reply(
    struct robot *robot, const struct sensors *sensors, const struct command *command, uint8_t *answer
) {
    switch (command->type) {
    case SET_VEL_GET_IMU:
    case SET_THRUST_GET_IMU:
        return answer_telemetry(robot, sensors, command, answer);
    case SET_PID_GAINS:
        return packet_gains(answer, command);
    case GET_AMS_POS: {
        int32_t position[SIDES] = {wrapped(robot->position[LEFT]), wrapped(robot->position[RIGHT])};
        return packet_position(answer, position);
    }
    case WHO_AM_I:
        return packet_name(answer, ROBOT_NAME);
    default:
        return 0;
    }
}

static int16_t within_duty(int32_t duty) {
    return (int16_t)(duty > LARGEST_DUTY ? LARGEST_DUTY : duty < -LARGEST_DUTY ? -LARGEST_DUTY : duty);
}

static void obey(struct robot *robot, const struct command *command) {
    const int32_t *number = command->number;
    switch (command->type) {
    case SET_VEL_GET_IMU:
        robot->open_loop = false;
        for (int side = 0; side < SIDES; side++) {
            robot->velocity[side] = number[side];
            aim(robot, side, number[side]);
        }
        break;
    case SET_THRUST_GET_IMU:
        robot->open_loop = true;
        for (int side = 0; side < SIDES; side++) {
            robot->thrust[side] = within_duty(number[side]);
        }
        break;
    case PID_START_MOTORS:
        start(robot, false, 0);
        break;
    case START_TIMED_RUN:
        start(robot, true, (uint32_t)number[0]);
        break;
    case PID_STOP_MOTORS:
        halt(robot);
        robot->running = false;
        break;
    case SET_PID_GAINS:
        pid_configure(&robot->pid[LEFT], number);
        pid_configure(&robot->pid[RIGHT], number + GAINS);
        break;
    case SET_TIMEOUT:
        robot->timeout = number[0] > 0 ? number[0] : 0;
        break;
    case ZERO_POS:
        for (int side = 0; side < SIDES; side++) {
            robot->position[side] = 0;
            aim(robot, side, 0);
        }
        break;
    default: /* 0x80, 0x8D and 0x97 do nothing */
        break;
    }
}

size_t robot_receive(
    struct robot *robot, const struct sensors *sensors, const uint8_t *payload, size_t length, uint8_t *answer
) {
    struct command command;
    if (!packet_decode(payload, length, &command)) {
        robot->ignored++;
        return 0;
    }
    robot->last_command = robot->milliseconds;
    size_t answered = reply(robot, sensors, &command, answer);
    obey(robot, &command);
    return answered;
}
