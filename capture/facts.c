// SPDX-License-Identifier: GPL-2.0-only
#include "capture/facts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/print.h"
#include "capture/cgroup.h"
#include "capture/clock.h"
#include "capture/header.h"
#include "symbols/ksyms.h"
#include "state/record.h"

#define LABEL_WIDTH 10
#define MAX_PCS	    (RECORD_NR_SAMPLES * (1 + RECORD_STACK_MAX))
#define COLUMNS	    3

/* include/linux/preempt.h; one hardirq is the tick that looks. */
#define PREEMPT_OF(count) ((count)&0xff)
#define SOFTIRQ_OF(count) ((count) >> 8 & 0xff)
#define HARDIRQ_OF(count) ((count) >> 16 & 0xf)

struct view {
	const struct facts *facts;
	const struct record_sample *sample; /* the newest of the stall */
	const struct unwind_arch *arch; /* NULL: a machine that is not known */
	struct ksym *syms;
	size_t nr_syms;
	FILE *out;
};

/* "  label     text": an empty label goes on under the last one. */
__attribute__((format(printf, 3, 4))) static void row(const struct view *view, const char *label,
						      const char *format, ...)
{
	va_list args;

	fprintf(view->out, "  %-*s ", LABEL_WIDTH, label);
	va_start(args, format);
	vfprintf(view->out, format, args);
	va_end(args);
	fputc('\n', view->out);
}

static double seconds(uint64_t ns)
{
	return (double)ns / NS_PER_SEC;
}

struct amount {
	char text[24];
};

/* Pages as megabytes; "?" where the kernel did not say. */
static struct amount megabytes(const struct view *view, uint64_t pages)
{
	struct amount amount = { "?" };

	if (pages != RECORD_UNKNOWN)
		snprintf(amount.text, sizeof(amount.text), "%.1f MB",
			 (double)pages * view->facts->header->page_size / (1024 * 1024));
	return amount;
}

static bool has_ip(const struct view *view, const struct record_sample *sample)
{
	return view->arch && (sample->flags & RECORD_SAMPLE_REGS);
}

static size_t nr_frames(const struct record_sample *sample)
{
	return sample->nr_stack < RECORD_STACK_MAX ? sample->nr_stack : RECORD_STACK_MAX;
}

static uint64_t ip_of(const struct view *view, const struct record_sample *sample)
{
	return sample->regs[view->arch->pc];
}

/* Where the interrupted code begins in a sample's stack: before it are the interrupt's own frames. */
static size_t interrupted_frame(const struct view *view, const struct record_sample *sample)
{
	const __u64 *pcs;

	if (!has_ip(view, sample) || !sample_stack(sample, ip_of(view, sample), &pcs))
		return 0;
	return pcs - sample->stack;
}

/*
 * The address to look a frame up by. A return address may be the first byte of the next function: the call
 * is what counts.
 */
static uint64_t key_of(const struct view *view, const struct record_sample *sample, size_t frame)
{
	uint64_t pc = sample->stack[frame];

	return has_ip(view, sample) && pc == ip_of(view, sample) ? pc : pc - 1;
}

static const struct ksym *symbol_of(const struct view *view, uint64_t key)
{
	const struct ksym *sym = ksyms_find(view->syms, view->nr_syms, key);

	return sym && sym->address ? sym : NULL;
}

/* The stall's next whole sample from place *@i on, in the order of places; NULL if there is none. */
static const struct record_sample *next_sample(const struct view *view, size_t *i)
{
	while (*i < RECORD_NR_SAMPLES) {
		const struct record_sample *sample = &view->facts->slot->samples[(*i)++];
		if (stall_has_sample(sample, view->sample->onset_ns))
			return sample;
	}
	return NULL;
}

static struct error *resolve(struct view *view)
{
	_cleanup_fclose_ FILE *kallsyms = fopen(KSYMS_PATH, "re");
	const struct record_sample *sample;

	if (!kallsyms)
		return error_errno(KSYMS_PATH);
	for (size_t i = 0; (sample = next_sample(view, &i));) {
		if (has_ip(view, sample))
			view->syms[view->nr_syms++].pc = ip_of(view, sample);
		for (size_t j = interrupted_frame(view, sample); j < nr_frames(sample); j++)
			view->syms[view->nr_syms++].pc = key_of(view, sample, j);
	}
	return ksyms_resolve(kallsyms, view->syms, view->nr_syms);
}

struct place {
	char text[KSYM_PLACE_SIZE];
};

static struct place place_of(const struct view *view, uint64_t pc, uint64_t key)
{
	struct place place;

	ksym_place(symbol_of(view, key), pc, place.text);
	return place;
}

static struct place ip_place(const struct view *view)
{
	uint64_t ip = ip_of(view, view->sample);

	return place_of(view, ip, ip);
}

static const char *policy_name(uint32_t policy)
{
	static const char *const names[] = { "normal", "fifo", "rr",	   "batch",
					     "iso",    "idle", "deadline", "ext" };

	return policy < sizeof(names) / sizeof(names[0]) ? names[policy] : "?";
}

/* include/linux/sched.h: the order of the bits has been the same since 4.14. */
static const char *state_name(uint32_t state)
{
	if (state == RECORD_UNKNOWN_U32)
		return "?";
	if (!state)
		return "R (running)";
	if (state & 1)
		return "S (about to sleep)";
	if (state & 2)
		return "D (about to sleep, uninterruptible)";
	return "other";
}

static void print_title(const struct view *view)
{
	const struct facts *facts = view->facts;

	fprintf(view->out, "CPU %u %s stuck for %.1f s in %s (pid %u)\n", facts->stall.cpu,
		facts->stall.end_ns ? "was" : "is", seconds(stall_length_ns(&facts->stall)),
		view->sample->comm, view->sample->pid);
}

static void print_process(const struct view *view)
{
	const struct record_sample *sample = view->sample;
	char cgroup[256], priority[32];

	if (sample->prio < 100)
		snprintf(priority, sizeof(priority), "real-time %d", 99 - sample->prio);
	else
		snprintf(priority, sizeof(priority), "nice %d", sample->prio - 120);
	cgroup_path(sample->cgroup_id, cgroup, sizeof(cgroup));
	clean_text(cgroup); /* a user may name one, too */

	row(view, "process", "%s  pid %u  tgid %u  parent %u  %s", sample->comm, sample->pid,
	    sample->tgid, sample->ppid,
	    sample->task_flags & 0x00200000 /* PF_KTHREAD */ ? "kernel thread" : "user process");
	row(view, "", "state %s, policy %s, %s", state_name(sample->task_state),
	    policy_name(sample->policy), priority);
	row(view, "", "CPU time: user %.3f s, system %.3f s, scheduled %.3f s",
	    seconds(sample->utime_ns), seconds(sample->stime_ns), seconds(sample->runtime_ns));
	row(view, "", "switches: %llu voluntary, %llu forced", (unsigned long long)sample->nvcsw,
	    (unsigned long long)sample->nivcsw);
	row(view, "", "resident: anon %s, file %s, shared %s; swapped out %s",
	    megabytes(view, sample->rss_pages[RECORD_RSS_ANON]).text,
	    megabytes(view, sample->rss_pages[RECORD_RSS_FILE]).text,
	    megabytes(view, sample->rss_pages[RECORD_RSS_SHMEM]).text,
	    megabytes(view, sample->rss_pages[RECORD_RSS_SWAP]).text);
	row(view, "", "cgroup %s (id %llu)", *cgroup ? cgroup : "?",
	    (unsigned long long)sample->cgroup_id);
}

static void print_memory(const struct view *view)
{
	const struct record_header *header = view->facts->header;
	const __u64 *pages = view->sample->memory_pages;

	row(view, "memory", "%s of %s free", megabytes(view, pages[RECORD_MEMORY_FREE]).text,
	    megabytes(view, header->memory_total_pages).text);
	row(view, "", "anon %s, file %s, slab %s", megabytes(view, pages[RECORD_MEMORY_ANON]).text,
	    megabytes(view, pages[RECORD_MEMORY_FILE]).text,
	    megabytes(view, pages[RECORD_MEMORY_SLAB]).text);
	if (header->swap_total_pages)
		row(view, "", "swap: %s of %s free",
		    megabytes(view, pages[RECORD_MEMORY_SWAP_FREE]).text,
		    megabytes(view, header->swap_total_pages).text);
	else
		row(view, "", "no swap");
}

static void print_since(const struct view *view)
{
	const struct facts *facts = view->facts;
	uint64_t realtime = record_realtime_ns(facts->header, facts->stall.onset_ns);
	uint64_t boottime = header_boottime_ns(facts->header, facts->stall.onset_ns);
	time_t whole = realtime / NS_PER_SEC;
	struct tm tm;
	char text[64] = "?";

	if (gmtime_r(&whole, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	row(view, "", "no task switch since %s.%03u UTC, %.3f s after boot", text,
	    (unsigned int)(realtime % NS_PER_SEC / NS_PER_MS), seconds(boottime));
}

static void print_preemption(const struct view *view)
{
	const struct record_sample *sample = view->sample;
	uint32_t count = sample->preempt_count;

	if (count == RECORD_UNKNOWN_U32) {
		row(view, "", "preempt count not known");
		return;
	}
	/* The look itself runs in an interrupt. */
	uint32_t hardirq = HARDIRQ_OF(count) ? HARDIRQ_OF(count) - 1 : 0;
	row(view, "", "preempt count: preemption disabled %u deep, softirq %u, hardirq %u",
	    PREEMPT_OF(count), SOFTIRQ_OF(count), hardirq);
	row(view, "", "need_resched %s; run queue %u (%u waiting)",
	    sample->flags & RECORD_SAMPLE_NEED_RESCHED ? "set and not served" : "not set",
	    sample->nr_running, sample->nr_running ? sample->nr_running - 1 : 0);
}

/* What the CPU's time went to between the first sample that is there and the newest. */
static void print_cpu_time(const struct view *view)
{
	static const char *const names[RECORD_NR_TIMES] = { "user", "nice", "system", "softirq",
							    "irq",  "idle", "iowait", "steal" };
	const struct record_sample *newest = view->sample, *first = newest, *sample;
	char text[256] = "";
	size_t len = 0;

	for (size_t i = 0; (sample = next_sample(view, &i));)
		if (sample->number < first->number)
			first = sample;
	if (first == newest || newest->cpu_time_ns[0] == RECORD_UNKNOWN)
		return;
	uint64_t span = newest->time_ns - first->time_ns;
	for (size_t i = 0; i < RECORD_NR_TIMES; i++) {
		uint64_t spent = newest->cpu_time_ns[i] - first->cpu_time_ns[i];
		if (spent * 100 >= span)
			len += snprintf(text + len, sizeof(text) - len, "%s%s %.0f %%",
					len ? ", " : "", names[i], 100.0 * spent / span);
	}
	row(view, "", "CPU time while stuck: %s", len ? text : "none was accounted");
}

static void print_kernel(const struct view *view)
{
	struct utsname name;

	if (!uname(&name))
		row(view, "kernel", "%s %s %s", name.release, name.version, name.machine);
	row(view, "CPU", "%u, stuck for %.3f s", view->facts->stall.cpu,
	    seconds(stall_length_ns(&view->facts->stall)));
	print_since(view);
	print_preemption(view);
	print_cpu_time(view);
}

static void print_registers(const struct view *view)
{
	const struct unwind_arch *arch = view->arch;
	const struct record_sample *sample = view->sample;

	if (!has_ip(view, sample)) {
		row(view, "registers", "none were taken");
		return;
	}
	row(view, "registers", "%s %016llx  %s", arch->register_names[arch->pc],
	    (unsigned long long)ip_of(view, sample), ip_place(view).text);
	size_t column = 0;
	for (size_t i = 0; i < arch->nr_registers; i++) {
		if (i == arch->pc)
			continue;
		if (column == 0)
			fprintf(view->out, "  %*s", LABEL_WIDTH, "");
		column = (column + 1) % COLUMNS;
		bool last = !column || i + 1 == arch->nr_registers;
		fprintf(view->out, " %-8s %016llx%s", arch->register_names[i],
			(unsigned long long)sample->regs[i], last ? "\n" : " ");
	}
}

static void print_stack(const struct view *view)
{
	const struct record_sample *sample = view->sample;
	size_t first = interrupted_frame(view, sample);

	if (!nr_frames(sample))
		row(view, "stack", "none was taken");
	for (size_t i = first; i < nr_frames(sample); i++)
		row(view, i == first ? "stack" : "", "%s",
		    place_of(view, sample->stack[i], key_of(view, sample, i)).text);
}

static struct place function_of(const struct ksym *sym)
{
	struct place place;

	snprintf(place.text, sizeof(place.text), "%s%s%s%s", sym->name, *sym->module ? " [" : "",
		 sym->module, *sym->module ? "]" : "");
	return place;
}

static bool is_in_stack(const struct view *view, const struct record_sample *sample,
			const struct ksym *function)
{
	for (size_t i = interrupted_frame(view, sample); i < nr_frames(sample); i++) {
		const struct ksym *sym = symbol_of(view, key_of(view, sample, i));
		if (sym && sym->address == function->address)
			return true;
	}
	return false;
}

/* The innermost function of the newest stack that is in the stacks of all samples; NULL if none is. */
static const struct ksym *common_function(const struct view *view)
{
	const struct record_sample *newest = view->sample;

	for (size_t i = interrupted_frame(view, newest); i < nr_frames(newest); i++) {
		const struct ksym *sym = symbol_of(view, key_of(view, newest, i));
		const struct record_sample *sample;
		bool in_all = sym;
		for (size_t j = 0; in_all && (sample = next_sample(view, &j));)
			in_all = is_in_stack(view, sample, sym);
		if (in_all)
			return sym;
	}
	return NULL;
}

struct hit {
	const struct ksym *sym;
	unsigned int samples;
};

/* Counts @sym in @hits, which stay ordered: the most frequent first. */
static void count_hit(struct hit *hits, size_t *nr_hits, const struct ksym *sym)
{
	size_t at = 0;

	while (at < *nr_hits && hits[at].sym->address != sym->address)
		at++;
	if (at == *nr_hits)
		hits[(*nr_hits)++] = (struct hit){ .sym = sym };
	hits[at].samples++;
	for (; at && hits[at].samples > hits[at - 1].samples; at--) {
		struct hit swap = hits[at];
		hits[at] = hits[at - 1];
		hits[at - 1] = swap;
	}
}

/* In which functions the stall's samples were interrupted, and what they have in common. */
static void print_samples(const struct view *view)
{
	const struct ksym *common = common_function(view);
	const struct record_sample *sample;
	struct hit hits[RECORD_NR_SAMPLES];
	size_t nr_hits = 0, total = 0;

	for (size_t i = 0; (sample = next_sample(view, &i)); total++) {
		const struct ksym *sym =
			has_ip(view, sample) ? symbol_of(view, ip_of(view, sample)) : NULL;
		if (sym)
			count_hit(hits, &nr_hits, sym);
	}
	row(view, "samples", "%zu%s%s", total, common ? ", in all of them " : "",
	    common ? function_of(common).text : "");
	for (size_t i = 0; i < nr_hits; i++)
		row(view, "", "%u interrupted in %s", hits[i].samples,
		    function_of(hits[i].sym).text);
}

struct error *facts_print(const struct facts *facts, FILE *out)
{
	_cleanup_free_ struct ksym *syms = calloc(MAX_PCS, sizeof(*syms));
	struct view view = {
		.facts = facts,
		.sample = stall_newest_sample(facts->slot, facts->stall.onset_ns),
		.arch = unwind_arch_find(facts->header->machine),
		.syms = syms,
		.out = out,
	};

	if (!syms)
		return &error_no_memory;
	if (!view.sample)
		return error_create(ERROR_NOT_FOUND, "CPU %u: its samples are gone already",
				    facts->stall.cpu);
	fputc('\n', out);
	print_title(&view);
	print_process(&view);
	print_memory(&view);
	print_kernel(&view);
	/* What needs no names is out before these are looked for: on a busy machine that takes seconds. */
	fflush(out);
	struct error *err = resolve(&view);
	print_registers(&view);
	print_stack(&view);
	print_samples(&view);
	row(&view, "incident", "%s", facts->incident ? facts->incident : "none could be stored");
	fputc('\n', out);
	fflush(out);
	return err;
}
