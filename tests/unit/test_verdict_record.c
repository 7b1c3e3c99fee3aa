// SPDX-License-Identifier: GPL-2.0-only
/* What the flight record's conditions mean: storms, pauses, CPUs that take no interrupts. CPU 1 runs task 2, in want(). */
#include <stdlib.h>
#include <string.h>

#include "make_machine.h"
#include "make_record.h"
#include "test.h"
#include "verdict/verdict.h"

#define SECOND 1000000000ull
#define END    (100 * SECOND)

struct judged {
	struct made_machine m;
	struct record record;
	struct record_header *header;
	struct record_slot *slots[2];
	struct cpu_states states;
	struct verdict verdict;
};

static void begin(struct judged *j)
{
	memset(j, 0, sizeof(*j));
	j->header = calloc(3, RECORD_SLOT_SIZE);
	assert_non_null(j->header);
	make_record_header(j->header, 2);
	j->header->threshold_ns = 10 * SECOND;
	j->header->sample_interval_ns = SECOND;
	j->record = (struct record){ .data = j->header, .header = j->header };
	for (uint32_t i = 0; i < 2; i++) {
		j->slots[i] = (struct record_slot *)record_slot(&j->record, i);
		j->slots[i]->last_tick_ns = END;
		*vector_push(&j->states.list) = cpu_state_unknown;
	}
	made_machine_begin_calm(&j->m, made_locks_with_lists);
}

static void judge(struct judged *j)
{
	const struct machine machine = { .crash_time_s = MACHINE_UNKNOWN, .panic_cpu = -1 };
	const struct dmesg dmesg = {};

	made_machine_find(&j->m);
	const struct verdict_input input = {
		.kernel = j->m.kernel,
		.cpus = &j->m.cpus,
		.tasks = &j->m.tasks,
		.locks = &j->m.locks,
		.cpu_states = &j->states,
		.dmesg = &dmesg,
		.machine = &machine,
		.record = &j->record,
	};
	verdict_init(&j->verdict, &input);
}

static void end(struct judged *j)
{
	made_machine_end(&j->m);
	cpu_states_deinit(&j->states);
	free(j->header);
}

static bool says(const struct judged *j, const char *what)
{
	for (unsigned int i = 0; i < j->verdict.nr_evidence; i++)
		if (strstr(j->verdict.evidence[i], what))
			return true;
	return false;
}

static void set_condition(struct judged *j, uint32_t cpu, enum record_kind kind, uint64_t since_s,
			  uint64_t word0, uint64_t word1)
{
	j->slots[cpu]->conditions[kind] = (struct record_condition){
		.since_ns = since_s * SECOND,
		.last_ns = END - SECOND,
		.words = { word0, word1 },
	};
}

/* CPU 1 is stuck for 40 s, with two samples. */
static void set_stall(struct judged *j)
{
	struct record_slot *slot = j->slots[1];

	slot->onset_ns = 60 * SECOND;
	slot->last_ns = END;
	for (int i = 0; i < 2; i++) {
		struct record_sample *sample = &slot->samples[i];
		sample->number = sample->number_end = i + 1;
		sample->onset_ns = slot->onset_ns;
		sample->time_ns = (70 + 10 * i) * SECOND;
		sample->nr_softirqs[3] = i * 90000;
		sample->nr_softirqs[9] = i * 10;
	}
}

static void storms(void **state)
{
	struct judged j;

	(void)state;
	begin(&j);
	set_stall(&j);
	set_condition(&j, 1, RECORD_KIND_SOFTIRQ_STORM, 65, 97, 9100);
	judge(&j);
	assert_string_equal(j.verdict.kind, "softirq-storm");
	assert_string_equal(j.verdict.title, "INFO: softirq storm of NET_RX");
	assert_int_equal(j.verdict.cpu, 1);
	assert_true(j.verdict.stuck_s == 35);
	assert_true(says(&j, "97 % of CPU 1's time went to softirqs, 9100 a second"));
	assert_true(says(&j, "most of them were NET_RX, 9000 a second"));
	assert_memory_equal(j.verdict.signature, "softirq-storm-", 14);
	end(&j);
	/* Without a stall: the CPU does switch tasks now and then. */
	begin(&j);
	set_condition(&j, 0, RECORD_KIND_IRQ_STORM, 80, 95, 30000);
	judge(&j);
	assert_string_equal(j.verdict.kind, "irq-storm");
	assert_int_equal(j.verdict.cpu, 0);
	assert_false(j.verdict.has_task);
	end(&j);
}

static void no_storms(void **state)
{
	struct judged j;

	(void)state;
	/* A softirq that does not end. */
	begin(&j);
	set_stall(&j);
	set_condition(&j, 1, RECORD_KIND_SOFTIRQ_STORM, 65, 99, 3);
	judge(&j);
	assert_string_equal(j.verdict.kind, "busy-loop");
	end(&j);
	/* On another CPU than the one that hung; too short; over; seen once. */
	begin(&j);
	set_stall(&j);
	set_condition(&j, 0, RECORD_KIND_SOFTIRQ_STORM, 65, 99, 9000);
	judge(&j);
	assert_string_equal(j.verdict.kind, "busy-loop");
	end(&j);
	begin(&j);
	set_condition(&j, 0, RECORD_KIND_SOFTIRQ_STORM, 95, 99, 9000);
	set_condition(&j, 0, RECORD_KIND_IRQ_STORM, 65, 99, 9000);
	j.slots[0]->conditions[RECORD_KIND_IRQ_STORM].last_ns = 90 * SECOND;
	set_condition(&j, 1, RECORD_KIND_IRQ_STORM, 65, 99, 9000);
	j.slots[1]->conditions[RECORD_KIND_IRQ_STORM].last_ns = 0;
	judge(&j);
	assert_string_equal(j.verdict.kind, "none");
	end(&j);
}

static void pauses(void **state)
{
	static const struct {
		uint64_t onset_s, end_s, paused_s, sequence;
		const char *kind;
	} cases[] = {
		{ 50, 0, 45, 0, "vm-pause" },  { 20, 70, 45, 0, "vm-pause" },
		{ 50, 0, 20, 0, "busy-loop" }, /* there is enough left of it */
		{ 91, 0, 8, 0, "none" },       { 10, 70, 25, 0, "none" },
		{ 10, 30, 18, 0, "none" }, /* long ago */
		{ 50, 0, 45, 1, "none" },      { 50, 0, 60, 0, "none" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct judged j;
		begin(&j);
		set_stall(&j);
		j.slots[1]->onset_ns = cases[i].onset_s * SECOND;
		j.slots[1]->end_ns = cases[i].end_s * SECOND;
		j.slots[1]->paused_ns = cases[i].paused_s * SECOND;
		j.slots[1]->sequence = cases[i].sequence;
		judge(&j);
		if (strcmp(j.verdict.kind, cases[i].kind))
			fail_msg("case %zu: %s", i, j.verdict.kind);
		if (!strcmp(j.verdict.kind, "vm-pause"))
			assert_true(says(&j, "no CPU ran anything for 45.0 s"));
		end(&j);
	}
}

static void set_deaf(struct judged *j)
{
	j->slots[1]->last_tick_ns = 80 * SECOND;
	j->slots[0]->deaf[2] = (struct record_deaf){
		.cpu = 1,
		.pid = 77,
		.since_ns = 80 * SECOND + 4000000,
		.last_ns = END - SECOND,
		.comm = "seventy",
	};
}

static void deaf_cpus(void **state)
{
	struct judged j;

	(void)state;
	begin(&j);
	set_deaf(&j);
	judge(&j);
	assert_string_equal(j.verdict.kind, "hard-lockup");
	assert_string_equal(j.verdict.title, "BUG: hard lockup in want");
	assert_int_equal(j.verdict.cpu, 1);
	assert_int_equal(j.verdict.task.pid, 2);
	assert_true(j.verdict.stuck_s > 19.9 && j.verdict.stuck_s < 20);
	assert_true(says(&j, "CPU 0 saw that CPU 1 served no timer for 20.0 s"));
	end(&j);
	/* The dump has lost its task. */
	begin(&j);
	set_deaf(&j);
	make_kernel_line(&j.m.k, "exclude 0x%llx", TASK(2));
	j.m.lossy = true;
	judge(&j);
	assert_string_equal(j.verdict.kind, "hard-lockup");
	assert_string_equal(j.verdict.task.comm, "seventy");
	assert_int_equal(j.verdict.task.pid, 77);
	assert_null(j.verdict.function);
	end(&j);
}

static void the_trigger_names_a_deaf_cpu(void **state)
{
	struct judged j;

	(void)state;
	begin(&j);
	set_deaf(&j);
	/* CPU 0 hangs too, and for longer. */
	j.slots[0]->onset_ns = 10 * SECOND;
	j.slots[0]->last_ns = END;
	j.header->fired_by = RECORD_FIRED_KERNEL;
	j.header->fired_cpu = 1;
	j.header->fired_ns = END;
	judge(&j);
	assert_string_equal(j.verdict.kind, "hard-lockup");
	assert_int_equal(j.verdict.cpu, 1);
	end(&j);
}

static void not_deaf(void **state)
{
	struct judged j;

	(void)state;
	for (int i = 0; i < 4; i++) {
		begin(&j);
		set_deaf(&j);
		if (i == 0)
			j.slots[1]->last_tick_ns = 90 * SECOND; /* it has taken one since */
		else if (i == 1)
			j.slots[0]->deaf[2].last_ns = 90 * SECOND; /* nobody has looked since */
		else if (i == 2)
			j.slots[0]->deaf[2].last_ns = 0; /* seen once */
		else
			j.slots[0]->deaf[2].cpu = 9;
		judge(&j);
		assert_string_equal(j.verdict.kind, "none");
		end(&j);
	}
}

static void supports(void **state)
{
	struct judged j;

	(void)state;
	begin(&j);
	set_stall(&j);
	set_condition(&j, 1, RECORD_KIND_NEED_RESCHED, 61, RECORD_RESCHED_NOW, 0);
	set_condition(&j, 1, RECORD_KIND_WORKQUEUE_STALL, 62, 0xabc, 0);
	set_condition(&j, 0, RECORD_KIND_RCU_STALL, 63, 8, 0);
	judge(&j);
	assert_string_equal(j.verdict.kind, "busy-loop");
	assert_true(says(&j, "asked to leave its task 39.0 s before the crash"));
	assert_true(says(&j, "the workers of CPU 1 have left work undone for 38.0 s"));
	assert_false(says(&j, "RCU"));
	end(&j);
	begin(&j);
	set_stall(&j);
	set_condition(&j, 0, RECORD_KIND_RCU_STALL, 63, 8, 0);
	j.states.list.data[1].holds_up_rcu = true;
	judge(&j);
	assert_true(says(&j, "RCU waits for CPU 1: its grace period has not ended for 37.0 s"));
	end(&j);
}

static void the_lock_that_is_spun_for(void **state)
{
	const struct machine machine = { .crash_time_s = MACHINE_UNKNOWN };
	const struct dmesg dmesg = {};
	struct timeline timeline;
	struct judged j;

	(void)state;
	begin(&j);
	make_kernel_text(&j.m.k, "symbol bpf_trampoline_6442497536 0xffffffff81000a80\n"
				 "symbol after_it 0xffffffff81000ac0\n");
	set_deaf(&j);
	j.slots[1]->locks[0] = (struct record_contention){
		.lock = LOCK_AT + 4,
		.since_ns = 80 * SECOND + 1,
		.pid = 77,
		.stack_ns = 80 * SECOND + 1,
		.nr_stack = 3,
		.stack = { 0xffffffff81000a90, 0xffffffff81000204, 0xffffffff81000104 },
	};
	judge(&j);
	assert_no_error(timeline_init(&timeline, j.m.kernel, &j.record, &dmesg, &machine));
	assert_int_equal(timeline.events.count, 2);
	const struct event *event = &timeline.events.data[0];
	assert_string_equal(event_name(event->kind), "lock-wait");
	assert_string_equal(event->text, "began to spin for spinlock lock+0x4");
	assert_string_equal(event->comm, "seventy");
	assert_int_equal(event->nr_pcs, 2);
	assert_true(event->pcs[0] == 0xffffffff81000204);
	timeline_deinit(&timeline);
	/* The stack is of another time. */
	j.slots[1]->locks[0].stack_ns--;
	assert_no_error(timeline_init(&timeline, j.m.kernel, &j.record, &dmesg, &machine));
	assert_int_equal(timeline.events.data[0].nr_pcs, 0);
	timeline_deinit(&timeline);
	end(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("many interrupts or softirqs that take a CPU's time are a storm", storms),
		TEST("a softirq that does not end is none, nor one elsewhere, short or over",
		     no_storms),
		TEST("a stall that was mostly a pause is no bug", pauses),
		TEST("a CPU that another saw deaf is in a hard lockup", deaf_cpus),
		TEST("the deaf CPU that the trigger named comes first",
		     the_trigger_names_a_deaf_cpu),
		TEST("a CPU that has had a tick since is not deaf, nor one seen once or long ago",
		     not_deaf),
		TEST("a lock that is spun for has its name, and the stack of who asked for it",
		     the_lock_that_is_spun_for),
		TEST("what else was wrong with the CPU is in the evidence", supports),
	};
	return RUN_TESTS(tests);
}
