// SPDX-License-Identifier: GPL-2.0-only
#include "capture/features.h"

#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

#define BTF_PATH	    "/sys/kernel/btf/vmlinux"
#define FTRACE_ENABLED_PATH "/proc/sys/kernel/ftrace_enabled"

static const char *const hook_names[NR_HOOKS] = {
	[HOOK_ACCOUNT_PROCESS_TICK] = "account_process_tick",
	[HOOK_UPDATE_PROCESS_TIMES] = "update_process_times",
	[HOOK_SCHEDULER_TICK] = "scheduler_tick",
	[HOOK_SCHED_TICK] = "sched_tick",
	[HOOK_CPU_CLOCK] = "cpu-clock",
	[HOOK_WATCHDOG] = "watchdog_timer_fn",
};

static const char *const variable_names[NR_VARIABLES] = {
	[VM_ZONE_STAT] = "vm_zone_stat",
	[VM_NODE_STAT] = "vm_node_stat",
	[NR_SWAP_PAGES] = "nr_swap_pages",
	[SPIN_NATIVE] = "native_queued_spin_lock_slowpath",
	[SPIN_PARAVIRTUAL] = "__pv_queued_spin_lock_slowpath",
	[SPIN_PLAIN] = "queued_spin_lock_slowpath",
	[SPIN_READ] = "queued_read_lock_slowpath",
	[SPIN_WRITE] = "queued_write_lock_slowpath",
	[RUNQUEUES] = "runqueues",
	[KERNEL_CPUSTAT] = "kernel_cpustat",
	[IRQ_REGS] = "__irq_regs",
	[PREEMPT_COUNT] = "__preempt_count",
	[PER_CPU_OFFSET] = "__per_cpu_offset",
	[KSTAT] = "kstat",
	[HRTIMER_BASES] = "hrtimer_bases",
	[CPU_WORKER_POOLS] = "cpu_worker_pools",
	[RCU_STATE] = "rcu_state",
};

const char *hook_name(enum hook hook)
{
	return hook_names[hook];
}

/*
 * A BPF trampoline on a function of the core kernel is ftrace's: it needs the function's nop, and the kernel
 * refuses with EBUSY while ftrace is off (kernel/trace/ftrace.c, FTRACE_OPS_FL_PERMANENT, since 5.5).
 */
static struct error *check_fentry(bool *ret_is_off)
{
	_cleanup_fclose_ FILE *file = fopen(FTRACE_ENABLED_PATH, "re");

	if (!file && errno == ENOENT)
		return error_create(ERROR_NOT_FOUND,
				    "this kernel's functions cannot be traced; "
				    "it takes CONFIG_FUNCTION_TRACER and CONFIG_DYNAMIC_FTRACE");
	*ret_is_off = file && getc(file) == '0';
	if (*ret_is_off)
		return error_create(ERROR_OTHER,
				    "tracing of functions is off; set kernel.ftrace_enabled to 1");
	return NULL;
}

/* What is in the BTF is better taken by its type: the addresses may be hidden from root too. */
static void find_variables(struct features *features)
{
	_cleanup_fclose_ FILE *kallsyms = fopen(KSYMS_PATH, "re");

	for (size_t i = 0; i < NR_VARIABLES; i++)
		features->variables[i] = (struct ksym_wanted){ .name = variable_names[i] };
	features->variables_in_btf = features_has_variable(features, "runqueues");
	features->no_variables =
		kallsyms ? ksyms_look_up(kallsyms, features->variables,
					 features->variables_in_btf ? NOT_IN_BTF : NR_VARIABLES)
			 : error_errno(KSYMS_PATH);
}

struct error *features_probe(struct features *ret)
{
	/* Not from a vmlinux, where libbpf would look too: what the kernel itself has not, it refuses later. */
	*ret = (struct features){ .btf = btf__parse(BTF_PATH, NULL) };
	if (!ret->btf)
		return error_create(
			ERROR_SYSTEM,
			BTF_PATH ": %s; the recorder takes a kernel with CONFIG_DEBUG_INFO_BTF=y",
			strerror(errno));
	for (size_t i = 0; i < NR_HOOKS; i++)
		ret->has_function[i] =
			i == HOOK_CPU_CLOCK || features_has_function(ret, hook_names[i]);
	ret->no_fentry = check_fentry(&ret->tracing_is_off);
	find_variables(ret);
	return NULL;
}

void features_deinit(struct features *features)
{
	btf__free(features->btf);
	error_destroy(features->no_fentry);
	error_destroy(features->no_variables);
	*features = (struct features){};
}

bool features_has_function(const struct features *features, const char *name)
{
	return btf__find_by_name_kind(features->btf, name, BTF_KIND_FUNC) > 0;
}

bool features_can_attach(const struct features *features, const char *name)
{
	return !features->no_fentry && features_has_function(features, name);
}

bool features_has_variable(const struct features *features, const char *name)
{
	return btf__find_by_name_kind(features->btf, name, BTF_KIND_VAR) > 0;
}

bool features_has_type(const struct features *features, const char *name)
{
	return btf__find_by_name(features->btf, name) > 0;
}

/* Members without a name are structures whose members count as this one's. */
static bool has_member(const struct btf *btf, const struct btf_type *t, const char *member,
		       int depth)
{
	if (!t || !btf_is_composite(t) || depth > 8)
		return false;
	for (int i = 0; i < btf_vlen(t); i++) {
		const char *name = btf__name_by_offset(btf, btf_members(t)[i].name_off);
		const struct btf_type *inner = btf__type_by_id(btf, btf_members(t)[i].type);
		if (name && *name ? !strcmp(name, member)
				  : has_member(btf, inner, member, depth + 1))
			return true;
	}
	return false;
}

bool features_has_member(const struct features *features, const char *type, const char *member)
{
	int id = btf__find_by_name_kind(features->btf, type, BTF_KIND_STRUCT);

	return id > 0 && has_member(features->btf, btf__type_by_id(features->btf, id), member, 0);
}

/* bpf_kprobe_multi_link_attach() is there without CONFIG_FPROBE, too, and does nothing then; kernel/trace/fprobe.c is not. */
bool features_has_kprobe_multi(const struct features *features)
{
	return features_has_function(features, "bpf_kprobe_multi_link_attach") &&
	       features_has_function(features, "register_fprobe_ips");
}

struct error *features_check_variables(const struct features *features)
{
	struct error *err = NULL;

	if (features->variables_in_btf || features->variables[RUNQUEUES].address)
		return NULL;
	if (features->no_variables)
		err = error_copy(features->no_variables);
	else
		err = error_create(ERROR_NOT_FOUND,
				   "neither this kernel's BTF nor " KSYMS_PATH " says where its "
				   "run queues are; set kernel.kptr_restrict to 1");
	return error_prefix(err, "recorder");
}
