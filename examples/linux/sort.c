/*
 * Sorts a file with the C library's qsort, and prints it:
 *
 *     sort words FILE     words by their letters, in records of 128 bytes
 *     sort points FILE    points of three numbers by their distance from the origin
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "programs.h"

#define MOST 60000

struct word {
    char letters[128];
};
struct point {
    unsigned x, y, z;
    double distance;
};

static int by_letters(const void *a, const void *b) {
    return strcmp(((const struct word *)a)->letters, ((const struct word *)b)->letters);
}
static int by_distance(const void *a, const void *b) {
    double first = ((const struct point *)a)->distance, second = ((const struct point *)b)->distance;
    return (first > second) - (first < second);
}

static void sort_words(FILE *file) {
    static struct word words[MOST];
    size_t count = 0;
    while (count < MOST && fscanf(file, "%127s", words[count].letters) == 1) count++;
    printf("%zu words by their letters\n\n", count);
    qsort(words, count, sizeof *words, by_letters);
    for (size_t n = 0; n < count; n++) printf("%s\n", words[n].letters);
}

static void sort_points(FILE *file) {
    static struct point points[MOST];
    size_t count = 0;
    struct point point;
    while (count < MOST && fscanf(file, "%u %u %u", &point.x, &point.y, &point.z) == 3) {
        point.distance = sqrt(pow(point.x, 2) + pow(point.y, 2) + pow(point.z, 2));
        points[count++] = point;
    }
    printf("%zu points by their distance\n\n", count);
    qsort(points, count, sizeof *points, by_distance);
    for (size_t n = 0; n < count; n++) printf("%u %u %u\n", points[n].x, points[n].y, points[n].z);
}

int sort_main(int count, char **arguments) {
    bool words = count == 3 && strcmp(arguments[1], "words") == 0;
    if (!words && !(count == 3 && strcmp(arguments[1], "points") == 0)) fail("sort: write sort words FILE or sort points FILE");
    FILE *file = fopen(arguments[2], "r");
    if (!file) fail(arguments[2]);
    (words ? sort_words : sort_points)(file);
    return 0;
}
