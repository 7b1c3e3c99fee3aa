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
#define WIDTH	  150 /* of a line, if a single function is not longer */
#define MAX_ROWS  3 /* of a stack */

/* One CPU's stall, and its newest sample; that may be NULL. */
struct subject {
	struct stall stall;
	const struct record_sample *sample;
	const __u64 *pcs;
	size_t nr_pcs;
};

static void fill(const struct record *record, const struct stall *stall, struct subject *ret)
{
	const struct unwind_arch *arch = unwind_arch_find(record->header->machine);
	const struct record_slot *slot = record_slot(record, stall->cpu);

	*ret = (struct subject){ .stall = *stall };
	ret->sample = stall_newest_sample(slot, stall->onset_ns);
	if (ret->sample && arch)
		ret->nr_pcs = sample_stack(ret->sample, ret->sample->regs[arch->pc], &ret->pcs);
}

/* Those that are stuck; if there is none, the last that was. Returns how many. */
static size_t choose(const struct record *record, struct subject *ret)
{
	struct stall last = {};
	size_t count = 0;

	for (uint32_t cpu = 0; cpu < record->header->nr_slots; cpu++) {
		struct stall stall;
		stall_read(record_slot(record, cpu), cpu, &stall);
		if (!stall_is_lockup(&stall, record->header->threshold_ns))
			continue;
		if (!stall.end_ns)
			fill(record, &stall, &ret[count++]);
		if (stall.last_ns > last.last_ns)
			last = stall;
	}
	if (!count && last.onset_ns)
		fill(record, &last, &ret[count++]);
	return count;
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

static void print_head(const struct record *record, const struct subject *subject, uint64_t now_ns,
		       FILE *out)
{
	const struct stall *stall = &subject->stall;
	const struct record_sample *sample = subject->sample;

	fprintf(out, "CPU %u %s stuck for %.1f s, since ", stall->cpu, stall->end_ns ? "was" : "is",
		seconds(stall_length_ns(stall)));
	print_time(record, stall->onset_ns, out);
	if (sample) {
		fputs(", in ", out);
		print_text(sample->comm, out);
		fprintf(out, " (pid %u)", sample->pid);
	}
	if (sample && sample->nr_running > 1)
		fprintf(out, ", %u wait", sample->nr_running - 1);
	if (!stall->end_ns && now_ns > stall->last_ns && now_ns - stall->last_ns > SILENT_NS)
		fprintf(out, "; no timer interrupts for %.1f s", seconds(now_ns - stall->last_ns));
	fputc('\n', out);
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

static struct error *print_stacks(const struct subject *subjects, size_t count, FILE *kallsyms,
				  FILE *out)
{
	_cleanup_free_ struct ksym *syms = calloc(count * RECORD_STACK_MAX, sizeof(*syms));
	size_t nr_syms = 0;

	if (!syms)
		return &error_no_memory;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < subjects[i].nr_pcs; j++)
			syms[nr_syms++].pc = key_of(&subjects[i], j);
	/* What has no name is still an address. */
	if (kallsyms)
		error_destroy(ksyms_resolve(kallsyms, syms, nr_syms));
	for (size_t i = 0; i < count; i++)
		print_stack(&subjects[i], syms, nr_syms, out);
	return NULL;
}

struct error *notice_print(const struct record *record, uint64_t now_ns, FILE *kallsyms, FILE *out)
{
	_cleanup_free_ struct subject *subjects =
		calloc(record->header->nr_slots + 1, sizeof(*subjects));

	if (!subjects)
		return &error_no_memory;
	size_t count = choose(record, subjects);
	if (!count) {
		fputs("no CPU has been stuck since ", out);
		print_time(record, record->header->anchor_monotonic_ns, out);
		fputc('\n', out);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		print_head(record, &subjects[i], now_ns, out);
	if (record->header->incident[0]) {
		fputs("incident ", out);
		print_text(record->header->incident, out);
		fputc('\n', out);
	}
	return print_stacks(subjects, count, kallsyms, out);
}

struct error *notice_write(const struct record *record, uint64_t now_ns, enum outlet to,
			   bool patient)
{
	_cleanup_fclose_ FILE *kallsyms = fopen(KSYMS_PATH, "re");
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return &error_no_memory;
	struct error *err = notice_print(record, now_ns, kallsyms, out);
	if (fclose(out) && !err)
		err = &error_no_memory;
	return err ? err : outlet_write(to, "", text, patient);
}
