/*
 * Litmus tests of RISC-V's memory model, RVWMO (unprivileged specification, chapter 18). Without order between a store and a later
 * load the outcome is allowed: SB and R without a fence, and SB with FENCE.TSO, are the control. A store-release is an AMO or an SC,
 * a load-acquire an LR.
 */

#define STORE_TO(place, value) "li t0, " #value "\n\tsd t0, 0(%" #place ")\n\t"
#define RELEASE_TO(place, value) "li t0, " #value "\n\tamoswap.d.rl zero, t0, (%" #place ")\n\t"
#define AMO_TO(order, place, value) "li t0, " #value "\n\tamoswap.d." #order " zero, t0, (%" #place ")\n\t"
/* Until it succeeds. */
#define SC_TO(lr, sc, place, value) \
    "li t0, " #value "\n\t1: lr.d" lr " t1, (%" #place ")\n\tsc.d" sc " t2, t0, (%" #place ")\n\tbnez t2, 1b\n\t"
#define LRSC_TO(place, value) SC_TO(".aq", ".aqrl", place, value)
#define KEEP "slli %0, %0, 8\n\tor %0, %0, t1\n\t"
#define LOAD_FROM(place) "ld t1, 0(%" #place ")\n\t" KEEP
#define ACQUIRE_FROM(place) "lr.d.aq t1, (%" #place ")\n\t" KEEP
#define AMO_FROM(place) "amoor.d.aq t1, zero, (%" #place ")\n\t" KEEP
/* Where from, or what is stored, depends on what was loaded, whatever that was. */
#define LOAD_DEPENDENT(place) "xor t2, t1, t1\n\tadd t2, t2, %" #place "\n\tld t1, 0(t2)\n\t" KEEP
#define STORE_DEPENDENT(place, value) "xor t2, t1, t1\n\taddi t2, t2, " #value "\n\tsd t2, 0(%" #place ")\n\t"
/* x is %1, y is %2; what is loaded first is in the upper byte. */
#define THREAD(name, code)                                                                                   \
    static uint64_t name(volatile uint64_t *x, volatile uint64_t *y) {                                       \
        uint64_t loaded = 0;                                                                                 \
        __asm__ volatile(code : "+&r"(loaded) : "r"(x), "r"(y) : "t0", "t1", "t2", "memory");                \
        return loaded;                                                                                       \
    }
#define FENCE "fence rw, rw\n\t"
#define FENCE_WW "fence w, w\n\t"
#define FENCE_RR "fence r, r\n\t"
#define FENCE_RW "fence r, w\n\t"
#define FENCE_WR "fence w, r\n\t"
#define FENCE_R_ALL "fence r, rw\n\t" /* what C has to acquire, */
#define FENCE_ALL_W "fence rw, w\n\t" /* and to release */
#define FENCE_DEVICES "fence iorw, iorw\n\t"
#define FENCE_TSO "fence.tso\n\t"

THREAD(x_then_load_y, STORE_TO(1, 1) LOAD_FROM(2))
THREAD(y_then_load_x, STORE_TO(2, 1) LOAD_FROM(1))
THREAD(x_fence_load_y, STORE_TO(1, 1) FENCE LOAD_FROM(2))
THREAD(y_fence_load_x, STORE_TO(2, 1) FENCE LOAD_FROM(1))
THREAD(x_fencewr_load_y, STORE_TO(1, 1) FENCE_WR LOAD_FROM(2))
THREAD(y_fencewr_load_x, STORE_TO(2, 1) FENCE_WR LOAD_FROM(1))
THREAD(x_fencedevices_load_y, STORE_TO(1, 1) FENCE_DEVICES LOAD_FROM(2))
THREAD(y_fencedevices_load_x, STORE_TO(2, 1) FENCE_DEVICES LOAD_FROM(1))
THREAD(x_fencetso_load_y, STORE_TO(1, 1) FENCE_TSO LOAD_FROM(2))
THREAD(y_fencetso_load_x, STORE_TO(2, 1) FENCE_TSO LOAD_FROM(1))
THREAD(release_x_acquire_y, RELEASE_TO(1, 1) ACQUIRE_FROM(2))
THREAD(release_y_acquire_x, RELEASE_TO(2, 1) ACQUIRE_FROM(1))
THREAD(amo_x_load_y, AMO_TO(aqrl, 1, 1) LOAD_FROM(2))
THREAD(amo_y_load_x, AMO_TO(aqrl, 2, 1) LOAD_FROM(1))
THREAD(lrsc_x_load_y, LRSC_TO(1, 1) LOAD_FROM(2))
THREAD(lrsc_y_load_x, LRSC_TO(2, 1) LOAD_FROM(1))
THREAD(x_fence_y, STORE_TO(1, 1) FENCE STORE_TO(2, 1))
THREAD(x_fenceww_y, STORE_TO(1, 1) FENCE_WW STORE_TO(2, 1))
THREAD(x_fencetso_y, STORE_TO(1, 1) FENCE_TSO STORE_TO(2, 1))
THREAD(x_fenceallw_y, STORE_TO(1, 1) FENCE_ALL_W STORE_TO(2, 1))
THREAD(x_sc_y, STORE_TO(1, 1) SC_TO("", ".rl", 2, 1))
THREAD(x_release_y, STORE_TO(1, 1) RELEASE_TO(2, 1))
THREAD(x_amo_y, STORE_TO(1, 1) AMO_TO(rl, 2, 1))
THREAD(load_y_fence_load_x, LOAD_FROM(2) FENCE LOAD_FROM(1))
THREAD(load_y_fencerr_load_x, LOAD_FROM(2) FENCE_RR LOAD_FROM(1))
THREAD(load_y_fencerall_load_x, LOAD_FROM(2) FENCE_R_ALL LOAD_FROM(1))
THREAD(load_y_fencetso_load_x, LOAD_FROM(2) FENCE_TSO LOAD_FROM(1))
THREAD(load_y_addr_load_x, LOAD_FROM(2) LOAD_DEPENDENT(1))
THREAD(acquire_y_load_x, ACQUIRE_FROM(2) LOAD_FROM(1))
THREAD(amo_y_then_load_x, AMO_FROM(2) LOAD_FROM(1))
THREAD(load_x_fence_y, LOAD_FROM(1) FENCE STORE_TO(2, 1))
THREAD(load_y_fence_x, LOAD_FROM(2) FENCE STORE_TO(1, 1))
THREAD(load_x_fencerw_y, LOAD_FROM(1) FENCE_RW STORE_TO(2, 1))
THREAD(load_y_fencerw_x, LOAD_FROM(2) FENCE_RW STORE_TO(1, 1))
THREAD(load_x_fencetso_y, LOAD_FROM(1) FENCE_TSO STORE_TO(2, 1))
THREAD(load_y_fencetso_x, LOAD_FROM(2) FENCE_TSO STORE_TO(1, 1))
THREAD(load_x_data_y, LOAD_FROM(1) STORE_DEPENDENT(2, 1))
THREAD(load_y_data_x, LOAD_FROM(2) STORE_DEPENDENT(1, 1))
THREAD(acquire_x_release_y, ACQUIRE_FROM(1) RELEASE_TO(2, 1))
THREAD(acquire_y_release_x, ACQUIRE_FROM(2) RELEASE_TO(1, 1))
THREAD(x_then_y, STORE_TO(1, 1) STORE_TO(2, 1))
THREAD(y2_then_load_x, STORE_TO(2, 2) LOAD_FROM(1))
THREAD(y2_fence_load_x, STORE_TO(2, 2) FENCE LOAD_FROM(1))
THREAD(x2_fence_y, STORE_TO(1, 2) FENCE STORE_TO(2, 1))
THREAD(x2_release_y, STORE_TO(1, 2) RELEASE_TO(2, 1))
THREAD(acquire_y_x, ACQUIRE_FROM(2) STORE_TO(1, 1))
THREAD(x_fence_y2, STORE_TO(1, 1) FENCE STORE_TO(2, 2))
THREAD(y_fence_x2, STORE_TO(2, 1) FENCE STORE_TO(1, 2))
THREAD(x_fenceww_y2, STORE_TO(1, 1) FENCE_WW STORE_TO(2, 2))
THREAD(y_fenceww_x2, STORE_TO(2, 1) FENCE_WW STORE_TO(1, 2))
THREAD(x_release_y2, STORE_TO(1, 1) RELEASE_TO(2, 2))
THREAD(y_release_x2, STORE_TO(2, 1) RELEASE_TO(1, 2))
THREAD(only_x, STORE_TO(1, 1))
THREAD(only_y, STORE_TO(2, 1))
THREAD(load_x_twice, LOAD_FROM(1) LOAD_FROM(1))
THREAD(acquire_x_acquire_y, ACQUIRE_FROM(1) ACQUIRE_FROM(2))
THREAD(acquire_y_acquire_x, ACQUIRE_FROM(2) ACQUIRE_FROM(1))
THREAD(load_x_fence_load_y, LOAD_FROM(1) FENCE LOAD_FROM(2))

#define SHAPES_OF_ARCHITECTURE                                                                            \
    {"SB", {x_then_load_y, y_then_load_x}, both_old, true},                                               \
    {"SB+fence.tsos", {x_fencetso_load_y, y_fencetso_load_x}, both_old, true},                            \
    {"SB+fence.rw.rws", {x_fence_load_y, y_fence_load_x}, both_old, false},                               \
    {"SB+fence.w.rs", {x_fencewr_load_y, y_fencewr_load_x}, both_old, false},                             \
    {"SB+fence.iorw.iorws", {x_fencedevices_load_y, y_fencedevices_load_x}, both_old, false},             \
    {"SB+rel-acqs", {release_x_acquire_y, release_y_acquire_x}, both_old, false},                         \
    {"SB+amo.aqrls", {amo_x_load_y, amo_y_load_x}, both_old, false},                                      \
    {"SB+lrsc.aqrls", {lrsc_x_load_y, lrsc_y_load_x}, both_old, false},                                   \
    {"MP+fence.rw.rws", {x_fence_y, load_y_fence_load_x}, new_then_old, false},                           \
    {"MP+fence.w.w+fence.r.r", {x_fenceww_y, load_y_fencerr_load_x}, new_then_old, false},                \
    {"MP+fence.rw.w+fence.r.rw", {x_fenceallw_y, load_y_fencerall_load_x}, new_then_old, false},          \
    {"MP+fence.tsos", {x_fencetso_y, load_y_fencetso_load_x}, new_then_old, false},                       \
    {"MP+rel+acq", {x_release_y, acquire_y_load_x}, new_then_old, false},                                 \
    {"MP+sc.rl+lr.aq", {x_sc_y, acquire_y_load_x}, new_then_old, false},                                  \
    {"MP+fence.w.w+addr", {x_fenceww_y, load_y_addr_load_x}, new_then_old, false},                        \
    {"MP+amo.rl+amo.aq", {x_amo_y, amo_y_then_load_x}, new_then_old, false},                              \
    {"LB+fence.rw.rws", {load_x_fence_y, load_y_fence_x}, both_new, false},                               \
    {"LB+fence.r.ws", {load_x_fencerw_y, load_y_fencerw_x}, both_new, false},                             \
    {"LB+fence.tsos", {load_x_fencetso_y, load_y_fencetso_x}, both_new, false},                           \
    {"LB+acq-rels", {acquire_x_release_y, acquire_y_release_x}, both_new, false},                         \
    {"LB+datas", {load_x_data_y, load_y_data_x}, both_new, false},                                        \
    {"R", {x_then_y, y2_then_load_x}, lost_r, true},                                                      \
    {"R+fence.rw.rws", {x_fence_y, y2_fence_load_x}, lost_r, false},                                      \
    {"S+fence.rw.rw+acq", {x2_fence_y, acquire_y_x}, lost_s, false},                                      \
    {"S+rel+acq", {x2_release_y, acquire_y_x}, lost_s, false},                                            \
    {"2+2W+fence.rw.rws", {x_fence_y2, y_fence_x2}, both_first, false},                                   \
    {"2+2W+fence.w.ws", {x_fenceww_y2, y_fenceww_x2}, both_first, false},                                 \
    {"2+2W+rels", {x_release_y2, y_release_x2}, both_first, false},                                       \
    {"CoRR", {only_x, load_x_twice}, new_then_old, false},                                                \
    {"IRIW+acqs", {only_x, only_y, acquire_x_acquire_y, acquire_y_acquire_x}, two_orders, false},         \
    {"IRIW+fence.rw.rws", {only_x, only_y, load_x_fence_load_y, load_y_fence_load_x}, two_orders, false},
