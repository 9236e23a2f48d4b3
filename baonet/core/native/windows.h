/*
 * Where the guest has pages of emulated windows in its own addresses, as a TLB of a CPU would have them: the library's has none of
 * what is not mapped, and each access would be walked for. What is in it goes when what is in the library's TLBs goes.
 */
#ifndef BAONET_WINDOWS_H
#define BAONET_WINDOWS_H

#include "core.h"

/*
 * `tables`: the register by which the address is translated, whatever the guest has invalidated. False: it is to be walked. To be
 * noted is what was found so, by a walk that took what pages it needed.
 */
bool window_find(struct core *core, uint64_t va, int access, int mmu_index, uint64_t tables, uint64_t *ipa);
void window_note(struct core *core, uint64_t va, int access, int mmu_index, uint64_t tables, uint64_t ipa);

/* Something of its own TLBs goes, or was changed while the guest did not run. */
void windows_forget(struct core *core);

/* The library's TLBs of the CPU of a core that runs: all entries of those in the mask, or those of a page. */
void windows_flush(struct core *core, uint16_t indexes);
void windows_flush_page(struct core *core, uint64_t va, uint16_t indexes);

#endif
