/*
 * Translations that the vCPUs of a VM have in common, in memory that its processes share. Who translates a block first keeps what the
 * library made of it, and others whose guest comes to the same bytes at the same address, in the same state, have it from there.
 */
#ifndef BAONET_COMMON_BLOCKS_H
#define BAONET_COMMON_BLOCKS_H

#include "core.h"

struct common_block;

/*
 * A core that is made: this memory, all zeroes at first, is what it has in common with others of its VM. -1 with a Python error. A core
 * whose process has the library at another place than the first one's has nothing in common with it.
 */
int common_blocks_join(struct core *core, uint8_t *memory, size_t size);

/*
 * A block (TranslationBlock) of this core's that is to be translated, of at most so many instructions; NULL: there is none. `out` gets
 * its host code, as it is where the library would have it. Then, where the library would make the code, what else it makes, and how
 * many bytes the code has.
 */
const struct common_block *common_blocks_find(struct core *core, const uint8_t *block, unsigned most, uint8_t *out);
int common_blocks_finish(const struct common_block *found, uint8_t *tcg, uint8_t *block);

/* While a block is translated, from then on: bytes of the guest that it is made from, and that it has something of this core's own. */
void common_blocks_begin(struct core *core, const uint8_t *block, unsigned most);
void common_blocks_read(struct core *core, uint64_t pc, uint32_t bytes, unsigned size);
void common_blocks_refuse(struct core *core);

/* It is translated, and none of its jumps leads anywhere yet. */
void common_blocks_keep(struct core *core, const uint8_t *block);

#endif
