/* One side's leg controller in integers, once a millisecond: follow a setpoint that moves at the commanded velocity.

   out = Kff + (Kp e_pos >> 12) + ((Ki sum(e_pos >> 4) >> 12) >> 4) + (Kd e_vel >> 4), within +-LARGEST_DUTY.
   Products wrap in 32 bits; what the limit cuts off is taken back from the sum, Kaw hundredths of it. */
#ifndef PID_H
#define PID_H

#include <stdint.h>

#define FULL_DUTY 4000
#define LARGEST_DUTY 3800

enum { KP, KI, KD, KAW, KFF, GAINS };

struct pid {
    int16_t gain[GAINS];
    int32_t velocity; /* counts/ms */
    int64_t goal; /* counts */
    int64_t sum;
};

void pid_configure(struct pid *pid, const int32_t gain[GAINS]);

/* Move the setpoint at `velocity` from the present `position` on. */
void pid_aim(struct pid *pid, int32_t velocity, int64_t position);

/* Advance by one millisecond; return the duty. */
int16_t pid_update(struct pid *pid, int64_t position, int64_t velocity);

#endif
