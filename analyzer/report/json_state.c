// SPDX-License-Identifier: GPL-2.0-only
#include "report/json_state.h"

typedef struct json_object json;

static json *taint(uint64_t value)
{
	if (value == MACHINE_UNKNOWN)
		return NULL;
	json *object = json_object_new_object(), *words = json_object_new_array();
	char letters[33];

	machine_taint_letters(value, letters);
	for (unsigned int bit = 0; bit < MACHINE_TAINT_BITS; bit++)
		if (machine_taint_words(value, bit))
			json_object_array_add(words, json_text(machine_taint_words(value, bit)));
	json_add(object, "value", json_number(value));
	json_add(object, "flags", json_text(letters));
	json_add(object, "words", words);
	return object;
}

static json *load(const struct machine *machine)
{
	if (machine->load[0] < 0)
		return NULL;
	json *array = json_object_new_array();

	for (size_t i = 0; i < 3; i++)
		json_object_array_add(array, json_double(machine->load[i]));
	return array;
}

static json *rcu(const struct report *report)
{
	const struct cpu_states *states = &report->cpu_states;

	if (states->grace_period_ns == CLOCK_UNKNOWN)
		return NULL;
	json *object = json_object_new_object(), *cpus = json_object_new_array();

	for (size_t i = 0; i < states->list.count; i++)
		if (states->list.data[i].holds_up_rcu)
			json_object_array_add(cpus, json_number(report->cpus.list.data[i].number));
	json_add(object, "grace_period_s", json_seconds(states->grace_period_ns));
	json_add(object, "waits_for_cpus", cpus);
	return object;
}

/* "": unknown. */
static json *known_text(const char *s)
{
	return json_text(s[0] ? s : NULL);
}

static json *known_int(int32_t n)
{
	return n < 0 ? NULL : json_number(n);
}

json *json_kernel(const struct report *report)
{
	const struct machine *machine = &report->machine;
	json *object = json_object_new_object();

	json_add(object, "release", known_text(machine->release));
	json_add(object, "version", known_text(machine->version));
	json_add(object, "build_id", known_text(machine->build_id));
	json_add(object, "machine", known_text(machine->machine));
	json_add(object, "cmdline", known_text(machine->cmdline));
	json_add(object, "taint", taint(machine->taint));
	json_add(object, "kaslr_offset", json_number(machine->kaslr_offset));
	json_add(object, "uptime_s", json_seconds(machine->uptime_ns));
	json_add(object, "crash_time", json_number(machine->crash_time_s));
	json_add(object, "panic", json_text(machine->panic));
	json_add(object, "panic_cpu", known_int(machine->panic_cpu));
	json_add(object, "oops_in_progress", known_int(machine->oops_in_progress));
	json_add(object, "load", load(machine));
	json_add(object, "watchdog_thresh_s", json_number(report->cpu_states.watchdog_thresh_s));
	json_add(object, "rcu", rcu(report));
	return object;
}

static json *kb(uint64_t pages)
{
	return pages == MEMINFO_UNKNOWN ? NULL : json_number(pages * (PAGE_SIZE / 1024));
}

json *json_memory(const struct report *report)
{
	const struct meminfo *memory = &report->machine.memory;
	json *object = json_object_new_object(), *top = json_object_new_array();
	const struct task *largest[REPORT_TOP_TASKS];
	size_t count = report_largest_tasks(report, largest);

	for (size_t i = 0; i < count; i++) {
		json *entry = json_object_new_object();
		json_add(entry, "pid", json_number(largest[i]->pid));
		json_add(entry, "comm", json_text(largest[i]->comm));
		json_add(entry, "rss_kb", kb(largest[i]->rss_pages));
		json_object_array_add(top, entry);
	}
	json_add(object, "total_kb", kb(memory->total));
	json_add(object, "free_kb", kb(memory->free));
	json_add(object, "available_kb", kb(memory->available));
	json_add(object, "slab_kb", kb(memory->slab));
	json_add(object, "slab_reclaimable_kb", kb(memory->slab_reclaimable));
	json_add(object, "anon_kb", kb(memory->anon));
	json_add(object, "file_kb", kb(memory->file));
	json_add(object, "shared_kb", kb(memory->shared));
	json_add(object, "dirty_kb", kb(memory->dirty));
	json_add(object, "writeback_kb", kb(memory->writeback));
	json_add(object, "swap_total_kb", kb(memory->swap_total));
	json_add(object, "swap_free_kb", kb(memory->swap_free));
	json_add(object, "top", top);
	return object;
}

static void add_scheduling(json *object, const struct task *task)
{
	json_add(object, "policy", json_text(scheduling_policy(&task->scheduling)));
	json_add(object, "priority", json_object_new_int(task->scheduling.priority));
}

json *json_runqueue(const struct report *report, size_t index)
{
	json *object = json_object_new_object(), *waiting = json_object_new_array();
	const struct cpu_state *state = report_cpu_state(report, index);

	for (size_t i = 0; state && i < state->waiting.count; i++) {
		const struct task *task = state->waiting.data[i];
		json *entry = json_object_new_object();
		json_add(entry, "pid", json_number(task->pid));
		json_add(entry, "comm", json_text(task->comm));
		json_add(entry, "wait_s", json_seconds(task->wait_ns));
		json_add(entry, "class",
			 json_text(scheduling_class(report->kernel, &task->scheduling)));
		add_scheduling(entry, task);
		json_add(entry, "throttled", json_object_new_boolean(task->scheduling.throttled));
		json_object_array_add(waiting, entry);
	}
	json_add(object, "nr_running", json_number(report->cpus.list.data[index].nr_running));
	json_add(object, "waiting", waiting);
	return object;
}

static json *preempt(const struct cpu_state *state)
{
	if (!state->has_preempt_count)
		return NULL;
	const struct preempt_parts parts = cpu_preempt_parts(state->preempt_count);
	json *object = json_object_new_object();

	json_add(object, "count", json_number(state->preempt_count));
	json_add(object, "preempt", json_number(parts.preempt));
	json_add(object, "softirq", json_number(parts.softirq));
	json_add(object, "hardirq", json_number(parts.hardirq));
	json_add(object, "nmi", json_number(parts.nmi));
	return object;
}

static json *softirqs(const struct cpu_state *state)
{
	if (!state->has_softirqs)
		return NULL;
	json *array = json_object_new_array();

	for (unsigned int bit = 0; cpu_softirq_name(bit); bit++)
		if (state->softirqs >> bit & 1)
			json_object_array_add(array, json_text(cpu_softirq_name(bit)));
	return array;
}

static json *times(const struct cpu_state *state)
{
	static const char *const keys[NR_CPU_TIMES] = {
		[CPU_TIME_USER] = "user_s",	[CPU_TIME_NICE] = "nice_s",
		[CPU_TIME_SYSTEM] = "system_s", [CPU_TIME_SOFTIRQ] = "softirq_s",
		[CPU_TIME_IRQ] = "irq_s",	[CPU_TIME_IDLE] = "idle_s",
		[CPU_TIME_IOWAIT] = "iowait_s", [CPU_TIME_STEAL] = "steal_s",
		[CPU_TIME_GUEST] = "guest_s",	[CPU_TIME_GUEST_NICE] = "guest_nice_s",
	};

	if (!state->has_times)
		return NULL;
	json *object = json_object_new_object();
	for (size_t i = 0; i < NR_CPU_TIMES; i++)
		json_add(object, keys[i], json_seconds(state->times[i]));
	return object;
}

static json *timers(const struct cpu_state *state)
{
	json *object = json_object_new_object();

	json_add(object, "late_s", json_seconds(state->timer_late_ns));
	json_add(object, "hrtimer_late_s", json_seconds(state->hrtimer_late_ns));
	return object;
}

static json *watchdog(const struct cpu_state *state)
{
	json *object = json_object_new_object();

	json_add(object, "scheduled_s", json_seconds(state->watchdog_scheduled_ns));
	json_add(object, "report_s", json_seconds(state->watchdog_report_ns));
	return object;
}

static json *flag(bool known, bool value)
{
	return known ? json_object_new_boolean(value) : NULL;
}

void json_add_cpu_state(json *object, const struct report *report, size_t index)
{
	const struct cpu_state *state = report_cpu_state(report, index);

	if (!state)
		state = &cpu_state_unknown;
	json_add(object, "running_s", json_seconds(state->running_ns));
	json_add(object, "need_resched", flag(state->has_need_resched, state->need_resched));
	json_add(object, "need_resched_lazy",
		 flag(state->has_need_resched, state->need_resched_lazy));
	json_add(object, "preempt", preempt(state));
	json_add(object, "softirqs_pending", softirqs(state));
	json_add(object, "time", times(state));
	json_add(object, "timers", timers(state));
	json_add(object, "watchdog", watchdog(state));
}

void json_add_task_state(json *object, const struct task *task)
{
	json_add(object, "kernel_thread", json_object_new_boolean(task->kernel_thread));
	add_scheduling(object, task);
	json_add(object, "rss_kb", task->mm ? kb(task->rss_pages) : NULL);
}
