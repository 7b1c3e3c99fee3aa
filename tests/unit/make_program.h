/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs and objects with debug information, out of C text: the compiler is there, for it made the tests. */
#ifndef TESTS_MAKE_PROGRAM_H
#define TESTS_MAKE_PROGRAM_H

#include "make_kernel.h"

struct made_program {
	char folder[64];
	char path[128]; /* of the file that was made: "vmlinux" in the folder */
};

/* Compiles @source, which is "source.c" in its debug information, with gcc's @options. */
void make_program(struct made_program *program, const char *source, const char *options);

/* Runs a command of the shell in the folder, which must work. */
void made_program_run(const struct made_program *program, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Removes the folder. */
void made_program_deinit(struct made_program *program);

/* The value of a symbol of the file @path, which must be there. */
uint64_t made_program_symbol(const char *path, const char *name);

/* Where the source has @mark, by line. */
uint32_t made_program_line(const char *source, const char *mark);

/* A program at the place of a kernel, with that build id. */
#define MADE_BUILD_ID "0123456789abcdef0123456789abcdef01234567"
#define MADE_AS_KERNEL                                                                \
	"-O2 -ffreestanding -nostdlib -static -no-pie -fno-pie -mcmodel=kernel "      \
	"-fcf-protection=none -Wl,-Ttext=0xffffffff81000000 -Wl,-e,0 -Wl,-z,norelro " \
	"-Wl,--build-id=0x" MADE_BUILD_ID

#endif
