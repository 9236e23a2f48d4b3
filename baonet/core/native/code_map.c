/* The words of the code map. */
#include "code_map.h"

_Atomic uint64_t *code_map_word(struct core *core, uint64_t page) {
    if (page / PAGES_OF_A_WORD >= core->map_words) Py_FatalError("baonet: Unicorn's RAM offsets are not what they were");
    return &core->code_map[page / PAGES_OF_A_WORD];
}

bool code_map_is_code(struct core *core, uint64_t page) { return atomic_load(code_map_word(core, page)) & CODE(page); }
