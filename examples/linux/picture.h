/* Grey pictures, in files as binary PGM (its manual page: pgm(5)). */
#ifndef PICTURE_H
#define PICTURE_H

#include <stdint.h>

struct picture {
    int width, height;
    uint8_t *pixels; /* line by line, from the top */
};

struct picture picture_new(int width, int height);
struct picture picture_read(const char *path);
void picture_write(const struct picture *picture, const char *path);

#endif
