/* The algorithm of RFC 7693, section 3; names are its own. Numbers are little-endian, as on the hosts that there are. */
#include "blake2b.h"

#include <string.h>

static const uint64_t IV[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                               0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

#define ROTATE_RIGHT(x, n) ((x) >> (n) | (x) << (64 - (n)))

#define G(a, b, c, d, x, y)                                                                                            \
    a += b + m[x], d = ROTATE_RIGHT(d ^ a, 32), c += d, b = ROTATE_RIGHT(b ^ c, 24);                                   \
    a += b + m[y], d = ROTATE_RIGHT(d ^ a, 16), c += d, b = ROTATE_RIGHT(b ^ c, 63);

/* With a row of SIGMA, the order in which a round takes the words. */
#define ROUND(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15)                                    \
    G(v0, v4, v8, v12, s0, s1)                                                                                         \
    G(v1, v5, v9, v13, s2, s3)                                                                                         \
    G(v2, v6, v10, v14, s4, s5)                                                                                        \
    G(v3, v7, v11, v15, s6, s7)                                                                                        \
    G(v0, v5, v10, v15, s8, s9)                                                                                        \
    G(v1, v6, v11, v12, s10, s11)                                                                                      \
    G(v2, v7, v8, v13, s12, s13)                                                                                       \
    G(v3, v4, v9, v14, s14, s15)

/* F: `last` is all ones for the last block. */
static void compress(struct blake2b *hash, const uint8_t *block, size_t length, uint64_t last) {
    uint64_t m[16], *h = hash->h;
    memcpy(m, block, sizeof m);
    hash->length += length;
    uint64_t v0 = h[0], v1 = h[1], v2 = h[2], v3 = h[3], v4 = h[4], v5 = h[5], v6 = h[6], v7 = h[7];
    uint64_t v8 = IV[0], v9 = IV[1], v10 = IV[2], v11 = IV[3];
    uint64_t v12 = IV[4] ^ hash->length, v13 = IV[5], v14 = IV[6] ^ last, v15 = IV[7];
    ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
    ROUND(11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4)
    ROUND(7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8)
    ROUND(9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13)
    ROUND(2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9)
    ROUND(12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11)
    ROUND(13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10)
    ROUND(6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5)
    ROUND(10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0)
    ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
    h[0] ^= v0 ^ v8, h[1] ^= v1 ^ v9, h[2] ^= v2 ^ v10, h[3] ^= v3 ^ v11;
    h[4] ^= v4 ^ v12, h[5] ^= v5 ^ v13, h[6] ^= v6 ^ v14, h[7] ^= v7 ^ v15;
}

void blake2b_begin(struct blake2b *hash) {
    *hash = (struct blake2b){0};
    memcpy(hash->h, IV, sizeof IV);
    hash->h[0] ^= 0x01010000 ^ BLAKE2B_SIZE;
}

void blake2b_begin_keyed(struct blake2b *hash, const uint8_t key[BLAKE2B_SIZE]) {
    blake2b_begin(hash);
    hash->h[0] ^= BLAKE2B_SIZE << 8;
    memcpy(hash->block, key, BLAKE2B_SIZE);
    hash->waiting = BLAKE2B_BLOCK; /* the rest is 0 */
}

void blake2b_add(struct blake2b *hash, const void *bytes, size_t length) {
    const uint8_t *from = bytes;
    while (length) {
        if (hash->waiting == BLAKE2B_BLOCK) {
            compress(hash, hash->block, BLAKE2B_BLOCK, 0);
            hash->waiting = 0;
        }
        for (; !hash->waiting && length > BLAKE2B_BLOCK; from += BLAKE2B_BLOCK, length -= BLAKE2B_BLOCK)
            compress(hash, from, BLAKE2B_BLOCK, 0);
        size_t room = BLAKE2B_BLOCK - hash->waiting, part = length < room ? length : room;
        memcpy(hash->block + hash->waiting, from, part);
        hash->waiting += part;
        from += part;
        length -= part;
    }
}

void blake2b_end(struct blake2b *hash, uint8_t digest[BLAKE2B_SIZE]) {
    memset(hash->block + hash->waiting, 0, BLAKE2B_BLOCK - hash->waiting);
    compress(hash, hash->block, hash->waiting, UINT64_MAX);
    memcpy(digest, hash->h, BLAKE2B_SIZE);
}
