/* The flags of the code that a core is about to run, by which its translation is found. */
#ifndef BAONET_ARMV8_FLAGS_H
#define BAONET_ARMV8_FLAGS_H

#include "library.h"

/* Free in the library's. */
#define FLAG_ALIGNED (1u << 18) /* every access */
#define FLAG_STACK (1u << 19)   /* A64: SP, where it is the base */
#define FLAG_NO_SETEND (1u << 19) /* A32 and T32 */

/* Whether stage 1 is on. */
bool flags_translates(void *env);

/* After a change of what they are made from; interposed. */
void arm_rebuild_hflags_aarch64(void *env);

#endif
