// SPDX-License-Identifier: GPL-2.0-only
#include "capture/cause.h"

#include <stdio.h>
#include <string.h>

#include "base/print.h"
#include "capture/clock.h"
#include "state/stall.h"

#define FRESH_NS \
	(3 * NS_PER_SEC) /* looks come each second; those at tasks when the kernel makes them */

static const char *const said[RECORD_NR_KINDS] = {
	[RECORD_KIND_SOFT_LOCKUP] = "no task switch",
	[RECORD_KIND_HARD_LOCKUP] = "no interrupts taken",
	[RECORD_KIND_RCU_STALL] = "no end of an RCU grace period",
	[RECORD_KIND_HUNG_TASK] = "a hung task",
	[RECORD_KIND_WORKQUEUE_STALL] = "no progress of a worker pool",
	[RECORD_KIND_IRQ_STORM] = "a storm of interrupts",
	[RECORD_KIND_SOFTIRQ_STORM] = "a storm of softirqs",
	[RECORD_KIND_NEED_RESCHED] = "need_resched not served",
};

static uint64_t load(const __u64 *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void take_comm(struct cause *cause, const char *comm)
{
	memcpy(cause->comm, comm, sizeof(cause->comm));
	cause->comm[sizeof(cause->comm) - 1] = '\0';
	clean_text(cause->comm); /* it is what any user gave it */
}

static bool find_stall(const struct record_slot *slot, uint32_t cpu,
		       const struct cause_wanted *wanted, uint64_t now, struct cause *ret)
{
	struct record_sample sample;
	struct stall stall;

	stall_read(slot, cpu, &stall);
	if (stall_state(&stall, now, wanted->silent_ns) != STALL_ON ||
	    !stall_is_lockup(&stall, wanted->after_ns))
		return false;
	*ret = (struct cause){
		.kind = RECORD_KIND_SOFT_LOCKUP,
		.cpu = cpu,
		.seen_by = cpu,
		.onset_ns = stall.onset_ns,
		.last_ns = stall.last_ns,
		.lasted_ns = stall_length_ns(&stall),
	};
	if (stall_copy_newest(slot, stall.onset_ns, &sample)) {
		ret->pid = sample.pid;
		take_comm(ret, sample.comm);
	}
	return true;
}

static bool is_lasting(uint64_t since_ns, uint64_t last_ns, const struct cause_wanted *wanted,
		       uint64_t now)
{
	return since_ns && last_ns > since_ns && last_ns - since_ns >= wanted->after_ns &&
	       now < last_ns + FRESH_NS;
}

static bool find_deaf(const struct record_slot *slot, uint32_t cpu,
		      const struct cause_wanted *wanted, uint64_t now, struct cause *ret)
{
	for (size_t i = 0; i < RECORD_NR_DEAF; i++) {
		const struct record_deaf *deaf = &slot->deaf[i];
		uint64_t since_ns = load(&deaf->since_ns), last_ns = load(&deaf->last_ns);
		if (!is_lasting(since_ns, last_ns, wanted, now))
			continue;
		*ret = (struct cause){
			.kind = RECORD_KIND_HARD_LOCKUP,
			.cpu = deaf->cpu,
			.seen_by = cpu,
			.onset_ns = since_ns,
			.last_ns = last_ns,
			.lasted_ns = last_ns - since_ns,
			.pid = deaf->pid,
		};
		take_comm(ret, deaf->comm);
		if (load(&deaf->since_ns) == since_ns)
			return true;
	}
	return false;
}

static bool find_condition(const struct record_slot *slot, uint32_t cpu,
			   const struct cause_wanted *wanted, uint64_t now, struct cause *ret)
{
	for (uint32_t kind = RECORD_KIND_RCU_STALL; kind < RECORD_NR_KINDS; kind++) {
		const struct record_condition *condition = &slot->conditions[kind];
		uint64_t since_ns = load(&condition->since_ns), last_ns = load(&condition->last_ns);
		if (!(wanted->kinds & (1U << kind)) || !is_lasting(since_ns, last_ns, wanted, now))
			continue;
		*ret = (struct cause){
			.kind = kind,
			.cpu = cpu,
			.seen_by = cpu,
			.onset_ns = since_ns,
			.last_ns = last_ns,
			.lasted_ns = last_ns - since_ns,
		};
		return true;
	}
	return false;
}

bool cause_find(const struct record_slot *slot, uint32_t cpu, const struct cause_wanted *wanted,
		uint64_t now, struct cause *ret)
{
	if ((wanted->kinds & (1U << RECORD_KIND_SOFT_LOCKUP)) &&
	    find_stall(slot, cpu, wanted, now, ret))
		return true;
	if ((wanted->kinds & (1U << RECORD_KIND_HARD_LOCKUP)) &&
	    find_deaf(slot, cpu, wanted, now, ret))
		return true;
	return find_condition(slot, cpu, wanted, now, ret);
}

void cause_describe(const struct cause *cause, char *ret, size_t size)
{
	unsigned long long ms = cause->lasted_ns / NS_PER_MS;
	int length = snprintf(ret, size, "%s for %llu.%03llu s", said[cause->kind], ms / 1000,
			      ms % 1000);

	if (cause->pid && (size_t)length < size)
		snprintf(ret + length, size - length, ", in %s (pid %u)", cause->comm, cause->pid);
}
