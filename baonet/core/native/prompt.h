/*
 * Errands (errands.h) under the host's clock: what comes of a notification is done in the hypervisor's place while the guest is
 * where it is: the call, the ring to another pcpu, the sleep of a guest that waits, the interrupt, its end. Whatever else there is,
 * ends that, and is found as if nobody had looked.
 */
#ifndef BAONET_PROMPT_H
#define BAONET_PROMPT_H

#include "core.h"

/* As core_run(), but it goes on behind errands, if the hypervisor's state is lent. */
int prompt_run(struct core *core, int64_t budget);

/*
 * By the rings of this capsule (ringside.h). `hears`: what the bytes in the ring of a pcpu are, as (object, event) of one
 * notification, or None; `frames`: the bytes of a notification. -1: Python has an error.
 */
int prompt_begin(struct core *core, PyObject *ringside, PyObject *hears, PyObject *frames);
void prompt_clear(struct core *core);

/* It is lent anew: who may be heard has changed. */
void prompt_lent(struct core *core);

#endif
