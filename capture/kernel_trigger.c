// SPDX-License-Identifier: GPL-2.0-only
#include "capture/kernel_trigger.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bpf/trigger.skel.h"
#include "capture/clock.h"
#include "capture/hooks.h"
#include "capture/verifier.h"

#define FENTRY		 "fentry/"
#define HEARTBEAT_OLD_NS (3 * NS_PER_SEC)
#define SYSRQ_OLD_NS	 (5 * NS_PER_SEC)

static bool may_reboot(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	return !syscall(SYS_capget, &header, data) &&
	       (data[CAP_TO_INDEX(CAP_SYS_BOOT)].effective & CAP_TO_MASK(CAP_SYS_BOOT));
}

/* What older kernels say of a call to the kernel's functions, or of what came before it in the program. */
static bool is_no_kfunc(int code, const char *reason)
{
	static const char *const said[] = {
		"crash_kexec is not allowed", /* 6.0 and before, or without CONFIG_KEXEC_CORE */
		"kernel function call is not supported",
		"reserved fields",
		"unknown func bpf_",
		"unknown opcode",
	};

	if (code == ESRCH) /* libbpf: the BTF has no such function */
		return true;
	for (size_t i = 0; reason && i < sizeof(said) / sizeof(said[0]); i++)
		if (strstr(reason, said[i]))
			return true;
	return false;
}

static struct error *load_error(char *log)
{
	int code = errno;
	const char *reason = verifier_reason(log);

	if (is_no_kfunc(code, reason))
		return error_create(ERROR_SYSTEM,
				    "this kernel has no crash_kexec() for BPF programs, as 6.1 and "
				    "later have; set kernel.softlockup_panic to 1 instead");
	return error_create(ERROR_SYSTEM, "the kernel refuses its program: %s%s%s", strerror(code),
			    reason ? ": " : "", reason ? reason : "");
}

/* The function that a program hangs on: the section's name has it. */
static const char *function_of(const struct bpf_program *program)
{
	return bpf_program__section_name(program) + strlen(FENTRY);
}

/* Those on functions that the recorder has found that it can hang on. False: there are none. */
static bool choose_programs(const struct trigger_bpf *bpf, const struct recorder_choice *choice)
{
	struct bpf_program *program;
	bool any = false;

	bpf_object__for_each_program(program, bpf->obj)
	{
		const char *function = function_of(program);
		bool is_watchdog = !strcmp(function, hook_name(HOOK_WATCHDOG));
		bool choose =
			is_watchdog ? choice->watchdog : !strcmp(function, hook_name(choice->hook));
		bpf_program__set_autoload(program, choose);
		any |= choose;
	}
	return any;
}

static void configure(struct trigger_bpf__rodata *rodata, const struct watch_options *options,
		      bool controller_first)
{
	memcpy((void *)rodata->trigger_after_ns, options->trigger_after_for.ns,
	       sizeof(rodata->trigger_after_ns));
	rodata->trigger_on = options->trigger_on.kinds;
	rodata->heartbeat_old_ns = controller_first ? HEARTBEAT_OLD_NS : 0;
	rodata->sysrq_old_ns = controller_first ? SYSRQ_OLD_NS : 0;
}

static struct error *no_function(const struct recorder *recorder)
{
	return error_create(ERROR_SYSTEM,
			    "it takes programs on the kernel's functions, and the recorder runs by "
			    "%s here ('lockdump doctor' says why); set kernel.softlockup_panic to "
			    "1 instead",
			    recorder->hook);
}

static struct error *load(struct trigger_bpf *bpf, const struct recorder *recorder, char *log)
{
	if (bpf_map__reuse_fd(bpf->maps.lockdump_record, recorder_map_fd(recorder)))
		return error_errno("the flight record");
	return trigger_bpf__load(bpf) ? load_error(log) : NULL;
}

/* One of the same settings, on the same record, is in the kernel. */
static bool is_pinned(const struct trigger_bpf *bpf, const struct recorder *recorder,
		      const struct pins *pins)
{
	return recorder->taken_over && hooks_are_pinned(pins, PIN_TRIGGER, bpf->skeleton);
}

struct error *kernel_trigger_load(const struct recorder *recorder, const struct pins *pins,
				  const struct watch_options *options, bool controller_first,
				  struct trigger_bpf **ret)
{
	_cleanup_free_ char *log = calloc(1, VERIFIER_LOG_SIZE);
	LIBBPF_OPTS(bpf_object_open_opts, opts, .kernel_log_buf = log,
		    .kernel_log_size = VERIFIER_LOG_SIZE);
	struct error *err = NULL;

	*ret = NULL;
	if (!log)
		return &error_no_memory;
	if (!may_reboot())
		return error_create(ERROR_SYSTEM, "it takes CAP_SYS_BOOT");
	if (!*pins->dir)
		return error_create(ERROR_SYSTEM, "it must be pinned, and there is no BPF file "
						  "system; mount one at " PIN_BPFFS);
	struct trigger_bpf *bpf = trigger_bpf__open_opts(&opts);
	if (!bpf)
		return error_errno("its program");
	configure(bpf->rodata, options, controller_first);
	bool can_hang = choose_programs(bpf, &recorder->choice);
	bool is_there = can_hang && is_pinned(bpf, recorder, pins);
	if (!can_hang)
		err = no_function(recorder);
	else if (!is_there && recorder->stuck)
		err = error_create(ERROR_OTHER, "while a CPU is stuck nothing can be attached");
	else if (!is_there)
		err = load(bpf, recorder, log);
	if (err || is_there)
		trigger_bpf__destroy(bpf);
	else
		*ret = bpf;
	return err;
}

struct error *kernel_trigger_attach(struct trigger_bpf *bpf, const struct pins *pins)
{
	if (trigger_bpf__attach(bpf))
		return error_errno("the kernel's timer tick");
	return hooks_pin(pins, PIN_TRIGGER, bpf->skeleton, NULL, 0);
}

void kernel_trigger_destroy(struct trigger_bpf *bpf)
{
	trigger_bpf__destroy(bpf);
}

void kernel_trigger_detach(const struct recorder *recorder, const struct pins *pins)
{
	if (!recorder->stuck)
		pin_remove_all(pins, PIN_TRIGGER);
}

void kernel_trigger_set(const struct recorder *recorder, bool armed)
{
	struct record_header *header = recorder_header(recorder);
	__u32 from = RECORD_DISARMED;

	/* If it is firing, and to no effect, it must not be armed again by that. */
	if (!armed)
		__atomic_store_n(&header->armed, RECORD_DISARMED, __ATOMIC_SEQ_CST);
	else
		__atomic_compare_exchange_n(&header->armed, &from, RECORD_ARMED, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
