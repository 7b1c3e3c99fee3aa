// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is named where the dump has lost the task of a CPU that hung, and which function is blamed where there are no
 * samples. CPU 1 runs task 2, in want(), which start() called.
 */
#include <stdlib.h>
#include <string.h>

#include "make_machine.h"
#include "make_record.h"
#include "test.h"
#include "verdict/verdict.h"

#define SECOND 1000000000ull

struct judged {
	struct made_machine m;
	struct verdict verdict;
	struct dmesg_line line;
	struct dmesg dmesg;
	struct machine machine;
	const struct cpu_states *states; /* NULL: not known */
};

static void begin_whole(struct judged *j, const char *line)
{
	memset(j, 0, sizeof(*j));
	made_machine_begin_calm(&j->m, made_locks_with_lists);
	j->line.text = line;
	j->dmesg.lines.data = &j->line;
	j->dmesg.lines.count = 1;
	j->machine.crash_time_s = MACHINE_UNKNOWN;
	j->machine.panic_cpu = -1;
}

static void begin(struct judged *j, const char *line)
{
	begin_whole(j, line);
	make_kernel_line(&j->m.k, "exclude 0x%llx", TASK(2));
	j->m.lossy = true;
}

/* @frames, if there are any, become those of task 2. */
static void judge_frames(struct judged *j, const struct record *record, const struct frame *frames,
			 size_t count)
{
	made_machine_find(&j->m);
	if (count) {
		struct stack *stack = &j->m.tasks.list.data[made_machine_place(&j->m, 2)].stack;
		stack->frames.count = 0;
		for (size_t i = 0; i < count; i++)
			*vector_push(&stack->frames) = frames[i];
	}
	const struct verdict_input input = {
		.kernel = j->m.kernel,
		.cpus = &j->m.cpus,
		.tasks = &j->m.tasks,
		.locks = &j->m.locks,
		.cpu_states = j->states,
		.dmesg = &j->dmesg,
		.machine = &j->machine,
		.record = record,
	};
	verdict_init(&j->verdict, &input);
}

static void judge(struct judged *j, const struct record *record)
{
	judge_frames(j, record, NULL, 0);
}

static bool says(const struct judged *j, const char *what)
{
	for (unsigned int i = 0; i < j->verdict.nr_evidence; i++)
		if (strstr(j->verdict.evidence[i], what))
			return true;
	return false;
}

static void assert_culprit(const struct judged *j, const char *comm, uint32_t pid,
			   const char *function)
{
	assert_string_equal(j->verdict.kind, "busy-loop");
	assert_int_equal(j->verdict.cpu, 1);
	assert_string_equal(j->verdict.task.comm, comm);
	assert_int_equal(j->verdict.task.pid, pid);
	assert_string_equal(j->verdict.function, function);
}

/* CPU 1 has been stuck for 12 s, with one sample, of the task at @task, in holds_it(). */
static struct record make_record(uint64_t task)
{
	struct record ret = { .size = 3 * RECORD_SLOT_SIZE };
	struct record_header *header = ret.data = calloc(1, ret.size);

	assert_non_null(header);
	make_record_header(header, 2);
	ret.header = header;
	struct record_slot *slot = (struct record_slot *)record_slot(&ret, 1);
	slot->onset_ns = SECOND;
	slot->last_ns = slot->last_tick_ns = 13 * SECOND;
	struct record_sample *sample = &slot->samples[0];
	sample->number = sample->number_end = 1;
	sample->onset_ns = SECOND;
	sample->time_ns = 2 * SECOND;
	sample->task = task;
	sample->pid = sample->tgid = 42;
	strcpy(sample->comm, "recorded");
	sample->flags = RECORD_SAMPLE_REGS;
	sample->regs[16] = sample->stack[0] = 0xffffffff81000d04;
	sample->nr_stack = 1;
	return ret;
}

static void the_record_names_it(void **state)
{
	struct judged j;

	(void)state;
	struct record record = make_record(TASK(2));
	begin(&j, "");
	judge(&j, &record);
	assert_culprit(&j, "recorded", 42, "want");
	assert_true(says(&j, "the record names it"));
	assert_true(j.verdict.stuck_s == 12);
	made_machine_end(&j.m);
	free(record.data);
	/* The task that was sampled has gone: what is said is all the record's. */
	record = make_record(TASK(3));
	begin(&j, "");
	judge(&j, &record);
	assert_culprit(&j, "recorded", 42, "holds_it");
	assert_true(says(&j, "it is the record's"));
	made_machine_end(&j.m);
	free(record.data);
}

static void the_log_names_it(void **state)
{
	static const char line[] = "watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [a:[b]:77]";
	struct judged j;

	(void)state;
	begin(&j, line);
	j.machine.panic = "softlockup: hung tasks";
	j.machine.panic_cpu = 1;
	judge(&j, NULL);
	assert_culprit(&j, "a:[b]", 77, "want");
	assert_true(says(&j, "the kernel's log names it"));
	assert_true(says(&j, line));
	assert_true(j.verdict.stuck_s == 22);
	made_machine_end(&j.m);
	/* Another CPU's panic, or one of something else, says nothing of this CPU's task. */
	begin(&j, line);
	j.machine.panic = "softlockup: hung tasks";
	j.machine.panic_cpu = 0;
	judge(&j, NULL);
	assert_string_equal(j.verdict.kind, "none");
	made_machine_end(&j.m);
	begin(&j, line);
	j.machine.panic = "sysrq triggered crash";
	j.machine.panic_cpu = 1;
	judge(&j, NULL);
	assert_string_equal(j.verdict.kind, "none");
	assert_int_equal(j.verdict.nr_evidence, 0);
	made_machine_end(&j.m);
}

#define WANT	 0xffffffff81000204
#define SCHEDULE 0xffffffff81000304
#define HOLDS_IT 0xffffffff81000d04
#define SOFTIRQS 0xffffffff81000a84

static void what_was_interrupted(void **state)
{
	static const struct {
		struct frame frames[4];
		const char *function;
	} cases[] = {
		/* The watchdog's interrupt, which panics, and what it came to. */
		{ { { .pc = SCHEDULE, .section = SECTION_IRQ, .interrupted = true },
		    { .pc = SCHEDULE },
		    { .pc = WANT, .interrupted = true },
		    { .pc = HOLDS_IT } },
		  "want" },
		/* An NMI that came to that. */
		{ { { .pc = SCHEDULE, .section = SECTION_NMI, .interrupted = true },
		    { .pc = SCHEDULE, .section = SECTION_IRQ, .interrupted = true },
		    { .pc = SCHEDULE },
		    { .pc = HOLDS_IT, .interrupted = true } },
		  "holds_it" },
		/* A softirq that does not end, on the interrupts' stack; and the same with an interrupt. */
		{ { { .pc = WANT, .section = SECTION_IRQ, .interrupted = true },
		    { .pc = SOFTIRQS, .section = SECTION_IRQ },
		    { .pc = SCHEDULE },
		    { .pc = HOLDS_IT, .interrupted = true } },
		  "want" },
		{ { { .pc = SCHEDULE, .section = SECTION_IRQ, .interrupted = true },
		    { .pc = WANT, .section = SECTION_IRQ, .interrupted = true },
		    { .pc = SOFTIRQS, .section = SECTION_IRQ },
		    { .pc = HOLDS_IT, .interrupted = true } },
		  "want" },
		/* A fault that does not end. */
		{ { { .pc = WANT, .interrupted = true },
		    { .pc = SCHEDULE },
		    { .pc = HOLDS_IT, .interrupted = true },
		    { .pc = HOLDS_IT } },
		  "want" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct judged j;
		begin_whole(&j, "watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [task_2:2]");
		make_kernel_text(&j.m.k, "symbol handle_softirqs 0xffffffff81000a80\n");
		judge_frames(&j, NULL, cases[i].frames, 4);
		assert_culprit(&j, "task_2", 2, cases[i].function);
		made_machine_end(&j.m);
	}
}

/* The kernel's detector panics in an NMI, in schedule() here; or a CPU hangs in one. */
static void an_nmi_in_a_hard_lockup(void **state)
{
	static const struct frame frames[] = {
		{ .pc = SCHEDULE, .section = SECTION_NMI, .interrupted = true },
		{ .pc = HOLDS_IT, .section = SECTION_NMI },
		{ .pc = WANT, .interrupted = true },
	};
	struct cpu_state list[] = { cpu_state_unknown, cpu_state_unknown };
	const struct cpu_states states = { .list = { .data = list, .count = 2 } };

	(void)state;
	list[1].running_ns = list[1].hrtimer_late_ns = 12 * SECOND;
	for (int panicked = 0; panicked < 2; panicked++) {
		struct judged j;
		begin_whole(&j, "");
		j.states = &states;
		j.machine.panic_cpu = panicked ? 1 : 0;
		judge_frames(&j, NULL, frames, 3);
		assert_string_equal(j.verdict.kind, "hard-lockup");
		assert_string_equal(j.verdict.function, panicked ? "want" : "holds_it");
		made_machine_end(&j.m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a stuck CPU's task that the dump has lost is named by the record",
		     the_record_names_it),
		TEST("or by the watchdog's line before its own panic", the_log_names_it),
		TEST("in a hard lockup the detector's NMI is not blamed", an_nmi_in_a_hard_lockup),
		TEST("without samples what the crash's interrupt came to is blamed",
		     what_was_interrupted),
	};
	return RUN_TESTS(tests);
}
