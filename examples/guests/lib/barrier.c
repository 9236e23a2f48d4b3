#include "barrier.h"

#include "guest.h"

static uint32_t arrived, turn;

void barrier(unsigned cpus) {
    uint32_t mine = LOAD(&turn), was, failed;
    do {
        __asm__ volatile("ldaxr %w0, [%2]\n\tadd %w0, %w0, #1\n\tstlxr %w1, %w0, [%2]"
                         : "=&r"(was), "=&r"(failed)
                         : "r"(&arrived)
                         : "memory");
    } while (failed);
    if (was == cpus) {
        STORE(&arrived, 0);
        STORE(&turn, mine + 1);
        __asm__ volatile("dsb ishst\n\tsev" : : : "memory");
    }
    while (LOAD(&turn) == mine) __asm__ volatile("yield" : : : "memory");
}
