/* BLAKE2b (RFC 7693) with 256 bits, and a key of as many or none. */
#ifndef BAONET_BLAKE2B_H
#define BAONET_BLAKE2B_H

#include <stddef.h>
#include <stdint.h>

#define BLAKE2B_SIZE 32
#define BLAKE2B_BLOCK 128

struct blake2b {
    uint64_t h[8];
    uint64_t length; /* of what is in h */
    size_t waiting;  /* bytes in `block`, at least one once there were any: the last block is hashed in another way */
    uint8_t block[BLAKE2B_BLOCK];
};

void blake2b_begin(struct blake2b *hash);
void blake2b_begin_keyed(struct blake2b *hash, const uint8_t key[BLAKE2B_SIZE]);
void blake2b_add(struct blake2b *hash, const void *bytes, size_t length);
void blake2b_end(struct blake2b *hash, uint8_t digest[BLAKE2B_SIZE]);

#endif
