// SPDX-License-Identifier: GPL-2.0-only
#include "walked.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

static const char machine[] =
	"symbol hardirq_stack_ptr 0x1000 A\n"
	"symbol cea_exception_stacks 0x1008 A\n"
	"struct cea_exception_stacks 0x8000 DF_stack:char[4096]@0x3000 NMI_stack:char[4096]@0x1000 "
	"DB_stack:char[4096]@0x5000\n"
	"at 0xffff888000101000\n u64 0xffffc90000013ff8 0xfffffe0000000000\n"
	/* Stacks are there whole. */
	"at 0xffffc90000000000\n fill 0x4000 0\n"
	"at 0xffffc90000010000\n fill 0x4000 0\n"
	"at 0xfffffe0000001000\n fill 0x1000 0\n"
	/* start() is the outermost function, and foo() and bar() have frames of 32 bytes. */
	"symbol start 0xffffffff81000100\n orc start end\n"
	"symbol foo 0xffffffff81000200\n orc foo call sp 32\n"
	"symbol bar 0xffffffff81000300\n orc bar call sp 32 prev_sp -16\n"
	/* Entries: of an interrupt that keeps all registers, and of one that has the last five. */
	"symbol asm_irq 0xffffffff81000400\n orc asm_irq regs sp 0\n"
	"symbol asm_partial 0xffffffff81000500\n orc asm_partial partial sp 0\n"
	/* The word on top of the IRQ stack is the task's stack pointer. */
	"symbol on_irq_stack 0xffffffff81000600\n orc on_irq_stack call sp_indirect 8\n"
	"symbol end_of_text 0xffffffff81000700\n orc end_of_text end\n";

/* Its value, which must be known. */
uint64_t walked_register(struct kernel *kernel, const struct registers *registers, const char *name)
{
	const struct unwind_arch *arch = kernel->unwinder.arch;

	for (unsigned int i = 0; i < arch->nr_registers; i++)
		if (!strcmp(arch->register_names[i], name) && registers->known >> i & 1)
			return registers->values[i];
	fail_msg("%s is not known", name);
	return 0;
}

void walked_set(struct kernel *kernel, struct registers *registers, const char *name,
		uint64_t value)
{
	const struct unwind_arch *arch = kernel->unwinder.arch;

	for (unsigned int i = 0; i < arch->nr_registers; i++) {
		if (!strcmp(arch->register_names[i], name)) {
			registers->values[i] = value;
			return;
		}
	}
	fail_msg("no register %s", name);
}

/* A kernel that was built with frame pointers instead of ORC. */
static const char no_orc[] =
	"symbol _stext 0xffffffff81000000\n symbol _etext 0xffffffff82000000\n"
	"symbol __start_init_stack 0xffffffff82400000 D\n"
	"symbol __end_init_stack 0xffffffff82404000 D\n"
	"struct inactive_task_frame 56 r15:u64@0 r14:u64@8 r13:u64@16 r12:u64@24 bx:u64@32 "
	"bp:u64@40 ret_addr:u64@48\n"
	"at 0xffffc90000000000\n fill 0x4000 0\n"
	"symbol start 0xffffffff81000100\n symbol foo 0xffffffff81000200\n"
	"symbol bar 0xffffffff81000300\n symbol asm_irq 0xffffffff81000400\n"
	"symbol data 0xffffffff82500000 D\n";

/* @text begins with "without ORC" for a kernel of that sort. */
struct kernel *walked_kernel(const char *text)
{
	static const char without_orc[] = "without ORC\n";
	struct make_kernel k;

	make_kernel_init(&k);
	if (!strncmp(text, without_orc, strlen(without_orc))) {
		text += strlen(without_orc);
		make_kernel_text(&k, no_orc);
	} else {
		make_kernel_text(&k, made_kernel_minimum);
		make_kernel_text(&k, machine);
	}
	make_kernel_text(&k, text);
	struct kernel *kernel = make_kernel_open(&k);
	make_kernel_deinit(&k);
	return kernel;
}

/* Walks a running task from these registers ("rip=... rsp=..."), on the stacks that @text writes. */
struct walked walk(const char *text, const char *registers_text)
{
	struct walked ret = { .kernel = walked_kernel(text) };
	struct registers registers = { .known = UINT64_MAX };
	char copy[256], *save = NULL;

	snprintf(copy, sizeof(copy), "cs=0x10 %s", registers_text);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *value = strchr(word, '=');
		*value++ = '\0';
		walked_set(ret.kernel, &registers, word, strtoull(value, NULL, 0));
	}
	ret.err = unwind_running(&ret.kernel->unwinder, &registers, TASK, PER_CPU, &ret.stack);
	return ret;
}

void walked_end(struct walked *w)
{
	error_destroy(w->err);
	stack_deinit(&w->stack);
	kernel_close(w->kernel);
}

/*
 * Compares with "SECTION FUNCTION+OFFSET" a line, '?' before a function that was guessed, and frees all.
 * @says: of the error at its end, NULL if there is none.
 */
void assert_walked(struct walked w, const char *expected, const char *says)
{
	static const char *const sections[] = {
		[SECTION_TASK] = "task",	   [SECTION_IRQ] = "irq",   [SECTION_NMI] = "nmi",
		[SECTION_EXCEPTION] = "exception", [SECTION_USER] = "user",
	};
	char text[4096] = "", *at = text;

	for (size_t i = 0; i < w.stack.frames.count && i < 20; i++) {
		const struct frame *frame = &w.stack.frames.data[i];
		struct symbol symbol =
			symbols_lookup(&w.kernel->symbols, frame->pc - !frame->interrupted);
		if (frame->section == SECTION_USER)
			at += sprintf(at, "user 0x%llx\n", (unsigned long long)frame->pc);
		else if (symbol.name)
			at += sprintf(at, "%s %s%s+0x%llx\n", sections[frame->section],
				      frame->reliable ? "" : "?", symbol.name,
				      (unsigned long long)(frame->pc - symbol.start));
		else
			at += sprintf(at, "%s %s0x%llx\n", sections[frame->section],
				      frame->reliable ? "" : "?", (unsigned long long)frame->pc);
	}
	assert_string_equal(text, expected);
	if (!says) {
		assert_no_error(w.err);
	} else {
		assert_non_null(w.err);
		if (!strstr(w.err->message, says))
			fail_msg("no '%s' in: %s", says, w.err->message);
	}
	walked_end(&w);
}
