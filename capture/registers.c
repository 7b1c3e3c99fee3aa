// SPDX-License-Identifier: GPL-2.0-only
#include "capture/registers.h"

#include <elf.h>

/* arch/x86/include/asm/ptrace.h */
static const char *const x86_64_names[] = {
	"r15", "r14", "r13", "r12", "rbp",	"rbx", "r11", "r10",	"r9",  "r8", "rax",
	"rcx", "rdx", "rsi", "rdi", "orig_rax", "rip", "cs",  "rflags", "rsp", "ss",
};

static const struct registers machines[] = {
	{
		.machine = EM_X86_64,
		.names = x86_64_names,
		.count = sizeof(x86_64_names) / sizeof(x86_64_names[0]),
		.ip = 16,
	},
};

const struct registers *registers_of(uint32_t machine)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (machines[i].machine == machine)
			return &machines[i];
	return NULL;
}
