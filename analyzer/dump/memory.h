/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's virtual memory in a dump. */
#ifndef LOCKDUMP_MEMORY_H
#define LOCKDUMP_MEMORY_H

#include "base/vector.h"
#include "dump/dump.h"
#include "dump/vmcoreinfo.h"

#define MEMORY_TLB_SIZE 1024

struct memory;

/* What the address translation of an architecture is. */
struct memory_arch {
	uint16_t machine; /* EM_... */
	/* Finds the kernel's page tables through the vmcoreinfo. */
	struct error *(*init)(struct memory *memory, const struct vmcoreinfo *info);
	/* Walks them: the physical address of @va, and how many bytes are mapped together with it from the
	 * start of its page on. */
	struct error *(*walk)(struct memory *memory, uint64_t va, uint64_t *page_pa_ret,
			      uint64_t *page_size_ret);
};

extern const struct memory_arch memory_arch_x86_64;

/* That of ELF machine @machine, or an error that names it. */
struct error *memory_arch_find(uint16_t machine, const struct memory_arch **ret);

struct memory {
	struct dump *dump;
	const struct memory_arch *arch; /* NULL: it has not been found how to translate */
	uint64_t table_pa; /* the top page table */
	unsigned int levels;
	uint64_t pa_mask; /* the bits of an entry that are an address */
	/* Where page tables are not needed: virtual addresses of physical address 0. */
	uint64_t text_base;
	uint64_t direct_base; /* 0: unknown; who reads the kernel's variables sets it */
	/* The last translations, by 4 KB page. */
	struct {
		uint64_t va; /* plus one: 0 is a free place */
		uint64_t pa;
	} tlb[MEMORY_TLB_SIZE];
};

struct error *memory_init(struct memory *memory, struct dump *dump, const struct vmcoreinfo *info);

/* The physical address of @va. */
struct error *memory_translate(struct memory *memory, uint64_t va, uint64_t *ret);

/* Copies @size bytes at virtual address @va. An error's address is virtual. On an error @buf is not to be used. */
struct error *memory_read(struct memory *memory, uint64_t va, void *buf, size_t size);

struct error *memory_read_u32(struct memory *memory, uint64_t va, uint32_t *ret);
struct error *memory_read_u64(struct memory *memory, uint64_t va, uint64_t *ret);

/* Copies a string, up to its 0 or @size - 1 bytes, and ends it with 0. */
struct error *memory_read_string(struct memory *memory, uint64_t va, char *buf, size_t size);

/* Copies @size bytes into new memory that the caller frees; refuses a @size over @most with ERROR_CORRUPT. */
struct error *memory_read_alloc(struct memory *memory, uint64_t va, uint64_t size, uint64_t most,
				void *ret);

/* What of a table is not there, from 0 on; between its pages. */
struct hole {
	size_t start, end;
};

struct holes {
	VECTOR(struct hole) list; /* in order; those that touch are one */
	struct error *error; /* why the first is not there, or NULL */
};

/* The same, but what is not there is zeros, and in @holes. It is an error only if nothing is there. */
struct error *memory_read_table(struct memory *memory, uint64_t va, uint64_t size, uint64_t most,
				void *ret, struct holes *holes);

/* Whether a part of @size bytes at @start is not there. */
bool holes_touch(const struct holes *holes, size_t start, size_t size);

void holes_deinit(struct holes *holes);

#endif
