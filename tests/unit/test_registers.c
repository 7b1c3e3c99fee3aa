// SPDX-License-Identifier: GPL-2.0-only
/* Registers of CPUs that did not answer, out of the record or their stacks; and user mode's of any task. */
#include <stdio.h>
#include <string.h>

#include "make_record.h"
#include "state/registers.h"
#include "test.h"
#include "walked.h"

/* A whole pt_regs: fifteen registers, orig_rax, then those that the CPU pushed. */
#define REGISTERS(bp, rip, cs, rsp, ss) \
	"u64 15 14 13 12 " bp " 3 11 10 9 8 0 2 1 6 7 0 " rip " " cs " 0x246 " rsp " " ss "\n"
#define USER_REGISTERS REGISTERS("0", "0x47b7a0", "0x33", "0x7ffc00001000", "0x2b")

static const char calls[] =
	"at bar+0x1b\n u8 0xe8\n u32 0xfffffee0\n" /* bar+0x20: behind a call of foo */
	"at start+6\n u8 0xff 0xd0\n";

static void assert_user(const char *text, const char *expected)
{
	struct walked w = { .kernel = walked_kernel(text) };

	assert_no_error(unwind_add_user(&w.kernel->unwinder, TASK, &w.stack));
	assert_walked(w, expected, NULL);
}

static void user_mode_at_the_end(void **state)
{
	(void)state;
	assert_user("at 0xffffc90000003f58\n" USER_REGISTERS, "user 0x47b7a0\n");
	/* With FRED, two words are free at the top, and the selectors' upper bits are used. */
	assert_user("at 0xffffc90000003f48\n" REGISTERS("0", "0x47b7a0", "0x30033",
							"0x7ffc00001000", "0x1002b"),
		    "user 0x47b7a0\n");
	/* A 32-bit task. */
	assert_user(
		"at 0xffffc90000003f58\n" REGISTERS("0", "0x8047000", "0x23", "0xffc01000", "0x2b"),
		"user 0x8047000\n");
	/* Kernel threads have none, nor has a stack that is not in the dump. */
	assert_user("", "");
	assert_user("at 0xffffc90000003f58\n" REGISTERS("0", "foo", "0x10", "0xffffc90000003f00",
							"0x18"),
		    "");
	assert_user("exclude 0xffffc90000003000\n", "");
}

static void user_mode_is_not_added_twice(void **state)
{
	struct walked w = walk("at 0xffffc90000003f38\n u64 0 0 0 asm_irq+4\n" USER_REGISTERS,
			       "rip=0xffffffff81000210 rsp=0xffffc90000003f38");

	(void)state;
	assert_no_error(unwind_add_user(&w.kernel->unwinder, TASK, &w.stack));
	assert_walked(w, "task foo+0x10\ntask asm_irq+0x4\nuser 0x47b7a0\n", NULL);
}

/* Finds registers, and walks from them. */
static void assert_found(const char *text, const char *expected, const char *says)
{
	struct walked w = { .kernel = walked_kernel(text) };
	struct registers registers;

	assert_true(unwind_find_registers(&w.kernel->unwinder, TASK, PER_CPU, &registers));
	w.err = unwind_running(&w.kernel->unwinder, &registers, TASK, PER_CPU, &w.stack);
	assert_walked(w, expected, says);
}

/* What the CPU pushed is at the end of the NMI's stack, whole registers below; between, that it goes on. */
static void a_cpu_in_an_nmi(void **state)
{
	static const char stack[] = "at 0xfffffe0000001ef8\n" REGISTERS(
		"0", "foo+0x20", "0x10", "0xffffc90000003800",
		"0x18") "at 0xfffffe0000001fd8\n u64 foo+0x20 0x10 0x246 0xffffc90000003800 0x18\n"
			"at 0xffffc90000003800\n u64 0 0 0 start+8\n"
			"at 0xfffffe0000001fc8\n u64 ";
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text), "%s1\n%s", stack, calls);
	assert_found(text, "task foo+0x20\ntask start+0x8\n", NULL);
	/* It was over long ago. */
	struct registers registers;
	snprintf(text, sizeof(text), "%s0\n%s", stack, calls);
	struct kernel *kernel = walked_kernel(text);
	assert_false(unwind_find_registers(&kernel->unwinder, TASK, PER_CPU, &registers));
	kernel_close(kernel);
}

static void a_cpu_in_an_interrupt(void **state)
{
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text),
		 "symbol __irq_regs 0x1100 A\n at 0xffff888000101100\n u64 0xffffc90000003000\n"
		 "at 0xffffc90000003000\n" REGISTERS("0", "foo+0x20", "0x10", "0xffffc90000003800",
						     "0x18") "at 0xffffc90000003800\n"
							     "u64 0 0 0 bar+0x20 0 0 0 start+8\n%s",
		 calls);
	assert_found(text, "task foo+0x20\ntask bar+0x20\ntask start+0x8\n", NULL);
	assert_found("symbol __irq_regs 0x1100 A\n at 0xffff888000101100\n u64 0xffffc90000003f58\n"
		     "at 0xffffc90000003f58\n" USER_REGISTERS,
		     "user 0x47b7a0\n", NULL);
}

/* Left behind by an interrupt: the deepest that the stack bears out, whatever is left below it. */
static void registers_that_were_left_behind(void **state)
{
	static const char live[] =
		"at 0xffffc90000003000\n" REGISTERS("0", "foo+0x20", "0x10", "0xffffc900000030a8",
						    "0x18") "u64 0 0 0 bar+0x20 0 0 0 start+8\n";
	static const char stale[] = "at 0xffffc90000002000\n" REGISTERS(
		"0", "foo+0x30", "0x10", "0xffffc900000020b0", "0x18") "u64 0 0 0 0 foo+0x10\n";
	char text[2048];

	(void)state;
	snprintf(text, sizeof(text), "%s%s%s", live, stale, calls);
	assert_found(text, "task ?foo+0x20\ntask ?bar+0x20\ntask ?start+0x8\n", NULL);
	/* On the interrupts' stack, if that is in use. */
	snprintf(text, sizeof(text),
		 "symbol hardirq_stack_inuse 0x1100 A\n at 0xffff888000101100\n u8 1\n%s%s"
		 "at 0xffffc90000012000\n" REGISTERS("0", "foo+0x24", "0x10", "0xffffc900000120a8",
						     "0x18") "u64 0 0 0 start+8\n",
		 live, calls);
	assert_found(text, "irq ?foo+0x24\nirq ?start+0x8\n", NULL);
	/* No registers of kernel code: user mode's, or none. */
	assert_found("at 0xffffc90000003f58\n" USER_REGISTERS, "user 0x47b7a0\n", NULL);
}

/* asm_irq+8 is behind a call of foo, foo+0x20 behind one of leaf. */
#define LEAF                                                    \
	"symbol leaf 0xffffffff81000800\n orc leaf call sp 8\n" \
	"at asm_irq+3\n u8 0xe8\n u32 0xfffffdf8\n"             \
	"at foo+0x1b\n u8 0xe8\n u32 0x5e0\n"

/* What interrupted is a guess, made from the outer end of its stack on; what was interrupted is sure. */
static void the_newest_calls_of_an_nmi(void **state)
{
	char text[2048];

	(void)state;
	snprintf(
		text, sizeof(text),
		LEAF "at 0xfffffe0000001ef8\n" REGISTERS(
			"0", "bar+0x30", "0x10", "0xffffc90000003800",
			"0x18") "at 0xfffffe0000001fc8\n u64 1\n"
				"at 0xfffffe0000001fd8\n u64 bar+0x30 0x10 0x246 0xffffc90000003800 0x18\n"
				"at 0xfffffe0000001ef0\n u64 asm_irq+8\n"
				/* A call of bar in foo's frame is not where foo's calls are. */
				"at 0xfffffe0000001ec8\n u64 bar+0x20 foo+0x20 0 bar+0x20\n"
				"at 0xffffc90000003800\n u64 0 0 0 start+8\n%s",
		calls);
	assert_found(
		text,
		"nmi ?leaf+0x0\nnmi ?foo+0x20\nnmi ?asm_irq+0x8\ntask bar+0x30\ntask start+0x8\n",
		NULL);
}

/* The same where nothing else is known, from where the task came into the kernel. */
static void the_newest_calls_of_a_task(void **state)
{
	static const char words[] = "u64 foo+0x20 0 0 0 asm_irq+8\n" USER_REGISTERS;
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text), LEAF "at 0xffffc90000003f30\n%s%s", words, calls);
	assert_found(text, "task ?leaf+0x0\ntask ?foo+0x20\ntask ?asm_irq+0x8\nuser 0x47b7a0\n",
		     NULL);
	/* With two words free at the top. */
	snprintf(text, sizeof(text), LEAF "at 0xffffc90000003f20\n%s%s", words, calls);
	assert_found(text, "task ?leaf+0x0\ntask ?foo+0x20\ntask ?asm_irq+0x8\nuser 0x47b7a0\n",
		     NULL);
}

/* Without ORC each function's frame pointer, saved by what it called, leads to the next. */
static void the_newest_calls_by_frame_pointers(void **state)
{
	(void)state;
	assert_found(
		"without ORC\n symbol leaf 0xffffffff81000800\n symbol end 0xffffffff81000900\n"
		"at asm_irq+3\n u8 0xe8\n u32 0xfffffdf8\n at foo+0x1b\n u8 0xe8\n u32 0x5e0\n"
		"at foo\n u8 0x55 0x48 0x89 0xe5\n at leaf\n u8 0x55\n"
		/* An older call of foo's, below nobody's frame pointer, and the newest. */
		"at 0xffffc90000003f20\n u64 0 0xffffc90000003f48 foo+0x20 1 foo+0x20\n"
		"u64 0xffffc90000003f59 asm_irq+8\n" USER_REGISTERS,
		"task ?leaf+0x0\ntask ?foo+0x20\ntask ?asm_irq+0x8\nuser 0x47b7a0\n", NULL);
}

/* In an interrupt, on the interrupts' stack: its highest word leads to the stack before. */
static void the_newest_calls_of_an_interrupt(void **state)
{
	char text[2048];

	(void)state;
	snprintf(
		text, sizeof(text),
		LEAF
		"symbol __irq_regs 0x1100 A\n at 0xffff888000101100\n u64 0xffffc90000003008\n"
		"symbol hardirq_stack_inuse 0x1108 A\n at 0xffff888000101108\n u8 1\n"
		"at 0xffffc90000003000\n u64 asm_irq+8\n" REGISTERS(
			"0", "bar+0x30", "0x10", "0xffffc90000003800",
			"0x18") "at 0xffffc90000003800\n u64 0 0 0 start+8\n"
				"at 0xffffc90000013fd0\n u64 foo+0x20 0 0 0 on_irq_stack+0x10 0xffffc90000003000\n"
				"at on_irq_stack+0xb\n u8 0xe8\n u32 0xfffffbf0\n%s",
		calls);
	assert_found(text,
		     "irq ?leaf+0x0\nirq ?foo+0x20\nirq ?on_irq_stack+0x10\ntask ?asm_irq+0x8\n"
		     "task bar+0x30\ntask start+0x8\n",
		     NULL);
}

/* What is no struct pt_regs of interrupted kernel code. */
static void registers_that_are_none(void **state)
{
	static const char *const cases[] = {
		REGISTERS("0", "0x1234", "0x10", "0xffffc900000030a8", "0x18"),
		REGISTERS("0", "foo+0x20", "0x11", "0xffffc900000030a8", "0x18"),
		REGISTERS("0", "foo+0x20", "0x10", "0xffffc900000030b8", "0x18"),
		REGISTERS("0", "foo+0x20", "0x10", "0xffffc90000003098", "0x18"),
		REGISTERS("0", "foo+0x20", "0x10", "0xffffc900000030a8", "0x19"),
		"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct registers registers;
		char text[512];
		snprintf(text, sizeof(text), "at 0xffffc90000003000\n%s", cases[i]);
		struct kernel *kernel = walked_kernel(text);
		if (unwind_find_registers(&kernel->unwinder, TASK, PER_CPU, &registers))
			fail_msg("case %zu", i);
		kernel_close(kernel);
	}
}

/* CPU 3 runs the task at task_1, whose stack is TASK; task_2's is the one behind it. */
static const char tasks[] =
	"struct task_struct 64 stack:ptr@8\n"
	"symbol task_1 0xffff888000400000 D\n set task_1 task_struct.stack 0xffffc90000000000\n"
	"symbol task_2 0xffff888000400100 D\n set task_2 task_struct.stack 0xffffc90000020000\n"
	"at 0xffffc90000020000\n fill 0x4000 0\n";

static struct walked complete(const char *text, struct cpu *cpu, const struct record *record)
{
	char all[4096];
	struct cpus cpus = {};

	snprintf(all, sizeof(all), "%s%s%s", tasks, calls, text);
	struct walked ret = { .kernel = walked_kernel(all) };
	cpu->number = 3;
	cpu->online = true;
	cpu->per_cpu = PER_CPU;
	if (!cpu->current)
		cpu->current = 0xffff888000400000;
	struct cpu *place = vector_push(&cpus.list);
	assert_non_null(place);
	*place = *cpu;
	registers_complete(ret.kernel, &cpus, record);
	*cpu = cpus.list.data[0];
	if (cpu->registers_from != REGISTERS_NONE)
		ret.err = unwind_running(&ret.kernel->unwinder, &cpu->registers, TASK, PER_CPU,
					 &ret.stack);
	cpus_deinit(&cpus);
	return ret;
}

struct recorded {
	struct record record;
	struct record_sample *sample; /* the newest of CPU 3 */
	struct record_slot *slot;
};

static void make_record(struct recorded *r)
{
	size_t size = 5 * RECORD_SLOT_SIZE;
	struct record_header *header = calloc(1, size);

	assert_non_null(header);
	make_record_header(header, 4);
	assert_no_error(record_parse(header, size, &r->record));
	r->slot = (struct record_slot *)record_slot(&r->record, 3);
	r->slot->onset_ns = 1000;
	for (int i = 0; i < 2; i++) {
		struct record_sample *sample = &r->slot->samples[i];
		sample->number = sample->number_end = i + 1;
		sample->onset_ns = 1000;
		sample->task = 0xffff888000400000;
		sample->flags = RECORD_SAMPLE_REGS;
		sample->regs[16] = 0xffffffff81000208; /* foo+8 */
		sample->regs[17] = 0x10;
		sample->regs[19] = 0xffffc90000003800;
		r->sample = sample;
	}
}

#define STACK "at 0xffffc90000003800\n u64 0 0 0 bar+0x20 0 0 0 start+8\n"

static void a_cpu_with_a_sample(void **state)
{
	struct recorded r;
	struct cpu cpu = {};

	(void)state;
	make_record(&r);
	struct walked w = complete(STACK, &cpu, &r.record);
	assert_int_equal(cpu.registers_from, REGISTERS_RECORD);
	assert_walked(w, "task foo+0x8\ntask bar+0x20\ntask start+0x8\n", NULL);
	/* The task has called something else since. */
	cpu = (struct cpu){};
	r.sample->regs[16] = 0xffffffff81000278;
	w = complete("orc foo+0x70 call sp 32\n symbol baz 0xffffffff81000270\n" STACK, &cpu,
		     &r.record);
	assert_walked(w, "task baz+0x8\ntask ?bar+0x20\ntask ?start+0x8\n", NULL);
	record_deinit(&r.record);
}

static void samples_that_do_not_count(void **state)
{
	struct recorded r;

	(void)state;
	for (int i = 0; i < 5; i++) {
		struct cpu cpu = {};
		make_record(&r);
		if (i == 0)
			r.slot->end_ns = 5000; /* the stall is over */
		else if (i == 1)
			r.sample->task = 0xffff888000400100; /* another task's */
		else if (i == 2)
			r.sample->flags = 0;
		else if (i == 3)
			((struct record_header *)r.record.header)->machine = RECORD_EM_AARCH64;
		struct walked w = complete("", &cpu, i == 4 ? NULL : &r.record);
		if (cpu.registers_from != REGISTERS_NONE)
			fail_msg("case %d", i);
		walked_end(&w);
		record_deinit(&r.record);
	}
}

/* Then its stacks are looked through. */
static void a_cpu_without_a_sample(void **state)
{
	struct cpu cpu = {};

	(void)state;
	struct walked w = complete("at 0xffffc90000003f58\n" USER_REGISTERS, &cpu, NULL);
	assert_int_equal(cpu.registers_from, REGISTERS_SCAN);
	walked_end(&w);
}

/* An NMI between rq->curr = next and the change of stacks: the registers are of the task before. */
static void a_cpu_in_a_task_switch(void **state)
{
	static const char *const current[] = {
		"symbol current_task 0x1200 A\n",
		"symbol pcpu_hot 0x1200 A\n struct pcpu_hot 64 current_task:ptr@0\n",
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char text[512];
		struct cpu cpu = { .current = 0xffff888000400100,
				   .registers_from = REGISTERS_CRASH_NOTES };
		snprintf(text, sizeof(text), "%sat 0xffff888000101200\n u64 task_1\n" STACK,
			 current[i]);
		cpu.registers.values[17] = 0x10;
		cpu.registers.values[16] = 0xffffffff81000208;
		cpu.registers.values[19] = 0xffffc90000003800;
		struct walked w = complete(text, &cpu, NULL);
		assert_true(cpu.current == 0xffff888000400000);
		walked_end(&w);
		/* On the new stack, before current was set: it is the new one's. */
		cpu.current = 0xffff888000400100;
		cpu.registers.values[19] = 0xffffc90000023800;
		w = complete(text, &cpu, NULL);
		assert_true(cpu.current == 0xffff888000400100);
		walked_end(&w);
	}
}

/* Where the stack of CPU 3's task begins, if @sp is in its registers (0: it has none). */
static uint64_t task_stack(const char *text, uint64_t sp)
{
	struct kernel *kernel = walked_kernel(text);
	struct cpu cpu = { .number = 3, .per_cpu = PER_CPU };

	cpu.registers_from = sp ? REGISTERS_CRASH_NOTES : REGISTERS_NONE;
	walked_set(kernel, &cpu.registers, "rsp", sp);
	uint64_t ret = cpu_task_stack(kernel, &cpu);
	kernel_close(kernel);
	return ret;
}

static void a_stack_without_a_task_struct(void **state)
{
	static const uint64_t on_task = TASK + 0x3800, on_irq = 0xffffc90000012000ull;
	static const char *const variables[] = {
		"symbol cpu_current_top_of_stack 0x1200 A\n",
		"symbol pcpu_hot 0x1200 A\n struct pcpu_hot 64 top_of_stack:u64@0\n",
		"symbol cpu_tss_rw 0x11f4 A\n struct x86_hw_tss 64 sp1:u64@12\n"
		"struct tss_struct 4096 x86_tss:x86_hw_tss@0\n",
	};
	char text[512];

	(void)state;
	assert_true(task_stack("", on_task) == TASK);
	assert_true(task_stack("", TASK + 0x3fff) == TASK);
	assert_true(task_stack("", on_irq) == 0);
	assert_true(task_stack("", 0) == 0);
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		snprintf(text, sizeof(text), "%sat 0xffff888000101200\n u64 0xffffc90000004000\n",
			 variables[i]);
		assert_true(task_stack(text, on_irq) == TASK);
		assert_true(task_stack(text, 0) == TASK);
		/* It has switched stacks, but not told the entry code yet. */
		assert_true(task_stack(text, TASK + 0x23800) == TASK + 0x20000);
		/* With FRED two words are free at the top. */
		snprintf(text, sizeof(text), "%sat 0xffff888000101200\n u64 0xffffc90000003ff0\n",
			 variables[i]);
		assert_true(task_stack(text, on_irq) == TASK);
		/* Not to be had; or, in a hostile dump, a stack that is no task's. */
		assert_true(task_stack(variables[i], on_irq) == 0);
		snprintf(text, sizeof(text), "%sat 0xffff888000101200\n u64 0xffffc90000013000\n",
			 variables[i]);
		assert_true(task_stack(text, on_irq) == 0);
	}
}

/* A silent CPU's stacks are looked through, though its task_struct is not there. */
static void a_silent_cpu_without_a_task_struct(void **state)
{
	struct cpu cpu = { .current = 0xffff888000700000 };

	(void)state;
	struct walked w = complete("symbol cpu_current_top_of_stack 0x1200 A\n"
				   "at 0xffff888000101200\n u64 0xffffc90000004000\n"
				   "at 0xffffc90000003f58\n" USER_REGISTERS,
				   &cpu, NULL);
	assert_int_equal(cpu.registers_from, REGISTERS_SCAN);
	walked_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("user mode's pc is at the top of the stack", user_mode_at_the_end),
		TEST("a walk that came to user mode needs no more", user_mode_is_not_added_twice),
		TEST("an NMI that goes on has the registers", a_cpu_in_an_nmi),
		TEST("__irq_regs has them in an interrupt", a_cpu_in_an_interrupt),
		TEST("else those that the stack bears out", registers_that_were_left_behind),
		TEST("an NMI's own calls are made out, and are guesses",
		     the_newest_calls_of_an_nmi),
		TEST("so are an interrupt's", the_newest_calls_of_an_interrupt),
		TEST("and a task's, where nothing else is known", the_newest_calls_of_a_task),
		TEST("and where there are frame pointers", the_newest_calls_by_frame_pointers),
		TEST("words that are no registers", registers_that_are_none),
		TEST("a stall's last sample has a silent CPU's registers", a_cpu_with_a_sample),
		TEST("a sample of another task or stall has not", samples_that_do_not_count),
		TEST("without a sample the stacks are looked through", a_cpu_without_a_sample),
		TEST("a task's stack is known without its task_struct",
		     a_stack_without_a_task_struct),
		TEST("a silent CPU's stacks are, too", a_silent_cpu_without_a_task_struct),
		TEST("in a task switch the registers are of the task whose stack it is",
		     a_cpu_in_a_task_switch),
	};
	return RUN_TESTS(tests);
}
