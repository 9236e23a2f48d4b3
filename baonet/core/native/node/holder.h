/* What a node knows of its own right to a page under the host's clock, and of what is to become of it. */
#ifndef BAONET_HOLDER_H
#define BAONET_HOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "ledger.h"

struct holder_page {
    uint8_t right;    /* that its pcpus may use */
    uint8_t asked;    /* of home, and not granted yet */
    uint8_t recalled; /* what is to be left of it, plus 1: when the pcpus that it was granted for have had it */
    uint8_t revoked;  /* the same: when the pcpus have let go of the rest */
    bool carries;     /* what is let go may have been written to */
    bool round;       /* goes round: it may be given back unasked, */
    bool offered;     /* and is, or was since it was granted last */
};

/* A pcpu wants it: has the node the right, or is home to be asked, or has it been? */
enum holder_answer { HOLDER_HAS, HOLDER_ASKS, HOLDER_WAITS };
enum holder_answer holder_want(struct holder_page *page, enum right right);

/* Home grants it; the page may go round. False: it cannot. */
bool holder_granted(struct holder_page *page, enum right right, bool round);

/* Home wants it back, or need not any more, as it gets it. False: it cannot. */
bool holder_recalled(struct holder_page *page, enum right right);

/* It is given back as if home wanted it. False: it does not go round, or home wants it. */
bool holder_offer(struct holder_page *page);

/* Nobody here waits to use what was granted: true, if the pcpus are now to let go of all but `page->right`. */
bool holder_free(struct holder_page *page);

/* They have: what is left, to be told home; it carries the bytes if `page->carries`. */
enum right holder_given(struct holder_page *page);

#endif
