/* Sensors and motors of a board that has none: those of the mock's body, or of a robot on a stand. */
#ifndef SIMULATED_H
#define SIMULATED_H

#include "body.h"

/* Take part in `body` if a mock lives there; NULL or no mock: a robot on a stand. */
void simulated_start(volatile struct body *body);
void simulated_sensors(const struct robot *robot, struct sensors *sensors);
void simulated_motors(const struct robot *robot);

/* The mock wants the board to reset. */
bool simulated_reset(void);

#endif
