/* Of coherence.c */
#include "code.h"
#include "tables.h"

static void map(unsigned page) {
    *(volatile uint64_t *)&third_level[0] = 0; /* break before make */
    __asm__ volatile("dsb ishst\n\ttlbi vaae1is, %0\n\tdsb ish\n\tisb" : : "r"(MAPPED >> 12) : "memory");
    *(volatile uint64_t *)&third_level[0] = page_descriptor(pages[page]);
    __asm__ volatile("dsb ishst\n\tisb" : : : "memory");
}

static void write_code(uint32_t value) {
    write_answer((volatile uint32_t *)code, value);
    __asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb" : : "r"(code) : "memory");
}
