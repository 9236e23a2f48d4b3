/* One binary for all programs, so that glibc is in it once: which is to run is told by the name that it is called by. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "programs.h"

static const struct {
    const char *name;
    int (*run)(int count, char **arguments);
} programs[] = {
    {"sort", sort_main},     {"image", image_main}, {"bits", bits_main}, {"arithmetic", arithmetic_main},
    {"inputs", inputs_main}, {"measure", measure_main},
};

void fail(const char *what) {
    fprintf(stderr, "%s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

int main(int count, char **arguments) {
    const char *name = strrchr(arguments[0], '/');
    name = name ? name + 1 : arguments[0];
    for (size_t n = 0; n < sizeof programs / sizeof *programs; n++)
        if (strcmp(name, programs[n].name) == 0) return programs[n].run(count, arguments);
    fprintf(stderr, "%s: no such program; there are:", name);
    for (size_t n = 0; n < sizeof programs / sizeof *programs; n++) fprintf(stderr, " %s", programs[n].name);
    fprintf(stderr, "\n");
    return 1;
}
