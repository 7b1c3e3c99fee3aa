// SPDX-License-Identifier: GPL-2.0-only
/* Stacks on which a tracer has replaced a return address by its own. */
#include <stdio.h>
#include <string.h>

#include "test.h"
#include "walked.h"

#define TASK_STRUCT 0xffff888000400000ull

/* bar() was called by foo(), but a tracer's address is in place of foo's: at 0xffffc90000003050. */
#define STACK(tracer)                                                                       \
	"symbol tracer 0xffff888000500000 D\n symbol " tracer " 0xffffffff81000900\n"       \
	"symbol end_of_tracer 0xffffffff81000940\n"                                         \
	"at 0xffffc90000003000\n u64 0 0 0 0 0 0 bar+0x20 0 0 0 " tracer " 0 0 0 start+8\n" \
	"at bar+0x1e\n u8 0xff 0xd0\n at foo+0x1e\n u8 0xff 0xd0\n at start+6\n u8 0xff 0xd0\n"

#define RETHOOKS                                                                                                   \
	"struct llist_head 8 first:ptr@0\n struct llist_node 8 next:ptr@0\n"                                       \
	"struct task_struct 64 rethooks:llist_head@16\n"                                                           \
	"struct rethook_node 48 llist:llist_node@16 ret_addr:u64@32 frame:u64@40\n"                                \
	"set 0xffff888000400000 task_struct.rethooks.first tracer+0x110\n" /* One of another frame comes first. */ \
	"at tracer+0x110\n u64 tracer+0x10 0 start+4 0xffffc90000003048\n"                                         \
	"at tracer+0x10\n u64 0 0 foo+0x20 0xffffc90000003050\n"

static void assert_sleeping(const char *text, uint64_t task, const char *expected, const char *says)
{
	struct walked w = { .kernel = walked_kernel(text) };

	w.kernel->unwinder.task = task;
	w.err = unwind_sleeping(&w.kernel->unwinder, 0xffffc90000003000, TASK, &w.stack);
	assert_walked(w, expected, says);
}

static const char undone[] = "task bar+0x20\ntask foo+0x20\ntask start+0x8\n";

static void kretprobes(void **state)
{
	(void)state;
	assert_sleeping(STACK("arch_rethook_trampoline") RETHOOKS, TASK_STRUCT, undone, NULL);
	/* From 5.11 to 5.17 */
	assert_sleeping(
		STACK("__kretprobe_trampoline") "struct llist_head 8 first:ptr@0\n struct llist_node 8 next:ptr@0\n"
						"struct task_struct 64 kretprobe_instances:llist_head@16\n"
						"struct kretprobe_instance 48 llist:llist_node@0 ret_addr:u64@24 fp:u64@40\n"
						"set 0xffff888000400000 task_struct.kretprobe_instances.first tracer\n"
						"at tracer\n u64 0 0 0 foo+0x20 0 0xffffc90000003050\n",
		TASK_STRUCT, undone, NULL);
}

static void the_function_graph(void **state)
{
	(void)state;
	assert_sleeping(
		STACK("return_to_handler") "struct task_struct 64 ret_stack:ptr@16\n"
					   "struct ftrace_ret_stack 40 ret:u64@0 func:u64@8 retp:ptr@24\n"
					   "set 0xffff888000400000 task_struct.ret_stack tracer\n at tracer\n fill 4096 0\n"
					   "at tracer\n u64 start+4 start 0 0xffffc90000003068\n"
					   /* Of no even step. */
					   "at tracer+0x30\n u64 foo+0x20 foo 0 0xffffc90000003050\n",
		TASK_STRUCT, undone, NULL);
}

/* Then the caller is guessed. */
static void hooks_that_are_not_found(void **state)
{
	static const struct {
		const char *text, *says;
		uint64_t task;
	} cases[] = {
		{ STACK("arch_rethook_trampoline"), "a tracer has replaced", TASK_STRUCT },
		{ STACK("return_to_handler"), "a tracer has replaced", TASK_STRUCT },
		{ STACK("arch_rethook_trampoline") RETHOOKS, "a tracer has replaced", 0 },
		{ STACK("arch_rethook_trampoline") RETHOOKS "at tracer+0x28\n u64 8\n",
		  "a tracer has replaced", TASK_STRUCT },
		{ STACK("arch_rethook_trampoline") RETHOOKS "at tracer+0x110\n u64 tracer+0x110\n",
		  "a tracer has replaced", TASK_STRUCT },
		{ STACK("arch_rethook_trampoline") RETHOOKS "at tracer+0x110\n u64 0x8\n",
		  "unmapped", TASK_STRUCT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_sleeping(cases[i].text, cases[i].task, "task bar+0x20\ntask ?start+0x8\n",
				cases[i].says);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a kretprobe's is undone", kretprobes),
		TEST("the function graph tracer's is undone", the_function_graph),
		TEST("where it is not to be found the caller is a guess", hooks_that_are_not_found),
	};
	return RUN_TESTS(tests);
}
