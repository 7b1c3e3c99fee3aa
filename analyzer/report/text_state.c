// SPDX-License-Identifier: GPL-2.0-only
#include "report/text_state.h"

#include <stdarg.h>

#include "base/print.h"

#define SHOWN_WAITING 5
#define SHOWN_LATE_NS 500000000ull /* less is nothing to speak of */

/* Facts on one line, each but the first behind a comma. */
struct line {
	const char *indent;
	FILE *out;
	unsigned int count;
};

static void __attribute__((format(printf, 2, 3))) add(struct line *line, const char *format, ...)
{
	va_list args;

	fputs(line->count++ ? ", " : line->indent, line->out);
	va_start(args, format);
	vfprintf(line->out, format, args);
	va_end(args);
}

static void end(struct line *line)
{
	if (line->count)
		fputc('\n', line->out);
	line->count = 0;
}

static void add_preempt(struct line *line, const struct cpu_state *state)
{
	const struct preempt_parts parts = cpu_preempt_parts(state->preempt_count);
	const struct {
		const char *name;
		unsigned int count;
	} all[] = { { "preemption", parts.preempt },
		    { "softirqs", parts.softirq },
		    { "in interrupt", parts.hardirq },
		    { "in NMI", parts.nmi } };
	const char *before = " (";

	if (!state->has_preempt_count || !state->preempt_count)
		return;
	add(line, "preempt count 0x%x", state->preempt_count);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (!all[i].count)
			continue;
		fprintf(line->out, "%s%s %u", before, all[i].name, all[i].count);
		before = ", ";
	}
	/* It may have bits that are none of these. */
	if (*before == ',')
		fputc(')', line->out);
}

static void add_softirqs(struct line *line, const struct cpu_state *state)
{
	const char *before = "pending softirqs ";

	if (!state->has_softirqs)
		return;
	for (unsigned int bit = 0; cpu_softirq_name(bit); bit++) {
		if (!(state->softirqs >> bit & 1))
			continue;
		if (*before != ' ')
			add(line, "%s%s", before, cpu_softirq_name(bit));
		else
			fprintf(line->out, "%s%s", before, cpu_softirq_name(bit));
		before = " ";
	}
}

static bool is_late(uint64_t ns)
{
	return ns != CLOCK_UNKNOWN && ns >= SHOWN_LATE_NS;
}

static void put_waiting(struct line *line, const struct cpu_state *state)
{
	for (size_t i = 0; i < state->waiting.count && i < SHOWN_WAITING; i++) {
		const struct task *task = state->waiting.data[i];
		add(line, "%s", i ? "" : "waiting: ");
		print_text(task->comm, line->out);
		fprintf(line->out, "/%u", task->pid);
		if (task->wait_ns != CLOCK_UNKNOWN)
			fprintf(line->out, " %.1f s", task->wait_ns / 1e9);
		if (task->scheduling.throttled)
			fputs(" (throttled)", line->out);
	}
	if (state->waiting.count > SHOWN_WAITING)
		add(line, "and %zu more", state->waiting.count - SHOWN_WAITING);
	end(line);
}

static void put_times(struct line *line, const struct cpu_state *state)
{
	for (size_t i = 0; state->has_times && i < NR_CPU_TIMES; i++)
		if (state->times[i] >= 50000000) /* 0.1 s */
			add(line, "%s%s %.1f s", line->count ? "" : "time: ", cpu_time_name(i),
			    state->times[i] / 1e9);
	end(line);
}

void text_put_cpu_state(const struct report *report, size_t index, const char *indent, FILE *out)
{
	const struct cpu_state *state = report_cpu_state(report, index);
	uint64_t thresh_s = report->cpu_states.watchdog_thresh_s;
	struct line line = { indent, out };

	if (!state)
		return;
	if (state->has_need_resched && (state->need_resched || state->need_resched_lazy))
		add(&line, state->need_resched ? "need_resched" : "need_resched_lazy");
	add_preempt(&line, state);
	add_softirqs(&line, state);
	if (is_late(state->timer_late_ns))
		add(&line, "timers %.1f s late", state->timer_late_ns / 1e9);
	if (is_late(state->hrtimer_late_ns))
		add(&line, "hrtimers %.1f s late", state->hrtimer_late_ns / 1e9);
	if (state->holds_up_rcu && is_late(report->cpu_states.grace_period_ns))
		add(&line, "RCU waits for it, %.1f s", report->cpu_states.grace_period_ns / 1e9);
	if (state->watchdog_scheduled_ns != CLOCK_UNKNOWN && thresh_s &&
	    state->watchdog_scheduled_ns / 1000000000 > thresh_s)
		add(&line, "the watchdog ran %.0f s ago", state->watchdog_scheduled_ns / 1e9);
	end(&line);
	put_waiting(&line, state);
	put_times(&line, state);
}

void text_put_offline(const struct report *report, const char *indent, FILE *out)
{
	struct line line = { indent, out };

	for (size_t i = 0; i < report->cpus.list.count; i++)
		if (!report->cpus.list.data[i].online)
			add(&line, "%sCPU %u",
			    line.count ? "" : "offline: ", report->cpus.list.data[i].number);
	end(&line);
}

void text_put_memory(const struct report *report, FILE *out)
{
	const struct meminfo *memory = &report->machine.memory;
	const struct {
		const char *name;
		uint64_t pages;
	} sizes[] = {
		{ "total", memory->total },	    { "free", memory->free },
		{ "available", memory->available }, { "anonymous", memory->anon },
		{ "file", memory->file },	    { "slab", memory->slab },
		{ "swap", memory->swap_total },	    { "swap free", memory->swap_free },
	};
	const struct task *largest[REPORT_TOP_TASKS];
	size_t count = report_largest_tasks(report, largest);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (sizes[i].pages != MEMINFO_UNKNOWN)
			fprintf(out, "  %-10s %10llu kB\n", sizes[i].name,
				(unsigned long long)(sizes[i].pages * (PAGE_SIZE / 1024)));
	for (size_t i = 0; i < count; i++) {
		fprintf(out, "  %-10s %10llu kB  ", i ? "" : "largest",
			(unsigned long long)(largest[i]->rss_pages * (PAGE_SIZE / 1024)));
		print_text(largest[i]->comm, out);
		fprintf(out, " (pid %u)\n", largest[i]->pid);
	}
}
