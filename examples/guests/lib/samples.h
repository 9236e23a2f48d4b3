#ifndef GUEST_SAMPLES_H
#define GUEST_SAMPLES_H

#include <stdint.h>

#define SAMPLES 10000

void samples_clear(void);
void samples_add(uint64_t value); /* ticks; what does not fit any more is left out */
void samples_sort(void);
uint64_t samples_permille(unsigned permille); /* of sorted samples, in nanoseconds: 0 the least, 1000 the most */
uint64_t samples_average(void);               /* nanoseconds */

#endif
