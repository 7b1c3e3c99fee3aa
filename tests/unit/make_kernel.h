/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel's memory out of text, in a vmcore: make_dump's lines, and besides
 *
 *	symbol NAME ADDRESS [TYPE]	a symbol of kallsyms, of type T if none is said
 *	kallsyms absolute|absolute-percpu|base-relative|place-relative
 *					their encoding, absolute-percpu if none is said
 *	struct NAME SIZE MEMBER:TYPE@OFFSET...
 *	union NAME SIZE MEMBER:TYPE@OFFSET...
 *	enum NAME ENUMERATOR=N...
 *			types of the BTF; TYPE is u8, u16, u32, u64, char, ptr or a struct, and may
 *			end with [COUNT]
 *	at ADDRESS	where in virtual memory the next lines write; pages are made and mapped
 *	set OBJECT STRUCT.MEMBER N
 *			writes a member of the object at that address; a member of a member is MEMBER.MEMBER
 *	exclude ADDRESS	the page at that virtual address is mapped, but not in the dump
 *	orc ADDRESS call|signal|regs|partial|end|none [SPREG N [BPREG N]]
 *			an entry of the ORC tables
 *	orc_format 4.14|6.3|6.4|7.1
 *			how they are encoded; 4.14, up to 6.2, if not said. The hash is not written
 *	levels 5	five levels of page tables
 *	phys_base N	the kernel lies that much further in physical memory (KASLR)
 *
 * A number may be a symbol's name, with + or - and a number behind it. Page tables, kallsyms, BTF and the
 * vmcoreinfo that leads to them are made of all that.
 */
#ifndef TESTS_MAKE_KERNEL_H
#define TESTS_MAKE_KERNEL_H

#include "make_dump.h"
#include "state/kernel.h"

struct make_kernel {
	struct make_dump dump;
	struct made_symbol *symbols;
	size_t nr_symbols;
	struct made_struct *structs;
	size_t nr_structs;
	struct made_map *maps;
	size_t nr_maps;
	struct made_orc *orcs;
	size_t nr_orcs;
	char orc_format[8];
	struct btf *btf;
	enum kallsyms_encoding encoding;
	unsigned int levels;
	uint64_t phys_base;
	uint64_t next_table, next_page; /* physical addresses of free pages */
};

/* What kernel_open() does not do without: symbols and types of the unwinder. */
extern const char made_kernel_minimum[];

void make_kernel_init(struct make_kernel *k);
void make_kernel_deinit(struct make_kernel *k);
void make_kernel_text(struct make_kernel *k, const char *text);
void make_kernel_line(struct make_kernel *k, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Value of a number or of a symbol's name. */
uint64_t make_kernel_number(struct make_kernel *k, const char *text);

/* The physical address of a virtual one that was written to. */
uint64_t make_kernel_pa(struct make_kernel *k, uint64_t va);

/* Writes the vmcore and opens it with all that is in it, which must work. */
struct kernel *make_kernel_open(struct make_kernel *k);

/* The same, and fails the test unless it says that it lacks @text. */
void assert_kernel_lacks(struct make_kernel *k, const char *text);

/* The same for its memory alone: for dumps without symbols. */
struct made_memory {
	struct dump *dump;
	struct vmcoreinfo info;
	struct memory memory;
};

void make_kernel_open_memory(struct make_kernel *k, struct made_memory *ret);
void made_memory_close(struct made_memory *memory);

#endif
