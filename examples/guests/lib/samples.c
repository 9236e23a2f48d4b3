/* A set of measured times, in ticks. */
#include "samples.h"

#include "guest.h"

static uint32_t values[SAMPLES];
static unsigned count;

void samples_clear(void) { count = 0; }

void samples_add(uint64_t value) {
    if (count < SAMPLES) values[count++] = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

void samples_sort(void) {
    for (unsigned gap = count / 2; gap; gap /= 2)
        for (unsigned i = gap; i < count; i++) {
            uint32_t value = values[i];
            unsigned at = i;
            for (; at >= gap && values[at - gap] > value; at -= gap) values[at] = values[at - gap];
            values[at] = value;
        }
}

uint64_t samples_permille(unsigned permille) { return nanoseconds(values[(uint64_t)(count - 1) * permille / 1000]); }

uint64_t samples_average(void) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < count; i++) sum += values[i];
    return nanoseconds(sum / count);
}
