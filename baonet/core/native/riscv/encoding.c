/* What an instruction is, where that takes more than a mask. */
#include "riscv/encoding.h"

#define IS_C_LW(word) (((word) & 0xe003) == 0x4000)
#define IS_C_SW(word) (((word) & 0xe003) == 0xc000)

bool encoding_is_hypervisor_access(uint32_t word) {
    if (OPCODE(word) != OPCODE_SYSTEM || FUNCT3(word) != 4 || FUNCT7(word) >> 3 != 6) return false;
    unsigned size = FUNCT7(word) >> 1 & 3, kind = RS2(word);
    if (FUNCT7(word) & 1) return !RD(word);
    return !kind || (kind == 1 && size < 3) || (kind == 3 && (size == 1 || size == 2)); /* signed, unsigned, HLVX */
}

/* The loads and stores that Bao decodes: LB to LD, SB to SD, C.LW and C.SW. */
bool encoding_plain_access(uint32_t word, struct plain_access *access) {
    if (IS_COMPRESSED(word)) {
        *access = (struct plain_access){.store = IS_C_SW(word), .size = 4, .reg = 8 + (word >> 2 & 7), .length = 2};
        return IS_C_LW(word) || IS_C_SW(word);
    }
    bool store = OPCODE(word) == OPCODE_STORE;
    *access = (struct plain_access){
        .store = store, .size = 1u << (FUNCT3(word) & 3), .reg = store ? RS2(word) : RD(word), .length = 4};
    return store ? FUNCT3(word) < 4 : OPCODE(word) == OPCODE_LOAD && FUNCT3(word) != 7;
}
