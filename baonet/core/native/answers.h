/*
 * Calls that the hypervisor has answered beforehand (baonet.hyp.answers): the guest goes on with the answer, and all else is as if
 * it had been left for it.
 */
#ifndef BAONET_ANSWERS_H
#define BAONET_ANSWERS_H

#include "core.h"

#define ANSWER_CONDITIONS 3
#define ANSWER_RESULTS 2

struct answers {
    unsigned count;
    struct answer {
        unsigned conditions, results;
        bool asks; /* the hypervisor */
        struct {
            unsigned number;
            uint64_t mask, value;
        } condition[ANSWER_CONDITIONS];
        struct {
            unsigned number;
            uint64_t value;
        } result[ANSWER_RESULTS];
    } answers[];
};

/* Whether it is the answer to the call that a guest is at; and the guest is given it. */
bool answer_holds(struct core *core, const struct answer *answer);
void answer_give(struct core *core, const struct answer *answer);

/*
 * Of the guest that runs, in an exception of an instruction that it is to go on `length` bytes behind. False: it has to be left for
 * `reason`.
 */
bool answers_call(struct core *core, enum exit_reason reason, unsigned length);

#endif
