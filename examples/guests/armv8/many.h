/* Of many.c: where a vCPU stands, and how all are reached. */

#define ALL_AT_ONCE "IRM"

#define IRM (1ull << 40)
#define TYPER 8
#define TYPER_LAST (1 << 4)

static void send(uint64_t value) {
    dsb();
    WRITE_REGISTER("s3_0_c12_c11_5", value); /* ICC_SGI1R_EL1 */
    isb();
}

static void by_lists(void) {
    for (unsigned first = 0; first < cpus; first += CPUS_OF_AFF1) {
        uint64_t list = first ? 0xffff : 0xfffe;
        send((affinity_of(first) >> 8) << 16 | (uint64_t)BY_LIST << 24 | list);
    }
}

static void at_once(void) { send(IRM | (uint64_t)BY_IRM << 24); }

static bool is_astray(unsigned cpu) { return read32(GICR_BASE + 0x20000 * (uintptr_t)cpu + TYPER + 4) != affinity_of(cpu); }
static bool is_last(unsigned cpu) { return read32(GICR_BASE + 0x20000 * (uintptr_t)cpu + TYPER) & TYPER_LAST; }
