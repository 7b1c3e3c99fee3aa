// SPDX-License-Identifier: GPL-2.0-only
#include "report/notice.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/print.h"
#include "state/clocks.h"
#include "state/stall.h"
#include "symbols/ksyms.h"
#include "unwind/unwind.h"

#define SILENT_NS (10 * SECOND_NS) /* neither seen nor ended for so long: no timer interrupts */
#define MAX_CPUS \
	5 /* ramoops has 4 KB for it, and the kernel's log takes ten lines: the rest is counted */
#define WIDTH	 150 /* of a line, if a single function is not longer */
#define MAX_ROWS 3 /* of a stack */

/* One CPU, and what it did last. */
struct subject {
	struct stall stall;
	bool locked_up; /* by that stall, until its end */
	const struct record_deaf *deaf; /* as another CPU sees it; NULL: it takes interrupts */
	const struct record_sample *sample; /* the stall's newest, or NULL */
	const __u64 *pcs;
	size_t nr_pcs;
};

static void look(const struct record *record, uint32_t cpu, struct subject *ret)
{
	const struct unwind_arch *arch = unwind_arch_find(record->header->machine);
	const struct record_slot *slot = record_slot(record, cpu);

	*ret = (struct subject){};
	stall_read(slot, cpu, &ret->stall);
	if (!ret->stall.onset_ns)
		return;
	ret->locked_up = stall_is_lockup(&ret->stall, record->header->threshold_ns);
	ret->sample = stall_newest_sample(slot, ret->stall.onset_ns);
	if (ret->sample && arch)
		ret->nr_pcs = sample_stack(ret->sample, ret->sample->regs[arch->pc], &ret->pcs);
}

/* Whom @cpu sees to take no interrupts. Others may see the same. */
static void ask_neighbour(const struct record *record, uint32_t cpu, uint64_t now_ns,
			  struct subject *list)
{
	for (size_t i = 0; i < RECORD_NR_DEAF; i++) {
		const struct record_deaf *deaf = &record_slot(record, cpu)->deaf[i];
		if (!deaf->since_ns || deaf->last_ns < deaf->since_ns ||
		    deaf->last_ns + SILENT_NS < now_ns || deaf->cpu >= record->header->nr_slots)
			continue;
		struct subject *subject = &list[deaf->cpu];
		if (!subject->deaf || deaf->since_ns < subject->deaf->since_ns)
			subject->deaf = deaf;
	}
}

static uint64_t since_ns(const struct subject *subject)
{
	return subject->locked_up ? subject->stall.onset_ns : subject->deaf->since_ns;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = since_ns(a), y = since_ns(b);

	return x < y ? -1 : x > y;
}

/* The last that was stuck; its locked_up is not set if none was. */
static struct subject choose_last(const struct subject *list, size_t count)
{
	struct subject last = {};

	for (size_t i = 0; i < count; i++)
		if (list[i].locked_up && list[i].stall.last_ns > last.stall.last_ns)
			last = list[i];
	return last;
}

/* Leaves those of @list that are stuck, the first one first. Returns how many. */
static size_t choose_stuck(struct subject *list, size_t count)
{
	size_t left = 0;

	for (size_t i = 0; i < count; i++) {
		struct subject *subject = &list[i];
		if (subject->stall.end_ns)
			*subject = (struct subject){ .stall.cpu = i, .deaf = subject->deaf };
		if (subject->locked_up || subject->deaf)
			list[left++] = *subject;
	}
	qsort(list, left, sizeof(*list), compare);
	return left;
}

/* Those that are stuck; if there is none, the last that was. */
static struct error *choose(const struct record *record, uint64_t now_ns, struct subject **ret,
			    size_t *ret_count)
{
	uint32_t nr_slots = record->header->nr_slots;
	struct subject *list = calloc(nr_slots + 1, sizeof(*list));

	if (!list)
		return &error_no_memory;
	for (uint32_t cpu = 0; cpu < nr_slots; cpu++)
		look(record, cpu, &list[cpu]);
	for (uint32_t cpu = 0; cpu < nr_slots; cpu++)
		ask_neighbour(record, cpu, now_ns, list);
	struct subject last = choose_last(list, nr_slots);
	*ret_count = choose_stuck(list, nr_slots);
	if (!*ret_count && last.locked_up)
		list[(*ret_count)++] = last;
	*ret = list;
	return NULL;
}

static double seconds(uint64_t ns)
{
	return (double)ns / SECOND_NS;
}

static void print_time(const struct record *record, uint64_t monotonic_ns, FILE *out)
{
	time_t whole = record_realtime_ns(record->header, monotonic_ns) / SECOND_NS;
	struct tm tm;
	char text[64] = "an unknown time";

	if (gmtime_r(&whole, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm);
	fputs(text, out);
}

static void print_task(const struct subject *subject, FILE *out)
{
	const struct record_sample *sample = subject->sample;

	if (!subject->locked_up && subject->deaf)
		sample = NULL; /* it may be older */
	if (!sample && !subject->deaf)
		return;
	fputs(", in ", out);
	print_text(sample ? sample->comm : subject->deaf->comm, out);
	fprintf(out, " (pid %u)", sample ? sample->pid : subject->deaf->pid);
	if (sample && sample->nr_running > 1)
		fprintf(out, ", %u wait", sample->nr_running - 1);
}

/* For how long a CPU that has no end of its stall was not even seen to be in it; 0: not long. */
static uint64_t silence_ns(const struct subject *subject, uint64_t now_ns)
{
	const struct stall *stall = &subject->stall;

	if (subject->deaf)
		return subject->deaf->last_ns - subject->deaf->since_ns;
	if (stall->end_ns || now_ns <= stall->last_ns || now_ns - stall->last_ns <= SILENT_NS)
		return 0;
	return now_ns - stall->last_ns;
}

static void print_head(const struct record *record, const struct subject *subject, uint64_t now_ns,
		       FILE *out)
{
	const struct stall *stall = &subject->stall;
	uint64_t silent_ns = silence_ns(subject, now_ns);

	if (subject->locked_up)
		fprintf(out, "CPU %u %s stuck for %.1f s", stall->cpu, stall->end_ns ? "was" : "is",
			seconds(stall_length_ns(stall)));
	else
		fprintf(out, "CPU %u takes no interrupts for %.1f s", subject->deaf->cpu,
			seconds(silent_ns));
	fputs(", since ", out);
	print_time(record, since_ns(subject), out);
	print_task(subject, out);
	if (subject->locked_up && silent_ns)
		fprintf(out, "; no timer interrupts for %.1f s", seconds(silent_ns));
	fputc('\n', out);
}

/* As the CPU has it that has seen it for longest; NULL: none sees it. */
static const struct record_condition *find_condition(const struct record *record,
						     enum record_kind kind, uint32_t *ret_cpu)
{
	const struct record_condition *longest = NULL;

	for (uint32_t cpu = 0; cpu < record->header->nr_slots; cpu++) {
		const struct record_condition *condition =
			&record_slot(record, cpu)->conditions[kind];
		/* A look alone is not believed. */
		if (!condition->since_ns || !condition->last_ns)
			continue;
		if (longest && longest->since_ns <= condition->since_ns)
			continue;
		longest = condition;
		*ret_cpu = cpu;
	}
	return longest;
}

/* What else is wrong; false: nothing. */
static bool print_conditions(const struct record *record, FILE *out)
{
	static const char *const said[RECORD_NR_KINDS] = {
		[RECORD_KIND_RCU_STALL] = "an RCU grace period does not end",
		[RECORD_KIND_HUNG_TASK] = "a task hangs",
		[RECORD_KIND_WORKQUEUE_STALL] = "work is left undone",
		[RECORD_KIND_IRQ_STORM] = "interrupts take all its time",
		[RECORD_KIND_SOFTIRQ_STORM] = "softirqs take all its time",
	};
	bool any = false;

	for (size_t kind = 0; kind < RECORD_NR_KINDS; kind++) {
		uint32_t cpu;
		const struct record_condition *condition =
			said[kind] ? find_condition(record, kind, &cpu) : NULL;
		if (!condition)
			continue;
		fprintf(out, "CPU %u sees: %s", cpu, said[kind]);
		if (kind == RECORD_KIND_HUNG_TASK)
			fprintf(out, " (pid %llu)", (unsigned long long)condition->words[1]);
		fputs(", since ", out);
		print_time(record, condition->since_ns, out);
		fputc('\n', out);
		any = true;
	}
	return any;
}

/* A return address may be the first byte of the next function: the call is what counts. */
static uint64_t key_of(const struct subject *subject, size_t i)
{
	bool is_interrupted = !i && (subject->sample->flags & RECORD_SAMPLE_REGS);

	return is_interrupted ? subject->pcs[i] : subject->pcs[i] - 1;
}

/* From the innermost on, several to a line. */
static void print_stack(const struct subject *subject, const struct ksym *syms, size_t nr_syms,
			FILE *out)
{
	size_t column = 0, rows = 1;

	if (!subject->nr_pcs)
		return;
	column = fprintf(out, "CPU %u:", subject->stall.cpu);
	for (size_t i = 0; i < subject->nr_pcs; i++) {
		char place[KSYM_PLACE_SIZE];
		ksym_place(ksyms_find(syms, nr_syms, key_of(subject, i)), subject->pcs[i], place);
		if (column + strlen(place) > WIDTH) {
			if (rows++ == MAX_ROWS)
				break;
			column = fprintf(out, "\nCPU %u:", subject->stall.cpu) - 1;
		}
		column += fprintf(out, "%s%s", i ? " < " : " ", place);
	}
	fputc('\n', out);
}

/* Of how many of @count more is said than that they are there. */
static size_t nr_told(size_t count)
{
	return count < MAX_CPUS ? count : MAX_CPUS;
}

struct error *notice_print_heads(const struct record *record, uint64_t now_ns, FILE *out)
{
	_cleanup_free_ struct subject *list = NULL;
	size_t count;
	struct error *err = choose(record, now_ns, &list, &count);

	if (err)
		return err;
	for (size_t i = 0; i < nr_told(count); i++)
		print_head(record, &list[i], now_ns, out);
	if (count > MAX_CPUS)
		fprintf(out, "%zu more CPUs are stuck, since later\n", count - MAX_CPUS);
	/* Of a CPU that is stuck the rest may be the consequence. */
	bool is_stuck = count && !list[0].stall.end_ns;
	if (!is_stuck && !print_conditions(record, out) && !count) {
		fputs("no CPU has been stuck since ", out);
		print_time(record, record->header->anchor_monotonic_ns, out);
		fputc('\n', out);
	}
	if (record->header->incident[0]) {
		fputs("incident ", out);
		print_text(record->header->incident, out);
		fputc('\n', out);
	}
	return NULL;
}

struct error *notice_print_stacks(const struct record *record, uint64_t now_ns, FILE *kallsyms,
				  FILE *out)
{
	_cleanup_free_ struct ksym *syms = calloc(MAX_CPUS * RECORD_STACK_MAX, sizeof(*syms));
	_cleanup_free_ struct subject *list = NULL;
	size_t count, nr_syms = 0;

	if (!syms)
		return &error_no_memory;
	struct error *err = choose(record, now_ns, &list, &count);
	if (err)
		return err;
	count = nr_told(count);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < list[i].nr_pcs; j++)
			syms[nr_syms++].pc = key_of(&list[i], j);
	/* What has no name is still an address. */
	if (kallsyms)
		error_destroy(ksyms_resolve(kallsyms, syms, nr_syms));
	for (size_t i = 0; i < count; i++)
		print_stack(&list[i], syms, nr_syms, out);
	return NULL;
}

/* Who is stuck is not to wait until all names are found: the machine may not have the time. */
struct error *notice_write(const struct record *record, uint64_t now_ns, enum outlet to,
			   bool patient)
{
	for (int part = 0; part < 2; part++) {
		_cleanup_fclose_ FILE *kallsyms = part ? fopen(KSYMS_PATH, "re") : NULL;
		_cleanup_free_ char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);
		if (!out)
			return &error_no_memory;
		struct error *err = part ? notice_print_stacks(record, now_ns, kallsyms, out)
					 : notice_print_heads(record, now_ns, out);
		if (fclose(out) && !err)
			err = &error_no_memory;
		if (!err)
			err = outlet_write(to, "", text, patient);
		if (err)
			return err;
	}
	return NULL;
}
