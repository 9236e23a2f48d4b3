/*
 * A Linux program without a library: a debugger whose breakpoints are instructions that it writes into the code of its child, which
 * runs on another CPU. The child calls two functions in turn; the debugger has a breakpoint in one of them, and as the child stops
 * there puts back what was there and has one in the other: the child must run what was written last, every time.
 *
 *     breakpoints [stops]
 */
#include <stdbool.h>

#include "linux.h"

enum { SYS_PTRACE = 117, SYS_SETAFFINITY = 122, SYS_KILL = 129, SYS_GETPID = 172, SYS_WAIT = 260 };
enum { SIGTRAP = 5, SIGKILL = 9, SIGCHLD = 17, SIGSTOP = 19 };
enum { TRACEME = 0, POKE = 4, CONTINUE = 7, GET_REGISTERS = 0x4204, GENERAL = 1, STOPPED = 0x7f };

static volatile uint64_t calls[2];

__attribute__((noinline)) static void first(void) { calls[0]++; }
__attribute__((noinline)) static void second(void) { calls[1] += 2; }
static void (*const functions[])(void) = {first, second};

static void move_to(unsigned cpu) {
    uint64_t mask = 1ull << cpu;
    if (call(SYS_SETAFFINITY, 0, sizeof mask, (long)&mask, 0, 0, 0)) {
        say("breakpoints: FAILED to move to a CPU\n");
        leave(1);
    }
}

/* Until the child stops; how. */
static unsigned stopped(long child) {
    int status = 0;
    call(SYS_WAIT, child, (long)&status, 0, 0, 0, 0);
    return (status & 0xff) == STOPPED ? (unsigned)status >> 8 & 0xff : 0;
}

static uint64_t program_counter(long child) {
    uint64_t registers[64];
    struct {
        void *base;
        size_t size;
    } there = {registers, sizeof registers};
    call(SYS_PTRACE, GET_REGISTERS, child, GENERAL, (long)&there, 0, 0);
    return registers[PC_REGISTER];
}

/* The word that is there in this process too, with a breakpoint at its beginning or without. */
static void write_word(long child, uint64_t at, bool breakpoint) {
    uint64_t word;
    __builtin_memcpy(&word, (const void *)at, sizeof word);
    if (breakpoint) word = (word & ~BREAKPOINT_MASK) | BREAKPOINT;
    if (call(SYS_PTRACE, POKE, child, (long)at, (long)word, 0, 0)) {
        say("breakpoints: FAILED to write to the child's code\n");
        leave(1);
    }
}

__attribute__((noreturn, used)) static void begin(const uint64_t *stack) {
    uint64_t stops = stack[0] > 1 ? number_of((const char *)stack[2]) : 1000, wrong = 0;
    long child = call(SYS_CLONE, SIGCHLD, 0, 0, 0, 0, 0);
    if (!child) {
        move_to(1);
        call(SYS_PTRACE, TRACEME, 0, 0, 0, 0, 0);
        call(SYS_KILL, call(SYS_GETPID, 0, 0, 0, 0, 0, 0), SIGSTOP, 0, 0, 0, 0);
        for (;; calls[1]--) first(), second();
    }
    move_to(0);
    if (stopped(child) != SIGSTOP) wrong++;
    for (uint64_t n = 0; n < stops && !wrong; n++) {
        uint64_t at = (uint64_t)functions[n % 2];
        write_word(child, at, true);
        call(SYS_PTRACE, CONTINUE, child, 0, 0, 0, 0);
        if (stopped(child) != SIGTRAP || program_counter(child) != at) wrong++;
        write_word(child, at, false);
    }
    call(SYS_KILL, child, SIGKILL, 0, 0, 0, 0);
    stopped(child);
    say("breakpoints: "), say_number(stops), say(" stops, "), say_number(wrong), say(" wrong\n");
    leave(wrong ? 1 : 0);
    __builtin_unreachable();
}
