/*
 * Of patch.c: how code is changed, a JAL that becomes another one. Who changes it has all harts fetch anew, by SBI's remote
 * FENCE.I; or who calls it does so itself by a FENCE.I of its own; or both in turn.
 */

#define JAL 0x0000006fu /* without a link */

/* The word that goes `distance` bytes, less than 1 MiB, from where it is. */
#define BRANCH_TO(distance)                                                                                             \
    (JAL | (uint32_t)(((distance) >> 20 & 1) << 31 | ((distance) >> 1 & 0x3ff) << 21 | ((distance) >> 11 & 1) << 20 |   \
                      ((distance) >> 12 & 0xff) << 12))

static void synchronise(uint32_t *at, bool by_callers) {
    (void)at;
    if (by_callers)
        publish_code_here();
    else
        publish_code();
}

/* Before what was published is called. */
static inline void see_code(void) {
    if (ic) publish_code_here();
}

#define SYNCHRONISE_ALL(code) publish_code()
#define FINISH(finished) INCREMENT(finished)
