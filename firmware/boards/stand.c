#include "stand.h"

#define FASTEST 51000 /* 12 rev/s at full duty: 12 * 16384 * 256 / 1000 [1/256 steps a millisecond] */
#define LAG 32 /* ms */
#define BACK_EMF 250 /* counts at that speed: on the lab's logs 7 to 19 counts per Hz */

void stand_tick(struct stand *stand, const int16_t duty[SIDES], struct sensors *sensors) {
    *sensors = (struct sensors){.accel = {0, 0, 4096}, .battery = 880};
    for (int side = 0; side < SIDES; side++) {
        int32_t wanted = duty[side] * (FASTEST / 8) / (FULL_DUTY / 8);
        stand->speed[side] += (wanted - stand->speed[side]) / LAG;
        stand->angle[side] = (int32_t)((uint32_t)(stand->angle[side] + stand->speed[side]) % (ENCODER_STEPS * 256u));
        int32_t back_emf = stand->speed[side] / (FASTEST / BACK_EMF);
        sensors->encoder[side] = (uint16_t)(stand->angle[side] / 256);
        sensors->back_emf[side] = (int16_t)(side == LEFT ? back_emf : -back_emf);
    }
}
