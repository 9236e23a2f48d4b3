/* The count of retired instructions where a block does not run to its end. */
#ifndef BAONET_COUNT_H
#define BAONET_COUNT_H

#include "core.h"

/* All translated code is to go, and what is known of it; interposed. */
void count_flush(struct core *core);
void ARCH(tb_flush)(void *cpu);

/* Before the guest runs: code may be gone. */
void count_enter(struct core *core);

/* How many instructions of the block are left with the one whose host code returns to `from`. */
unsigned count_rest(struct core *core, uintptr_t from);

/* Whether that is the first of its block; and its address. */
bool count_is_first(struct core *core, uintptr_t from, uint64_t *pc);

/* What had been taken for them. */
void count_give_back(struct core *core, uintptr_t from);

/* The guest's state at the start of a block, a TranslationBlock, that does not run, and back what had been taken for it. */
void count_leave_block(struct core *core, const uint8_t *block);

/* The guest's state at the instruction whose host code returns to `from`; interposed: with `will_exit` it gives back. */
bool ARCH(cpu_restore_state)(void *cpu, uintptr_t from, bool will_exit);

#endif
