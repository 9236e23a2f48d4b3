/* The guest interrupt file of the hart (AIA 3): identities that are pending and enabled, and which comes first. */
#ifndef BAONET_RISCV_FILE_H
#define BAONET_RISCV_FILE_H

#include "core.h"

#define SISELECT_WRITABLE 0x1ffu

/* The identity that is to be taken, which is the lowest; 0: none. As stopei, or as far as it interrupts. */
uint32_t file_top(const struct core *core);
bool file_interrupts(const struct core *core);

/* Makes an identity pending; nothing for one that the file has not. */
void file_inject(struct core *core, uint64_t identity);
void file_claim(struct core *core, uint32_t identity);

/* Where sireg reads and writes, by siselect: all of it that `writable` has. NULL: there is nothing. */
uint64_t *file_register(struct core *core, uint64_t *writable);
/* Behind a write there: tells of what is pending now and was not before. */
void file_written(struct core *core, const uint64_t *reg, uint64_t before);

/* Whether it can be the file of this core: a guest can leave nothing else there. */
bool file_plausible(const struct core *core, const struct file *file);

#endif
