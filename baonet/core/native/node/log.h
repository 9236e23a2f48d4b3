/* What one node's ledger of an island tells another's: courier.h. */
#ifndef BAONET_LOG_H
#define BAONET_LOG_H

#include "courier.h"

/* From a node that has one more: false, that cannot be. */
bool log_take(struct part *part, struct view *from, unsigned here, const uint8_t *body, size_t length);

#endif
