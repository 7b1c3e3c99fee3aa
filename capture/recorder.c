// SPDX-License-Identifier: GPL-2.0-only
#include "capture/recorder.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bpf/recorder.skel.h"
#include "capture/clock.h"
#include "capture/hooks.h"
#include "symbols/ksyms.h"

#define VERIFIER_LOG_SIZE  65536
#define TICK_SILENT_NS	   (10 * NS_PER_SEC)
#define WATCHDOG_SILENT_NS (60 * NS_PER_SEC) /* its longest period is 24 s */
#define WATCHDOG_FUNCTION  "watchdog_timer_fn"

/* In the order of preference; what is missing is tried no further. */
static const char *const tick_functions[] = {
	"account_process_tick",
	"update_process_times",
	"scheduler_tick",
	"sched_tick",
};

#define NR_TICK_FUNCTIONS (sizeof(tick_functions) / sizeof(tick_functions[0]))

/* libbpf's words are folded into our own errors. */
static int print_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

/* The recorder's program for a tick function, and where the skeleton keeps its link. */
struct tick {
	struct bpf_program *program;
	struct bpf_link **link;
};

static struct tick tick_of(struct recorder_bpf *bpf, size_t i)
{
	struct tick ticks[NR_TICK_FUNCTIONS] = {
		{ bpf->progs.tick_account_process_tick, &bpf->links.tick_account_process_tick },
		{ bpf->progs.tick_update_process_times, &bpf->links.tick_update_process_times },
		{ bpf->progs.tick_scheduler_tick, &bpf->links.tick_scheduler_tick },
		{ bpf->progs.tick_sched_tick, &bpf->links.tick_sched_tick },
	};

	return ticks[i];
}

/* The verifier ends with its reason, then statistics: cuts @log to the reason. */
static const char *verifier_reason(char *log)
{
	char *reason = NULL, *rest;

	for (char *line = strtok_r(log, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (strncmp(line, "processed ", 10))
			reason = line;
	return reason;
}

static struct error *load_error(const char *function, char *log)
{
	int code = errno;
	const char *reason = verifier_reason(log);

	if (code == EPERM)
		return error_create(
			ERROR_SYSTEM,
			"recorder: the kernel refuses BPF programs: %s; it takes root with "
			"CAP_BPF and CAP_PERFMON, and no kernel lockdown",
			strerror(code));
	if (code == ENOSYS)
		return error_create(
			ERROR_SYSTEM,
			"recorder: this kernel has no BPF; it takes CONFIG_BPF_SYSCALL=y "
			"and CONFIG_BPF_JIT=y");
	/* The helper that reads the kernel's memory is hidden under lockdown=confidentiality. */
	if (reason && strstr(reason, "unknown func bpf_probe_read"))
		return error_create(
			ERROR_SYSTEM,
			"recorder: the kernel is locked down: BPF may not read its memory; "
			"boot without lockdown=confidentiality");
	if (reason)
		return error_create(ERROR_SYSTEM, "recorder: %s is refused: %s: %s", function,
				    strerror(code), reason);
	return error_create(ERROR_SYSTEM, "recorder: %s cannot be loaded: %s", function,
			    strerror(code));
}

static bool is_function(const struct btf *btf, const char *name)
{
	return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

static struct error *attach(const struct bpf_program *program, const char *function,
			    struct bpf_link **ret)
{
	*ret = bpf_program__attach(program);
	if (!*ret)
		return error_errno("recorder: cannot attach to %s", function);
	return NULL;
}

/* The recorder's variables that /proc/kallsyms finds: bpf/recorder.bpf.c says which those are. */
enum variable {
	VM_ZONE_STAT,
	VM_NODE_STAT,
	NR_SWAP_PAGES,
	NOT_IN_BTF, /* the first of those that are looked up if the BTF has no variables */
	RUNQUEUES = NOT_IN_BTF,
	KERNEL_CPUSTAT,
	IRQ_REGS,
	PREEMPT_COUNT,
	PER_CPU_OFFSET,
	NR_VARIABLES
};

struct variables {
	struct ksym_wanted at[NR_VARIABLES];
};

/* What is in the BTF is better taken by its type: the addresses may be hidden from root too. */
static struct error *find_variables(const struct btf *btf, struct variables *ret)
{
	bool in_btf = btf__find_by_name_kind(btf, "runqueues", BTF_KIND_VAR) > 0;
	_cleanup_fclose_ FILE *kallsyms = fopen(KSYMS_PATH, "re");

	*ret = (struct variables){ {
		[VM_ZONE_STAT] = { "vm_zone_stat" },
		[VM_NODE_STAT] = { "vm_node_stat" },
		[NR_SWAP_PAGES] = { "nr_swap_pages" },
		[RUNQUEUES] = { "runqueues" },
		[KERNEL_CPUSTAT] = { "kernel_cpustat" },
		[IRQ_REGS] = { "__irq_regs" },
		[PREEMPT_COUNT] = { "__preempt_count" },
		[PER_CPU_OFFSET] = { "__per_cpu_offset" },
	} };
	struct error *err =
		kallsyms ? ksyms_look_up(kallsyms, ret->at, in_btf ? NOT_IN_BTF : NR_VARIABLES)
			 : error_errno(KSYMS_PATH);
	if (in_btf) {
		error_destroy(err);
		return NULL;
	}
	if (!err && !ret->at[RUNQUEUES].address)
		err = error_create(ERROR_NOT_FOUND,
				   "neither this kernel's BTF nor " KSYMS_PATH " says where its "
				   "run queues are; set kernel.kptr_restrict to 1");
	return error_prefix(err, "recorder");
}

static void set_variables(struct recorder_bpf__rodata *rodata, const struct variables *variables)
{
	rodata->vm_zone_stat_at = variables->at[VM_ZONE_STAT].address;
	rodata->vm_node_stat_at = variables->at[VM_NODE_STAT].address;
	rodata->nr_swap_pages_at = variables->at[NR_SWAP_PAGES].address;
	rodata->runqueues_at = variables->at[RUNQUEUES].address;
	rodata->kernel_cpustat_at = variables->at[KERNEL_CPUSTAT].address;
	rodata->irq_regs_at = variables->at[IRQ_REGS].address;
	rodata->preempt_count_at = variables->at[PREEMPT_COUNT].address;
	rodata->per_cpu_offset_at = variables->at[PER_CPU_OFFSET].address;
}

struct attempt {
	const struct pins *pins;
	const struct legacy *legacy;
	struct variables variables;
	size_t tick; /* index into tick_functions; NR_TICK_FUNCTIONS: the watchdog alone */
	bool watchdog;
	uint64_t sample_first_ns;
	uint64_t sample_interval_ns;
	int nr_cpus;
};

/* NULL in @ret: programs that do the same are there, pinned by a watch before. */
static struct error *load(const struct attempt *attempt, struct recorder_bpf **ret)
{
	bool ticks = attempt->tick < NR_TICK_FUNCTIONS;
	const char *function = ticks ? tick_functions[attempt->tick] : WATCHDOG_FUNCTION;
	_cleanup_free_ char *log = calloc(1, VERIFIER_LOG_SIZE);
	if (!log)
		return &error_no_memory;
	/* At log level 0 libbpf loads without a log, and once more with one if that fails. */
	LIBBPF_OPTS(bpf_object_open_opts, opts, .kernel_log_buf = log,
		    .kernel_log_size = VERIFIER_LOG_SIZE);

	struct recorder_bpf *bpf = recorder_bpf__open_opts(&opts);
	if (!bpf)
		return error_errno("recorder");
	for (size_t i = 0; i < NR_TICK_FUNCTIONS; i++)
		bpf_program__set_autoload(tick_of(bpf, i).program, i == attempt->tick);
	bpf_program__set_autoload(bpf->progs.watchdog, attempt->watchdog);
	bpf_map__set_max_entries(bpf->maps.lockdump_record, 1 + attempt->nr_cpus);
	set_variables(bpf->rodata, &attempt->variables);
	bpf->rodata->sample_first_ns = attempt->sample_first_ns;
	bpf->rodata->sample_interval_ns = attempt->sample_interval_ns;
	if (ticks)
		bpf->rodata->max_gap_ns = attempt->sample_first_ns;

	if (hooks_are_pinned(attempt->pins, PIN_HOOK, hooks_number(bpf->skeleton))) {
		recorder_bpf__destroy(bpf);
		*ret = NULL;
		return NULL;
	}
	struct error *err = NULL;
	if (attempt->legacy->map_fd >= 0 &&
	    bpf_map__reuse_fd(bpf->maps.lockdump_record, attempt->legacy->map_fd))
		err = error_errno("recorder: the record that is there cannot be used");
	if (!err && recorder_bpf__load(bpf))
		err = load_error(function, log);
	if (!err && attempt->watchdog)
		err = attach(bpf->progs.watchdog, WATCHDOG_FUNCTION, &bpf->links.watchdog);
	if (!err && ticks) {
		struct tick tick = tick_of(bpf, attempt->tick);
		err = attach(tick.program, function, tick.link);
	}
	if (err) {
		recorder_bpf__destroy(bpf);
		return err;
	}
	*ret = bpf;
	return NULL;
}

/* The first of all ways that works; if none does, the error is that of the first. */
static struct error *load_first(const struct btf *btf, struct attempt *attempt,
				struct recorder_bpf **ret)
{
	struct error *first = NULL;

	attempt->watchdog = is_function(btf, WATCHDOG_FUNCTION);
	for (attempt->tick = 0; attempt->tick <= NR_TICK_FUNCTIONS; attempt->tick++) {
		bool ticks = attempt->tick < NR_TICK_FUNCTIONS;
		if (ticks ? !is_function(btf, tick_functions[attempt->tick]) : !attempt->watchdog)
			continue;
		struct error *err = load(attempt, ret);
		if (!err) {
			error_destroy(first);
			return NULL;
		}
		if (first)
			error_destroy(err);
		else
			first = err;
	}
	return first ? first
		     : error_create(
			       ERROR_NOT_FOUND,
			       "recorder: this kernel's BTF has no tick function that is known "
			       "here, nor " WATCHDOG_FUNCTION);
}

static struct error *map_record(struct recorder *recorder)
{
	recorder->size = (size_t)RECORD_SLOT_SIZE * (1 + recorder->nr_cpus);
	recorder->record =
		mmap(NULL, recorder->size, PROT_READ | PROT_WRITE, MAP_SHARED, recorder->map_fd, 0);
	if (recorder->record == MAP_FAILED) {
		recorder->record = NULL;
		return error_errno("recorder: cannot map the flight record");
	}
	return NULL;
}

static struct error *load_programs(struct attempt *attempt, struct recorder *recorder)
{
	libbpf_set_print(print_nothing);
	struct btf *btf = btf__load_vmlinux_btf();
	if (!btf)
		return error_errno("recorder: the kernel's BTF");

	struct error *err = find_variables(btf, &attempt->variables);
	if (!err)
		err = load_first(btf, attempt, &recorder->bpf);
	btf__free(btf);
	if (err || !recorder->bpf)
		return err;
	recorder->hook = attempt->tick < NR_TICK_FUNCTIONS ? tick_functions[attempt->tick]
							   : WATCHDOG_FUNCTION;
	return NULL;
}

/* Of two descriptors, since each ends with its owner. */
static struct error *get_map(const struct legacy *legacy, struct recorder *recorder)
{
	recorder->map_fd =
		fcntl(legacy->map_fd >= 0 ? legacy->map_fd
					  : bpf_map__fd(recorder->bpf->maps.lockdump_record),
		      F_DUPFD_CLOEXEC, 0);
	if (recorder->map_fd < 0)
		return error_errno("recorder: the flight record");
	return map_record(recorder);
}

struct error *recorder_start(uint64_t sample_first_ns, uint64_t sample_interval_ns,
			     const struct pins *pins, const struct legacy *legacy,
			     struct recorder *ret)
{
	struct attempt attempt = {
		.pins = pins,
		.legacy = legacy,
		.sample_first_ns = sample_first_ns,
		.sample_interval_ns = sample_interval_ns,
		.nr_cpus = libbpf_num_possible_cpus(),
	};
	struct error *err = NULL;

	if (attempt.nr_cpus <= 0)
		return error_create(ERROR_SYSTEM, "recorder: cannot count the possible CPUs");
	*ret = (struct recorder){
		.map_fd = -1,
		.nr_cpus = attempt.nr_cpus,
		.taken_over = legacy->map_fd >= 0,
		.stuck = legacy->stuck,
		.before = legacy->header,
	};
	ret->hook = ret->before.tick_hook;
	if (!legacy->stuck)
		err = load_programs(&attempt, ret);
	if (err)
		return err;
	ret->silent_ns = strcmp(ret->hook, WATCHDOG_FUNCTION) ? TICK_SILENT_NS : WATCHDOG_SILENT_NS;
	err = get_map(legacy, ret);
	if (err)
		recorder_stop(ret);
	return err;
}

struct error *recorder_pin(const struct recorder *recorder, const struct pins *pins)
{
	struct error *err = NULL;

	if (recorder->bpf)
		err = hooks_pin(pins, PIN_HOOK, recorder->bpf->skeleton);
	/* The record's name comes last: all hooks of one that has it have theirs. */
	if (!err && !recorder->taken_over)
		err = pin_map(pins, recorder->bpf->maps.lockdump_record, PIN_RECORD);
	return error_prefix(err, "recorder");
}

void recorder_stop(struct recorder *recorder)
{
	if (recorder->record)
		munmap(recorder->record, recorder->size);
	if (recorder->map_fd >= 0)
		close(recorder->map_fd);
	recorder_bpf__destroy(recorder->bpf);
	*recorder = (struct recorder){};
}

struct record_header *recorder_header(const struct recorder *recorder)
{
	return recorder->record;
}

const struct record_slot *recorder_slot(const struct recorder *recorder, uint32_t cpu)
{
	return (const void *)((const char *)recorder->record +
			      (size_t)RECORD_SLOT_SIZE * (1 + cpu));
}
