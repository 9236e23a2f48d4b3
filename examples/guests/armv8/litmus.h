/*
 * Litmus tests of Armv8 (Arm ARM B2.3). Without order between a store and a later load the outcome is allowed: SB and R
 * without a barrier are the control.
 */

#define STORE_TO(place, value) "mov x9, #" #value "\n\tstr x9, [%" #place "]\n\t"
#define RELEASE_TO(place, value) "mov x9, #" #value "\n\tstlr x9, [%" #place "]\n\t"
#define LOAD_FROM(place) "ldr x10, [%" #place "]\n\torr %0, x10, %0, lsl #8\n\t"
#define ACQUIRE_FROM(place) "ldar x10, [%" #place "]\n\torr %0, x10, %0, lsl #8\n\t"
/* x is %1, y is %2; what is loaded first is in the upper byte. */
#define THREAD(name, code)                                                                          \
    static uint64_t name(volatile uint64_t *x, volatile uint64_t *y) {                             \
        uint64_t loaded = 0;                                                                       \
        __asm__ volatile(code : "+&r"(loaded) : "r"(x), "r"(y) : "x9", "x10", "memory");         \
        return loaded;                                                                             \
    }
#define DMB "dmb ish\n\t"
#define DSB "dsb ish\n\t"
#define DMB_ST "dmb ishst\n\t"
#define DMB_LD "dmb ishld\n\t"

THREAD(x_then_load_y, STORE_TO(1, 1) LOAD_FROM(2))
THREAD(y_then_load_x, STORE_TO(2, 1) LOAD_FROM(1))
THREAD(x_dmb_load_y, STORE_TO(1, 1) DMB LOAD_FROM(2))
THREAD(y_dmb_load_x, STORE_TO(2, 1) DMB LOAD_FROM(1))
THREAD(x_dsb_load_y, STORE_TO(1, 1) DSB LOAD_FROM(2))
THREAD(y_dsb_load_x, STORE_TO(2, 1) DSB LOAD_FROM(1))
THREAD(release_x_acquire_y, RELEASE_TO(1, 1) ACQUIRE_FROM(2))
THREAD(release_y_acquire_x, RELEASE_TO(2, 1) ACQUIRE_FROM(1))
THREAD(x_dmb_y, STORE_TO(1, 1) DMB STORE_TO(2, 1))
THREAD(x_dmbst_y, STORE_TO(1, 1) DMB_ST STORE_TO(2, 1))
THREAD(x_release_y, STORE_TO(1, 1) RELEASE_TO(2, 1))
THREAD(load_y_dmb_load_x, LOAD_FROM(2) DMB LOAD_FROM(1))
THREAD(load_y_dmbld_load_x, LOAD_FROM(2) DMB_LD LOAD_FROM(1))
THREAD(acquire_y_load_x, ACQUIRE_FROM(2) LOAD_FROM(1))
THREAD(load_x_dmb_y, LOAD_FROM(1) DMB STORE_TO(2, 1))
THREAD(load_y_dmb_x, LOAD_FROM(2) DMB STORE_TO(1, 1))
THREAD(acquire_x_release_y, ACQUIRE_FROM(1) RELEASE_TO(2, 1))
THREAD(acquire_y_release_x, ACQUIRE_FROM(2) RELEASE_TO(1, 1))
THREAD(x_then_y, STORE_TO(1, 1) STORE_TO(2, 1))
THREAD(y2_then_load_x, STORE_TO(2, 2) LOAD_FROM(1))
THREAD(y2_dmb_load_x, STORE_TO(2, 2) DMB LOAD_FROM(1))
THREAD(x2_dmb_y, STORE_TO(1, 2) DMB STORE_TO(2, 1))
THREAD(x2_release_y, STORE_TO(1, 2) RELEASE_TO(2, 1))
THREAD(acquire_y_x, ACQUIRE_FROM(2) STORE_TO(1, 1))
THREAD(x_dmb_y2, STORE_TO(1, 1) DMB STORE_TO(2, 2))
THREAD(y_dmb_x2, STORE_TO(2, 1) DMB STORE_TO(1, 2))
THREAD(x_dmbst_y2, STORE_TO(1, 1) DMB_ST STORE_TO(2, 2))
THREAD(y_dmbst_x2, STORE_TO(2, 1) DMB_ST STORE_TO(1, 2))
THREAD(x_release_y2, STORE_TO(1, 1) RELEASE_TO(2, 2))
THREAD(y_release_x2, STORE_TO(2, 1) RELEASE_TO(1, 2))
THREAD(only_x, STORE_TO(1, 1))
THREAD(only_y, STORE_TO(2, 1))
THREAD(load_x_twice, LOAD_FROM(1) LOAD_FROM(1))
THREAD(acquire_x_acquire_y, ACQUIRE_FROM(1) ACQUIRE_FROM(2))
THREAD(acquire_y_acquire_x, ACQUIRE_FROM(2) ACQUIRE_FROM(1))
THREAD(load_x_dmb_load_y, LOAD_FROM(1) DMB LOAD_FROM(2))

#define SHAPES_OF_ARCHITECTURE                                                                    \
    {"SB", {x_then_load_y, y_then_load_x}, both_old, true},                                       \
    {"SB+dmbs", {x_dmb_load_y, y_dmb_load_x}, both_old, false},                                   \
    {"SB+dsbs", {x_dsb_load_y, y_dsb_load_x}, both_old, false},                                   \
    {"SB+rel-acqs", {release_x_acquire_y, release_y_acquire_x}, both_old, false},                 \
    {"MP+dmbs", {x_dmb_y, load_y_dmb_load_x}, new_then_old, false},                               \
    {"MP+dmb.st+dmb.ld", {x_dmbst_y, load_y_dmbld_load_x}, new_then_old, false},                  \
    {"MP+rel+acq", {x_release_y, acquire_y_load_x}, new_then_old, false},                         \
    {"LB+dmbs", {load_x_dmb_y, load_y_dmb_x}, both_new, false},                                   \
    {"LB+acq-rels", {acquire_x_release_y, acquire_y_release_x}, both_new, false},                 \
    {"R", {x_then_y, y2_then_load_x}, lost_r, true},                                              \
    {"R+dmbs", {x_dmb_y, y2_dmb_load_x}, lost_r, false},                                          \
    {"S+dmb+acq", {x2_dmb_y, acquire_y_x}, lost_s, false},                                        \
    {"S+rel+acq", {x2_release_y, acquire_y_x}, lost_s, false},                                    \
    {"2+2W+dmbs", {x_dmb_y2, y_dmb_x2}, both_first, false},                                       \
    {"2+2W+dmb.sts", {x_dmbst_y2, y_dmbst_x2}, both_first, false},                                \
    {"2+2W+rels", {x_release_y2, y_release_x2}, both_first, false},                               \
    {"CoRR", {only_x, load_x_twice}, new_then_old, false},                                        \
    {"IRIW+acqs", {only_x, only_y, acquire_x_acquire_y, acquire_y_acquire_x}, two_orders, false}, \
    {"IRIW+dmbs", {only_x, only_y, load_x_dmb_load_y, load_y_dmb_load_x}, two_orders, false},
