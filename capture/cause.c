// SPDX-License-Identifier: GPL-2.0-only
#include "capture/cause.h"

#include <stdio.h>
#include <string.h>

#include "base/print.h"
#include "capture/clock.h"
#include "state/stall.h"

static const char *const names[RECORD_NR_KINDS] = {
	[RECORD_KIND_SOFT_LOCKUP] = "soft-lockup",
	[RECORD_KIND_HARD_LOCKUP] = "hard-lockup",
	[RECORD_KIND_RCU_STALL] = "rcu-stall",
	[RECORD_KIND_HUNG_TASK] = "hung-task",
	[RECORD_KIND_WORKQUEUE_STALL] = "workqueue-stall",
	[RECORD_KIND_IRQ_STORM] = "irq-storm",
	[RECORD_KIND_SOFTIRQ_STORM] = "softirq-storm",
	[RECORD_KIND_NEED_RESCHED] = "need-resched",
};

static const char *const said[RECORD_NR_KINDS] = RECORD_KINDS_SAID;

const char *cause_kind_name(enum record_kind kind)
{
	return names[kind];
}

bool cause_is_machines(enum record_kind kind)
{
	return kind == RECORD_KIND_RCU_STALL || kind == RECORD_KIND_HUNG_TASK;
}

static uint64_t load(const __u64 *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void take_comm(struct cause *cause, const char *comm)
{
	memcpy(cause->comm, comm, sizeof(cause->comm));
	cause->comm[sizeof(cause->comm) - 1] = '\0';
	clean_text(cause->comm); /* it is what any user gave it */
}

static bool find_stall(const struct record_slot *slot, uint32_t cpu,
		       const struct cause_wanted *wanted, uint64_t now, struct cause *ret)
{
	struct record_sample sample;
	struct stall stall;

	stall_read(slot, cpu, &stall);
	if (stall_state(&stall, now, wanted->silent_ns) != STALL_ON ||
	    !stall_is_lockup(&stall, wanted->after_ns[RECORD_KIND_SOFT_LOCKUP]))
		return false;
	*ret = (struct cause){
		.kind = RECORD_KIND_SOFT_LOCKUP,
		.cpu = cpu,
		.seen_by = cpu,
		.onset_ns = stall.onset_ns,
		.last_ns = stall.last_ns,
		.lasted_ns = stall_length_ns(&stall),
	};
	if (stall_copy_newest(slot, stall.onset_ns, &sample)) {
		ret->pid = sample.pid;
		take_comm(ret, sample.comm);
	}
	return true;
}

/* The kernel looks for hung tasks when it likes: the first report of one is as good as the next. */
static bool is_lasting(enum record_kind kind, uint64_t since_ns, uint64_t last_ns,
		       const struct cause_wanted *wanted, uint64_t now)
{
	if (!since_ns || last_ns < since_ns ||
	    (last_ns == since_ns && kind != RECORD_KIND_HUNG_TASK))
		return false;
	return last_ns - since_ns >= wanted->after_ns[kind] && now < last_ns + CAUSE_FRESH_NS;
}

/* False: that place has nothing, or has something else meanwhile. */
static bool read_deaf(const struct record_deaf *deaf, uint32_t seen_by,
		      const struct cause_wanted *wanted, uint64_t now, struct cause *ret)
{
	uint64_t since_ns = load(&deaf->since_ns), last_ns = load(&deaf->last_ns);

	if (!is_lasting(RECORD_KIND_HARD_LOCKUP, since_ns, last_ns, wanted, now))
		return false;
	*ret = (struct cause){
		.kind = RECORD_KIND_HARD_LOCKUP,
		.cpu = deaf->cpu,
		.seen_by = seen_by,
		.onset_ns = since_ns,
		.last_ns = last_ns,
		.lasted_ns = last_ns - since_ns,
		.pid = deaf->pid,
	};
	take_comm(ret, deaf->comm);
	return load(&deaf->since_ns) == since_ns;
}

/* The name is in the event that was written with it, if that is still there. */
static void take_hung_task(const struct record_slot *slot, const struct record_condition *condition,
			   struct cause *ret)
{
	ret->pid = condition->words[1];
	for (size_t i = 0; i < RECORD_NR_EVENTS; i++) {
		struct record_event event;
		stall_copy_event(&slot->events[i], &event);
		if (event.number && event.number == event.number_end &&
		    event.kind == RECORD_EVENT_CONDITION &&
		    event.words[0] == RECORD_KIND_HUNG_TASK && event.pid == ret->pid)
			take_comm(ret, event.comm);
	}
}

static bool read_condition(const struct record_slot *slot, enum record_kind kind, uint32_t cpu,
			   const struct cause_wanted *wanted, uint64_t now, struct cause *ret)
{
	const struct record_condition *condition = &slot->conditions[kind];
	uint64_t since_ns = load(&condition->since_ns), last_ns = load(&condition->last_ns);

	if (!is_lasting(kind, since_ns, last_ns, wanted, now))
		return false;
	*ret = (struct cause){
		.kind = kind,
		.cpu = cpu,
		.seen_by = cpu,
		.onset_ns = since_ns,
		.last_ns = last_ns,
		.lasted_ns = last_ns - since_ns,
	};
	if (kind == RECORD_KIND_HUNG_TASK)
		take_hung_task(slot, condition, ret);
	return true;
}

static bool is_wanted(const struct cause_wanted *wanted, enum record_kind kind)
{
	return wanted->kinds & (1U << kind);
}

void cause_each(const struct record_slot *slot, uint32_t cpu, const struct cause_wanted *wanted,
		uint64_t now, bool (*found)(const struct cause *cause, void *arg), void *arg)
{
	struct cause cause;

	if (is_wanted(wanted, RECORD_KIND_SOFT_LOCKUP) &&
	    find_stall(slot, cpu, wanted, now, &cause) && !found(&cause, arg))
		return;
	for (size_t i = 0; i < RECORD_NR_DEAF && is_wanted(wanted, RECORD_KIND_HARD_LOCKUP); i++)
		if (read_deaf(&slot->deaf[i], cpu, wanted, now, &cause) && !found(&cause, arg))
			return;
	for (uint32_t kind = RECORD_KIND_RCU_STALL; kind < RECORD_NR_KINDS; kind++)
		if (is_wanted(wanted, kind) &&
		    read_condition(slot, kind, cpu, wanted, now, &cause) && !found(&cause, arg))
			return;
}

/* False: the event is none of an end, or not of one that is wanted. */
static bool read_end(const struct record_event *event, uint32_t seen_by,
		     const struct cause_wanted *wanted, struct cause *ret)
{
	bool deaf = event->kind == RECORD_EVENT_DEAF_END;
	uint64_t kind = deaf ? RECORD_KIND_HARD_LOCKUP : event->words[0];

	if ((!deaf && event->kind != RECORD_EVENT_CONDITION_END) || kind >= RECORD_NR_KINDS ||
	    !is_wanted(wanted, kind) || event->time_ns < event->since_ns ||
	    event->time_ns - event->since_ns < wanted->after_ns[kind])
		return false;
	*ret = (struct cause){
		.kind = kind,
		.cpu = event->cpu >= 0 ? (uint32_t)event->cpu : seen_by,
		.seen_by = seen_by,
		.onset_ns = event->since_ns,
		.last_ns = event->time_ns,
		.lasted_ns = event->time_ns - event->since_ns,
	};
	if (deaf) {
		ret->pid = event->pid;
		take_comm(ret, event->comm);
	}
	return true;
}

uint64_t cause_each_ended(const struct record_slot *slot, uint32_t cpu,
			  const struct cause_wanted *wanted, uint64_t number,
			  bool (*found)(const struct cause *cause, void *arg), void *arg)
{
	uint64_t last = load(&slot->last_event);
	struct record_event event;
	struct cause cause;

	for (size_t i = 0; i < RECORD_NR_EVENTS; i++) {
		stall_copy_event(&slot->events[i], &event);
		if (event.number <= number)
			continue;
		if (event.number != event.number_end)
			last = event.number <= last ? event.number - 1 : last;
		else if (read_end(&event, cpu, wanted, &cause) && !found(&cause, arg))
			break;
	}
	return last;
}

struct first {
	bool found;
	struct cause *cause;
};

static bool take_first(const struct cause *cause, void *arg)
{
	struct first *first = arg;

	*first->cause = *cause;
	first->found = true;
	return false;
}

bool cause_find(const struct record_slot *slot, uint32_t cpu, const struct cause_wanted *wanted,
		uint64_t now, struct cause *ret)
{
	struct first first = { .cause = ret };

	cause_each(slot, cpu, wanted, now, take_first, &first);
	return first.found;
}

void cause_describe(const struct cause *cause, char *ret, size_t size)
{
	unsigned long long ms = cause->lasted_ns / NS_PER_MS;
	/* How long a task has hung is the kernel's to say; here it counts from its first word of it. */
	bool timeless = cause->kind == RECORD_KIND_HUNG_TASK && !ms;
	int length = timeless ? snprintf(ret, size, "%s", said[cause->kind])
			      : snprintf(ret, size, "%s for %llu.%03llu s", said[cause->kind],
					 ms / 1000, ms % 1000);

	if (cause->pid && (size_t)length < size)
		snprintf(ret + length, size - length, ", in %s (pid %u)", cause->comm, cause->pid);
}
