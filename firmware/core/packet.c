#include "packet.h"

static int32_t get16(const uint8_t *data) {
    return (int16_t)(uint16_t)(data[0] | data[1] << 8);
}

static uint8_t *put16(uint8_t *out, int32_t value) {
    *out++ = (uint8_t)value;
    *out++ = (uint8_t)((uint32_t)value >> 8);
    return out;
}

static uint8_t *put32(uint8_t *out, uint32_t value) {
    out = put16(out, (int32_t)(value & 0xFFFF));
    return put16(out, (int32_t)(value >> 16));
}

static uint8_t *head(uint8_t *out, uint8_t type) {
    *out++ = 0;
    *out++ = type;
    return out;
}

/* How many 16-bit numbers a command carries; -1: any number of bytes, ignored; -2: no command. */
static int numbers_of(uint8_t type) {
    switch (type) {
    case PID_START_MOTORS:
    case PID_STOP_MOTORS:
    case GET_AMS_POS:
    case WHO_AM_I:
        return 0;
    case SET_TIMEOUT:
    case START_TIMED_RUN:
    case SET_PID_OUTPUT_CHANNEL:
        return 1;
    case SET_THRUST_OPEN_LOOP:
    case SET_THRUST_GET_IMU:
    case SET_VEL_GET_IMU:
        return 2;
    case SET_PID_GAINS:
        return 10;
    case SET_VEL_PROFILE:
        return 12;
    case ZERO_POS:
        return -1;
    default:
        return -2;
    }
}

bool packet_decode(const uint8_t *payload, size_t length, struct command *command) {
    if (length < 2 || payload[0] != 0) {
        return false;
    }
    int numbers = numbers_of(payload[1]);
    if (numbers == -2 || (numbers >= 0 && length != 2 + 2 * (size_t)numbers)) {
        return false;
    }
    command->type = payload[1];
    command->count = (uint8_t)(numbers < 0 ? 0 : numbers);
    for (uint8_t i = 0; i < command->count; i++) {
        command->number[i] = get16(payload + 2 + 2 * i);
    }
    if (command->type == START_TIMED_RUN) { /* the only unsigned one */
        command->number[0] &= 0xFFFF;
    }
    return true;
}

size_t packet_telemetry(uint8_t *out, const struct telemetry *t) {
    uint8_t *end = head(out, TELEMETRY);
    end = put32(put32(end, t->index), t->timestamp);
    for (int side = 0; side < SIDES; side++) {
        end = put32(end, (uint32_t)t->position[side]);
    }
    for (int side = 0; side < SIDES; side++) {
        end = put32(end, (uint32_t)t->command[side]);
    }
    end = put16(put16(end, t->duty[LEFT]), t->duty[RIGHT]);
    for (int axis = 0; axis < 3; axis++) {
        end = put16(end, t->gyro[axis]);
    }
    for (int axis = 0; axis < 3; axis++) {
        end = put16(end, t->accel[axis]);
    }
    end = put16(put16(end, t->back_emf[LEFT]), t->back_emf[RIGHT]);
    end = put16(end, t->battery);
    return (size_t)(end - out);
}

size_t packet_gains(uint8_t *out, const struct command *gains) {
    uint8_t *end = head(out, SET_PID_GAINS);
    for (int i = 0; i < 10; i++) {
        end = put16(end, gains->number[i]);
    }
    return (size_t)(end - out);
}

size_t packet_position(uint8_t *out, const int32_t position[SIDES]) {
    uint8_t *end = put32(put32(head(out, GET_AMS_POS), (uint32_t)position[LEFT]), (uint32_t)position[RIGHT]);
    return (size_t)(end - out);
}

size_t packet_name(uint8_t *out, const char *name) {
    uint8_t *end = head(out, WHO_AM_I);
    while (*name != '\0' && end < out + PACKET_MAX_ANSWER) {
        *end++ = (uint8_t)*name++;
    }
    return (size_t)(end - out);
}
