/*
 * A window in which one party alone has asked for anything, with nothing left of others that it could have met: what its log would
 * come to, its hierarchy has come to already. So that is taken over, and of the log no more is read than what the hierarchy does not keep.
 */
#ifndef BAONET_MEMSYS_ALONE_H
#define BAONET_MEMSYS_ALONE_H

#include "cluster_state.h"

/* False: nothing is done, as it is not so, and the logs are to be merged. `number`: of the party whose log is the only one. */
bool memsys_merge_alone(struct memsys_cluster *cluster, const struct memsys_entry entries[], unsigned parties, unsigned number,
                        uint64_t length, struct memsys_outcome outcomes[]);

/* After a merge, of all, so that it is known alike of a party whose node has merged a log that another node has taken over:
 * whether what is kept of a party is what its hierarchy has. */
void memsys_compare(const struct memsys_cluster *cluster, const struct memsys_entry *entry, unsigned number);

#endif
