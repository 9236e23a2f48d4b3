/* The bytes of pages on their way to other nodes. A device's page is its state, without the lock, which is of one node. */
#ifndef BAONET_CONTENTS_H
#define BAONET_CONTENTS_H

#include "courier.h"

/* Room for so many pages. */
size_t contents_most(const struct table *table, unsigned count);

/* Their size. A process of guests writes there meanwhile, if it does not keep to the rules: what is looked at twice may differ. */
size_t contents_pack(const struct table *table, uint32_t page, unsigned count, uint8_t *room);

/* Whether so many bytes are so many pages. */
bool contents_fit(const struct table *table, unsigned count, const uint8_t *bytes, size_t length);

/* Of one page, or of a device in so many bytes, which fit. */
void contents_unpack(const struct table *table, uint32_t page, const uint8_t *bytes, size_t length);

#endif
