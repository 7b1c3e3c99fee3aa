// SPDX-License-Identifier: GPL-2.0-only
/* Walks by frame pointers, in kernels that have no ORC: where code has a frame, and where it has none. */
#include <stdio.h>
#include <string.h>

#include "test.h"
#include "walked.h"

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

/* As when a page of the types is lost: no frame there is called the task's. */
static void lost_irq_stack(void **state)
{
	(void)state;
	assert_walked(walk("without ORC\n symbol hardirq_stack_ptr 0x1000 A\n"
			   "at 0xffff888000101000\n u64 0xffffc90000013ff8\n"
			   "at 0xffffc90000010000\n fill 0x4000 0\n",
			   "rip=0xffffffff81000208 rsp=0xffffc90000010100"),
		      "irq foo+0x8\n", NULL);
	/* Nor is it sure that it is, where the stack itself cannot be found. */
	assert_walked(walk("without ORC\n", "rip=0xffffffff81000208 rsp=0xffffc90000010100"),
		      "task ?foo+0x8\n", NULL);
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

/* bar() calls foo() and has its frame at ...3100; it was called by its address. */
#define CALLERS                                                               \
	"without ORC\n at bar+0x1b\n u8 0xe8 0xe0 0xfe 0xff 0xff\n"           \
	"at start+6\n u8 0xff 0xd0\n at 0xffffc90000003100\n u64 0 start+8\n" \
	"symbol __x86_indirect_thunk_rax 0xffffffff81000600\n"                \
	"symbol foo.cold 0xffffffff81000700\n symbol end 0xffffffff81000780\n"
#define STACK	  "\n at 0xffffc90000003000\n u64 "
#define PUSHED	  "0xffffc90000003100 "
#define PROLOGUE  "u8 0x0f 0x1f 0x44 0 0 0x55 0x48 0x8b 0x07 0x48 0x89 0xe5 0x53 0x90\n"
#define ALL_THREE "task foo+%s\ntask bar+0x20\ntask start+0x8\n"

/* What a compiler really makes of functions: instructions between those of the prologue, or no frame at all. */
static void what_has_no_frame(void **state)
{
	static const struct {
		const char *code; /* of foo */
		const char *stack;
		const char *at; /* in foo */
		const char *expected;
	} cases[] = {
		/* nop; push %rbp; mov (%rdi),%rax; mov %rsp,%rbp; push %rbx; nop */
		{ "at foo\n" PROLOGUE, "bar+0x20", "0x5", ALL_THREE },
		{ "at foo\n" PROLOGUE, PUSHED "bar+0x20", "0x6", ALL_THREE },
		{ "at foo\n" PROLOGUE, PUSHED "bar+0x20", "0x9", ALL_THREE },
		/* A leaf, called by name and by its address; and one that another function ended with a jump to. */
		{ "at foo\n fill 64 0x90\n", "bar+0x20 0 0", "0x28", ALL_THREE },
		{ "at foo\n fill 64 0x90\n", "start+8 0 0", "0x28",
		  "task foo+%s\ntask start+0x8\ntask start+0x8\n" },
		{ "at foo\n fill 64 0x90\n at bar+0x1f\n u8 0\n", "bar+0x20", "0x28", ALL_THREE },
		/* The same with a push in it: then nothing tells whether it is what was called. */
		{ "at foo\n u8 0x53\n fill 64 0x90\n at bar+0x1f\n u8 0\n", "0 bar+0x20", "0x28",
		  "task foo+%s\ntask ?start+0x8\n" },
		/* Assembly that pushes what it likes. */
		{ "at foo\n u8 0x53 0x54 0x56\n fill 64 0x90\n", "1 2 3 bar+0x20", "0x28",
		  ALL_THREE },
		/* Called by its address it had nothing pushed but rbp. */
		{ "at foo\n u8 0x55\n fill 64 0x90\n", PUSHED "start+8", "0x28",
		  "task foo+%s\ntask start+0x8\ntask start+0x8\n" },
		/* Behind the frame: ret; a jump to another function; a jump within it, or to its cold part. */
		{ "at foo\n" PROLOGUE "at foo+0x20\n u8 0xc3\n", "start+8", "0x20",
		  "task foo+%s\ntask start+0x8\ntask start+0x8\n" },
		{ "at foo\n" PROLOGUE "at foo+0x20\n u8 0xe9 0xdb 0 0 0\n", "start+8", "0x20",
		  "task foo+%s\ntask start+0x8\ntask start+0x8\n" },
		{ "at foo\n" PROLOGUE "at foo+0x20\n u8 0xe9 0x10 0 0 0\n", "start+8", "0x20",
		  "task foo+%s\ntask start+0x8\n" },
		{ "at foo\n" PROLOGUE "at foo+0x20\n u8 0xe9 0xdb 4 0 0\n", "start+8", "0x20",
		  "task foo+%s\ntask start+0x8\n" },
		/* The prologue is there, but a part without a frame stands behind it. */
		{ "at foo\n" PROLOGUE "at start+3\n u8 0xe8 0 0 0 0\n", "bar+0x20", "0x30",
		  ALL_THREE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[2048], registers[128], expected[256];
		snprintf(text, sizeof(text), CALLERS "%s" STACK "%s\n", cases[i].code,
			 cases[i].stack);
		snprintf(registers, sizeof(registers),
			 "rip=0x%llx rsp=0xffffc90000003000 rbp=0xffffc90000003100",
			 0xffffffff81000200ull + strtoull(cases[i].at, NULL, 0));
		snprintf(expected, sizeof(expected), cases[i].expected, cases[i].at);
		assert_walked(walk(text, registers), expected, NULL);
	}
}

/* Its own frame, below which there are remains of an older call of the same function. */
static void a_frame_of_its_own(void **state)
{
	(void)state;
	assert_walked(walk(CALLERS "at foo\n" PROLOGUE STACK "bar+0x20 0 " PUSHED "bar+0x20\n",
			   "rip=0xffffffff81000230 rsp=0xffffc90000003000 rbp=0xffffc90000003010"),
		      "task foo+0x30\ntask bar+0x20\ntask start+0x8\n", NULL);
	/* What was split off has the frame of what it was split off. */
	assert_walked(walk(CALLERS STACK "bar+0x20 0 " PUSHED "bar+0x20\n",
			   "rip=0xffffffff81000710 rsp=0xffffc90000003000 rbp=0xffffc90000003010"),
		      "task foo.cold+0x10\ntask bar+0x20\ntask start+0x8\n", NULL);
}

/* A hook that was called where a function begins returns to before it has a frame: so does a BPF trampoline. */
static void a_hooked_function(void **state)
{
	(void)state;
	/* asm_irq() stands for the hook. */
	assert_walked(walk(CALLERS "at foo\n u8 0xe8 0xfb 1 0 0 0x55 0x48 0x89 0xe5\n" STACK PUSHED
				   "foo+5 bar+0x20\n",
			   "rip=0xffffffff81000430 rsp=0xffffc90000002f00 rbp=0xffffc90000003000"),
		      "task asm_irq+0x30\ntask foo+0x5\ntask bar+0x20\ntask start+0x8\n", NULL);
}

/* Where the chain ends in the registers that a kernel thread never had, or that a new task is to go on with. */
static void the_end_of_the_chain(void **state)
{
	(void)state;
	/* Where secondary CPUs begin nothing was called; but what leads on must have been. */
	assert_walked(walk("without ORC\n at foo\n" PROLOGUE
			   "at 0xffffc90000003100\n u64 0 start+8\n",
			   "rip=0xffffffff81000230 rsp=0xffffc90000003000 rbp=0xffffc90000003100"),
		      "task foo+0x30\ntask start+0x8\n", NULL);
	assert_walked(walk("without ORC\n at foo\n" PROLOGUE
			   "at 0xffffc90000003100\n u64 0xffffc90000003200 bar+0x20\n"
			   "at 0xffffc90000003200\n u64 0 start+8\n",
			   "rip=0xffffffff81000230 rsp=0xffffc90000003000 rbp=0xffffc90000003100"),
		      "task foo+0x30\ntask ?bar+0x20\ntask ?start+0x8\n", NULL);
	assert_walked(walk("without ORC\n at start+6\n u8 0xff 0xd0\n at foo\n" PROLOGUE
			   "at 0xffffc90000003100\n u64 0xffffc90000003f59 start+8\n",
			   "rip=0xffffffff81000230 rsp=0xffffc90000003000 rbp=0xffffc90000003100"),
		      "task foo+0x30\ntask start+0x8\n", NULL);
	assert_walked(walk("without ORC\n at foo\n fill 16 0x90\n"
			   "at 0xffffc90000003f58\n fill 128 0\n"
			   "u64 0x47b7a0 0x33 0x246 0x7ffc00001000 0x2b\n",
			   "rip=0xffffffff81000200 rsp=0xffffc90000003f58 rbp=0xffffc90000003f59"),
		      "task foo+0x0\nuser 0x47b7a0\n", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("an IRQ stack whose type is lost has its usual size, and a stack that is lost is a guess",
		     lost_irq_stack),
		TEST("frame pointers lead on", frame_pointers),
		TEST("a function may have been interrupted before it had a frame",
		     frame_pointers_not_set_up),
		TEST("a function may never have a frame, or have it no more", what_has_no_frame),
		TEST("a function with a frame returns by that", a_frame_of_its_own),
		TEST("a function that is hooked has no frame yet", a_hooked_function),
		TEST("the chain ends in registers, or in none", the_end_of_the_chain),
		TEST("where a frame pointer is lost there are guesses",
		     frame_pointers_that_are_lost),
	};
	return RUN_TESTS(tests);
}
