/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the fuzz targets share: how an input becomes a vmcore.
 *
 * A target is a file fuzz_NAME.c with LLVMFuzzerTestOneInput(). Its corpus are texts, corpus/NAME/ *.txt, that
 * make_input turns into bytes. An input of a decoder that reads a kernel's memory is "KEY=VALUE\n..." lines that
 * the vmcoreinfo begins with, a 0, and the bytes of the memory from FUZZ_VA (or physical address 0) on; the line
 * SYMBOL(holes)=HEX has a bit for each page of it that is not in the dump. Nothing else of the kernel changes from
 * input to input, so it is made once, of a text as make_kernel.h has it.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include "make_kernel.h"
#include "state/dmesg.h"
#include "state/record.h"

#define FUZZ_VA	  0xffffffffa0000000ull
#define FUZZ_SIZE ((size_t)65536) /* more of an input than this is not in the dump */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads every byte, so that the checkers see whether they are there. */
void fuzz_touch(const void *data, size_t size);

/* A file of these bytes, whose path is good until the next call. */
const char *fuzz_file(const void *data, size_t size);

/* Opens the input as a vmcore, and reads pages all over it; @find: where it has no vmcoreinfo, it is looked for. */
void fuzz_dump(const uint8_t *data, size_t size, bool find);

/* Frees @err; true if there was none. With FUZZ_VERBOSE in the environment it is printed before. */
bool fuzz_ok(struct error *err);

/* Where an input's bytes go. Made once, never freed. */
struct fuzz_base;

/* A kernel of the text in the file @path, NULL: page tables alone, with a place for the input at FUZZ_VA. */
struct fuzz_base *fuzz_base_kernel(const char *path);

/* No kernel: the input is physical memory from 0 on, and all of the vmcoreinfo. */
struct fuzz_base *fuzz_base_physical(void);

/* The vmcore with this input; its path is good until the base's next input. */
const char *fuzz_vmcore(struct fuzz_base *base, const uint8_t *data, size_t size);

/* The same, opened as far as its memory. False if that did not work; else end it with made_memory_close(). */
bool fuzz_memory(struct fuzz_base *base, const uint8_t *data, size_t size, struct made_memory *ret);

/*
 * The base's kernel with this input as its memory at FUZZ_VA; NULL if it has none. It stays open: only the dump is
 * another one for each input, since symbols and types, which cost the most to open, do not lie in the input.
 */
struct kernel *fuzz_kernel(struct fuzz_base *base, const uint8_t *data, size_t size);

/* What follows from a record (or NULL) and a log for a kernel of one CPU, which runs init: tests/fuzz/log.kernel. */
void fuzz_verdict(const struct record *record, const struct dmesg *dmesg);

#endif
