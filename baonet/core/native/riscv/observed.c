/* The model of the memory system, which is not told of RISC-V's instructions yet: so no core of it has one. */
#include "architecture.h"

int arch_observe(struct core *core) {
    (void)core;
    PyErr_SetString(PyExc_NotImplementedError, "the memory system of RISC-V cores is not modelled: leave memory_system out");
    return -1;
}

void arch_observe_call(void *tcg, const void *function, void *const *arguments) { (void)tcg, (void)function, (void)arguments; }

uint32_t arch_space(const struct core *core) {
    (void)core;
    return 0;
}

uint64_t arch_untagged(const struct core *core, uint64_t va) {
    (void)core;
    return va;
}

bool arch_stage1(struct core *core, uint64_t va, struct memsys_walk *walk) {
    (void)core, (void)va, (void)walk;
    return false;
}
