// SPDX-License-Identifier: GPL-2.0-only
/* What tasks that wait for locks mean: deadlock, spinlock-wait, hung-task. */
#include <string.h>

#include "make_machine.h"
#include "test.h"
#include "verdict/verdict.h"

/* The verdict on a machine with CPUs in these states, whose log has the @count lines, and whose sleepers have waited for so long. */
static void judge_states(struct made_machine *m, const struct cpu_states *states,
			 const char *const *lines, size_t count, uint64_t wait_ns,
			 struct verdict *verdict)
{
	struct dmesg_line log[4];
	struct dmesg dmesg = { .lines = { .data = log, .count = count } };
	const struct machine machine = { .crash_time_s = MACHINE_UNKNOWN };

	for (size_t i = 0; i < count; i++)
		log[i] = (struct dmesg_line){ .t_ns = 1000000000ull * i, .text = lines[i] };
	made_machine_find(m);
	for (size_t i = 0; i < m->tasks.list.count; i++)
		m->tasks.list.data[i].wait_ns = wait_ns;
	const struct verdict_input input = {
		.kernel = m->kernel,
		.cpus = &m->cpus,
		.tasks = &m->tasks,
		.locks = &m->locks,
		.cpu_states = states,
		.dmesg = &dmesg,
		.machine = &machine,
	};
	verdict_init(verdict, &input);
}

static void judge_after(struct made_machine *m, const char *const *lines, size_t count,
			uint64_t wait_ns, struct verdict *verdict)
{
	judge_states(m, NULL, lines, count, wait_ns, verdict);
}

static void judge(struct made_machine *m, const char *const *lines, size_t count,
		  struct verdict *verdict)
{
	judge_after(m, lines, count, CLOCK_UNKNOWN, verdict);
}

/* Tasks 3 and 4, which each have a mutex that the other wants. */
static void add_abba(struct made_machine *m)
{
	made_machine_sleeper(m, 3, "__mutex_lock.constprop.0");
	made_machine_sleeper(m, 4, "__mutex_lock.constprop.0");
	LINK(m, LOCK_AT + 16, made_machine_waiter(m, 3));
	LINK(m, LOCK_B_AT + 16, made_machine_waiter(m, 4));
	made_machine_put(m, LOCK_AT, TASK(4) | 1);
	made_machine_put(m, LOCK_B_AT, TASK(3) | 1);
}

static const char *const stuck_1[] = {
	"watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [task_1:1]"
};

static void a_deadlock_of_tasks(void **state)
{
	struct verdict verdict;
	struct made_machine m;

	(void)state;
	made_machine_begin_calm(&m, made_locks_with_lists);
	add_abba(&m);
	judge(&m, NULL, 0, &verdict);
	assert_string_equal(verdict.kind, "deadlock");
	assert_string_equal(verdict.title, "possible deadlock in want");
	assert_int_equal(verdict.task.pid, 3);
	assert_int_equal(verdict.cpu, -1);
	assert_true(verdict.lock->address == LOCK_AT);
	assert_int_equal(verdict.cycle.count, 2);
	assert_true(verdict.cycle.certain);
	assert_true(verdict.confidence > 0.9);
	assert_string_equal(verdict.evidence[0],
			    "task_3 (pid 3) waits for mutex lock, held by task_4 (pid 4)");
	assert_string_equal(verdict.evidence[1],
			    "task_4 (pid 4) waits for mutex lock_b, held by task_3 (pid 3)");
	assert_memory_equal(verdict.signature, "deadlock-", 9);
	made_machine_end(&m);
}

static void a_stuck_cpu_comes_first(void **state)
{
	struct verdict verdict;
	struct made_machine m;

	(void)state;
	made_machine_begin_calm(&m, made_locks_with_lists);
	add_abba(&m);
	judge(&m, stuck_1, 1, &verdict);
	assert_string_equal(verdict.kind, "busy-loop");
	assert_int_equal(verdict.cycle.count, 0);
	made_machine_end(&m);
}

static void a_deadlock_of_cpus(void **state)
{
	struct verdict verdict;
	struct made_machine m;

	(void)state;
	made_machine_begin(&m, made_locks_with_lists);
	made_machine_runner(&m, 1, "native_queued_spin_lock_slowpath", "lock", "holds_it");
	made_machine_runner(&m, 2, "native_queued_spin_lock_slowpath", "lock_b", "holds_it");
	make_kernel_text(&m.k, "at lock\n u32 1\n at lock_b\n u32 1\n"
			       "at 0xffffc90000113810\n u64 lock_b\n"
			       "at 0xffffc90000123810\n u64 lock\n");
	judge(&m, stuck_1, 1, &verdict);
	assert_string_equal(verdict.kind, "deadlock");
	assert_string_equal(verdict.title, "possible deadlock in holds_it");
	assert_int_equal(verdict.cpu, 0);
	assert_int_equal(verdict.cycle.count, 2);
	assert_false(verdict.cycle.certain);
	assert_true(verdict.confidence < 0.9);
	made_machine_end(&m);
}

static void a_spinlock_with_a_holder(void **state)
{
	struct verdict verdict;
	struct made_machine m;

	(void)state;
	made_machine_begin(&m, made_locks_with_lists);
	made_machine_runner(&m, 1, "native_queued_spin_lock_slowpath", "lock", "want");
	made_machine_runner(&m, 2, "holds_it", "lock", "want");
	make_kernel_text(&m.k, "at lock\n u32 1\n orc holds_it call sp 8\n");
	judge(&m, stuck_1, 1, &verdict);
	assert_string_equal(verdict.kind, "spinlock-wait");
	assert_string_equal(verdict.title, "BUG: soft lockup in holds_it");
	assert_int_equal(verdict.task.pid, 2);
	assert_int_equal(verdict.cpu, 1);
	assert_true(verdict.lock->address == LOCK_AT);
	made_machine_end(&m);
}

static void a_spinlock_of_nobody(void **state)
{
	struct verdict verdict;
	struct made_machine m;

	(void)state;
	made_machine_begin(&m, made_locks_with_lists);
	made_machine_runner(&m, 1, "native_queued_spin_lock_slowpath", "lock", "want");
	made_machine_runner(&m, 2, "want", "0", "want");
	make_kernel_text(&m.k, "at lock\n u32 1\n");
	judge(&m, stuck_1, 1, &verdict);
	assert_string_equal(verdict.kind, "spinlock-wait");
	assert_string_equal(verdict.title, "BUG: soft lockup in want");
	assert_int_equal(verdict.task.pid, 1);
	assert_true(verdict.confidence < 0.5);
	made_machine_end(&m);
}

static void a_cpu_that_does_not_answer(void **state)
{
	struct verdict verdict;
	struct made_machine m;

	(void)state;
	made_machine_begin(&m, made_locks_with_lists);
	made_machine_runner(&m, 1, "smp_call_function_many_cond", "0", "want");
	made_machine_runner(&m, 2, "holds_it", "0", "want");
	make_kernel_text(&m.k, "at 0xffff888020003308\n u32 1\n");
	judge(&m, stuck_1, 1, &verdict);
	assert_string_equal(verdict.kind, "ipi-wait");
	assert_string_equal(verdict.title, "BUG: soft lockup in holds_it");
	assert_int_equal(verdict.task.pid, 2);
	assert_int_equal(verdict.cpu, 1);
	made_machine_end(&m);
}

/* Task 2 does not answer, for it spins for what the asking task 1 holds. */
static void a_deadlock_over_an_answer(void **state)
{
	struct verdict verdict;
	struct made_machine m;

	(void)state;
	made_machine_begin(&m, made_locks_with_lists);
	made_machine_runner(&m, 1, "smp_call_function_many_cond", "0", "want");
	made_machine_runner(&m, 2, "native_queued_spin_lock_slowpath", "lock", "want");
	make_kernel_text(&m.k, "at 0xffff888020003308\n u32 1\n at lock\n u32 1\n"
			       "at 0xffffc90000113810\n u64 lock\n");
	judge(&m, stuck_1, 1, &verdict);
	assert_string_equal(verdict.kind, "deadlock");
	assert_int_equal(verdict.cycle.count, 2);
	made_machine_end(&m);
}

/* Both CPUs hang: CPU 0 for so long by its run queue, CPU 1, if it takes no interrupts, by its timers. */
static void judge_two(struct made_machine *m, uint64_t first_s, uint64_t second_s, bool deaf,
		      struct verdict *verdict)
{
	struct cpu_state list[] = { cpu_state_unknown, cpu_state_unknown };
	struct cpu_states states = { .list = { .data = list, .count = 2 } };

	list[0].stuck_ns = first_s * 1000000000;
	list[1].stuck_ns = second_s * 1000000000;
	if (deaf)
		list[1].running_ns = list[1].hrtimer_late_ns = second_s * 1000000000;
	judge_states(m, &states, NULL, 0, CLOCK_UNKNOWN, verdict);
}

static void a_holder_that_hangs_too(void **state)
{
	struct verdict verdict;
	struct made_machine m;

	(void)state;
	for (unsigned int first_s = 12; first_s <= 14; first_s += 2) {
		made_machine_begin(&m, made_locks_with_lists);
		made_machine_runner(&m, 1, "native_queued_spin_lock_slowpath", "lock", "want");
		made_machine_runner(&m, 2, "holds_it", "lock", "want");
		make_kernel_text(&m.k, "at lock\n u32 1\n orc holds_it call sp 8\n");
		judge_two(&m, first_s, 13, false, &verdict);
		assert_string_equal(verdict.kind, "spinlock-wait");
		assert_int_equal(verdict.task.pid, 2);
		assert_int_equal(verdict.cpu, 1);
		assert_true(verdict.stuck_s == first_s);
		made_machine_end(&m);
	}
}

static void a_holder_that_hangs_alone(void **state)
{
	struct verdict verdict;
	struct made_machine m;

	(void)state;
	made_machine_begin(&m, made_locks_with_lists);
	made_machine_runner(&m, 1, "native_queued_spin_lock_slowpath", "lock", "want");
	made_machine_runner(&m, 2, "holds_it", "lock", "want");
	make_kernel_text(&m.k, "at lock\n u32 1\n orc holds_it call sp 8\n");
	struct cpu_state list[] = { cpu_state_unknown, cpu_state_unknown };
	struct cpu_states states = { .list = { .data = list, .count = 2 } };
	list[1].stuck_ns = 13000000000;
	judge_states(&m, &states, NULL, 0, CLOCK_UNKNOWN, &verdict);
	assert_string_equal(verdict.kind, "busy-loop");
	assert_int_equal(verdict.task.pid, 2);
	made_machine_end(&m);
}

static void a_cpu_without_interrupts(void **state)
{
	struct verdict verdict;
	struct made_machine m;

	(void)state;
	made_machine_begin(&m, made_locks_with_lists);
	made_machine_runner(&m, 1, "want", "0", "want");
	made_machine_runner(&m, 2, "holds_it", "0", "want");
	add_abba(&m);
	judge_two(&m, 12, 11, true, &verdict);
	assert_string_equal(verdict.kind, "hard-lockup");
	assert_string_equal(verdict.title, "BUG: hard lockup in holds_it");
	assert_string_equal(
		verdict.evidence[0],
		"CPU 1 takes no interrupts: its timers are 11.0 s late, though its task is not idle");
	assert_int_equal(verdict.task.pid, 2);
	assert_int_equal(verdict.cpu, 1);
	assert_true(verdict.stuck_s == 11);
	made_machine_end(&m);
	/* Who waits for its answer tells more. */
	made_machine_begin(&m, made_locks_with_lists);
	made_machine_runner(&m, 1, "smp_call_function_many_cond", "0", "want");
	made_machine_runner(&m, 2, "holds_it", "0", "want");
	make_kernel_text(&m.k, "at 0xffff888020003308\n u32 1\n");
	judge_two(&m, 12, 11, true, &verdict);
	assert_string_equal(verdict.kind, "ipi-wait");
	assert_int_equal(verdict.task.pid, 2);
	assert_int_equal(verdict.cpu, 1);
	assert_string_equal(
		verdict.evidence[1],
		"task_1 (pid 1) waits for the answer of CPU 1 to a function call, which runs task_2 (pid 2)");
	assert_memory_equal(verdict.evidence[2], "CPU 1 takes no interrupts", 25);
	made_machine_end(&m);
}

static void a_hung_task(void **state)
{
	static const struct {
		const char *line;
		bool hung;
	} cases[] = {
		{ "INFO: task task_3:3 blocked for more than 120 seconds.", true },
		{ "INFO: task a:b:3 blocked for more than 120 seconds.", true },
		{ "INFO: task task_9:9 blocked for more than 120 seconds.", false }, /* has gone */
		{ "INFO: task task_1:1 blocked for more than 120 seconds.",
		  false }, /* runs again */
		{ "INFO: task blocked for more than 120 seconds.", false },
		{ "INFO: task x:3 blocked for more than many seconds.", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct verdict verdict;
		struct made_machine m;
		made_machine_begin_calm(&m, made_locks_with_lists);
		made_machine_sleeper(&m, 3, "__mutex_lock.constprop.0");
		made_machine_sleeper(&m, 4, "some_function");
		LINK(&m, LOCK_AT + 16, made_machine_waiter(&m, 3));
		made_machine_put(&m, LOCK_AT, TASK(4) | 1);
		judge(&m, &cases[i].line, 1, &verdict);
		if (strcmp(verdict.kind, cases[i].hung ? "hung-task" : "none"))
			fail_msg("case %zu: %s", i, verdict.kind);
		if (cases[i].hung) {
			assert_int_equal(verdict.task.pid, 4);
			assert_string_equal(verdict.title, "INFO: task hung in some_function");
			assert_true(verdict.lock->address == LOCK_AT);
			assert_true(verdict.stuck_s == 120);
		}
		made_machine_end(&m);
	}
}

static void a_task_that_is_blocked_for_long(void **state)
{
	static const struct {
		unsigned int state;
		uint64_t seconds;
		bool hung;
	} cases[] = {
		{ 0x2, 121, true },  { 0x2, 119, false },   { 0x102, 121, false }, /* killable */
		{ 0x1, 121, false }, { 0x402, 121, false }, /* idle */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct verdict verdict;
		struct made_machine m;
		made_machine_begin_calm(&m, made_locks_with_lists);
		made_machine_sleeper(&m, 3, "some_function");
		make_kernel_line(&m.k, "set 0x%llx task_struct.__state %u", TASK(3),
				 cases[i].state);
		judge_after(&m, NULL, 0, cases[i].seconds * 1000000000, &verdict);
		if (strcmp(verdict.kind, cases[i].hung ? "hung-task" : "none"))
			fail_msg("case %zu: %s", i, verdict.kind);
		if (cases[i].hung) {
			assert_int_equal(verdict.task.pid, 3);
			assert_true(verdict.stuck_s == 121);
		}
		made_machine_end(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("tasks that wait for each other's mutexes are a deadlock",
		     a_deadlock_of_tasks),
		TEST("a CPU that hangs for another reason comes before it",
		     a_stuck_cpu_comes_first),
		TEST("CPUs that spin for each other's locks are a deadlock", a_deadlock_of_cpus),
		TEST("of a CPU that spins, the lock's holder is to blame",
		     a_spinlock_with_a_holder),
		TEST("where nobody is suspected, it is who spins", a_spinlock_of_nobody),
		TEST("of a CPU that waits for another's answer, that other is to blame",
		     a_cpu_that_does_not_answer),
		TEST("whether a lock's holder or who spins for it has hung for longer is all the same",
		     a_holder_that_hangs_too),
		TEST("one that spins for a moment for what a hung CPU has changes nothing",
		     a_holder_that_hangs_alone),
		TEST("a CPU that takes no interrupts is a hard lockup, and to blame if another waits for it",
		     a_cpu_without_interrupts),
		TEST("a CPU that spins for a lock of who waits for its answer is a deadlock",
		     a_deadlock_over_an_answer),
		TEST("a task that is blocked for over two minutes is hung",
		     a_task_that_is_blocked_for_long),
		TEST("a task that the kernel calls hung leads to the lock's holder", a_hung_task),
	};
	return RUN_TESTS(tests);
}
