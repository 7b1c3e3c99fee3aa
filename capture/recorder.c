// SPDX-License-Identifier: GPL-2.0-only
#include "capture/recorder.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bpf/recorder.skel.h"
#include "capture/clock.h"
#include "capture/hooks.h"
#include "capture/verifier.h"

#define TICK_SILENT_NS	    (10 * NS_PER_SEC)
#define CPU_CLOCK_PERIOD_NS (100 * NS_PER_MS) /* each is an interrupt, on an idle CPU too */
#define WATCHDOG_SILENT_NS  (60 * NS_PER_SEC) /* its longest period is 24 s */

/* libbpf's words are folded into our own errors. */
static int print_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

/* The recorder's program for a hook, and where the skeleton keeps its link. */
struct program {
	struct bpf_program *program;
	struct bpf_link **link;
};

static struct program program_of(struct recorder_bpf *bpf, enum hook hook)
{
	struct program programs[NR_HOOKS] = {
		{ bpf->progs.tick_account_process_tick, &bpf->links.tick_account_process_tick },
		{ bpf->progs.tick_update_process_times, &bpf->links.tick_update_process_times },
		{ bpf->progs.tick_scheduler_tick, &bpf->links.tick_scheduler_tick },
		{ bpf->progs.tick_sched_tick, &bpf->links.tick_sched_tick },
		{ bpf->progs.cpu_clock },
		{ bpf->progs.watchdog, &bpf->links.watchdog },
	};

	return programs[hook];
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

static void set_variables(struct recorder_bpf__rodata *rodata, const struct features *features)
{
	const struct ksym_wanted *at = features->variables;

	rodata->vm_zone_stat_at = at[VM_ZONE_STAT].address;
	rodata->vm_node_stat_at = at[VM_NODE_STAT].address;
	rodata->nr_swap_pages_at = at[NR_SWAP_PAGES].address;
	rodata->runqueues_at = at[RUNQUEUES].address;
	rodata->kernel_cpustat_at = at[KERNEL_CPUSTAT].address;
	rodata->irq_regs_at = at[IRQ_REGS].address;
	rodata->preempt_count_at = at[PREEMPT_COUNT].address;
	rodata->per_cpu_offset_at = at[PER_CPU_OFFSET].address;
}

/* One way for the recorder to run, and the recorder if it does. */
struct attempt {
	const struct features *features;
	uint64_t sample_first_ns;
	uint64_t sample_interval_ns;
	bool dry; /* load only */
	const struct pins *pins; /* those of a watch before; not if it is dry */
	const struct legacy *legacy;
	struct recorder_choice choice;
	struct recorder *recorder;
};

/* NULL in @ret: programs that do the same are there, pinned by a watch before. */
static struct error *load(const struct attempt *attempt, struct recorder_bpf **ret)
{
	const struct recorder_choice *choice = &attempt->choice;
	_cleanup_free_ char *log = calloc(1, VERIFIER_LOG_SIZE);
	if (!log)
		return &error_no_memory;
	/* At log level 0 libbpf loads without a log, and once more with one if that fails. */
	LIBBPF_OPTS(bpf_object_open_opts, opts, .kernel_log_buf = log,
		    .kernel_log_size = VERIFIER_LOG_SIZE);

	struct recorder_bpf *bpf = recorder_bpf__open_opts(&opts);
	if (!bpf)
		return error_errno("recorder");
	for (size_t i = 0; i < NR_HOOKS; i++)
		bpf_program__set_autoload(program_of(bpf, i).program,
					  i == choice->hook ||
						  (i == HOOK_WATCHDOG && choice->watchdog));
	bpf_map__set_max_entries(bpf->maps.lockdump_record, 1 + attempt->recorder->nr_cpus);
	set_variables(bpf->rodata, attempt->features);
	bpf->rodata->sample_first_ns = attempt->sample_first_ns;
	bpf->rodata->sample_interval_ns = attempt->sample_interval_ns;
	if (choice->hook != HOOK_WATCHDOG)
		bpf->rodata->max_gap_ns = attempt->sample_first_ns;
	struct error *err = NULL;
	bool is_there = !attempt->dry &&
			hooks_are_pinned(attempt->pins, PIN_HOOK, hooks_number(bpf->skeleton));
	if (!attempt->dry && attempt->legacy->map_fd >= 0 &&
	    bpf_map__reuse_fd(bpf->maps.lockdump_record, attempt->legacy->map_fd))
		err = error_errno("recorder: the record that is there cannot be used");
	else if (!is_there && recorder_bpf__load(bpf))
		err = load_error(hook_name(choice->hook), log);
	if (err || is_there) {
		recorder_bpf__destroy(bpf);
		bpf = NULL;
	}
	*ret = bpf;
	return err;
}

static struct error *attach_function(struct recorder_bpf *bpf, enum hook hook)
{
	struct program program = program_of(bpf, hook);

	*program.link = bpf_program__attach(program.program);
	if (!*program.link)
		return error_errno("recorder: cannot attach to %s", hook_name(hook));
	return NULL;
}

/* An event for each CPU that is online. */
static struct error *attach_cpu_clock(struct recorder *recorder)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = CPU_CLOCK_PERIOD_NS,
	};

	recorder->clocks = calloc(recorder->nr_cpus, sizeof(struct bpf_link *));
	if (!recorder->clocks)
		return &error_no_memory;
	for (uint32_t cpu = 0; cpu < recorder->nr_cpus; cpu++) {
		int fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
		if (fd < 0 && errno == ENODEV)
			continue;
		if (fd < 0)
			return error_errno("recorder: perf event %s on CPU %u",
					   hook_name(HOOK_CPU_CLOCK), cpu);
		recorder->clocks[cpu] =
			bpf_program__attach_perf_event(recorder->bpf->progs.cpu_clock, fd);
		if (!recorder->clocks[cpu]) {
			struct error *err = error_errno("recorder: cannot attach to %s on CPU %u",
							hook_name(HOOK_CPU_CLOCK), cpu);
			close(fd);
			return err;
		}
	}
	return NULL;
}

static void detach(struct recorder *recorder)
{
	for (uint32_t cpu = 0; recorder->clocks && cpu < recorder->nr_cpus; cpu++)
		bpf_link__destroy(recorder->clocks[cpu]);
	free(recorder->clocks);
	recorder->clocks = NULL;
	recorder_bpf__destroy(recorder->bpf);
	recorder->bpf = NULL;
}

/* The watchdog first: where it is refused, the samples' hook need not be touched. */
static struct error *attach(const struct recorder_choice *choice, struct recorder *recorder)
{
	struct error *err = NULL;

	if (choice->watchdog)
		err = attach_function(recorder->bpf, HOOK_WATCHDOG);
	if (!err && choice->hook == HOOK_CPU_CLOCK)
		err = attach_cpu_clock(recorder);
	else if (!err && choice->hook != HOOK_WATCHDOG)
		err = attach_function(recorder->bpf, choice->hook);
	return err;
}

static struct error *try_choice(struct attempt *attempt)
{
	struct error *err = load(attempt, &attempt->recorder->bpf);

	if (!err && !attempt->dry && attempt->recorder->bpf)
		err = attach(&attempt->choice, attempt->recorder);
	if (err || attempt->dry)
		detach(attempt->recorder);
	return err;
}

/* Whether the kernel has what @choice hangs on. */
static bool is_there(const struct features *features, const struct recorder_choice *choice)
{
	if (choice->hook != HOOK_CPU_CLOCK || choice->watchdog)
		if (features->no_fentry)
			return false;
	return features->has_function[choice->hook] &&
	       (!choice->watchdog || features->has_function[HOOK_WATCHDOG]);
}

/* The best first: a tick with the watchdog's help, the perf event with it; the same without; the watchdog alone. */
static struct recorder_choice nth_choice(size_t n)
{
	enum { NR_SAMPLING = HOOK_CPU_CLOCK + 1 };

	if (n >= 2 * NR_SAMPLING)
		return (struct recorder_choice){ .hook = HOOK_WATCHDOG, .watchdog = true };
	return (struct recorder_choice){ .hook = n % NR_SAMPLING, .watchdog = n < NR_SAMPLING };
}

#define NR_CHOICES (2 * (HOOK_CPU_CLOCK + 1) + 1)

/* The first of all ways that works; if none does, the error is that of the first. */
static struct error *try_all(struct attempt *attempt, struct recorder_choice *ret)
{
	struct error *first = NULL;

	for (size_t n = 0; n < NR_CHOICES; n++) {
		attempt->choice = nth_choice(n);
		if (!is_there(attempt->features, &attempt->choice))
			continue;
		struct error *err = try_choice(attempt);
		if (!err) {
			*ret = attempt->choice;
			ret->refused = first;
			return NULL;
		}
		if (first)
			error_destroy(err);
		else
			first = err;
	}
	return first;
}

static struct error *choose(const struct features *features, struct attempt *attempt,
			    struct recorder_choice *ret)
{
	attempt->features = features;
	struct error *err = features_check_variables(features);
	return err ? err : try_all(attempt, ret);
}

static struct error *recorder_init(struct recorder *recorder)
{
	int nr_cpus = libbpf_num_possible_cpus();

	if (nr_cpus <= 0)
		return error_create(ERROR_SYSTEM, "recorder: cannot count the possible CPUs");
	libbpf_set_print(print_nothing);
	*recorder = (struct recorder){ .map_fd = -1, .nr_cpus = nr_cpus };
	return NULL;
}

struct error *recorder_try(const struct features *features, struct recorder_choice *ret)
{
	struct recorder recorder;
	struct attempt attempt = {
		.sample_first_ns = NS_PER_SEC,
		.sample_interval_ns = NS_PER_SEC,
		.dry = true,
		.recorder = &recorder,
	};
	struct error *err = recorder_init(&recorder);

	return err ? err : choose(features, &attempt, ret);
}

static struct error *map_record(const struct legacy *legacy, struct recorder *recorder)
{
	int fd = recorder->taken_over ? legacy->map_fd
				      : bpf_map__fd(recorder->bpf->maps.lockdump_record);

	recorder->map_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	recorder->size = (size_t)RECORD_SLOT_SIZE * (1 + recorder->nr_cpus);
	recorder->record = mmap(NULL, recorder->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (recorder->map_fd < 0 || recorder->record == MAP_FAILED) {
		recorder->record = NULL;
		return error_errno("recorder: cannot map the flight record");
	}
	return NULL;
}

static struct error *get_programs(struct attempt *attempt)
{
	_cleanup_(features_deinit) struct features features;
	struct recorder *recorder = attempt->recorder;
	struct recorder_choice choice;
	struct error *err = features_probe(&features);

	if (!err)
		err = choose(&features, attempt, &choice);
	if (err)
		return err;
	error_destroy(choice.refused);
	if (recorder->bpf)
		recorder->hook = hook_name(choice.hook);
	return NULL;
}

struct error *recorder_start(uint64_t sample_first_ns, uint64_t sample_interval_ns,
			     const struct pins *pins, const struct legacy *legacy,
			     struct recorder *ret)
{
	struct attempt attempt = {
		.sample_first_ns = sample_first_ns,
		.sample_interval_ns = sample_interval_ns,
		.pins = pins,
		.legacy = legacy,
		.recorder = ret,
	};
	struct error *err = recorder_init(ret);

	if (err)
		return err;
	ret->taken_over = legacy->map_fd >= 0;
	ret->stuck = legacy->stuck;
	ret->before = legacy->header;
	ret->hook = ret->before.tick_hook;
	if (!legacy->stuck)
		err = get_programs(&attempt);
	if (err)
		return err;
	ret->silent_ns =
		strcmp(ret->hook, hook_name(HOOK_WATCHDOG)) ? TICK_SILENT_NS : WATCHDOG_SILENT_NS;
	err = map_record(legacy, ret);
	if (err)
		recorder_stop(ret);
	return err;
}

struct error *recorder_pin(const struct recorder *recorder, const struct pins *pins)
{
	struct error *err = NULL;

	if (recorder->bpf)
		err = hooks_pin(pins, PIN_HOOK, recorder->bpf->skeleton, recorder->clocks,
				recorder->clocks ? recorder->nr_cpus : 0);
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
	detach(recorder);
	*recorder = (struct recorder){ .map_fd = -1 };
}

int recorder_map_fd(const struct recorder *recorder)
{
	return recorder->map_fd;
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
