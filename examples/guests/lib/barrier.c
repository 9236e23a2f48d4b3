#include "barrier.h"

#include "guest.h"

static uint32_t arrived, turn;

void barrier(unsigned cpus) {
    uint32_t mine = LOAD(&turn), count = INCREMENT(&arrived);
    if (count == cpus) {
        STORE(&arrived, 0);
        STORE(&turn, mine + 1);
        wake();
    }
    while (LOAD(&turn) == mine) yield();
}
