/* SPDX-License-Identifier: GPL-2.0-only */
/* The registers in a sample: struct pt_regs of the machine that took it, as words. */
#ifndef LOCKDUMP_REGISTERS_H
#define LOCKDUMP_REGISTERS_H

#include <stddef.h>
#include <stdint.h>

struct registers {
	uint32_t machine; /* ELF e_machine */
	const char *const *names; /* of each word, in the order of pt_regs */
	size_t count;
	size_t ip;
};

/* NULL: that machine is not known. */
const struct registers *registers_of(uint32_t machine);

#endif
