// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stacks, walked out of a dump. Two functions, their ORC entries and the words of a stack are a test.
 *
 *	the task's stack	0xffffc90000000000 to ...4000
 *	the IRQ stack		0xffffc90000010000 to ...14000
 *	the NMI stack		0xfffffe0000001000 to ...2000
 */
#include <stdio.h>
#include <string.h>

#include "make_kernel.h"
#include "test.h"
#include "unwind/unwind.h"

#define TASK	0xffffc90000000000ull
#define PER_CPU 0xffff888000100000ull

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

struct walked {
	struct kernel *kernel;
	struct stack stack;
	struct error *err;
};

/* Its value, which must be known. */
static uint64_t register_of(struct kernel *kernel, const struct registers *registers,
			    const char *name)
{
	const struct unwind_arch *arch = kernel->unwinder.arch;

	for (unsigned int i = 0; i < arch->nr_registers; i++)
		if (!strcmp(arch->register_names[i], name) && registers->known >> i & 1)
			return registers->values[i];
	fail_msg("%s is not known", name);
	return 0;
}

static void set_register(struct kernel *kernel, struct registers *registers, const char *name,
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
	"bp:u64@40 ret_addr:u64@48\n struct irq_stack 16384 stack:char[16384]@0\n"
	"at 0xffffc90000000000\n fill 0x4000 0\n"
	"symbol start 0xffffffff81000100\n symbol foo 0xffffffff81000200\n"
	"symbol bar 0xffffffff81000300\n symbol asm_irq 0xffffffff81000400\n"
	"symbol data 0xffffffff82500000 D\n";

/* @text begins with "without ORC" for a kernel of that sort. */
static struct kernel *open_kernel(const char *text)
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
static struct walked walk(const char *text, const char *registers_text)
{
	struct walked ret = { .kernel = open_kernel(text) };
	struct registers registers = {};
	char copy[256], *save = NULL;

	snprintf(copy, sizeof(copy), "cs=0x10 %s", registers_text);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *value = strchr(word, '=');
		*value++ = '\0';
		set_register(ret.kernel, &registers, word, strtoull(value, NULL, 0));
	}
	ret.err = unwind_running(&ret.kernel->unwinder, &registers, TASK, PER_CPU, &ret.stack);
	return ret;
}

static void let_go(struct walked *w)
{
	error_destroy(w->err);
	stack_deinit(&w->stack);
	kernel_close(w->kernel);
}

/*
 * Compares with "SECTION FUNCTION+OFFSET" a line, '?' before a function that was guessed, and frees all.
 * @says: of the error at its end, NULL if there is none.
 */
static void assert_walked(struct walked w, const char *expected, const char *says)
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
	let_go(&w);
}

static void calls(void **state)
{
	(void)state;
	assert_walked(walk("at 0xffffc90000003000\n u64 0 0 0 bar+5\n u64 0 0 0 foo+0x10\n"
			   "u64 0 0 0 start+1\n",
			   "rip=0xffffffff81000208 rsp=0xffffc90000003000"),
		      "task foo+0x8\ntask bar+0x5\ntask foo+0x10\ntask start+0x1\n", NULL);
}

/* A call that is a function's last instruction returns behind it: to the next one's first. */
static void a_call_that_ends_a_function(void **state)
{
	(void)state;
	assert_walked(walk("at 0xffffc90000003000\n u64 0 0 0 bar\n u64 0 0 0 start+1\n",
			   "rip=0xffffffff81000208 rsp=0xffffc90000003000"),
		      "task foo+0x8\ntask foo+0x100\ntask start+0x1\n", NULL);
	/* But interrupted there, it is there. */
	assert_walked(walk("at 0xffffc90000003000\n u64 0 0 0 start+1\n",
			   "rip=0xffffffff81000300 rsp=0xffffc90000003000"),
		      "task bar+0x0\ntask start+0x1\n", NULL);
}

/* One NMI in an interrupt in a task, each on its own stack. */
static void over_all_stacks(void **state)
{
	(void)state;
	assert_walked(
		walk(/* NMI: foo was called by the entry, whose pt_regs is behind its return address. */
		     "at 0xfffffe0000001e00\n u64 0 0 0 asm_irq+4\n"
		     "fill 120 0\n u64 0 bar+8 0x10 0x46 0xffffc90000013f80 0x18\n"
		     /* IRQ: bar was called by the switch of stacks. */
		     "at 0xffffc90000013f80\n u64 0 0 0 on_irq_stack+4 0xffffc90000003000\n"
		     /* Task: it goes on at the entry of the interrupt, with the registers of foo. */
		     "at 0xffffc90000003000\n u64 asm_irq+8\n"
		     "fill 120 0\n u64 0 foo+0x20 0x10 0x246 0xffffc90000003800 0x18\n"
		     "at 0xffffc90000003800\n u64 0 0 0 start+1\n",
		     "rip=0xffffffff81000210 rsp=0xfffffe0000001e00"),
		"nmi foo+0x10\nnmi asm_irq+0x4\nirq bar+0x8\nirq on_irq_stack+0x4\n"
		"task asm_irq+0x8\ntask foo+0x20\ntask start+0x1\n",
		NULL);
}

static void user_mode_ends_it(void **state)
{
	(void)state;
	assert_walked(walk("at 0xffffc90000003f38\n u64 0 0 0 asm_irq+4\n"
			   "fill 120 0\n u64 0 0x47b7a0 0x33 0x246 0x7ffc00001000 0x2b\n",
			   "rip=0xffffffff81000210 rsp=0xffffc90000003f38"),
		      "task foo+0x10\ntask asm_irq+0x4\nuser 0x47b7a0\n", NULL);
	assert_walked(walk("at 0xffffc90000003fb8\n u64 0 0 0 asm_partial+4\n"
			   "u64 0x47b7a0 0x33 0x246 0x7ffc00001000 0x2b\n",
			   "rip=0xffffffff81000210 rsp=0xffffc90000003fb8"),
		      "task foo+0x10\ntask asm_partial+0x4\nuser 0x47b7a0\n", NULL);
	assert_walked(walk("", "rip=0x400000 cs=0x33 rsp=0x7ffc00001000"), "user 0x400000\n", NULL);
}

static void partial_registers(void **state)
{
	(void)state;
	assert_walked(
		walk("at 0xffffc90000003000\n u64 bar+0x10 0x10 0x46 0xffffc90000003100 0x18\n"
		     "at 0xffffc90000003100\n u64 0 0 0 start+1\n",
		     "rip=0xffffffff81000504 rsp=0xffffc90000003000"),
		"task asm_partial+0x4\ntask bar+0x10\ntask start+0x1\n", NULL);
}

static void pt_regs_that_leave_the_stack(void **state)
{
	(void)state;
	assert_walked(walk("", "rip=0xffffffff81000404 rsp=0xffffc90000003f60"),
		      "task asm_irq+0x4\n", "on no stack");
	assert_walked(walk("", "rip=0xffffffff81000504 rsp=0xffffc90000003fe0"),
		      "task asm_partial+0x4\n", "on no stack");
}

static void sp_outside_of_any_stack(void **state)
{
	(void)state;
	assert_walked(walk("", "rip=0xffffffff81000210 rsp=0"), "task foo+0x10\n", "on no stack");
	assert_walked(walk("", "rip=0xffffffff81000210 rsp=0xffffffffffffffff"), "task foo+0x10\n",
		      "on no stack");
	assert_walked(walk("", "rip=0xffffffff81000210 rsp=0xffffc90000003fe8"), "task foo+0x10\n",
		      "on no stack");
	assert_walked(walk("", "rip=0xffffffff81000604 rsp=0xffffc90000020000"),
		      "task on_irq_stack+0x4\n", "on no stack");
}

static void stacks_that_do_not_get_shorter(void **state)
{
	(void)state;
	assert_walked(walk("symbol up 0xffffffff81000800\n orc up call sp 0\n"
			   "at 0xffffc90000002ff8\n u64 up+8\n",
			   "rip=0xffffffff81000810 rsp=0xffffc90000003000"),
		      "task up+0x10\n", "does not get shorter");
	assert_walked(walk("symbol up 0xffffffff81000800\n orc up call sp -64\n",
			   "rip=0xffffffff81000810 rsp=0xffffc90000003000"),
		      "task up+0x10\n", "does not get shorter");
	/* Interrupted registers that point back to where they were found. */
	assert_walked(walk("at 0xffffc90000003000\n fill 120 0\n"
			   "u64 0 asm_irq+4 0x10 0 0xffffc90000002f00 0x18\n",
			   "rip=0xffffffff81000404 rsp=0xffffc90000003000"),
		      "task asm_irq+0x4\ntask ?asm_irq+0x4\n", "does not get shorter");
}

/* From the task's stack to the IRQ stack and back, for ever. */
static void two_stacks_in_a_circle(void **state)
{
	struct walked w = walk("at 0xffffc90000003000\n u64 0xffffc90000011000\n"
			       "at 0xffffc90000011000\n u64 on_irq_stack+4 0xffffc90000002ff8\n"
			       "at 0xffffc90000002ff8\n u64 on_irq_stack+4\n",
			       "rip=0xffffffff81000604 rsp=0xffffc90000003000");

	(void)state;
	assert_int_equal(w.stack.frames.count, UNWIND_MAX_FRAMES);
	assert_non_null(w.err);
	assert_non_null(strstr(w.err->message, "over 256 frames"));
	let_go(&w);
}

static void frames_that_hang_on_registers(void **state)
{
	static const char *const registers[] = { "dx", "di", "r10", "r13" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		char text[256], values[128];
		snprintf(
			text, sizeof(text),
			"symbol odd 0xffffffff81000800\n orc odd call %s 0\n"
			"at 0xffffc90000003100\n u64 start+1\n at 0xffffc90000003000\n u64 0 0 0 odd+4\n",
			registers[i]);
		snprintf(values, sizeof(values),
			 "rip=0xffffffff81000804 rsp=0xffffc90000003000 %s%s=%s",
			 registers[i][0] == 'r' ? "" : "r", registers[i], "0xffffc90000003108");
		assert_walked(walk(text, values), "task odd+0x4\ntask start+0x1\n", NULL);
		/* Behind a call they are not known any more. */
		assert_walked(walk(text, "rip=0xffffffff81000210 rsp=0xffffc90000003000"),
			      "task foo+0x10\ntask odd+0x4\ntask ?start+0x1\n", "not known");
	}
}

static void frames_that_hang_on_bp(void **state)
{
	(void)state;
	assert_walked(walk("symbol fp 0xffffffff81000800\n orc fp call bp 16 prev_sp -16\n"
			   "at 0xffffc90000003100\n u64 0xffffc90000003200 fp+0x20\n"
			   "at 0xffffc90000003200\n u64 0 start+1\n",
			   "rip=0xffffffff81000804 rsp=0xffffc90000003000 rbp=0xffffc90000003100"),
		      "task fp+0x4\ntask fp+0x20\ntask start+0x1\n", NULL);
	assert_walked(walk("symbol in 0xffffffff81000800\n orc in call bp_indirect -8 bp 0\n"
			   "at 0xffffc900000030f8\n u64 0xffffc90000003208\n"
			   "at 0xffffc90000003200\n u64 start+1\n",
			   "rip=0xffffffff81000804 rsp=0xffffc90000003000 rbp=0xffffc90000003100"),
		      "task in+0x4\ntask start+0x1\n", NULL);
	assert_walked(walk("symbol fp 0xffffffff81000800\n orc fp call bp 16 prev_sp -16\n",
			   "rip=0xffffffff81000804 rsp=0xffffc90000003000 rbp=0x1234"),
		      "task fp+0x4\n", "on no stack");
	assert_walked(walk("symbol no 0xffffffff81000800\n orc no call prev_sp 16\n",
			   "rip=0xffffffff81000804 rsp=0xffffc90000003000"),
		      "task no+0x4\n", "ORC register 1");
}

/* A BPF program: no table has it, its frame pointer is to be trusted, and what is behind it is a guess. */
static void generated_code(void **state)
{
	(void)state;
	assert_walked(walk("at 0xffffc90000003000\n u64 0 0 0 0xffffffffc0001234\n"
			   "at 0xffffc90000003010\n u64 0xffffc90000003100\n"
			   "at 0xffffc90000003100\n u64 0 start+1\n",
			   "rip=0xffffffff81000310 rsp=0xffffc90000003000"),
		      "task bar+0x10\ntask ?0xffffffffc0001234\ntask ?start+0x1\n", NULL);
	/* A call of NULL left its return address, and no more. */
	assert_walked(walk("at 0xffffc90000003000\n u64 start+5\n", "rip=0 rsp=0xffffc90000003000"),
		      "task 0x0\ntask ?start+0x5\n", NULL);
}

/* The same where the code in front of the return address calls just that program. */
static void generated_code_that_is_proven(void **state)
{
	static const char stack[] =
		"at 0xffffc90000003000\n u64 0 0 0xffffc90000003100 0xffffffffc0001234\n"
		"at 0xffffc90000003100\n u64 0 foo+0x20 0 0 0 start+1\n"
		/* call 0xffffffffc0001200; the end of the function before it says nothing. */
		"at foo+0x1b\n u8 0xe8\n u32 0x3f000fe0\n at start\n u8 0xff 0xd0\n"
		"at start-1\n u8 0xff 0xd0\n";
	char other[1024];

	(void)state;
	assert_walked(walk(stack, "rip=0xffffffff81000310 rsp=0xffffc90000003000"),
		      "task bar+0x10\ntask ?0xffffffffc0001234\ntask foo+0x20\n"
		      "task start+0x1\n",
		      NULL);
	/* It calls another one. */
	snprintf(other, sizeof(other), "%sat foo+0x1c\n u32 0x3f100fe0\n", stack);
	assert_walked(walk(other, "rip=0xffffffff81000310 rsp=0xffffc90000003000"),
		      "task bar+0x10\ntask ?0xffffffffc0001234\ntask ?foo+0x20\n"
		      "task ?start+0x1\n",
		      NULL);
}

/* What no call can have put there. */
static void return_addresses_behind_no_call(void **state)
{
	(void)state;
	assert_walked(
		walk("at 0xffffc90000003000\n u64 0 0 0 bar+5\n u64 0 0 0 foo+0x10\n"
		     "u64 0 0 0 start+1\n at bar\n fill 16 0x90\n at foo+0xe\n u8 0xff 0xd0\n",
		     "rip=0xffffffff81000208 rsp=0xffffc90000003000"),
		"task foo+0x8\ntask ?bar+0x5\ntask foo+0x10\ntask start+0x1\n", NULL);
}

static void calls_that_may_be_in_front(void **state)
{
	static const struct {
		const char *bytes; /* in front of foo+0x20 */
		bool call;
	} cases[] = {
		{ "0xe8 1 2 3 4", true },
		{ "0x2e 0xe8 1 2 3 4", true },
		{ "0xff 0xd0", true }, /* *%rax */
		{ "0x41 0xff 0xd3", true }, /* *%r11 */
		{ "0xff 0x10", true }, /* *(%rax) */
		{ "0xff 0x14 0x24", true }, /* *(%rsp) */
		{ "0xff 0x50 0x18", true }, /* *0x18(%rax) */
		{ "0x41 0xff 0x54 0x24 0x18", true }, /* *0x18(%r12) */
		{ "0xff 0x90 1 2 3 4", true },
		{ "0x41 0xff 0x94 0x24 1 2 3 4", true },
		{ "0xff 0x15 1 2 3 4", true }, /* *0x04030201(%rip) */
		{ "0xff 0x14 0xc5 1 2 3 4", true }, /* *0x04030201(,%rax,8) */
		{ "0xff 0xe0", false }, /* jmp *%rax */
		{ "0xe9 1 2 3 4", false },
		{ "0xff 0x50", false },
		{ "0x90 0x90", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256];
		size_t size = 1;
		for (const char *space = strchr(cases[i].bytes, ' '); space;
		     space = strchr(space + 1, ' '))
			size++;
		snprintf(text, sizeof(text),
			 "at foo+0x10\n fill 16 0x90\n at foo+%zu\n u8 %s\n"
			 "at 0xffffc90000003000\n u64 0 0 0 foo+0x20\n",
			 0x20 - size, cases[i].bytes);
		struct walked w = walk(text, "rip=0xffffffff81000310 rsp=0xffffc90000003000");
		assert_true(w.stack.frames.count >= 2);
		if (w.stack.frames.data[1].reliable != cases[i].call)
			fail_msg("%s", cases[i].bytes);
		let_go(&w);
	}
}

/* rbp leads from frame to frame; made odd, to the pt_regs of an interrupt. */
static void frame_pointers(void **state)
{
	(void)state;
	assert_walked(walk("without ORC\n"
			   "at 0xffffc90000003100\n u64 0xffffc90000003201 asm_irq+8\n"
			   "at 0xffffc90000003200\n u64 0 0 0 0 0xffffc90000003400\n fill 80 0\n"
			   "u64 0 bar+0x20 0x10 0x46 0xffffc90000003300 0x18\n"
			   "at 0xffffc90000003400\n u64 0 start+8\n",
			   "rip=0xffffffff81000208 rsp=0xffffc90000003000 rbp=0xffffc90000003100"),
		      "task foo+0x8\ntask asm_irq+0x8\ntask bar+0x20\ntask start+0x8\n", NULL);
	/* A system call leaves 0 there: user mode's is not to be seen. */
	assert_walked(walk("without ORC\n", "rip=0xffffffff81000208 rsp=0xffffc90000003000"),
		      "task foo+0x8\n", NULL);
}

/* Interrupted where the function has no frame: that of its caller is in rbp. */
static void frame_pointers_not_set_up(void **state)
{
	static const char code[] = /* endbr64; nop; push %rbp; mov %rsp,%rbp ... leave; ret */
		"without ORC\n at foo\n u8 0xf3 0x0f 0x1e 0xfa 0x0f 0x1f 0x44 0 0 0x55 0x48 0x89 0xe5\n"
		"u8 0x90 0x90 0x90 0x90 0xc9 0xc3\n at bar+0x1e\n u8 0xff 0xd0\n"
		"at start+6\n u8 0xff 0xd0\n"
		"at 0xffffc90000003000\n u64 bar+0x20 bar+0x20 0 0\n"
		"at 0xffffc90000003100\n u64 0 start+8\n";
	static const struct {
		const char *rip, *rsp;
	} cases[] = {
		{ "0xffffffff81000200", "0xffffc90000003000" },
		{ "0xffffffff81000204", "0xffffc90000003000" },
		{ "0xffffffff81000209", "0xffffc90000003000" }, /* push */
		{ "0xffffffff81000212", "0xffffc90000003000" }, /* ret */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char registers[128], expected[128];
		snprintf(registers, sizeof(registers), "rip=%s rsp=%s rbp=0xffffc90000003100",
			 cases[i].rip, cases[i].rsp);
		snprintf(expected, sizeof(expected),
			 "task foo+%#llx\ntask bar+0x20\ntask start+0x8\n",
			 strtoull(cases[i].rip, NULL, 0) & 0xff);
		if (!(strtoull(cases[i].rip, NULL, 0) & 0xff))
			strcpy(expected, "task foo+0x0\ntask bar+0x20\ntask start+0x8\n");
		assert_walked(walk(code, registers), expected, NULL);
	}
	/* Pushed, but not moved: the caller's is in both. */
	char text[1024];
	snprintf(text, sizeof(text), "%sat 0xffffc90000003000\n u64 0xffffc90000003100\n", code);
	assert_walked(
		walk(text, "rip=0xffffffff8100020a rsp=0xffffc90000003000 rbp=0xffffc90000003100"),
		"task foo+0xa\ntask bar+0x20\ntask start+0x8\n", NULL);
}

/* A frame pointer that is none: what is on the stack behind calls is a guess. */
static void frame_pointers_that_are_lost(void **state)
{
	static const char *const lost[] = { "0x1234", "0xffffc90000002000", "0xffffc90000003104" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char registers[128];
		snprintf(registers, sizeof(registers),
			 "rip=0xffffffff81000208 rsp=0xffffc90000003000 rbp=%s", lost[i]);
		assert_walked(walk("without ORC\n at 0xffffc90000003000\n"
				   "u64 0 bar+0x30 data 8 bar+0x20 0 start+8\n"
				   "at bar+0x1e\n u8 0xff 0xd0\n at start+6\n u8 0xff 0xd0\n",
				   registers),
			      "task foo+0x8\ntask ?bar+0x20\ntask ?start+0x8\n", NULL);
	}
}

#define UNKNOWN_ORC "symbol orc_header 0xffffffff82300000 r\n at orc_header\n fill 20 1\n"

/* With tables that cannot be read all frames but the first are guesses, over all stacks. */
static void guesses_over_all_stacks(void **state)
{
	static const char task[] = "at bar+0x1e\n u8 0xff 0xd0\n at start+6\n u8 0xff 0xd0\n"
				   "at 0xffffc90000003800\n u64 bar bar+0x20 0 start+8\n";
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text),
		 UNKNOWN_ORC "%sat 0xffffc90000013f00\n u64 start+8\n"
			     "at 0xffffc90000013ff8\n u64 0xffffc90000003800\n",
		 task);
	assert_walked(walk(text, "rip=0xffffffff81000208 rsp=0xffffc90000013e00"),
		      "irq foo+0x8\nirq ?start+0x8\ntask ?bar+0x20\ntask ?start+0x8\n", NULL);
	snprintf(text, sizeof(text),
		 UNKNOWN_ORC "%sat 0xfffffe0000001fd8\n"
			     "u64 foo+0x30 0x10 0x46 0xffffc90000003800 0x18\n",
		 task);
	assert_walked(walk(text, "rip=0xffffffff81000208 rsp=0xfffffe0000001e00"),
		      "nmi foo+0x8\ntask ?foo+0x30\ntask ?bar+0x20\ntask ?start+0x8\n", NULL);
	assert_walked(walk(UNKNOWN_ORC, "rip=0xffffffff81000208 rsp=0xffffc90000013e04"),
		      "irq foo+0x8\n", NULL);
}

/* A table without the entry that is needed costs proof, not the frames behind it. */
static void a_step_that_fails(void **state)
{
	(void)state;
	assert_walked(walk("symbol odd 0xffffffff81000800\n orc odd call prev_sp 16\n"
			   "at 0xffffc90000003000\n u64 0 0 0 odd+4 1 2 bar+0x20 0 0 0 start+8\n"
			   "at bar+0x1e\n u8 0xff 0xd0\n at start+6\n u8 0xff 0xd0\n"
			   "at odd+2\n u8 0xff 0xd0\n",
			   "rip=0xffffffff81000210 rsp=0xffffc90000003000"),
		      "task foo+0x10\ntask odd+0x4\ntask ?bar+0x20\ntask ?start+0x8\n",
		      "ORC register 1");
}

/* What the types or symbols lack costs the stacks, and is named; the kernel can be read for all else. */
static void an_unwinder_without_what_it_needs(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "symbol _stext 0xffffffff81000000\n struct a 8 b:u64@0\n", "__start_init_task" },
		{ "symbol _stext 0xffffffff81000000\n struct a 8 b:u64@0\n"
		  "symbol __start_init_task 0xffffffff82000000\n symbol __end_init_task 0xffffffff82000000\n",
		  "stack of 0 bytes" },
		{ "symbol _stext 0xffffffff81000000\n struct a 8 b:u64@0\n orc _stext end\n"
		  "symbol __start_init_task 0xffffffff82000000\n symbol __end_init_task 0xffffffff82004000\n",
		  "inactive_task_frame" },
		{ "symbol _stext 0xffffffff81000000\n struct inactive_task_frame 16 r15:u64@0 "
		  "r14:u64@8 r13:u64@16 r12:u64@24 bx:u64@32 bp:u64@40 ret_addr:u64@48\n"
		  "struct irq_stack 16384 stack:char[16384]@0\n"
		  "symbol __start_init_task 0xffffffff82000000\n symbol __end_init_task 0xffffffff82004000\n",
		  "inactive_task_frame of 16 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct make_kernel k;
		struct registers registers = {};
		struct stack stack;

		make_kernel_init(&k);
		make_kernel_text(&k, cases[i].text);
		struct kernel *kernel = make_kernel_open(&k);
		if (!kernel->unwinder.error ||
		    !strstr(kernel->unwinder.error->message, cases[i].says))
			fail_msg("case %zu: no '%s'", i, cases[i].says);
		assert_no_error(unwind_sleeping(&kernel->unwinder, TASK, TASK, &stack));
		assert_int_equal(stack.frames.count, 0);
		assert_no_error(
			unwind_running(&kernel->unwinder, &registers, TASK, PER_CPU, &stack));
		assert_int_equal(stack.frames.count, 0);
		assert_error(unwind_sleeping_registers(&kernel->unwinder, TASK, TASK, &registers),
			     kernel->unwinder.error->class, cases[i].says);
		kernel_close(kernel);
		make_kernel_deinit(&k);
	}
}

/* objtool has nothing to say of crash(); its prologue and who calls it have. */
#define CRASH                                                                                   \
	"symbol crash 0xffffffff81010800\n orc crash none\n symbol caller 0xffffffff81010900\n" \
	"orc caller call sp 16\n at caller+0x10\n u8 0xe8\n u32 0xfffffeeb\n" /* call crash */

static void frames_without_orc(void **state)
{
	(void)state;
	/* endbr64; call __fentry__; push %rbp; xor %eax,%eax; push %r12; mov $1,%eax; sub $0x10,%rsp */
	assert_walked(
		walk(CRASH
		     "at crash\n u8 0xf3 0x0f 0x1e 0xfa 0xe8 0 0 0 0 0x55 0x31 0xc0 0x41 0x54\n"
		     "u8 0xb8 1 0 0 0 0x48 0x83 0xec 0x10 0x90\n fill 64 0x90\n"
		     "at 0xffffc90000003000\n u64 0 0 0 0xffffc90000003800 caller+0x15 0 start+1\n",
		     "rip=0xffffffff81010840 rsp=0xffffc90000003000"),
		"task crash+0x40\ntask caller+0x15\ntask start+0x1\n", NULL);
	/* The same with the endbr64 and the call patched away: nopw (%rax); nopl 0(%rax,%rax,1). */
	assert_walked(
		walk(CRASH
		     "at crash\n u8 0x66 0x0f 0x1f 0 0x0f 0x1f 0x44 0 0 0x55 0x45 0x31 0xc0 0x41 0x54\n"
		     "u8 0x48 0x89 0xf8 0x48 0x81 0xec 0x10 0 0 0 0x90\n fill 64 0x90\n"
		     "at 0xffffc90000003000\n u64 0 0 0 0xffffc90000003800 caller+0x15 0 start+1\n",
		     "rip=0xffffffff81010840 rsp=0xffffc90000003000"),
		"task crash+0x40\ntask caller+0x15\ntask start+0x1\n", NULL);
	/* A prologue that is not understood: the nearest word that is behind a call of it, as a guess. */
	assert_walked(walk(CRASH "at crash\n fill 64 0xcc\n"
				 "at 0xffffc90000003000\n u64 foo+0x15 0 caller+0x15 0 start+1\n",
			   "rip=0xffffffff81010840 rsp=0xffffc90000003000"),
		      "task crash+0x40\ntask ?caller+0x15\ntask ?start+0x1\n", NULL);
	assert_walked(walk(CRASH "at crash\n fill 64 0x90\n",
			   "rip=0xffffffff81010840 rsp=0xffffc90000003000"),
		      "task crash+0x40\n", "does not know the caller of crash");
	assert_walked(walk(CRASH "at crash\n fill 64 0x90\n",
			   "rip=0xffffffff81010840 rsp=0xffffc90000003ff8"),
		      "task crash+0x40\n", "does not know the caller of crash");
	assert_walked(walk(CRASH "at crash\n fill 64 0x90\n", "rip=0xffffffff81010840 rsp=8"),
		      "task crash+0x40\n", "does not know the caller");
	/* The code itself may not be in the dump. */
	assert_walked(walk("symbol crash 0xffffffff81800000\n orc crash none\n exclude crash\n",
			   "rip=0xffffffff81800040 rsp=0xffffc90000003000"),
		      "task crash+0x40\n", "excluded");
}

static void a_stack_that_is_not_in_the_dump(void **state)
{
	(void)state;
	assert_walked(
		walk("at 0xffffc90000003fe0\n u64 0 0 0 start+1\n exclude 0xffffc90000003000\n",
		     "rip=0xffffffff81000210 rsp=0xffffc90000003fe0"),
		"task foo+0x10\n", "excluded");
}

static void sleeping_tasks(void **state)
{
	struct kernel *kernel =
		open_kernel("at 0xffffc90000003000\n u64 0 0 0 0 0 0xffffc90000003100 bar+0x20\n"
			    "u64 0 0 0 start+1\n");
	struct walked w = { .kernel = kernel };

	(void)state;
	w.err = unwind_sleeping(&kernel->unwinder, 0xffffc90000003000, TASK, &w.stack);
	assert_walked(w, "task bar+0x20\ntask start+0x1\n", NULL);
	static const uint64_t nowhere[] = { 0, 0xffffc90000003fd8, 0xffffc90000010000, UINT64_MAX };
	for (size_t i = 0; i < 4; i++) {
		w = (struct walked){ .kernel = open_kernel("") };
		w.err = unwind_sleeping(&w.kernel->unwinder, nowhere[i], TASK, &w.stack);
		assert_walked(w, "", "on no stack");
	}
}

/* What the switch kept, and what an interrupt did, is there for who knows more of the frames between. */
static void registers_of_frames(void **state)
{
	struct kernel *kernel =
		open_kernel("at 0xffffc90000003000\n u64 15 14 13 12 3 5 bar+0x20\n"
			    "u64 0 0 0 asm_irq+4\n"
			    "u64 15 14 13 12 55 3 11 10 9 8 0 2 1 6 7 0 foo+8 0x10 0x46 "
			    "0xffffc90000003800 0x18\n"
			    "at 0xffffc90000003800\n u64 0 0 0 start+1\n");
	struct registers registers;
	struct stack stack;

	(void)state;
	assert_no_error(
		unwind_sleeping_registers(&kernel->unwinder, 0xffffc90000003000, TASK, &registers));
	assert_true(register_of(kernel, &registers, "r15") == 15);
	assert_true(register_of(kernel, &registers, "r12") == 12);
	assert_true(register_of(kernel, &registers, "rbx") == 3);
	assert_true(register_of(kernel, &registers, "rbp") == 5);
	assert_true(register_of(kernel, &registers, "rip") == 0xffffffff81000320);
	assert_true(register_of(kernel, &registers, "rsp") == 0xffffc90000003038);
	assert_int_equal(__builtin_popcountll(registers.known), 8);

	assert_no_error(unwind_sleeping(&kernel->unwinder, 0xffffc90000003000, TASK, &stack));
	assert_int_equal(stack.frames.count, 4);
	assert_true(stack.frames.data[0].sp == 0xffffc90000003038);
	assert_true(stack.frames.data[1].registers_at == 0);
	assert_true(stack.frames.data[2].registers_at == 0xffffc90000003058);
	assert_true(stack.frames.data[3].registers_at == 0);
	assert_no_error(
		unwind_frame_registers(&kernel->unwinder, &stack.frames.data[2], &registers));
	assert_true(register_of(kernel, &registers, "rbp") == 55);
	assert_true(register_of(kernel, &registers, "rdi") == 7);
	stack_deinit(&stack);
	kernel_close(kernel);
}

/* Such a task has been given the address of a function, not one behind a call. */
static void task_that_never_ran(void **state)
{
	struct walked w = { .kernel = open_kernel("symbol ret_from_fork 0xffffffff81000680\n"
						  "orc ret_from_fork end\n"
						  "at 0xffffc90000003000\n"
						  "u64 0 0 0 0 0 0 ret_from_fork\n") };

	(void)state;
	w.err = unwind_sleeping(&w.kernel->unwinder, 0xffffc90000003000, TASK, &w.stack);
	assert_walked(w, "task ret_from_fork+0x0\n", NULL);
}

/* Stacks at the end of the address space, and pointers to stacks that are none. */
static void hostile_places_of_stacks(void **state)
{
	static const uint64_t bases[] = { 0, 1, UINT64_MAX, UINT64_MAX - 0x3fff,
					  0xffffffffffffc000 };

	(void)state;
	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		struct walked w = {
			.kernel = open_kernel(
				"at 0xffff888000101000\n u64 0xffffffffffffffff 0xffffffffffffffff\n")
		};
		struct registers registers = {};
		set_register(w.kernel, &registers, "rip", 0xffffffff81000210);
		set_register(w.kernel, &registers, "rsp", bases[i] + 0x100);
		w.err = unwind_running(&w.kernel->unwinder, &registers, bases[i], PER_CPU,
				       &w.stack);
		assert_non_null(w.err);
		let_go(&w);
		w = (struct walked){ .kernel = open_kernel(CRASH) };
		set_register(w.kernel, &registers, "rip", 0xffffffff81010840);
		w.err = unwind_running(&w.kernel->unwinder, &registers, bases[i], UINT64_MAX,
				       &w.stack);
		assert_non_null(w.err);
		let_go(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a walk over calls ends where ORC says", calls),
		TEST("a caller's pc is looked up before it, an interrupted one at it",
		     a_call_that_ends_a_function),
		TEST("from the NMI's stack over the interrupt's to the task's", over_all_stacks),
		TEST("user mode ends a walk", user_mode_ends_it),
		TEST("the last five words of pt_regs will do", partial_registers),
		TEST("pt_regs that leave their stack are not read", pt_regs_that_leave_the_stack),
		TEST("a stack pointer outside of any stack ends a walk", sp_outside_of_any_stack),
		TEST("a stack that does not get shorter ends a walk",
		     stacks_that_do_not_get_shorter),
		TEST("two stacks in a circle end a walk", two_stacks_in_a_circle),
		TEST("frames that hang on rdx, rdi, r10 or r13", frames_that_hang_on_registers),
		TEST("frames that hang on rbp", frames_that_hang_on_bp),
		TEST("behind generated code all is a guess", generated_code),
		TEST("behind generated code it is none if that was called from there",
		     generated_code_that_is_proven),
		TEST("a return address behind no call is a guess", return_addresses_behind_no_call),
		TEST("every sort of call is known", calls_that_may_be_in_front),
		TEST("without ORC frame pointers lead on", frame_pointers),
		TEST("a function may have been interrupted before it had a frame",
		     frame_pointers_not_set_up),
		TEST("where a frame pointer is lost there are guesses",
		     frame_pointers_that_are_lost),
		TEST("with ORC of an unknown format there are guesses, over all stacks",
		     guesses_over_all_stacks),
		TEST("behind a step that cannot be made there are guesses", a_step_that_fails),
		TEST("what unwinding needs and the kernel lacks is named",
		     an_unwinder_without_what_it_needs),
		TEST("a function without ORC: proven by prologue and call, or guessed",
		     frames_without_orc),
		TEST("a stack that is not in the dump is named as such",
		     a_stack_that_is_not_in_the_dump),
		TEST("a sleeping task begins where it was switched out", sleeping_tasks),
		TEST("the registers of a sleeping task and of interrupted code",
		     registers_of_frames),
		TEST("a task that never ran begins at ret_from_fork", task_that_never_ran),
		TEST("hostile places of stacks are errors", hostile_places_of_stacks),
	};
	return RUN_TESTS(tests);
}
