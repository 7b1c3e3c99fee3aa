/* SPDX-License-Identifier: GPL-2.0-only */
/* The vmcoreinfo: "KEY=VALUE" lines that the kernel leaves for readers of its dump (kernel/crash_core.c). */
#ifndef LOCKDUMP_VMCOREINFO_H
#define LOCKDUMP_VMCOREINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vmcoreinfo {
	const char *text; /* the dump's; not ended by 0 */
	size_t size;
};

/* The value of @key, such as "OSRELEASE"; not ended by 0. False if there is none. */
bool vmcoreinfo_string(const struct vmcoreinfo *info, const char *key, const char **ret,
		       size_t *size_ret);

/* "SYMBOL(name)": the symbol's address, KASLR's offset included. */
bool vmcoreinfo_symbol(const struct vmcoreinfo *info, const char *name, uint64_t *ret);

/* "NUMBER(name)" and what is written like it: @key is the whole key. Decimal numbers may be negative. */
bool vmcoreinfo_number(const struct vmcoreinfo *info, const char *key, uint64_t *ret);

/* A number that is written in hexadecimal with no 0x: KERNELOFFSET. */
bool vmcoreinfo_hex(const struct vmcoreinfo *info, const char *key, uint64_t *ret);

#endif
