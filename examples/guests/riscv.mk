# How images for RISC-V are built. Included by Makefile.
CROSS ?= riscv64-linux-gnu-
TARGET := -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany -msmall-data-limit=0 -mno-relax -Wl,--no-relax
TARGET_FLOAT := $(subst rv64imac_,rv64imafdc_,$(TARGET))
LIBRARY := start.S power.c print.c irqc.c plic.c aia.c board.c samples.c barrier.c parameters.c meet.c
MANY := -DMAX_CPUS=1024 -DSTACK_SIZE=0x1000
