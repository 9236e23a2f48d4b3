# How images for Armv8 are built. Included by Makefile.
CROSS ?= aarch64-linux-gnu-
TARGET := -march=armv8-a -mgeneral-regs-only -mstrict-align -mno-outline-atomics
TARGET_FLOAT := -march=armv8-a -mstrict-align -mno-outline-atomics
LIBRARY := start.S power.c print.c gic.c samples.c barrier.c parameters.c meet.c
# As many vCPUs as baonet has: small stacks, and redistributors where there is room for them.
MANY := -DMAX_CPUS=1024 -DSTACK_SIZE=0x1000 -DGICR_BASE=0x10000000
