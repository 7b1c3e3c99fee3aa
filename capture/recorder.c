// SPDX-License-Identifier: GPL-2.0-only
#include "capture/recorder.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
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

#define LAZY_FLAGS 0x30 /* bpf/cpu.h says which bits of x86's thread flags */

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

/*
 * The helper that reads the kernel's memory is hidden under lockdown=confidentiality: "unknown func" in 6.1, "program
 * of this type cannot use helper" in 6.12 (check_helper_call() in kernel/bpf/verifier.c).
 */
static bool is_locked_down(const char *reason)
{
	return strstr(reason, "unknown func bpf_probe_read") ||
	       strstr(reason, "cannot use helper bpf_probe_read");
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
	if (reason && is_locked_down(reason))
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

static struct program spin_program(struct recorder_bpf *bpf, enum variable path)
{
	struct program programs[NR_SLOW_PATHS] = {
		{ bpf->progs.spin_native, &bpf->links.spin_native },
		{ bpf->progs.spin_paravirtual, &bpf->links.spin_paravirtual },
		{ bpf->progs.spin_plain, &bpf->links.spin_plain },
		{ bpf->progs.spin_read, &bpf->links.spin_read },
		{ bpf->progs.spin_write, &bpf->links.spin_write },
	};

	return programs[path - SLOW_PATHS];
}

static void set_variables(struct recorder_bpf__rodata *rodata, const struct features *features)
{
	const struct ksym_wanted *at = features->variables;

	for (size_t i = 0; i < NR_SLOW_PATHS; i++) {
		rodata->slow_paths[i].start = at[SLOW_PATHS + i].address;
		rodata->slow_paths[i].end = at[SLOW_PATHS + i].end;
	}

	rodata->vm_zone_stat_at = at[VM_ZONE_STAT].address;
	rodata->vm_node_stat_at = at[VM_NODE_STAT].address;
	rodata->nr_swap_pages_at = at[NR_SWAP_PAGES].address;
	rodata->runqueues_at = at[RUNQUEUES].address;
	rodata->kernel_cpustat_at = at[KERNEL_CPUSTAT].address;
	rodata->irq_regs_at = at[IRQ_REGS].address;
	rodata->preempt_count_at = at[PREEMPT_COUNT].address;
	rodata->per_cpu_offset_at = at[PER_CPU_OFFSET].address;
	rodata->kstat_at = at[KSTAT].address;
	rodata->hrtimer_bases_at = at[HRTIMER_BASES].address;
	rodata->cpu_worker_pools_at = at[CPU_WORKER_POOLS].address;
	rodata->rcu_state_at = at[RCU_STATE].address;
	if (features_has_function(features, "resched_curr_lazy"))
		rodata->lazy_flags = LAZY_FLAGS;
}

/* The highest number of a CPU that is present, and 1: of the possible ones virtual machines have many that never come. */
static uint32_t nr_present(uint32_t nr_possible)
{
	_cleanup_fclose_ FILE *file = fopen("/sys/devices/system/cpu/present", "re");
	char line[4096]; /* "0-3,8-11" */

	if (!file || !fgets(line, sizeof(line), file))
		return nr_possible;
	const char *last = line + strlen(line);
	while (last > line && last[-1] != ',' && last[-1] != '-')
		last--;
	uint32_t count = strtoul(last, NULL, 10) + 1;
	return count < nr_possible ? count : nr_possible;
}

/* What the recorder hears besides, as far as the kernel has it. */
static void choose_others(struct recorder_bpf *bpf, const struct features *features, bool locks)
{
	for (enum variable path = SLOW_PATHS; path < NOT_IN_BTF; path++)
		bpf_program__set_autoload(
			spin_program(bpf, path).program,
			locks && features_can_attach(features, features->variables[path].name));
	bpf_program__set_autoload(bpf->progs.hung_task,
				  features_has_type(features, "btf_trace_sched_process_hang"));
	bpf_program__set_autoload(bpf->progs.nmi, features_can_attach(features, NMI_FUNCTION));
}

/* One way for the recorder to run, and the recorder if it does. */
struct attempt {
	const struct features *features;
	const struct recorder_settings *settings;
	int nr_cpus;
	bool dry; /* load only */
	const struct pins *pins; /* those of a watch before; not if it is dry */
	const struct legacy *legacy;
	struct recorder_choice choice;
	struct recorder *recorder;
};

/* NULL in @ret: programs that do the same are there, pinned by a watch before. */
static struct error *load(const struct attempt *attempt, struct recorder_bpf **ret)
{
	const struct recorder_settings *settings = attempt->settings;
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
	bpf_map__set_max_entries(bpf->maps.lockdump_record, 1 + attempt->nr_cpus);
	choose_others(bpf, attempt->features, settings->locks);
	set_variables(bpf->rodata, attempt->features);
	bpf->rodata->nr_cpus = nr_present(attempt->nr_cpus);
	memcpy((void *)bpf->rodata->condition_after_ns, settings->condition_after_ns,
	       sizeof(settings->condition_after_ns));
	bpf->rodata->notes_locks = settings->locks;
	bpf->rodata->sample_first_ns = settings->sample_first_ns;
	bpf->rodata->sample_interval_ns = settings->sample_interval_ns;
	if (choice->hook != HOOK_WATCHDOG)
		bpf->rodata->max_gap_ns = settings->sample_first_ns;
	struct error *err = NULL;
	bool is_there = !attempt->dry && hooks_are_pinned(attempt->pins, PIN_HOOK, bpf->skeleton);
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
	struct rlimit files;

	/* Two descriptors for each CPU: 1024, the usual limit, are too few for 512. */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
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

static void attach_other(struct program other)
{
	if (bpf_program__autoload(other.program))
		*other.link = bpf_program__attach(other.program);
}

/* What they tell comes on top: without them the rest is as good. */
static void attach_others(struct recorder_bpf *bpf)
{
	attach_other((struct program){ bpf->progs.hung_task, &bpf->links.hung_task });
	attach_other((struct program){ bpf->progs.nmi, &bpf->links.nmi });
	for (enum variable path = SLOW_PATHS; path < NOT_IN_BTF; path++)
		attach_other(spin_program(bpf, path));
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
	if (!err)
		attach_others(recorder->bpf);
	return err;
}

static struct error *try_choice(struct attempt *attempt)
{
	struct error *err = load(attempt, &attempt->recorder->bpf);

	if (!err && !attempt->dry && attempt->recorder->bpf)
		err = attach(&attempt->choice, attempt->recorder);
	if (err)
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
static struct error *try_all(struct attempt *attempt, struct error **ret_refused)
{
	struct error *first = NULL;

	/* The perf event is always there to be tried. */
	for (size_t n = 0; n < NR_CHOICES; n++) {
		attempt->choice = nth_choice(n);
		if (!is_there(attempt->features, &attempt->choice))
			continue;
		struct error *err = try_choice(attempt);
		if (!err) {
			*ret_refused = first;
			return NULL;
		}
		if (first)
			error_destroy(err);
		else
			first = err;
	}
	return first;
}

static void set_choice(struct recorder *recorder, struct recorder_choice choice)
{
	recorder->choice = choice;
	recorder->hook = hook_name(choice.hook);
	recorder->silent_ns = choice.hook == HOOK_WATCHDOG ? WATCHDOG_SILENT_NS : TICK_SILENT_NS;
}

static struct error *recorder_init(struct attempt *attempt)
{
	attempt->nr_cpus = libbpf_num_possible_cpus();
	if (attempt->nr_cpus <= 0)
		return error_create(ERROR_SYSTEM, "recorder: cannot count the possible CPUs");
	libbpf_set_print(print_nothing);
	*attempt->recorder = (struct recorder){ .map_fd = -1, .nr_cpus = attempt->nr_cpus };
	return NULL;
}

static struct error *choose(struct attempt *attempt, struct error **ret_refused)
{
	struct error *err = features_check_variables(attempt->features);

	if (!err)
		err = try_all(attempt, ret_refused);
	if (!err)
		set_choice(attempt->recorder, attempt->choice);
	return err;
}

/* A descriptor of its own for the record: the legacy's, or the skeleton's, is closed with it. */
static struct error *keep_map(struct recorder *recorder, int fd)
{
	recorder->map_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return recorder->map_fd < 0 ? error_errno("recorder: the flight record") : NULL;
}

static struct error *map_record(const struct legacy *legacy, struct recorder *recorder)
{
	struct error *err = keep_map(
		recorder, recorder->taken_over ? legacy->map_fd
					       : bpf_map__fd(recorder->bpf->maps.lockdump_record));

	if (err)
		return err;
	recorder->size = (size_t)RECORD_SLOT_SIZE * (1 + recorder->nr_cpus);
	recorder->record =
		mmap(NULL, recorder->size, PROT_READ | PROT_WRITE, MAP_SHARED, recorder->map_fd, 0);
	if (recorder->record == MAP_FAILED) {
		recorder->record = NULL;
		return error_errno("recorder: cannot map the flight record");
	}
	return NULL;
}

struct error *recorder_try(const struct features *features, struct recorder *ret,
			   struct error **ret_refused)
{
	static const struct recorder_settings settings = {
		.sample_first_ns = NS_PER_SEC,
		.sample_interval_ns = NS_PER_SEC,
		.locks = true,
	};
	struct attempt attempt = {
		.features = features,
		.settings = &settings,
		.dry = true,
		.recorder = ret,
	};
	struct error *err = recorder_init(&attempt);

	if (!err)
		err = choose(&attempt, ret_refused);
	return err ? err : keep_map(ret, bpf_map__fd(ret->bpf->maps.lockdump_record));
}

static struct error *get_programs(struct attempt *attempt)
{
	_cleanup_(features_deinit) struct features features;
	struct error *refused = NULL;
	struct error *err = features_probe(&features);

	attempt->features = &features;
	if (!err)
		err = choose(attempt, &refused);
	if (!err)
		error_destroy(refused);
	return err;
}

static bool note_watchdog(const char *name, void *arg)
{
	const char *program = strrchr(name, '-');

	*(bool *)arg |= program && !strcmp(program, "-watchdog");
	return true;
}

/* What the programs of the watch before hang on. */
static struct recorder_choice choice_before(const struct recorder *recorder,
					    const struct pins *pins)
{
	struct recorder_choice choice = {};

	pin_each(pins, PIN_HOOK, note_watchdog, &choice.watchdog);
	while (choice.hook < HOOK_WATCHDOG &&
	       strcmp(hook_name(choice.hook), recorder->before.tick_hook))
		choice.hook++;
	return choice;
}

struct error *recorder_start(const struct recorder_settings *settings, const struct pins *pins,
			     const struct legacy *legacy, struct recorder *ret)
{
	struct attempt attempt = {
		.settings = settings,
		.pins = pins,
		.legacy = legacy,
		.recorder = ret,
	};
	struct error *err = recorder_init(&attempt);

	if (err)
		return err;
	ret->taken_over = legacy->map_fd >= 0;
	ret->stuck = legacy->stuck;
	ret->before = legacy->header;
	if (!legacy->stuck)
		err = get_programs(&attempt);
	if (err)
		return err;
	if (!ret->bpf)
		set_choice(ret, choice_before(ret, pins));
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
