// SPDX-License-Identifier: GPL-2.0-only
#include "capture/sysrq.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "capture/clock.h"
#include "capture/spooler.h"

#define SPOOL_WAIT_NS (2 * NS_PER_SEC)
#define POLL_NS	      (5 * NS_PER_MS)

static void nap(void)
{
	struct timespec ts = to_timespec(POLL_NS);

	clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
}

static void write_reason(const struct watch *watch, const struct cause *cause)
{
	struct record_header *header = recorder_header(&watch->recorder);

	cause_describe(cause, header->fired_reason, sizeof(header->fired_reason));
	header->fired_onset_ns = cause->onset_ns;
	header->fired_cpu = cause->cpu;
	header->fired_ns = now_ns();
	__atomic_store_n(&header->fired_by, RECORD_FIRED_SYSRQ, __ATOMIC_RELEASE);
}

static void take_reason_back(const struct watch *watch)
{
	struct record_header *header = recorder_header(&watch->recorder);
	__u32 mine = RECORD_FIRED_SYSRQ;

	/* The kernel may have fired in the meantime: then the reason is its own. */
	if (!__atomic_compare_exchange_n(&header->fired_by, &mine, RECORD_FIRED_NONE, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return;
	header->fired_ns = header->fired_onset_ns = 0;
	header->fired_cpu = -1;
	memset(header->fired_reason, 0, sizeof(header->fired_reason));
}

static void have_spooled(struct shared *shared, int spooler)
{
	uint32_t ticket = atomic_fetch_add(&shared->asked, 1) + 1;
	uint64_t deadline = now_ns() + SPOOL_WAIT_NS;

	if (!spooler || kill(spooler, SPOOLER_WAKE))
		return;
	while ((int32_t)(shared->answered - ticket) < 0 && now_ns() < deadline)
		nap();
}

/*
 * A stall that has ended looks like one that goes on until that CPU's next timer interrupt, and an idle CPU has
 * none: only a look after @since proves that it goes on. Where this thread runs, nothing is stuck. The kernel looks
 * for hung tasks too rarely to wait for it.
 */
static bool goes_on(const struct watch *watch, const struct cause *cause, uint64_t since)
{
	const struct record_slot *slot = recorder_slot(&watch->recorder, cause->seen_by);
	const struct cause_wanted wanted = {
		.kinds = 1U << cause->kind,
		.silent_ns = watch->recorder.silent_ns,
	};

	for (;;) {
		struct cause now;
		if (!cause_find(slot, cause->seen_by, &wanted, now_ns(), &now) ||
		    now.onset_ns != cause->onset_ns)
			return false;
		if (cause->kind == RECORD_KIND_SOFT_LOCKUP && sched_getcpu() == (int)cause->cpu)
			return false;
		if (now.last_ns > since || cause->kind == RECORD_KIND_HUNG_TASK)
			return true;
		nap();
	}
}

int sysrq_fire(const struct watch *watch, const struct cause *cause, int spooler)
{
	write_reason(watch, cause);
	have_spooled(watch->shared, spooler);
	if (!goes_on(watch, cause, now_ns())) {
		take_reason_back(watch);
		return 0;
	}
	/* The spooler may have taken its time: this is when the machine is crashed. */
	uint64_t now = now_ns();
	recorder_header(&watch->recorder)->fired_ns = now;
	__atomic_store_n(&recorder_header(&watch->recorder)->sysrq_ns, now, __ATOMIC_RELEASE);
	errno = 0;
	int saved = write(watch->trigger.sysrq_fd, "c", 1) == 1 ? 0 : errno;
	take_reason_back(watch);
	errno = saved;
	return -1;
}

const char *sysrq_failure(int error)
{
	return error ? strerror(error) : "the write had no effect";
}
