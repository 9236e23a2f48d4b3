#include "board_found.h"
#include "irqc.h"
#include "tree.h"

uint64_t timebase = 10000000; /* as on QEMU */
bool has_stimecmp, has_zicboz;

static bool has_word(const char *text, uint32_t size, const char *word) {
    for (const char *end = text + size; text < end; text++) {
        const char *a = text, *b = word;
        while (a < end && *b && *a == *b) a++, b++;
        if (!*b) return true;
    }
    return false;
}

struct found {
    bool plic, aplic, imsics;
};

static void look_at(const char *name, const uint8_t *value, uint32_t size, struct found *found) {
    const char *text = (const char *)value;
    if (equal(name, "compatible")) {
        found->plic |= has_word(text, size, "riscv,plic0");
        found->aplic |= has_word(text, size, "riscv,aplic");
        found->imsics |= has_word(text, size, "riscv,imsics");
    } else if (equal(name, "timebase-frequency")) {
        timebase = big_endian(value);
    } else if (equal(name, "riscv,isa") || equal(name, "riscv,isa-extensions")) {
        has_stimecmp |= has_word(text, size, "sstc");
        has_zicboz |= has_word(text, size, "zicboz");
    }
}

static struct found look_at_tree(const uint8_t *tree) {
    const uint8_t *at = tree + big_endian(tree + 8), *end = tree + big_endian(tree + 4);
    const char *strings = (const char *)tree + big_endian(tree + 12);
    struct found found = {0};
    while (at < end) {
        uint32_t token = big_endian(at);
        at += 4;
        if (token == BEGIN_NODE) {
            while (*at) at++;
            at += 4 - (uintptr_t)at % 4;
        } else if (token == PROPERTY) {
            uint32_t size = big_endian(at);
            look_at(strings + big_endian(at + 4), at + 8, size, &found);
            at += 8 + (size + 3) / 4 * 4;
        } else if (token != END_NODE && token != NOP) {
            break;
        }
    }
    return found;
}

void look_at_board(uint64_t tree, unsigned entry) {
    controller = entry == 1 ? PLIC : entry == 2 ? APLIC : AIA;
    if (!is_tree(tree)) tree = RAM_BASE;
    if (!is_tree(tree)) return;
    struct found found = look_at_tree((const uint8_t *)tree);
    if (found.imsics)
        controller = AIA;
    else if (found.aplic)
        controller = APLIC;
    else if (found.plic)
        controller = PLIC;
}
