// SPDX-License-Identifier: GPL-2.0-only
/* What is compared of two dumps of the same memory. */
#include <string.h>

#include "kdump/proof.h"
#include "test.h"

struct made {
	struct kernel kernel;
	struct report report;
};

static void add_task(struct report *report, uint32_t pid, const uint64_t *pcs)
{
	struct task *task = vector_push(&report->tasks.list);

	assert_non_null(task);
	*task = (struct task){ .pid = pid };
	for (; *pcs; pcs++) {
		struct frame *frame = vector_push(&task->stack.frames);
		assert_non_null(frame);
		*frame = (struct frame){ .pc = *pcs, .reliable = true };
	}
}

static int setup(void **state)
{
	static struct made made;
	struct module *module;
	struct dmesg_line *line;

	made = (struct made){ .report.kernel = &made.kernel };
	add_task(&made.report, 1, (const uint64_t[]){ 0x1000, 0x2000, 0 });
	add_task(&made.report, 2, (const uint64_t[]){ 0x3000, 0 });
	module = vector_push(&made.kernel.symbols.modules.list);
	line = vector_push(&made.report.dmesg.lines);
	if (!module || !line)
		return -1;
	*module = (struct module){ .name = "ext4", .object = 0x5000, .size = 4096 };
	*line = (struct dmesg_line){ .t_ns = 7, .text = "panic" };
	*state = &made;
	return 0;
}

static int teardown(void **state)
{
	struct made *made = *state;

	for (size_t i = 0; i < made->report.tasks.list.count; i++)
		vector_deinit(&made->report.tasks.list.data[i].stack.frames);
	vector_deinit(&made->report.tasks.list);
	vector_deinit(&made->report.dmesg.lines);
	vector_deinit(&made->kernel.symbols.modules.list);
	return 0;
}

static void fewer_tasks(struct made *made)
{
	vector_deinit(&made->report.tasks.list.data[--made->report.tasks.list.count].stack.frames);
}

static void a_stack_less(struct made *made)
{
	made->report.tasks.list.data[1].stack.frames.count = 0;
}

static void a_frame_less(struct made *made)
{
	made->report.tasks.list.data[0].stack.frames.count = 1;
}

static void another_frame(struct made *made)
{
	made->report.tasks.list.data[0].stack.frames.data[1].pc = 0x2008;
}

static void a_guess(struct made *made)
{
	made->report.tasks.list.data[0].stack.frames.data[1].reliable = false;
}

static void no_module(struct made *made)
{
	made->kernel.symbols.modules.list.count = 0;
}

static void another_module(struct made *made)
{
	made->kernel.symbols.modules.list.data[0].name = "ext3";
}

static void no_log(struct made *made)
{
	made->report.dmesg.lines.count = 0;
}

static void another_log(struct made *made)
{
	made->report.dmesg.lines.data[0].text = "panis";
}

static void test_compare(void **state)
{
	static const struct {
		void (*change)(struct made *made);
		const char *said;
	} cases[] = {
		{ fewer_tasks, "has 1 tasks, 1 with a stack; /proc/vmcore had 2, 2" },
		{ a_stack_less, "has 2 tasks, 1 with a stack; /proc/vmcore had 2, 2" },
		{ a_frame_less, "has 2 frames of stacks; /proc/vmcore had 3" },
		{ another_frame, "has 3 frames of stacks; /proc/vmcore had 3, but not those" },
		{ a_guess, "has 3 frames of stacks; /proc/vmcore had 3, but not those" },
		{ no_module, "has 0 modules; /proc/vmcore had 1" },
		{ another_module, "has 1 modules; /proc/vmcore had 1, but not those" },
		{ no_log, "has 0 lines of the log; /proc/vmcore had 1" },
		{ another_log, "has 1 lines of the log; /proc/vmcore had 1, but not those" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct report_content whole, saved;
		struct made *made = *state;

		report_content(&made->report, &whole);
		report_content(&made->report, &saved);
		assert_null(proof_compare(&saved, &whole));
		cases[i].change(made);
		report_content(&made->report, &saved);
		struct error *err = proof_compare(&saved, &whole);
		assert_non_null(err);
		assert_non_null(strstr(err->message, cases[i].said));
		error_destroy(err);
		teardown(state);
		assert_int_equal(setup(state), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_WITH(
			"a dump with fewer or other tasks, frames, modules or log lines is told from the whole",
			test_compare, setup, teardown),
	};

	return RUN_TESTS(tests);
}
