/*
 * As many vCPUs as the VM has, up to 1024. vCPU 0 starts the others, each of which looks where it stands: its registers must say
 * so. Then software interrupts reach every other vCPU, first by lists of them, and then all at once (Armv8, by IRM) or one by one,
 * and the last vCPU sends one back. All counts are one less than that of vCPUs on a correct machine.
 */
#include "guest.h"

#define BY_LIST 1
#define BY_IRM 2
#define BACK 3
static uint32_t ready, astray, reached[4];
static uint32_t cpus, over;

static void count(uint32_t *counter) { __atomic_fetch_add(counter, 1, __ATOMIC_ACQ_REL); }

void on_interrupt(unsigned intid) {
    if (intid > BACK) return;
    count(&reached[intid]);
    if (intid == BY_IRM && this_cpu() + 1 == LOAD(&cpus)) irqc_send(BACK, 0);
}

#include "many.h"

static void prepare(unsigned cpu) {
    if (this_cpu() != cpu) count(&astray);
    irqc_init_cpu();
    for (unsigned intid = BY_LIST; intid <= BACK; intid++) irqc_enable_level(intid);
    if (is_astray(cpu)) count(&astray);
}

void guest_secondary(unsigned cpu) {
    prepare(cpu);
    count(&ready);
    SLEEP_UNTIL(LOAD(&over) || LOAD(&reached[BACK]));
    cpu_off();
}

static uint64_t await(uint32_t *counter, uint32_t most) {
    uint64_t end = ticks() + 60 * ticks_per_second();
    while (LOAD(counter) < most && ticks() < end) yield();
    return LOAD(counter);
}

void guest_main(void) {
    irqc_init();
    prepare(0);
    unmask_interrupts();
    uint32_t found = start_secondaries(MAX_CPUS);
    STORE(&cpus, found);
    uint64_t begin = ticks(), started = await(&ready, found - 1);
    if (!is_last(found - 1)) count(&astray);
    print_line("many: %u vCPUs, %u started, %u astray, in %u ns", (uint64_t)found, started, (uint64_t)astray,
               nanoseconds(ticks() - begin));
    begin = ticks();
    by_lists();
    uint64_t listed = await(&reached[BY_LIST], found - 1);
    print_line("many: %u reached by lists, in %u ns", listed, nanoseconds(ticks() - begin));
    begin = ticks();
    at_once();
    uint64_t all = await(&reached[BY_IRM], found - 1);
    print_line("many: %u reached by " ALL_AT_ONCE ", in %u ns", all, nanoseconds(ticks() - begin));
    print_line("many: %u came back", await(&reached[BACK], found > 1));
    STORE(&over, 1);
    power_off("many");
}
