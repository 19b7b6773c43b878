/* A robot on a stand: two legs that nothing holds, and sensors at rest. For programs without the mock's physics. */
#ifndef STAND_H
#define STAND_H

#include "robot.h"

struct stand {
    int32_t angle[SIDES]; /* 1/256 encoder steps */
    int32_t speed[SIDES]; /* 1/256 encoder steps a millisecond */
};

/* Let a millisecond pass under a duty of FULL_DUTY; `sensors` are what the board reads then. */
void stand_tick(struct stand *stand, const int16_t duty[SIDES], struct sensors *sensors);

#endif
