// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the flight record has besides stalls: events, and what was so at the end. All CPUs look at the machine, and each
 * notes what it sees: what is the same for several of them is one event of the time line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verdict/verdict.h"

/* An event, and the CPU that saw it. */
struct sight {
	struct record_event event;
	uint32_t by;
};

struct sights {
	VECTOR(struct sight) list;
};

struct filler {
	struct timeline *timeline;
	struct kernel *kernel;
	const struct record *record;
	uint64_t end_ns;
};

static bool is_condition(const struct record_event *event)
{
	return event->kind == RECORD_EVENT_CONDITION || event->kind == RECORD_EVENT_CONDITION_END;
}

static bool is_deafness(const struct record_event *event)
{
	return event->kind == RECORD_EVENT_DEAF || event->kind == RECORD_EVENT_DEAF_END;
}

/* The grace period, the task: what several CPUs may speak of, or one again and again. */
static bool is_of_machine(const struct record_event *event)
{
	return is_condition(event) && (event->words[0] == RECORD_KIND_RCU_STALL ||
				       event->words[0] == RECORD_KIND_HUNG_TASK);
}

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* What may be the same stands together, in the order of time. */
static int compare_sights(const void *a, const void *b)
{
	const struct record_event *x = &((const struct sight *)a)->event;
	const struct record_event *y = &((const struct sight *)b)->event;
	int ret = compare(x->kind, y->kind);

	if (!ret && is_condition(x))
		ret = compare(x->words[0], y->words[0]);
	if (!ret && is_of_machine(x))
		ret = compare(x->words[1], y->words[1]);
	if (!ret && is_deafness(x))
		ret = compare(x->cpu, y->cpu);
	if (!ret && is_deafness(x))
		ret = compare(x->since_ns, y->since_ns);
	return ret ? ret : compare(x->time_ns, y->time_ns);
}

/* @a stands before @b. */
static bool is_same(const struct record_event *a, const struct record_event *b)
{
	if (a->kind != b->kind)
		return false;
	if (is_deafness(a))
		return a->cpu == b->cpu && a->since_ns == b->since_ns;
	if (a->kind == RECORD_EVENT_PAUSE)
		return b->since_ns < a->time_ns;
	return a->words[0] == b->words[0] && is_of_machine(a) && a->words[1] == b->words[1];
}

/* A CPU that was idle sees a grace period's end where there was none. */
static bool still_stalls(const struct record *record, uint64_t sequence)
{
	for (uint32_t cpu = 0; cpu < record->header->nr_slots; cpu++) {
		const struct record_condition *condition =
			&record_slot(record, cpu)->conditions[RECORD_KIND_RCU_STALL];
		if (condition->since_ns && condition->words[0] == sequence)
			return true;
	}
	return false;
}

/* An end that is none, or that the stall's own end tells already. */
static bool is_no_end(const struct filler *filler, const struct sight *sight)
{
	const struct record_event *event = &sight->event;

	if (event->kind != RECORD_EVENT_CONDITION_END)
		return false;
	if (event->words[0] == RECORD_KIND_RCU_STALL)
		return still_stalls(filler->record, event->words[1]);
	return event->words[0] == RECORD_KIND_NEED_RESCHED &&
	       record_slot(filler->record, sight->by)->end_ns == event->time_ns;
}

static double lasted_s(const struct record_event *event)
{
	return event->time_ns > event->since_ns ? (event->time_ns - event->since_ns) / 1e9 : 0;
}

static enum event_kind condition_kind(uint64_t kind)
{
	switch (kind) {
	case RECORD_KIND_RCU_STALL:
		return EVENT_RCU_STALL;
	case RECORD_KIND_HUNG_TASK:
		return EVENT_HUNG_TASK;
	case RECORD_KIND_WORKQUEUE_STALL:
		return EVENT_WORKQUEUE_STALL;
	case RECORD_KIND_IRQ_STORM:
		return EVENT_IRQ_STORM;
	case RECORD_KIND_SOFTIRQ_STORM:
		return EVENT_SOFTIRQ_STORM;
	case RECORD_KIND_HARD_LOCKUP:
		return EVENT_IRQS_OFF;
	}
	return EVENT_NEED_RESCHED;
}

static void describe_condition(const struct record_event *event, char *ret, size_t size)
{
	double s = lasted_s(event);
	unsigned long long word = event->words[1];

	switch (condition_kind(event->words[0])) {
	case EVENT_RCU_STALL:
		snprintf(ret, size, "RCU's grace period has not ended for %.1f s", s);
		break;
	case EVENT_HUNG_TASK:
		snprintf(ret, size, "blocked for longer than the kernel's own detector allows");
		break;
	case EVENT_WORKQUEUE_STALL:
		snprintf(ret, size, "this CPU's workers have left work undone for %.1f s", s);
		break;
	case EVENT_IRQ_STORM:
		snprintf(ret, size, "%llu %% of the CPU's time goes to interrupts, for %.1f s",
			 word, s);
		break;
	case EVENT_SOFTIRQ_STORM:
		snprintf(ret, size, "%llu %% of the CPU's time goes to softirqs, for %.1f s", word,
			 s);
		break;
	default:
		snprintf(ret, size, "asked to leave the CPU%s %.1f s ago, and still on it",
			 word == RECORD_RESCHED_LAZY ? " when it suits" : "", s);
	}
}

static void describe_end(const struct record_event *event, char *ret, size_t size)
{
	static const char *const texts[RECORD_NR_KINDS] = {
		[RECORD_KIND_RCU_STALL] = "RCU's grace period has ended",
		[RECORD_KIND_WORKQUEUE_STALL] = "this CPU's workers get on again",
		[RECORD_KIND_IRQ_STORM] = "the storm of interrupts is over",
		[RECORD_KIND_SOFTIRQ_STORM] = "the storm of softirqs is over",
		[RECORD_KIND_NEED_RESCHED] = "nobody asks for the CPU any more",
	};
	const char *text = texts[event->words[0]];

	snprintf(ret, size, "%s, after %.1f s", text ? text : "it is over", lasted_s(event));
}

static struct error *add_text(struct filler *filler, struct event *event, const char *text,
			      uint64_t ns)
{
	event->text = arena_strndup(&filler->timeline->text, text, strlen(text));
	if (!event->text)
		return &error_no_memory;
	return timeline_add(filler->timeline, event, ns, filler->end_ns);
}

/* Whose task the event's is: of what concerns the machine it is the observer's, and of no interest. */
static bool has_task(const struct record_event *event)
{
	if (event->kind == RECORD_EVENT_PAUSE)
		return false;
	return !is_condition(event) || event->words[0] != RECORD_KIND_RCU_STALL;
}

static struct error *add_sight(struct filler *filler, const struct sight *sight)
{
	const struct record_event *event = &sight->event;
	uint64_t ns = event->time_ns;
	char text[160];
	struct event ret = {
		.kind = EVENT_RECOVERED,
		.cpu = is_of_machine(event) || event->cpu < 0 ? -1 : event->cpu,
		.has_task = has_task(event),
		.pid = event->pid,
	};

	if (ret.has_task)
		ret.comm = arena_strndup(&filler->timeline->text, event->comm, strlen(event->comm));
	switch (event->kind) {
	case RECORD_EVENT_CONDITION:
		ret.kind = condition_kind(event->words[0]);
		describe_condition(event, text, sizeof(text));
		break;
	case RECORD_EVENT_CONDITION_END:
		describe_end(event, text, sizeof(text));
		break;
	case RECORD_EVENT_DEAF:
		ret.kind = EVENT_IRQS_OFF;
		ns = event->since_ns;
		snprintf(text, sizeof(text), "takes no interrupts from here on, as CPU %u sees",
			 sight->by);
		break;
	case RECORD_EVENT_DEAF_END:
		snprintf(text, sizeof(text), "takes interrupts again, after %.1f s",
			 lasted_s(event));
		break;
	default:
		ret.kind = EVENT_PAUSE;
		ns = event->since_ns;
		snprintf(text, sizeof(text), "the machine did not run for %.1f s", lasted_s(event));
	}
	return add_text(filler, &ret, text, ns);
}

static struct error *push(struct sights *sights, const struct record_event *event, uint32_t by)
{
	struct sight *place = vector_push(&sights->list);

	if (!place)
		return &error_no_memory;
	*place = (struct sight){ *event, by };
	return NULL;
}

/* The events of @cpu; and whom it sees deaf at the end, though that event may have been overwritten. */
static struct error *collect(struct sights *sights, const struct record *record, uint32_t cpu)
{
	const struct record_slot *slot = record_slot(record, cpu);
	const struct record_event *events[RECORD_NR_EVENTS];
	size_t torn, count = record_events(slot, events, &torn);
	struct error *err = NULL;

	for (size_t i = 0; !err && i < count; i++)
		err = push(sights, events[i], cpu);
	for (size_t i = 0; !err && i < RECORD_NR_DEAF; i++) {
		const struct record_deaf *deaf = &slot->deaf[i];
		struct record_event event = {
			.time_ns = deaf->last_ns,
			.since_ns = deaf->since_ns,
			.kind = RECORD_EVENT_DEAF,
			.cpu = deaf->cpu,
			.pid = deaf->pid,
		};
		memcpy(event.comm, deaf->comm, sizeof(event.comm));
		if (deaf->since_ns && deaf->last_ns)
			err = push(sights, &event, cpu);
	}
	return err;
}

static struct error *add_sights(struct filler *filler)
{
	struct sights sights = {};
	struct error *err = NULL;

	for (uint32_t cpu = 0; !err && cpu < filler->record->header->nr_slots; cpu++)
		err = collect(&sights, filler->record, cpu);
	if (sights.list.count)
		qsort(sights.list.data, sights.list.count, sizeof(*sights.list.data),
		      compare_sights);
	for (size_t i = 0; !err && i < sights.list.count;) {
		/* The first of those that are the same; but an end is when the last sees it. */
		const struct sight *first = &sights.list.data[i], *last = first;
		while (++i < sights.list.count &&
		       is_same(&first->event, &sights.list.data[i].event))
			last = &sights.list.data[i];
		const struct sight *sight =
			first->event.kind == RECORD_EVENT_CONDITION_END ? last : first;
		if (!is_no_end(filler, sight))
			err = add_sight(filler, sight);
	}
	vector_deinit(&sights.list);
	return err;
}

/* "FUNCTION(0x1, 0x2, 0x3)" */
static struct error *add_hits(struct filler *filler, uint32_t cpu)
{
	const struct record_hit *hits[RECORD_NR_HITS];
	size_t torn, count = record_hits(record_slot(filler->record, cpu), hits, &torn);
	struct error *err = NULL;
	char text[128];

	for (size_t i = 0; !err && i < count; i++) {
		const struct record_hit *hit = hits[i];
		struct event event = {
			.kind = EVENT_PROBE,
			.cpu = cpu,
			.has_task = true,
			.pid = hit->pid,
			.comm = hit->comm,
			.pcs = &hit->caller,
			.nr_pcs = hit->caller != 0,
		};
		snprintf(text, sizeof(text), "%s(0x%llx, 0x%llx, 0x%llx)",
			 filler->record->header->probes[hit->probe], hit->args[0], hit->args[1],
			 hit->args[2]);
		err = add_text(filler, &event, text, hit->time_ns);
	}
	return err;
}

static const char *lock_kind(uint32_t flags)
{
	return flags & (RECORD_LOCK_READ | RECORD_LOCK_WRITE) ? "rwlock" : "spinlock";
}

static void describe_lock(const struct filler *filler, const struct record_contention *lock,
			  bool still, char *ret, size_t size)
{
	struct symbol symbol = {};
	char place[32] = "";

	if (filler->kernel)
		symbol = symbols_lookup(&filler->kernel->symbols, lock->lock);
	if (!symbol.name)
		snprintf(place, sizeof(place), "at 0x%llx", lock->lock);
	else if (symbol.start != lock->lock)
		snprintf(place, sizeof(place), "+0x%llx",
			 (unsigned long long)(lock->lock - symbol.start));
	snprintf(ret, size, "%s for %s %s%s%s%s%s", still ? "spins" : "began to spin",
		 lock_kind(lock->flags), symbol.name ? symbol.name : "", place,
		 symbol.module ? " [" : "", symbol.module ? symbol.module->name : "",
		 symbol.module ? "]" : "");
}

/* The recorder's own program, and what called it. */
static bool is_tracing(const char *name)
{
	static const char *const prefixes[] = { "bpf_prog_", "bpf_trampoline_" };

	for (size_t i = 0; name && i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

static void set_stack(const struct filler *filler, const struct record_contention *lock,
		      struct event *event)
{
	size_t first = 0;

	if (!filler->kernel || lock->stack_ns != lock->since_ns)
		return;
	while (first < lock->nr_stack &&
	       is_tracing(symbols_lookup(&filler->kernel->symbols, lock->stack[first] - 1).name))
		first++;
	event->pcs = lock->stack + first;
	event->nr_pcs = lock->nr_stack - first;
}

/* Of a CPU that takes no interrupts there are no samples, but another has noted what it ran. */
static const char *find_comm(const struct record *record, uint32_t cpu, uint32_t pid)
{
	const struct record_sample *samples[RECORD_NR_SAMPLES];
	size_t torn, count = record_samples(record_slot(record, cpu), samples, &torn);
	struct seen_deaf deaf;

	if (count && samples[count - 1]->pid == pid)
		return samples[count - 1]->comm;
	return verdict_seen_deaf(record, cpu, &deaf) && deaf.place->pid == pid ? deaf.place->comm
									       : NULL;
}

/* Locks are contended all the time: only what has been waited for as long as a stall needs to be one is told. */
static bool is_stuck_at(const struct filler *filler, uint32_t cpu,
			const struct record_contention *lock)
{
	const struct record_slot *slot = record_slot(filler->record, cpu);
	struct seen_deaf deaf;

	if (!lock->lock || lock->since_ns > filler->end_ns ||
	    filler->end_ns - lock->since_ns < filler->record->header->sample_first_ns)
		return false;
	/* An idle CPU is not looked at, either. */
	return lock->since_ns > record_looked_ns(slot)
		       ? verdict_seen_deaf(filler->record, cpu, &deaf)
		       : record_is_spinning(slot, lock);
}

static struct error *add_locks(struct filler *filler, uint32_t cpu)
{
	const struct record_slot *slot = record_slot(filler->record, cpu);
	struct error *err = NULL;
	char text[KSYM_NAME_SIZE + 128];

	for (size_t i = 0; !err && i < RECORD_NR_CONTEXTS; i++) {
		const struct record_contention *lock = &slot->locks[i];
		if (!is_stuck_at(filler, cpu, lock))
			continue;
		struct event event = {
			.kind = EVENT_LOCK_WAIT,
			.cpu = cpu,
			.has_task = true,
			.pid = lock->pid,
			.comm = find_comm(filler->record, cpu, lock->pid),
		};
		set_stack(filler, lock, &event);
		describe_lock(filler, lock, lock->since_ns <= record_looked_ns(slot), text,
			      sizeof(text));
		err = add_text(filler, &event, text, lock->since_ns);
	}
	return err;
}

struct error *timeline_add_recorded(struct timeline *timeline, struct kernel *kernel,
				    const struct record *record)
{
	struct filler filler = { timeline, kernel, record, timeline_end_ns(record) };
	struct error *err = add_sights(&filler);

	for (uint32_t cpu = 0; !err && cpu < record->header->nr_slots; cpu++) {
		err = add_hits(&filler, cpu);
		if (!err)
			err = add_locks(&filler, cpu);
	}
	return err;
}
