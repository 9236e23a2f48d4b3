/* Words in shared memory that somebody waits at until they are rung: futex(2). */
#ifndef BAONET_FUTEX_H
#define BAONET_FUTEX_H

#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static inline void futex_ring(_Atomic uint32_t *word) {
    atomic_fetch_add(word, 1);
    syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

/* Until it has been rung since it showed `seen`, or `nanoseconds` have passed; or without a reason. 0: for ever. */
static inline void futex_wait(_Atomic uint32_t *word, uint32_t seen, uint64_t nanoseconds) {
    struct timespec timeout = {.tv_sec = (time_t)(nanoseconds / 1000000000u), .tv_nsec = (long)(nanoseconds % 1000000000u)};
    syscall(SYS_futex, word, FUTEX_WAIT, seen, nanoseconds ? &timeout : NULL, NULL, 0);
}

#endif
