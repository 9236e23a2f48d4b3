/* Whether other hosts live: beats that a thread without Python sends them and hears from them: pulse.c. */
#ifndef BAONET_PULSE_H
#define BAONET_PULSE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

#define BEATS 10u /* in the time after which who says nothing is lost */

/* Nanoseconds of the host's monotonic clock. */
uint64_t pulse_now(void);

/* The calling thread is asked for seldom and must not wait then: before others, as far as the host lets it. */
void pulse_hurry(void);

extern PyTypeObject pulse_type;

#endif
