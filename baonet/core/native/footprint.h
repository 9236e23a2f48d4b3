/*
 * The memory that a core takes before its guest has done much. The library takes what a large program needs: a huge page for the
 * first code, and a table that has room for 32768 blocks.
 */
#ifndef BAONET_FOOTPRINT_H
#define BAONET_FOOTPRINT_H

/* Forget all translations of this CPU. */
void footprint_flush(void *cpu);

#endif
