/*
 * Finds corners or edges in a picture, or smooths it, by how much of the area around each pixel is like that pixel (S. M.
 * Smith and J. M. Brady, SUSAN: A New Approach to Low Level Image Processing, IJCV 23, 1997; this is written from the paper):
 *
 *     image corners|edges|smooth IN OUT
 */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"
#include "programs.h"

#define RADIUS 3
static const int half_widths[2 * RADIUS + 1] = {1, 2, 3, 3, 3, 2, 1}; /* of a circle of 37 pixels */
#define PIXELS 37

#define ALIKE 100 /* as much as can be */
#define THRESHOLD 20.0
#define MOST_AT_EDGE (3 * PIXELS * ALIKE / 4)
#define MOST_AT_CORNER (PIXELS * ALIKE / 2)

#define SMOOTH_THRESHOLD 20.0
#define SMOOTH_DISTANCE 4.0
#define SMOOTH_RADIUS 7

static uint8_t alike_by_difference[511];
static const uint8_t *const alike = alike_by_difference + 255;

static void set_threshold(double threshold, double power) {
    for (int difference = -255; difference <= 255; difference++)
        alike_by_difference[difference + 255] = (uint8_t)lrint(ALIKE * exp(-pow(fabs(difference / threshold), power)));
}

/* How much of the circle around a pixel is like it; when it is more than `most`, something above that. */
static int area_alike(const struct picture *picture, const uint8_t *pixel, int most) {
    int sum = 0;
#pragma GCC unroll 7
    for (int y = -RADIUS; y <= RADIUS; y++) {
        const uint8_t *line = pixel + y * picture->width;
#pragma GCC unroll 7
        for (int x = -half_widths[y + RADIUS]; x <= half_widths[y + RADIUS]; x++) sum += alike[line[x] - *pixel];
        if (sum > most) break;
    }
    return sum;
}

/* `most` less that area, where it is smaller than `most`; 0 elsewhere, and at the picture's border. */
static int *responses(const struct picture *picture, int most) {
    int *found = calloc((size_t)(picture->width * picture->height), sizeof *found);
    if (!found) fail("responses");
    for (int y = RADIUS; y < picture->height - RADIUS; y++)
        for (int x = RADIUS; x < picture->width - RADIUS; x++) {
            int at = y * picture->width + x, area = area_alike(picture, picture->pixels + at, most);
            if (area < most) found[at] = most - area;
        }
    return found;
}

struct moments {
    int x, y, xx, yy, xy; /* sums of these coordinates, each as often as its pixel is alike */
};
static struct moments moments_of(const struct picture *picture, const uint8_t *pixel) {
    struct moments sums = {0};
    for (int y = -RADIUS; y <= RADIUS; y++)
        for (int x = -half_widths[y + RADIUS]; x <= half_widths[y + RADIUS]; x++) {
            int weight = alike[pixel[y * picture->width + x] - *pixel];
            sums.x += x * weight, sums.y += y * weight;
            sums.xx += x * x * weight, sums.yy += y * y * weight, sums.xy += x * y * weight;
        }
    return sums;
}

/* From a pixel to the next one across the edge that it is on: across the way to the area's centre, or across its long axis. */
static int step_across(const struct picture *picture, const uint8_t *pixel, int area) {
    struct moments sums = moments_of(picture, pixel);
    double x = sums.x, y = sums.y;
    if (x * x + y * y < (double)area * area) { /* a line of one pixel's width */
        double axis = 0.5 * atan2(2.0 * sums.xy, (double)sums.xx - sums.yy);
        x = -sin(axis), y = cos(axis);
    }
    double flat = fabs(x) * 0.5, steep = fabs(x) * 2;
    if (fabs(y) < flat) return 1;
    if (fabs(y) > steep) return picture->width;
    return (x < 0) == (y < 0) ? picture->width + 1 : picture->width - 1;
}

/* A copy with an edge of one pixel's width in black. */
static struct picture edges(const struct picture *picture) {
    set_threshold(THRESHOLD, 6);
    int *found = responses(picture, MOST_AT_EDGE);
    struct picture drawn = picture_new(picture->width, picture->height);
    memcpy(drawn.pixels, picture->pixels, (size_t)(picture->width * picture->height));
    for (int y = RADIUS + 1; y < picture->height - RADIUS - 1; y++)
        for (int x = RADIUS + 1; x < picture->width - RADIUS - 1; x++) {
            int at = y * picture->width + x;
            if (!found[at]) continue;
            int step = step_across(picture, picture->pixels + at, MOST_AT_EDGE - found[at]);
            if (found[at] > found[at - step] && found[at] >= found[at + step]) drawn.pixels[at] = 0;
        }
    free(found);
    return drawn;
}

/* Whether none within two pixels has a larger response. */
static bool is_peak(const int *found, int width, int at) {
    for (int y = -2; y <= 2; y++)
        for (int x = -2; x <= 2; x++) {
            int other = found[at + y * width + x];
            if (other > found[at] || (other == found[at] && (y < 0 || (y == 0 && x < 0)))) return false;
        }
    return true;
}

/* A corner has the centre of what is like it beside it, and what is between is like it too. */
static bool is_corner(const struct picture *picture, const uint8_t *pixel, int area) {
    struct moments sums = moments_of(picture, pixel);
    double x = (double)sums.x / area, y = (double)sums.y / area, distance = sqrt(x * x + y * y);
    if (distance < 1) return false;
    for (int step = 1; step <= RADIUS; step++) {
        int across = (int)lrint(x / distance * step), down = (int)lrint(y / distance * step);
        if (alike[pixel[down * picture->width + across] - *pixel] < ALIKE / 2) return false;
    }
    return true;
}

/* A copy with a white cross in a black frame at each corner. */
static struct picture corners(const struct picture *picture) {
    set_threshold(THRESHOLD, 6);
    int *found = responses(picture, MOST_AT_CORNER), width = picture->width;
    for (int at = 0; at < width * picture->height; at++)
        if (found[at] && !is_corner(picture, picture->pixels + at, MOST_AT_CORNER - found[at])) found[at] = 0;
    struct picture drawn = picture_new(width, picture->height);
    memcpy(drawn.pixels, picture->pixels, (size_t)(width * picture->height));
    for (int y = RADIUS; y < picture->height - RADIUS; y++)
        for (int x = RADIUS; x < width - RADIUS; x++) {
            int at = y * width + x;
            if (!found[at] || !is_peak(found, width, at)) continue;
            for (int row = -1; row <= 1; row++) memset(drawn.pixels + at + row * width - 1, 0, 3);
            drawn.pixels[at - width] = drawn.pixels[at + width] = 255;
            memset(drawn.pixels + at - 1, 255, 3);
        }
    free(found);
    return drawn;
}

static uint8_t median_around(const uint8_t *pixel, int width) {
    uint8_t near[8];
    int count = 0;
    for (int y = -1; y <= 1; y++)
        for (int x = -1; x <= 1; x++)
            if (x || y) {
                int at = count++;
                for (; at && near[at - 1] > pixel[y * width + x]; at--) near[at] = near[at - 1];
                near[at] = pixel[y * width + x];
            }
    return (uint8_t)((near[3] + near[4]) / 2);
}

/* Each pixel becomes a mean of those around it, of the near and alike ones above all. The border stays. */
static struct picture smooth(const struct picture *picture) {
    enum { SIDE = 2 * SMOOTH_RADIUS + 1 };
    set_threshold(SMOOTH_THRESHOLD, 2);
    static uint8_t near[SIDE * SIDE];
    for (int y = -SMOOTH_RADIUS, n = 0; y <= SMOOTH_RADIUS; y++)
        for (int x = -SMOOTH_RADIUS; x <= SMOOTH_RADIUS; x++)
            near[n++] = (uint8_t)lrint(ALIKE * exp(-(x * x + y * y) / (SMOOTH_DISTANCE * SMOOTH_DISTANCE)));
    struct picture drawn = picture_new(picture->width, picture->height);
    memcpy(drawn.pixels, picture->pixels, (size_t)(picture->width * picture->height));
    for (int y = SMOOTH_RADIUS; y < picture->height - SMOOTH_RADIUS; y++)
        for (int x = SMOOTH_RADIUS; x < picture->width - SMOOTH_RADIUS; x++) {
            const uint8_t *pixel = picture->pixels + y * picture->width + x, *weight = near;
            int weights = -ALIKE * ALIKE, sum = -ALIKE * ALIKE * *pixel; /* without the pixel itself */
            for (int row = -SMOOTH_RADIUS; row <= SMOOTH_RADIUS; row++) {
                const uint8_t *other = pixel + row * picture->width - SMOOTH_RADIUS;
                for (int column = 0; column < SIDE; column++, other++) {
                    int each = *weight++ * alike[*other - *pixel];
                    weights += each;
                    sum += each * *other;
                }
            }
            drawn.pixels[pixel - picture->pixels] =
                weights ? (uint8_t)(sum / weights) : median_around(pixel, picture->width);
        }
    return drawn;
}

int image_main(int count, char **arguments) {
    static const struct {
        const char *name;
        struct picture (*make)(const struct picture *picture);
    } ways[] = {{"corners", corners}, {"edges", edges}, {"smooth", smooth}};
    for (size_t n = 0; count == 4 && n < sizeof ways / sizeof *ways; n++)
        if (strcmp(arguments[1], ways[n].name) == 0) {
            struct picture picture = picture_read(arguments[2]);
            struct picture drawn = ways[n].make(&picture);
            picture_write(&drawn, arguments[3]);
            return 0;
        }
    fail("image: write image corners IN OUT, or edges, or smooth");
}
