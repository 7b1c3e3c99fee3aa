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
#include "capture/verifier.h"

#define FENTRY		 "fentry/"
#define HEARTBEAT_OLD_NS (3 * NS_PER_SEC)
#define SYSRQ_OLD_NS	 (5 * NS_PER_SEC)

struct kernel_trigger {
	struct trigger_bpf *bpf;
};

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

/* It hangs where the recorder does. False: on no function at all, which the kernel allows to call crash_kexec(). */
static bool choose_programs(const struct trigger_bpf *bpf, const struct recorder *recorder)
{
	struct bpf_program *program;
	bool any = false;

	bpf_object__for_each_program(program, bpf->obj)
	{
		const char *function = function_of(program);
		bool wanted =
			!strcmp(function, recorder->hook) ||
			(recorder->choice.watchdog && !strcmp(function, hook_name(HOOK_WATCHDOG)));
		bpf_program__set_autoload(program, wanted);
		any |= wanted;
	}
	return any;
}

static void configure(struct trigger_bpf__rodata *rodata, const struct watch_options *options,
		      bool controller_first)
{
	rodata->trigger_after_ns = options->trigger_after_ns;
	rodata->trigger_on = options->trigger_on;
	rodata->heartbeat_old_ns = controller_first ? HEARTBEAT_OLD_NS : 0;
	rodata->sysrq_old_ns = controller_first ? SYSRQ_OLD_NS : 0;
}

struct error *kernel_trigger_load(const struct recorder *recorder,
				  const struct watch_options *options, bool controller_first,
				  struct kernel_trigger **ret)
{
	_cleanup_free_ char *log = calloc(1, VERIFIER_LOG_SIZE);
	struct kernel_trigger *trigger = calloc(1, sizeof(*trigger));
	LIBBPF_OPTS(bpf_object_open_opts, opts, .kernel_log_buf = log,
		    .kernel_log_size = VERIFIER_LOG_SIZE);

	if (!log || !trigger) {
		free(trigger);
		return &error_no_memory;
	}
	if (!may_reboot()) {
		free(trigger);
		return error_create(ERROR_SYSTEM, "it takes CAP_SYS_BOOT");
	}
	struct error *err = NULL;
	trigger->bpf = trigger_bpf__open_opts(&opts);
	if (trigger->bpf)
		configure(trigger->bpf->rodata, options, controller_first);
	if (trigger->bpf && !choose_programs(trigger->bpf, recorder))
		err = error_create(ERROR_SYSTEM,
				   "it takes programs on the kernel's functions, and the recorder "
				   "runs by %s here ('lockdump doctor' says why); set "
				   "kernel.softlockup_panic to 1 instead",
				   recorder->hook);
	else if (!trigger->bpf ||
		 bpf_map__reuse_fd(trigger->bpf->maps.lockdump_record, recorder_map_fd(recorder)))
		err = error_errno("the kernel trigger's program");
	else if (trigger_bpf__load(trigger->bpf))
		err = load_error(log);
	if (err)
		kernel_trigger_destroy(trigger);
	else
		*ret = trigger;
	return err;
}

/* What is attached before it has a name must not stay: that is, all or none. */
static struct error *attach_and_pin(struct trigger_bpf *bpf, const struct pins *pins)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, bpf->obj)
	{
		if (!bpf_program__autoload(program))
			continue;
		_cleanup_free_ char *name = NULL;
		struct bpf_link *link = bpf_program__attach(program);
		if (!link)
			return error_errno("cannot attach to %s", function_of(program));
		struct error *err =
			asprintf(&name, PIN_TRIGGER "%s", bpf_program__name(program)) < 0
				? &error_no_memory
				: pin_link(pins, link, name);
		bpf_link__destroy(link); /* the name keeps it */
		if (err)
			return err;
	}
	return NULL;
}

struct error *kernel_trigger_attach(struct kernel_trigger *trigger, const struct pins *pins)
{
	if (!*pins->dir)
		return error_create(ERROR_SYSTEM, "it must be pinned, and there is no BPF file "
						  "system; mount one at " PIN_BPFFS);
	kernel_trigger_detach(pins);
	struct error *err = attach_and_pin(trigger->bpf, pins);
	if (err)
		kernel_trigger_detach(pins);
	return err;
}

void kernel_trigger_destroy(struct kernel_trigger *trigger)
{
	if (!trigger)
		return;
	trigger_bpf__destroy(trigger->bpf);
	free(trigger);
}

void kernel_trigger_detach(const struct pins *pins)
{
	pin_remove_all(pins, PIN_TRIGGER);
}

void kernel_trigger_set(const struct recorder *recorder, bool armed)
{
	struct record_header *header = recorder_header(recorder);
	__u32 from = armed ? RECORD_DISARMED : RECORD_ARMED;

	__atomic_compare_exchange_n(&header->armed, &from, armed ? RECORD_ARMED : RECORD_DISARMED,
				    false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
