// SPDX-License-Identifier: GPL-2.0-only
/* Walks without ORC: generated code, and what is a guess. */
#include <stdio.h>
#include <string.h>

#include "test.h"
#include "walked.h"

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
	/* If that was called through a retpoline, which is a function, it is none less. */
	assert_walked(walk("symbol __x86_indirect_thunk_rax 0xffffffff81000800\n"
			   "at start\n u8 0xe8\n u32 0x6fb\n at 0xffffc90000003000\n u64 start+5\n",
			   "rip=0 rsp=0xffffc90000003000"),
		      "task 0x0\ntask start+0x5\n", NULL);
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
		walked_end(&w);
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

/* A kernel whose symbols are not all there may have an ORC nevertheless: its frame pointers are not to be trusted. */
static void orc_that_may_be_lost(void **state)
{
	static const char kernel_text[] =
		"symbol _stext 0xffffffff81000000\nsymbol _etext 0xffffffff82000000\n"
		"symbol __start_init_task 0xffffffff82400000 D\n"
		"symbol __end_init_task 0xffffffff82404000 D\n"
		"struct inactive_task_frame 56 r15:u64@0 r14:u64@8 r13:u64@16 "
		"r12:u64@24 bx:u64@32 bp:u64@40 ret_addr:u64@48\n";

	(void)state;
	for (int lost = 0; lost < 2; lost++) {
		struct make_kernel k;
		make_kernel_init(&k);
		make_kernel_text(&k, kernel_text);
		for (unsigned int i = 0; i < 4000; i++)
			make_kernel_line(&k, "symbol f%u 0x%llx", i,
					 0xffffffff81001000ull + 16 * i);
		if (lost)
			make_kernel_text(&k, "exclude 0xffffffff8e011000\n");
		struct kernel *kernel = make_kernel_open(&k);
		assert_int_equal(kernel->unwinder.method,
				 lost ? UNWIND_GUESS : UNWIND_FRAME_POINTERS);
		kernel_close(kernel);
		make_kernel_deinit(&k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("an ORC that may only be lost makes all guesses", orc_that_may_be_lost),
		TEST("behind generated code all is a guess", generated_code),
		TEST("behind generated code it is none if that was called from there",
		     generated_code_that_is_proven),
		TEST("a return address behind no call is a guess", return_addresses_behind_no_call),
		TEST("every sort of call is known", calls_that_may_be_in_front),
		TEST("with ORC of an unknown format there are guesses, over all stacks",
		     guesses_over_all_stacks),
		TEST("behind a step that cannot be made there are guesses", a_step_that_fails),
	};
	return RUN_TESTS(tests);
}
