/* Much memory, which the start code does not clear: that would take longer than what is done with it. */
#ifndef GUEST_BULK_H
#define GUEST_BULK_H

#include <stdint.h>

/* The array `name` of `mebibytes` MiB, at the start of a page; what is in it at the start is not said. */
#define BULK(name, mebibytes)                                                                      \
    extern uint8_t name[(mebibytes) << 20];                                                        \
    __asm__(".pushsection .stacks, \"aw\", %nobits\n\t.balign 4096\n" #name ":\n\t.space " #mebibytes \
            " << 20\n\t.popsection")

#endif
