/* Exceptions of the guest's own that the library leaves out or describes wrongly. */
#ifndef BAONET_ARMV8_EXCEPTIONS_H
#define BAONET_ARMV8_EXCEPTIONS_H

#include "core.h"

/* By a helper that returns to `from`; interposed. Does not return. */
void raise_exception_ra_aarch64(void *env, uint32_t number, uint32_t syndrome, uint32_t target_el, uintptr_t from);

/* Whether the guest may access a system register, by its entry in the library's table; interposed. */
void helper_access_check_cp_reg_aarch64(void *env, void *ri, uint32_t syndrome, uint32_t is_read);

#endif
