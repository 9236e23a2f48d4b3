/*
 * A right comes from home, and goes back when home wants it and all pcpus that use it have let go. A pcpu for which it was granted
 * does its access first.
 *
 * A page that goes round may be given back unasked. Nothing more is asked of home until it has gone, as home would take that for
 * asked by a node that has it; and home may have recalled it before it came: that is all a recall can be until it is granted again.
 */
#include "holder.h"

enum holder_answer holder_want(struct holder_page *page, enum right right) {
    if (right <= (page->recalled ? page->recalled - 1u : page->right)) return HOLDER_HAS;
    if (page->offered && (page->recalled || page->revoked)) return HOLDER_WAITS;
    if (right <= page->asked) return HOLDER_WAITS;
    page->asked = (uint8_t)right;
    return HOLDER_ASKS;
}

bool holder_granted(struct holder_page *page, enum right right, bool round) {
    if (right < page->right || right > RIGHT_WRITE || page->recalled || page->revoked) return false;
    page->right = (uint8_t)right;
    page->round = round;
    page->offered = false;
    if (page->asked <= right) page->asked = RIGHT_NONE;
    return true;
}

bool holder_offer(struct holder_page *page) {
    if (!page->round || page->right != RIGHT_WRITE || page->asked || page->recalled || page->revoked) return false;
    page->offered = true;
    page->recalled = RIGHT_NONE + 1;
    return true;
}

bool holder_recalled(struct holder_page *page, enum right right) {
    if (page->offered) return true;
    if (right >= page->right || page->recalled || page->revoked) return false;
    page->recalled = (uint8_t)(right + 1);
    return true;
}

bool holder_free(struct holder_page *page) {
    if (!page->recalled) return false;
    page->revoked = page->recalled;
    page->recalled = 0;
    page->carries = page->right == RIGHT_WRITE;
    page->right = (uint8_t)(page->revoked - 1);
    return true;
}

enum right holder_given(struct holder_page *page) {
    enum right left = (enum right)(page->revoked - 1);
    page->revoked = 0;
    return left;
}
