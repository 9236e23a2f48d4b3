/* Single step and the locks that disable debug exceptions: asked wherever flags are made or an exception is raised. */
#ifndef BAONET_ARMV8_DEBUG_STATE_H
#define BAONET_ARMV8_DEBUG_STATE_H

#include "core.h"

#define MDSCR_SS 1u

bool debug_locked(void *env);
bool debug_is_behind(uint32_t syndrome);
bool debug_return_steps(void *env);
void debug_stepped(void *env, uint32_t number, uint32_t syndrome);

#endif
