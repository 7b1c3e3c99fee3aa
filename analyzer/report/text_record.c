// SPDX-License-Identifier: GPL-2.0-only
#include "report/text_record.h"

#include <math.h>
#include <time.h>

#include "base/print.h"
#include "unwind/unwind.h"
#include "verdict/timeline.h"

struct printer {
	const struct record *record;
	uint64_t end_ns; /* of the record */
	FILE *out;
};

static void put_fact(const struct printer *p, const char *name, const char *value)
{
	fprintf(p->out, "%-10s ", name);
	print_text(value, p->out);
	fputc('\n', p->out);
}

static void put_task(const struct printer *p, const char *comm, uint32_t pid)
{
	print_text(comm, p->out);
	fprintf(p->out, "/%u", pid);
}

static double age_s(const struct printer *p, uint64_t ns)
{
	return p->end_ns > ns ? (p->end_ns - ns) / 1e9 : 0;
}

static void put_stall(const struct printer *p, const struct record_slot *slot, size_t nr_samples)
{
	uint64_t end_ns = slot->end_ns ? slot->end_ns : p->end_ns;

	fprintf(p->out, "; the last one %.3f s, %s, %zu samples",
		record_stall_ns(slot->onset_ns, end_ns, slot->paused_ns) / 1e9,
		slot->end_ns ? "ended by itself" : "did not end", nr_samples);
	if (slot->paused_ns)
		fprintf(p->out, "; the machine did not run for another %.3f s",
			slot->paused_ns / 1e9);
	if (slot->switch_ns && slot->switch_ns < slot->onset_ns)
		fprintf(p->out, "; the last task switch %.3f s before its onset",
			(slot->onset_ns - slot->switch_ns) / 1e9);
}

static void put_samples(const struct printer *p, const struct record_sample *const *samples,
			size_t count)
{
	const struct unwind_arch *arch = unwind_arch_find(p->record->header->machine);

	for (size_t i = 0; i < count; i++) {
		const struct record_sample *sample = samples[i];
		fprintf(p->out, "  %8.3f  ", (sample->time_ns - sample->onset_ns) / 1e9);
		put_task(p, sample->comm, sample->pid);
		if (arch && sample->flags & RECORD_SAMPLE_REGS)
			fprintf(p->out, "  %s 0x%llx", arch->register_names[arch->pc],
				(unsigned long long)sample->regs[arch->pc]);
		fprintf(p->out, ", %u return addresses", sample->nr_stack);
		if (sample->lock)
			fprintf(p->out, ", spins for 0x%llx", (unsigned long long)sample->lock);
		fputc('\n', p->out);
	}
}

/* What was wrong at the end; the time line has it only if it had lasted. */
static void put_conditions(const struct printer *p, const struct record_slot *slot)
{
	static const char *const names[RECORD_NR_KINDS] = {
		[RECORD_KIND_RCU_STALL] = "a grace period goes on",
		[RECORD_KIND_HUNG_TASK] = "a task hangs",
		[RECORD_KIND_WORKQUEUE_STALL] = "work is left undone",
		[RECORD_KIND_IRQ_STORM] = "interrupts take all time",
		[RECORD_KIND_SOFTIRQ_STORM] = "softirqs take all time",
		[RECORD_KIND_NEED_RESCHED] = "it is to be left and is not",
	};
	const char *before = "  at the end: ";

	for (size_t i = 0; i < RECORD_NR_KINDS; i++) {
		const struct record_condition *condition = &slot->conditions[i];
		/* A look alone is not believed. */
		if (!names[i] || !condition->since_ns || !condition->last_ns)
			continue;
		fprintf(p->out, "%s%s, for %.1f s", before, names[i],
			age_s(p, condition->since_ns));
		before = "; ";
	}
	for (size_t i = 0; i < RECORD_NR_DEAF; i++) {
		const struct record_deaf *deaf = &slot->deaf[i];
		if (!deaf->since_ns || !deaf->last_ns)
			continue;
		fprintf(p->out, "%sCPU %u, which runs ", before, deaf->cpu);
		put_task(p, deaf->comm, deaf->pid);
		fprintf(p->out, ", takes no interrupts, for %.1f s", age_s(p, deaf->since_ns));
		before = "; ";
	}
	if (*before == ';')
		fputc('\n', p->out);
}

static void put_locks(const struct printer *p, const struct record_slot *slot)
{
	static const char *const contexts[RECORD_NR_CONTEXTS] = { "task", "softirq", "interrupt",
								  "NMI" };

	for (size_t i = 0; i < RECORD_NR_CONTEXTS; i++) {
		const struct record_contention *lock = &slot->locks[i];
		if (!lock->lock || !record_is_spinning(slot, lock))
			continue;
		/* Where nobody has looked since, it may be over. */
		fprintf(p->out, "  in %s it %s for 0x%llx, for %.3f s\n", contexts[i],
			lock->since_ns > record_looked_ns(slot) ? "spins, or did," : "spins",
			(unsigned long long)lock->lock, age_s(p, lock->since_ns));
	}
}

static void put_neighbours(const struct printer *p, const struct record_slot *slot)
{
	const char *before = "  at its onset: ";

	for (size_t i = 0; i < RECORD_NR_NEIGHBOURS; i++) {
		const struct record_neighbour *neighbour = &slot->neighbours[i];
		if (!neighbour->online)
			continue;
		fprintf(p->out, "%sCPU %u ", before, neighbour->cpu);
		if (neighbour->pid)
			put_task(p, neighbour->comm, neighbour->pid);
		else
			fputs("idle", p->out);
		before = ", ";
	}
	if (*before == ',')
		fputc('\n', p->out);
}

static void put_slot(const struct printer *p, uint32_t cpu)
{
	const struct record_slot *slot = record_slot(p->record, cpu);
	const struct record_sample *samples[RECORD_NR_SAMPLES];
	char torn_text[128];
	size_t torn, count = record_samples(slot, samples, &torn);

	if (record_slot_is_torn(slot))
		count = 0;
	fprintf(p->out, "CPU %-3u  %llu ticks, %llu stall%s", cpu, (unsigned long long)slot->ticks,
		(unsigned long long)slot->stalls, slot->stalls == 1 ? "" : "s");
	if (count)
		put_stall(p, slot, count);
	fputc('\n', p->out);
	if (record_describe_torn(slot, torn_text, sizeof(torn_text)))
		fprintf(p->out, "  torn: %s\n", torn_text);
	put_conditions(p, slot);
	put_locks(p, slot);
	if (!count)
		return;
	put_neighbours(p, slot);
	put_samples(p, samples, count);
}

static void put_event(const struct printer *p, const struct event *event)
{
	/* No minus before a zero. */
	fprintf(p->out, "  %8.3f  ", fabs(event->t_s) < 0.0005 ? 0.0 : event->t_s);
	if (event->cpu >= 0)
		fprintf(p->out, "CPU %d ", event->cpu);
	fprintf(p->out, "%s ", event_name(event->kind));
	if (event->has_task) {
		put_task(p, event->comm ? event->comm : "?", event->pid);
		fputc(' ', p->out);
	}
	if (event->text)
		print_text(event->text, p->out);
	if (event->kind == EVENT_PROBE && event->nr_pcs)
		fprintf(p->out, " from 0x%llx", (unsigned long long)event->pcs[0]);
	fputc('\n', p->out);
}

static struct error *put_timeline(const struct printer *p)
{
	const struct machine machine = {};
	const struct dmesg dmesg = {};
	struct timeline timeline;
	bool any = false;

	struct error *err = timeline_init(&timeline, NULL, p->record, &dmesg, &machine);
	for (size_t i = 0; !err && i < timeline.events.count; i++) {
		if (timeline.events.data[i].kind == EVENT_SAMPLE)
			continue;
		if (!any)
			fputs("Time line (seconds to the end)\n", p->out);
		any = true;
		put_event(p, &timeline.events.data[i]);
	}
	timeline_deinit(&timeline);
	return err;
}

struct error *text_put_record(const struct record *record, FILE *out)
{
	const struct printer p = { record, timeline_end_ns(record), out };
	const struct record_header *header = record->header;
	time_t start = header->anchor_realtime_ns / 1000000000;
	char stamp[64] = "unknown";
	struct tm tm;

	if (gmtime_r(&start, &tm))
		strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S UTC", &tm);
	put_fact(&p, "release", header->release);
	put_fact(&p, "boot", header->boot_id);
	put_fact(&p, "since", stamp);
	put_fact(&p, "sampled by", header->tick_hook);
	if (header->incident[0])
		put_fact(&p, "incident", header->incident);
	if (header->fired_by != RECORD_FIRED_NONE) {
		fprintf(out, "trigger    CPU %d: ", header->fired_cpu);
		print_text(header->fired_reason, out);
		fputc('\n', out);
	}
	for (uint32_t cpu = 0; cpu < header->nr_slots; cpu++)
		put_slot(&p, cpu);
	return put_timeline(&p);
}
