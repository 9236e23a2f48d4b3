/* A32 and T32: which encodings are not there, and how the accesses of the others are aligned. */
#ifndef BAONET_ARMV8_ENCODING32_H
#define BAONET_ARMV8_ENCODING32_H

#include <stdbool.h>
#include <stdint.h>

/* As powers of 2. */
#define EACH_ITS_SIZE 7
struct encoding32 {
    bool undefined;
    bool always;    /* and not only if SCTLR_EL1.A asks for it */
    unsigned each;  /* of every access; EACH_ITS_SIZE: as large as it is */
    unsigned first; /* of the first one, in any case */
    bool loses_base; /* it loads two words, the first of them into a register that the address is made of */
};
struct encoding32 encoding32_of_a32(uint32_t word, bool no_setend);
struct encoding32 encoding32_of_t32(uint32_t half, bool no_setend);
struct encoding32 encoding32_of_wide_t32(uint32_t word);

#endif
