/* The VM's command line: /chosen/bootargs of its device tree (Devicetree Specification 0.4, chapter 5). */
#include "parameters.h"

#include "tree.h"

#define WORD 64

/* The text of /chosen/bootargs, or none. */
static const char *command_line(const uint8_t *tree) {
    const uint8_t *at = tree + big_endian(tree + 8), *end = tree + big_endian(tree + 4);
    const char *strings = (const char *)tree + big_endian(tree + 12);
    unsigned depth = 0;
    bool chosen = false;
    while (at < end) {
        uint32_t token = big_endian(at);
        at += 4;
        if (token == BEGIN_NODE) {
            if (++depth == 2) chosen = equal((const char *)at, "chosen");
            while (*at) at++;
            at += 4 - (uintptr_t)at % 4; /* with the zero at the end of the name */
        } else if (token == PROPERTY) {
            const char *name = strings + big_endian(at + 4), *value = (const char *)at + 8;
            if (chosen && depth == 2 && equal(name, "bootargs")) return value;
            at += 8 + (big_endian(at) + 3) / 4 * 4;
        } else if (token == END_NODE) {
            depth--;
        } else if (token != NOP) {
            break;
        }
    }
    return "";
}

/* Whether all of the text is a number, perhaps with a unit. */
static bool number(const char *text, uint64_t *value) {
    static const struct {
        const char *name;
        uint64_t factor;
    } units[] = {{"", 1},           {"ns", 1}, {"us", 1000},     {"ms", 1000000},
                 {"s", 1000000000}, {"B", 1},  {"KiB", 1 << 10}, {"MiB", 1 << 20}};
    if (*text < '0' || *text > '9') return false;
    for (*value = 0; *text >= '0' && *text <= '9'; text++) *value = *value * 10 + (uint64_t)(*text - '0');
    for (unsigned i = 0; i < sizeof units / sizeof *units; i++)
        if (equal(text, units[i].name)) {
            *value *= units[i].factor;
            return true;
        }
    return false;
}

/* `word` is name=value, and is taken apart. */
static bool take(char *word, const struct parameter *known, unsigned count) {
    char *sign = word;
    while (*sign && *sign != '=') sign++;
    if (!*sign) return false;
    for (unsigned i = 0; i < count; i++) {
        *sign = 0;
        bool found = equal(word, known[i].name) && number(sign + 1, known[i].value);
        *sign = '=';
        if (found) return true;
    }
    return false;
}

void parameters_read(const char *guest, const struct parameter *known, unsigned count) {
    /* Where no tree was told of, it is perhaps where QEMU and U-Boot have it: at the start of RAM. */
    uint64_t tree = is_tree(device_tree) ? device_tree : RAM_BASE;
    const char *at = is_tree(tree) ? command_line((const uint8_t *)tree) : "";
    while (*at) {
        char word[WORD];
        unsigned length = 0;
        while (*at == ' ') at++;
        for (; *at && *at != ' '; at++)
            if (length < WORD - 1) word[length++] = *at;
        word[length] = 0;
        if (length && !take(word, known, count)) {
            print_line("%s: '%s' is not understood; write NAME=NUMBER, where NAME is one of:", guest, word);
            for (unsigned i = 0; i < count; i++) print_line("%s:   %s", guest, known[i].name);
            power_off(guest);
        }
    }
}
