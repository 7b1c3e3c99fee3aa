// SPDX-License-Identifier: GPL-2.0-only
#include "report/text_locks.h"

#include "base/cleanup.h"
#include "base/print.h"

#define SHOWN_LOCKS   20
#define SHOWN_WAITERS 8

static const struct task *task_at(const struct report *report, uint32_t place)
{
	return &report->tasks.list.data[place];
}

static void put_task(const struct task *task, FILE *out)
{
	print_text(task->comm, out);
	fprintf(out, " (pid %u)", task->pid);
}

static void put_lock(const struct lock *lock, FILE *out)
{
	char text[LOCK_TEXT_SIZE];

	lock_describe(lock, text, sizeof(text));
	print_text(text, out);
}

/* " in FUNCTION [MODULE]": who of the task's functions asked to wait, or runs. */
static void put_place(const struct report *report, const struct task *task, FILE *out)
{
	size_t at = locks_asking_frame(report->kernel, &task->stack);

	if (at >= task->stack.frames.count)
		return;
	const struct frame *frame = &task->stack.frames.data[at];
	const struct symbol symbol =
		symbols_lookup(&report->kernel->symbols, frame->pc - !frame->interrupted);
	if (frame->section == SECTION_USER || !symbol.name)
		return;
	fputs(" in ", out);
	print_text(symbol.name, out);
	if (symbol.module) {
		fputs(" [", out);
		print_text(symbol.module->name, out);
		fputc(']', out);
	}
}

static void put_holders(const struct report *report, const struct lock *lock, FILE *out)
{
	char by[16];

	for (size_t i = 0; i < lock->holders.count; i++) {
		const struct lock_holder *holder = &lock->holders.data[i];
		snprintf(by, sizeof(by), "%s by",
			 holder->certain ? lock_participle(lock) : "perhaps");
		fprintf(out, "    %-12s ", by);
		put_task(task_at(report, holder->task), out);
		put_place(report, task_at(report, holder->task), out);
		if (holder->why) {
			fputs(": ", out);
			print_text(holder->why, out);
		}
		fputc('\n', out);
	}
}

static void put_waiters(const struct report *report, const struct lock *lock, FILE *out)
{
	for (size_t i = 0; i < lock->waiters.count && i < SHOWN_WAITERS; i++) {
		const struct task *task = task_at(report, lock->waiters.data[i]);
		double seconds = report_waited_s(report, task);
		fprintf(out, "    %-12s ", i ? "" : lock->spinning ? "spinning" : "waiting");
		put_task(task, out);
		put_place(report, task, out);
		if (seconds >= 0)
			fprintf(out, ", %.1f s", seconds);
		fputc('\n', out);
	}
	if (lock->waiters.count > SHOWN_WAITERS)
		fprintf(out, "    %-12s and %zu more\n", "", lock->waiters.count - SHOWN_WAITERS);
}

/* Where a chain is longer than the lock and its holder: at whom it ends. */
static void put_head(const struct report *report, const struct lock *lock, FILE *out)
{
	size_t steps;

	if (!lock->waiters.count || !lock->holders.count)
		return;
	uint32_t head = wait_graph_head(&report->locks, lock->waiters.data[0], &steps);
	if (steps == report->locks.nr_tasks) {
		fprintf(out, "    %-12s in a circle: nobody goes on\n", "in the end");
		return;
	}
	if (steps < 2)
		return;
	fprintf(out, "    %-12s for ", "in the end");
	put_task(task_at(report, head), out);
	put_place(report, task_at(report, head), out);
	fprintf(out, ", over %zu locks\n", steps);
}

static void put_cycle(const struct report *report, FILE *out)
{
	const struct wait_cycle *cycle = &report->verdict.cycle;

	if (!cycle->count)
		return;
	fprintf(out, "\n  deadlock%s\n", cycle->certain ? "" : ", as far as the holders are known");
	for (size_t i = 0; i < cycle->count && i < WAIT_CYCLE_MAX; i++) {
		const struct lock *lock = locks_waited_for(&report->locks, cycle->tasks[i]);
		fputs("    ", out);
		put_task(task_at(report, cycle->tasks[i]), out);
		fprintf(out, " %s ", lock->spinning ? "spins for" : "waits for");
		put_lock(lock, out);
		fprintf(out, ", %s by\n", lock_participle(lock));
	}
	fputs("    ", out);
	put_task(task_at(report, cycle->tasks[0]), out);
	fputs(", where it began\n", out);
}

static int compare_locks(const void *a, const void *b)
{
	const struct lock *x = *(const struct lock *const *)a, *y = *(const struct lock *const *)b;

	if (x->waiters.count != y->waiters.count)
		return x->waiters.count < y->waiters.count ? 1 : -1;
	return x < y ? -1 : x > y;
}

bool text_has_locks(const struct report *report)
{
	for (size_t i = 0; i < report->locks.list.count; i++)
		if (report_is_contended(report, &report->locks.list.data[i]))
			return true;
	return false;
}

void text_put_locks(const struct report *report, FILE *out)
{
	const struct locks *locks = &report->locks;
	_cleanup_free_ const struct lock **sorted = calloc(locks->list.count + 1, sizeof(*sorted));
	size_t count = 0;

	for (size_t i = 0; sorted && i < locks->list.count; i++)
		if (report_is_contended(report, &locks->list.data[i]))
			sorted[count++] = &locks->list.data[i];
	if (count)
		qsort(sorted, count, sizeof(*sorted), compare_locks);
	put_cycle(report, out);
	for (size_t i = 0; i < count && i < SHOWN_LOCKS; i++) {
		fputs("\n  ", out);
		put_lock(sorted[i], out);
		fputc('\n', out);
		put_holders(report, sorted[i], out);
		put_waiters(report, sorted[i], out);
		put_head(report, sorted[i], out);
	}
	if (count > SHOWN_LOCKS)
		fprintf(out, "\n  and %zu more\n", count - SHOWN_LOCKS);
}

void text_put_wait(const struct report *report, uint32_t place, FILE *out)
{
	const struct lock *lock = locks_waited_for(&report->locks, place);

	if (!lock)
		return;
	fprintf(out, "    %s ", lock->spinning ? "spins for" : "waits for");
	put_lock(lock, out);
	for (size_t i = 0; i < lock->holders.count; i++) {
		const struct lock_holder *holder = &lock->holders.data[i];
		fprintf(out, ", %s%s%sby ", i ? "" : lock_participle(lock), i ? "" : " ",
			holder->certain ? "" : "perhaps ");
		put_task(task_at(report, holder->task), out);
	}
	fputc('\n', out);
}
