/* Of straddle.c: a JAL that begins two bytes before the end. */
#include "code.h"
#include "tables.h"

#define CODE 0x300000000ull /* 12 GiB */
#define FETCH_PAGE_FAULT 12
#define RA 1
#define A0 10

static void prepare(void) {}

static void synchronise(const void *at, unsigned lines) {
    (void)at, (void)lines;
    publish_code();
}

/* ADDI a0, zero, number; RET of 16 bits */
static void write_targets(void) {
    for (unsigned number = 0; number < TARGETS; number++) {
        uint16_t *at = &code[(FIRST_TARGET + 8 * number) / 2];
        at[0] = 0x0513;
        at[1] = (uint16_t)(number << 4);
        at[2] = 0x8082;
    }
    code[LAST / 2] = 0xf06f; /* JAL zero, to less than 4 KiB before it */
    synchronise(code, 64);
}

/* The second half of the JAL. */
static void aim(uint16_t *page, unsigned number) {
    unsigned distance = FIRST_TARGET + 8 * number - LAST;
    *(volatile uint16_t *)page = (uint16_t)(0x800f | (distance >> 11 & 1) << 4 | (distance >> 1 & 0x3ff) << 5);
    synchronise(page, 1);
}

bool on_exception(struct frame *frame, uint64_t cause, uint64_t address) {
    if (cause != FETCH_PAGE_FAULT || address != CODE + 4096 || frame->pc != CODE + LAST) return false;
    frame->x[A0 - 1] = TARGETS;
    frame->pc = frame->x[RA - 1];
    return true;
}

/* What it is aimed at, or TARGETS: it is not there. */
static unsigned run(void) {
    uint64_t (*function)(void) = (uint64_t(*)(void))(uintptr_t)(CODE + LAST);
    return (unsigned)function();
}

static void map(const uint16_t *page) {
    *(volatile uint64_t *)&third_level[1] = page ? page_descriptor(page) : 0;
    forget_page(CODE + 4096);
}

static void map_code(void) {
    second_level[0] = table_descriptor(third_level);
    third_level[0] = page_descriptor(code);
    translation_table[CODE >> 30] = table_descriptor(second_level);
    publish_tables();
}
