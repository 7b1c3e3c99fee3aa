// SPDX-License-Identifier: GPL-2.0-only
/* Who is named where the dump has lost the task of a CPU that hung. CPU 1 runs task 2, in want(), which start() called. */
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
};

static void begin(struct judged *j, const char *line)
{
	memset(j, 0, sizeof(*j));
	made_machine_begin_calm(&j->m, made_locks_with_lists);
	make_kernel_line(&j->m.k, "exclude 0x%llx", TASK(2));
	j->m.lossy = true;
	j->line.text = line;
	j->dmesg.lines.data = &j->line;
	j->dmesg.lines.count = 1;
	j->machine.crash_time_s = MACHINE_UNKNOWN;
	j->machine.panic_cpu = -1;
}

static void judge(struct judged *j, const struct record *record)
{
	made_machine_find(&j->m);
	const struct verdict_input input = {
		.kernel = j->m.kernel,
		.cpus = &j->m.cpus,
		.tasks = &j->m.tasks,
		.locks = &j->m.locks,
		.dmesg = &j->dmesg,
		.machine = &j->machine,
		.record = record,
	};
	verdict_init(&j->verdict, &input);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a stuck CPU's task that the dump has lost is named by the record",
		     the_record_names_it),
		TEST("or by the watchdog's line before its own panic", the_log_names_it),
	};
	return RUN_TESTS(tests);
}
