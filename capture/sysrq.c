// SPDX-License-Identifier: GPL-2.0-only
#include "capture/sysrq.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/print.h"
#include "capture/clock.h"
#include "capture/spooler.h"

#define SPOOL_WAIT_NS (2 * NS_PER_SEC)
#define POLL_NS	      (5 * NS_PER_MS)

static void nap(void)
{
	struct timespec ts = to_timespec(POLL_NS);

	clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
}

static void write_reason(const struct watch *watch, const struct stall *stall)
{
	struct record_header *header = recorder_header(&watch->recorder);
	const struct record_slot *slot = recorder_slot(&watch->recorder, stall->cpu);
	struct record_sample sample;
	bool known = stall_copy_newest(slot, stall->onset_ns, &sample);
	uint64_t ms = stall_length_ns(stall) / NS_PER_MS;

	snprintf(header->fired_reason, sizeof(header->fired_reason),
		 "no task switch for %llu.%03llu s, in %.16s (pid %u)",
		 (unsigned long long)ms / 1000, (unsigned long long)ms % 1000,
		 known ? sample.comm : "?", known ? sample.pid : 0);
	clean_text(header->fired_reason); /* the comm is what any user gave it */
	header->fired_onset_ns = stall->onset_ns;
	header->fired_cpu = stall->cpu;
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
 * none: only a look after @since proves that it goes on. Where this thread runs, nothing is stuck.
 */
static bool goes_on(const struct watch *watch, const struct stall *stall, uint64_t since)
{
	const struct record_slot *slot = recorder_slot(&watch->recorder, stall->cpu);

	for (;;) {
		struct stall now;
		stall_read(slot, stall->cpu, &now);
		if (now.onset_ns != stall->onset_ns || sched_getcpu() == (int)stall->cpu)
			return false;
		if (now.last_ns > since)
			return stall_state(&now, now_ns(), watch->recorder.silent_ns) == STALL_ON;
		if (stall_state(&now, now_ns(), watch->recorder.silent_ns) != STALL_ON)
			return false;
		nap();
	}
}

int sysrq_fire(const struct watch *watch, const struct stall *stall, int spooler)
{
	write_reason(watch, stall);
	have_spooled(watch->shared, spooler);
	if (!goes_on(watch, stall, now_ns())) {
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
