/* Loads and stores of A64: what an instruction word tells of its accesses. */
#ifndef BAONET_ARMV8_ENCODING64_H
#define BAONET_ARMV8_ENCODING64_H

#include <stdbool.h>
#include <stdint.h>

bool encoding64_accesses(uint32_t word); /* is a load or store at all; the others are asked of these only */
bool encoding64_is_literal(uint32_t word);
bool encoding64_is_ordered(uint32_t word);
bool encoding64_is_quadword(uint32_t word);
bool encoding64_writes_back(uint32_t word);
bool encoding64_loads_and_stores(uint32_t word);
bool encoding64_is_exclusive_pair(uint32_t word); /* or CASP; of two double words */
bool encoding64_is_prefetch(uint32_t word, bool *literal);
unsigned encoding64_base(uint32_t word); /* the register, 31: SP */

/* How many accesses the library makes of it, from the lowest address on; and the distance of a literal. */
unsigned encoding64_parts(uint32_t word);
int64_t encoding64_literal(uint32_t word);

/* Where a prefetch goes, by the registers; not of a literal. */
uint64_t encoding64_prefetched(uint32_t word, const uint64_t *x);

/* Powers of 2: of an element, where an access has `size`; and of the first address, if the base is a multiple of 16. */
unsigned encoding64_element(uint32_t word, unsigned size);
unsigned encoding64_alignment(uint32_t word);

#endif
