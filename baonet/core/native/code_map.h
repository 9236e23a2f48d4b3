/*
 * The code map: three bits a page of the VM's RAM, in a word that all its vCPUs share.
 *
 *   CODE      some vCPU may have a translation of it
 *   MODIFIED  it was stored to since it became code; meaningless without CODE
 *   BUSY      a vCPU is making it code, or data again
 *
 * Who changes them, and in what order, is in pages.c.
 */
#ifndef BAONET_CODE_MAP_H
#define BAONET_CODE_MAP_H

#include "core.h"

#define PAGES_OF_A_WORD 16u
#define CODE(page) (1ull << (page) % PAGES_OF_A_WORD)
#define MODIFIED(page) (CODE(page) << PAGES_OF_A_WORD)
#define BUSY(page) (CODE(page) << 2 * PAGES_OF_A_WORD)

/* The word that has the bits of a page. */
_Atomic uint64_t *code_map_word(struct core *core, uint64_t page);

/* Whether the page has CODE. */
bool code_map_is_code(struct core *core, uint64_t page);

#endif
