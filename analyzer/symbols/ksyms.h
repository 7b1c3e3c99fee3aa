/* SPDX-License-Identifier: GPL-2.0-only */
/* Names for kernel text addresses of this machine, out of /proc/kallsyms. */
#ifndef LOCKDUMP_SYMBOLS_KSYMS_H
#define LOCKDUMP_SYMBOLS_KSYMS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

#define KSYMS_PATH	 "/proc/kallsyms"
#define KSYM_TEXT_SIZE	 160
#define KSYM_MODULE_SIZE 64

struct ksym {
	uint64_t pc; /* in: the address wanted */
	uint64_t address; /* 0: no name was found */
	uint64_t size; /* to the module's next symbol; 0: there is none */
	char name[KSYM_TEXT_SIZE];
	char module[KSYM_MODULE_SIZE]; /* empty in the core kernel */
};

/*
 * Finds the functions that the @count addresses lie in. Reads @in, which has the form of /proc/kallsyms, once
 * and keeps nothing but the answers. Orders @syms by pc.
 */
struct error *ksyms_resolve(FILE *in, struct ksym *syms, size_t count);

struct ksym_wanted {
	const char *name;
	uint64_t address; /* 0: it is not there, or hidden */
	uint64_t end; /* where the next one is; 0: not known */
};

/*
 * The other way round: fills in where the core kernel's symbols are. Of several with one name the first is taken.
 */
struct error *ksyms_look_up(FILE *in, struct ksym_wanted *wanted, size_t count);

struct ksym_function {
	const char *name;
	uint64_t address; /* of the first; 0: it is not there, or hidden */
	size_t count; /* how many functions have this name, those of modules too */
};

struct error *ksyms_find_functions(FILE *in, struct ksym_function *functions, size_t count);

/* @pc as the kernel writes it, "func+0x1c/0x40 [module]"; just the number if @sym is NULL or has no name. */
#define KSYM_PLACE_SIZE (KSYM_TEXT_SIZE + KSYM_MODULE_SIZE + 64)
void ksym_place(const struct ksym *sym, uint64_t pc, char ret[KSYM_PLACE_SIZE]);

/* The entry with that pc in @syms, ordered as ksyms_resolve() leaves them, or NULL. */
const struct ksym *ksyms_find(const struct ksym *syms, size_t count, uint64_t pc);

#endif
