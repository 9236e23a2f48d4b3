/*
 * Cubic equations, integer square roots, degrees and radians, all printed:  arithmetic small | large
 * There are so many of each that a run takes about as many instructions as was published for MiBench's program of this kind.
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "programs.h"

#define PI 3.14159265358979323846

/* The real roots of ax^3 + bx^2 + cx + d, of which there are one or three: F. Vieta's and G. Cardano's formulas. */
static int solve_cubic(double a, double b, double c, double d, double roots[3]) {
    double p = b / a, q = c / a, r = d / a;
    double mean = (p * p - 3 * q) / 9, half = (p * (2 * p * p - 9 * q) + 27 * r) / 54;
    double discriminant = mean * mean * mean - half * half;
    if (discriminant >= 0) {
        double angle = acos(half / sqrt(mean * mean * mean));
        for (int n = 0; n < 3; n++) roots[n] = -2 * sqrt(mean) * cos((angle + 2 * PI * n) / 3) - p / 3;
        return 3;
    }
    double root = pow(sqrt(-discriminant) + fabs(half), 1 / 3.0);
    roots[0] = (half < 0 ? 1 : -1) * (root + mean / root) - p / 3;
    return 1;
}

static void print_cubic(double a, double b, double c, double d) {
    double roots[3];
    int count = solve_cubic(a, b, c, d, roots);
    printf("Solutions:");
    for (int n = 0; n < count; n++) printf(" %f", roots[n]);
    printf("\n");
}

struct range {
    double from, step;
    int count;
};
static void cubics(struct range a, struct range b, struct range c, struct range d) {
    printf("Cubic equations\n");
    for (int i = 0; i < a.count; i++)
        for (int j = 0; j < b.count; j++)
            for (int k = 0; k < c.count; k++)
                for (int l = 0; l < d.count; l++)
                    print_cubic(a.from + i * a.step, b.from + j * b.step, c.from + k * c.step, d.from + l * d.step);
}

/* Rounded down; two bits of the number give one of the root. */
static uint32_t integer_root(uint32_t x) {
    uint32_t root = 0, rest = 0;
    for (int n = 0; n < 16; n++) {
        rest = rest << 2 | x >> 30;
        x <<= 2;
        root <<= 1;
        if (rest > 2 * root) {
            rest -= 2 * root + 1;
            root++;
        }
    }
    return root;
}
static void roots(uint32_t from, uint32_t step, uint32_t count) {
    printf("Square roots\n");
    for (uint32_t n = 0; n < count; n++) printf("root of %u is %u\n", from + n * step, integer_root(from + n * step));
}

static void degrees(int count, double step) {
    printf("Degrees\n");
    for (int n = 0; n <= count; n++) printf("%3.0f degrees = %.12f radians\n", n * step, n * step * PI / 180);
}
static void radians(int count, double step) {
    printf("Radians\n");
    for (int n = 0; n <= count; n++) printf("%.12f radians = %3.0f degrees\n", n * step, n * step * 180 / PI);
}

int arithmetic_main(int count, char **arguments) {
    bool large = count == 2 && strcmp(arguments[1], "large") == 0;
    if (!large && !(count == 2 && strcmp(arguments[1], "small") == 0)) fail("arithmetic: write arithmetic small or large");
    if (large) {
        cubics((struct range){1, 1, 9}, (struct range){10, -0.25, 40}, (struct range){5, 0.61, 17}, (struct range){-1, -0.451, 9});
        roots(0, 2, 50000);
        degrees(360000, 0.001);
        radians(11520, PI / 5760);
    } else {
        cubics((struct range){1, 1, 9}, (struct range){10, -1, 10}, (struct range){5, 0.25, 40}, (struct range){-1, -1, 10});
        roots(0, 1, 1001);
        degrees(360, 1);
        radians(360, PI / 180);
    }
    return 0;
}
