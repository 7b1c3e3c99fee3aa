/* SPDX-License-Identifier: GPL-2.0-only */
/* A crashed kernel, opened for analysis: the dump with what was found in it. */
#ifndef LOCKDUMP_KERNEL_H
#define LOCKDUMP_KERNEL_H

#include "base/error.h"
#include "base/vector.h"
#include "dump/memory.h"
#include "symbols/debuginfo.h"
#include "symbols/symbols.h"
#include "unwind/unwind.h"

/* What to open, and what else there is to understand it by. */
struct kernel_source {
	const char *vmcore; /* a file, /proc/vmcore or DUMP_LIVE */
	const char *const *more_parts; /* the other files of a split dump */
	size_t nr_more_parts;
	struct symbol_files files;
	const struct debuginfod *debuginfod; /* to be asked for debug information too, or NULL */
	struct page_log *log; /* notes which pages are read; or NULL */
};

struct kernel {
	struct kernel_source source;
	struct dump *dump;
	struct vmcoreinfo info;
	struct memory memory;
	struct symbols symbols;
	struct unwinder unwinder;
	bool can_unwind;
	/* What could not be had, so that all that builds on it is less. */
	VECTOR(struct error *) lacks;
	const char **paths; /* of all parts */
	char *found_info; /* the vmcoreinfo's text, if it is not from the headers */
	struct debuginfo *debuginfo; /* NULL: none is wanted */
};

/*
 * Opens what is a vmcore of a known architecture; what it lacks is in kernel->lacks then, and whoever wants it
 * gets an error. The caller ends it with kernel_close(). The strings of @source must live as long as the kernel.
 */
struct error *kernel_open(const struct kernel_source *source, struct kernel **ret);
void kernel_close(struct kernel *kernel);

/* Reads the variable @ksym of at most 8 bytes; @size is its size. */
struct error *kernel_variable(struct kernel *kernel, enum ksym_id ksym, size_t size, uint64_t *ret);

/*
 * The address in kallsyms of the per-CPU variable @ksym, which x86 has in pcpu_hot, as @hot, from 6.2 (e57ef2ed97c1) to
 * 6.14. 0: there is none.
 */
uint64_t kernel_per_cpu_variable(const struct kernel *kernel, enum ksym_id ksym, const char *hot);

/* The offset of @cpu's per-CPU variables from the addresses in kallsyms. */
struct error *kernel_per_cpu(struct kernel *kernel, uint32_t cpu, uint64_t *ret);

/* Whether @frame is of the function that runs softirqs: they have no stack of their own on x86-64. */
bool kernel_runs_softirqs(struct kernel *kernel, const struct frame *frame);

#endif
