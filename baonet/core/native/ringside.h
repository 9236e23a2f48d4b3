/* What a core does with the rings of its pcpu without Python (prompt.c): node/rings.c has them. */
#ifndef BAONET_RINGSIDE_H
#define BAONET_RINGSIDE_H

#include <stdbool.h>
#include <stdint.h>

#define RINGSIDE_NAME "baonet.core._node.ringside" /* of the capsule */
#define RINGSIDE_OTHER UINT32_MAX

struct ringside {
    void *rings;

    /* Whether there is something else than what rings have brought. */
    bool (*called)(void *rings);

    /*
     * The first of whom there is news, and how much of his waits to be taken, of which up to `most` bytes are shown; 0: there is no
     * news. RINGSIDE_OTHER: he has ended, or what he says of his ring cannot be.
     */
    uint32_t (*look)(void *rings, unsigned *peer, uint8_t *bytes, uint32_t most);

    /* So many of these are taken. */
    void (*take)(void *rings, unsigned peer, uint32_t size);

    /* Whether there is room for so many in the ring to a peer, and he takes any; puts them in, and wakes him or kicks his core. */
    bool (*has_room)(void *rings, unsigned peer, uint32_t size);
    void (*put)(void *rings, unsigned peer, const uint8_t *bytes, uint32_t size);

    /* Until there is something, at most so many nanoseconds; false: they have passed. */
    bool (*sleep)(void *rings, uint64_t nanoseconds);
};

#endif
