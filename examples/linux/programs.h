/* The programs in the one binary: each has its main, which is told its own arguments. */
#ifndef PROGRAMS_H
#define PROGRAMS_H

int sort_main(int count, char **arguments);
int image_main(int count, char **arguments);
int bits_main(int count, char **arguments);
int arithmetic_main(int count, char **arguments);
int inputs_main(int count, char **arguments);
int measure_main(int count, char **arguments);

/* main.c: says what is wrong, with errno if it is set, and ends the program. */
__attribute__((noreturn)) void fail(const char *what);

#endif
