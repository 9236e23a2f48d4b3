#include "picture.h"

#include <stdio.h>
#include <stdlib.h>

#include "programs.h"

struct picture picture_new(int width, int height) {
    struct picture picture = {width, height, malloc((size_t)width * (size_t)height)};
    if (!picture.pixels) fail("a picture");
    return picture;
}

struct picture picture_read(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) fail(path);
    int width, height, most;
    if (fscanf(file, "P5 %d %d %d", &width, &height, &most) != 3 || fgetc(file) == EOF || most != 255 || width < 1 || height < 1)
        fail("a picture has to be a binary PGM of 256 greys");
    struct picture picture = picture_new(width, height);
    if (fread(picture.pixels, (size_t)width, (size_t)height, file) != (size_t)height) fail("a picture is too short");
    fclose(file);
    return picture;
}

void picture_write(const struct picture *picture, const char *path) {
    FILE *file = fopen(path, "wb");
    if (!file) fail(path);
    fprintf(file, "P5\n%d %d\n255\n", picture->width, picture->height);
    if (fwrite(picture->pixels, (size_t)picture->width, (size_t)picture->height, file) != (size_t)picture->height) fail(path);
    if (fclose(file)) fail(path);
}
