// SPDX-License-Identifier: GPL-2.0-only
/* Walks by ORC over all stacks, from running and sleeping tasks; and hostile ones. */
#include <stdio.h>
#include <string.h>

#include "test.h"
#include "walked.h"

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
	assert_walked(walk("", "rip=0xffffffff81000210 rsp=0xffffffffffffffff"), "task ?foo+0x10\n",
		      "on no stack");
	assert_walked(walk("", "rip=0xffffffff81000210 rsp=0xffffc90000003fe8"), "task foo+0x10\n",
		      "on no stack");
	assert_walked(walk("", "rip=0xffffffff81000604 rsp=0xffffc90000020000"),
		      "task ?on_irq_stack+0x4\n", "on no stack");
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
	walked_end(&w);
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
	/* As 5.10 has it on some CPUs: data16 data16 data16 data16 nop. */
	assert_walked(
		walk(CRASH
		     "at crash\n u8 0x66 0x66 0x66 0x66 0x90 0x55 0xba 1 0 0 0 0x48 0x81 "
		     "0xec 0x10 0 0 0 0x90\n fill 64 0x90\n"
		     "at 0xffffc90000003000\n u64 0 0 0xffffc90000003800 caller+0x15 0 start+1\n",
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
		walked_kernel("at 0xffffc90000003000\n u64 0 0 0 0 0 0xffffc90000003100 bar+0x20\n"
			      "u64 0 0 0 start+1\n");
	struct walked w = { .kernel = kernel };

	(void)state;
	w.err = unwind_sleeping(&kernel->unwinder, 0xffffc90000003000, TASK, &w.stack);
	assert_walked(w, "task bar+0x20\ntask start+0x1\n", NULL);
	static const uint64_t nowhere[] = { 0, 0xffffc90000003fd8, 0xffffc90000010000, UINT64_MAX };
	for (size_t i = 0; i < 4; i++) {
		w = (struct walked){ .kernel = walked_kernel("") };
		w.err = unwind_sleeping(&w.kernel->unwinder, nowhere[i], TASK, &w.stack);
		assert_walked(w, "", "on no stack");
	}
}

/* What the switch kept, and what an interrupt did, is there for who knows more of the frames between. */
static void registers_of_frames(void **state)
{
	struct kernel *kernel =
		walked_kernel("at 0xffffc90000003000\n u64 15 14 13 12 3 5 bar+0x20\n"
			      "u64 0 0 0 asm_irq+4\n"
			      "u64 15 14 13 12 55 3 11 10 9 8 0 2 1 6 7 0 foo+8 0x10 0x46 "
			      "0xffffc90000003800 0x18\n"
			      "at 0xffffc90000003800\n u64 0 0 0 start+1\n");
	struct registers registers;
	struct stack stack;

	(void)state;
	assert_no_error(
		unwind_sleeping_registers(&kernel->unwinder, 0xffffc90000003000, TASK, &registers));
	assert_true(walked_register(kernel, &registers, "r15") == 15);
	assert_true(walked_register(kernel, &registers, "r12") == 12);
	assert_true(walked_register(kernel, &registers, "rbx") == 3);
	assert_true(walked_register(kernel, &registers, "rbp") == 5);
	assert_true(walked_register(kernel, &registers, "rip") == 0xffffffff81000320);
	assert_true(walked_register(kernel, &registers, "rsp") == 0xffffc90000003038);
	assert_int_equal(__builtin_popcountll(registers.known), 8);

	assert_no_error(unwind_sleeping(&kernel->unwinder, 0xffffc90000003000, TASK, &stack));
	assert_int_equal(stack.frames.count, 4);
	assert_true(stack.frames.data[0].sp == 0xffffc90000003038);
	assert_true(stack.frames.data[1].registers_at == 0);
	assert_true(stack.frames.data[2].registers_at == 0xffffc90000003058);
	assert_true(stack.frames.data[3].registers_at == 0);
	assert_no_error(
		unwind_frame_registers(&kernel->unwinder, &stack.frames.data[2], &registers));
	assert_true(walked_register(kernel, &registers, "rbp") == 55);
	assert_true(walked_register(kernel, &registers, "rdi") == 7);
	stack_deinit(&stack);
	kernel_close(kernel);
}

/* Such a task has been given the address of a function, not one behind a call. */
static void task_that_never_ran(void **state)
{
	struct walked w = { .kernel = walked_kernel("symbol ret_from_fork 0xffffffff81000680\n"
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
			.kernel = walked_kernel(
				"at 0xffff888000101000\n u64 0xffffffffffffffff 0xffffffffffffffff\n")
		};
		struct registers registers = {};
		walked_set(w.kernel, &registers, "rip", 0xffffffff81000210);
		walked_set(w.kernel, &registers, "rsp", bases[i] + 0x100);
		w.err = unwind_running(&w.kernel->unwinder, &registers, bases[i], PER_CPU,
				       &w.stack);
		assert_non_null(w.err);
		walked_end(&w);
		w = (struct walked){ .kernel = walked_kernel(CRASH) };
		walked_set(w.kernel, &registers, "rip", 0xffffffff81010840);
		w.err = unwind_running(&w.kernel->unwinder, &registers, bases[i], UINT64_MAX,
				       &w.stack);
		assert_non_null(w.err);
		walked_end(&w);
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
