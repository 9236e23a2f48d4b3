/*
 * Makes what the other programs work on, of the published sizes:  inputs DIRECTORY
 * Words of one to eight letters, points of three numbers, and pictures of bricks with noise; the same each time.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "picture.h"
#include "programs.h"

#define WORDS 10000
#define POINTS 50000

static uint64_t state = 1;

static uint32_t below(uint32_t limit) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((state >> 32) * limit >> 32);
}

static FILE *create(const char *path) {
    FILE *file = fopen(path, "w");
    if (!file) fail(path);
    return file;
}
static void finish(FILE *file, const char *path) {
    if (fclose(file)) fail(path);
}

static void make_words(const char *path) {
    FILE *file = create(path);
    for (int n = 0; n < WORDS; n++) {
        for (unsigned length = 1 + below(8); length; length--) fputc("etaoinshrdlucmfgypwbvkxjqz"[below(1 + below(26))], file);
        fputc('\n', file);
    }
    finish(file, path);
}

static void make_points(const char *path) {
    FILE *file = create(path);
    for (int n = 0; n < POINTS; n++) {
        unsigned x = below(1u << 31), y = below(1u << 31), z = below(1u << 31);
        fprintf(file, "%u\t%u\t%u\n", x, y, z);
    }
    finish(file, path);
}

static void make_picture(const char *path, int width, int height) {
    struct picture picture = picture_new(width, height);
    memset(picture.pixels, 128, (size_t)width * (size_t)height);
    for (int bricks = width * height / 400; bricks; bricks--) {
        int left = (int)below((uint32_t)width), top = (int)below((uint32_t)height);
        int right = left + 4 + (int)below((uint32_t)width / 5), bottom = top + 4 + (int)below((uint32_t)height / 5);
        uint8_t grey = (uint8_t)(16 + below(224));
        for (int y = top; y < bottom && y < height; y++)
            for (int x = left; x < right && x < width; x++) picture.pixels[y * width + x] = grey;
    }
    for (int at = 0; at < width * height; at++) picture.pixels[at] = (uint8_t)(picture.pixels[at] + below(9) - 4);
    picture_write(&picture, path);
}

int inputs_main(int count, char **arguments) {
    if (count != 2) fail("inputs: write inputs DIRECTORY");
    char path[256];
#define IN(name) (snprintf(path, sizeof path, "%s/" name, arguments[1]), path)
    make_words(IN("words"));
    make_points(IN("points"));
    make_picture(IN("small.pgm"), 76, 95);
    make_picture(IN("large.pgm"), 384, 288);
    return 0;
}
