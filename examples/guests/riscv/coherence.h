/* Of coherence.c */
#include "code.h"
#include "tables.h"

static void map(unsigned page) {
    *(volatile uint64_t *)&third_level[0] = 0;
    forget_page(MAPPED);
    *(volatile uint64_t *)&third_level[0] = page_descriptor(pages[page]);
    forget_page(MAPPED);
}

static void write_code(uint32_t value) {
    write_answer((volatile uint32_t *)code, value);
    publish_code();
}
