// SPDX-License-Identifier: GPL-2.0-only
#include "capture/header.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "capture/clock.h"

#define BOOT_ID_PATH   "/proc/sys/kernel/random/boot_id"
#define ANCHOR_TRIES   10
#define FOLLOW_TRIES   2 /* the next time is soon */
#define CLOCK_SLACK_NS (10 * NS_PER_MS)

uint64_t header_sample_first_ns(const struct watch_options *options)
{
	return options->threshold_ns < SAMPLE_INTERVAL_NS ? options->threshold_ns
							  : SAMPLE_INTERVAL_NS;
}

struct clocks {
	uint64_t monotonic_ns, boottime_ns, realtime_ns;
};

/* Of several tries the one that was interrupted least. */
static struct clocks read_clocks(int tries)
{
	uint64_t best = UINT64_MAX;
	struct clocks clocks = {};

	while (tries--) {
		uint64_t before = now_ns();
		uint64_t boottime = clock_ns(CLOCK_BOOTTIME);
		uint64_t realtime = clock_ns(CLOCK_REALTIME);
		uint64_t took = now_ns() - before;
		if (took >= best)
			continue;
		best = took;
		clocks = (struct clocks){ before + took / 2, boottime, realtime };
	}
	return clocks;
}

static void read_anchors(struct record_header *header)
{
	struct clocks clocks = read_clocks(ANCHOR_TRIES);

	header->anchor_monotonic_ns = clocks.monotonic_ns;
	header->anchor_boottime_ns = clocks.boottime_ns;
	header->anchor_realtime_ns = clocks.realtime_ns;
}

static void read_memory(struct record_header *header)
{
	struct sysinfo info;

	header->page_size = sysconf(_SC_PAGESIZE);
	if (sysinfo(&info))
		return;
	header->memory_total_pages = (uint64_t)info.totalram * info.mem_unit / header->page_size;
	header->swap_total_pages = (uint64_t)info.totalswap * info.mem_unit / header->page_size;
}

struct error *header_boot_id(char *ret, size_t size)
{
	_cleanup_fclose_ FILE *file = fopen(BOOT_ID_PATH, "re");

	if (!file || !fgets(ret, size, file))
		return error_errno(BOOT_ID_PATH);
	ret[strcspn(ret, "\n")] = '\0';
	return NULL;
}

struct error *header_init(const struct recorder *recorder, const struct watch_options *options)
{
	struct record_header *header = recorder_header(recorder);
	struct record_header new = {
		.abi = RECORD_ABI,
		.machine = RECORD_EM_X86_64,
		.header_size = sizeof(struct record_header),
		.slot_size = RECORD_SLOT_SIZE,
		.sample_size = sizeof(struct record_sample),
		.nr_slots = recorder->nr_cpus,
		.nr_onset = RECORD_NR_ONSET,
		.nr_ring = RECORD_NR_RING,
		.sample_first_ns = header_sample_first_ns(options),
		.sample_interval_ns = SAMPLE_INTERVAL_NS,
		.threshold_ns = options->threshold_ns,
		.trigger_after_ns = options->trigger_after_ns,
		.trigger_mode = options->trigger,
		.trigger_on = options->trigger_on.kinds,
		.controller_pid = getpid(),
		.heartbeat_ns = now_ns(),
		.fired_cpu = -1,
	};
	struct utsname name;

	read_anchors(&new);
	read_memory(&new);
	struct error *err = header_boot_id(new.boot_id, sizeof(new.boot_id));
	if (err)
		return err;
	if (uname(&name))
		return error_errno("uname");
	snprintf(new.release, sizeof(new.release), "%.*s", (int)sizeof(new.release) - 1,
		 name.release);
	snprintf(new.tick_hook, sizeof(new.tick_hook), "%s", recorder->hook);
	/* Of a record that is taken over: the incident that goes on. Who kept the programs kept their times, too. */
	memcpy(new.incident, header->incident, sizeof(new.incident));
	memcpy(new.probes, header->probes, sizeof(new.probes)); /* hits in it have their index */
	if (!recorder->bpf) {
		new.sample_first_ns = header->sample_first_ns;
		new.sample_interval_ns = header->sample_interval_ns;
	}
	/* The magic, if it is not there yet, comes last: a header that has it is whole. */
	memcpy((char *)header + sizeof(new.magic), (char *)&new + sizeof(new.magic),
	       sizeof(new) - sizeof(new.magic));
	__atomic_thread_fence(__ATOMIC_RELEASE);
	memcpy(header->magic, RECORD_MAGIC, sizeof(header->magic));
	return NULL;
}

void header_end(struct record_header *header)
{
	memset(header->magic, 0, sizeof(header->magic));
}

/* By one store: the machine may crash at any time. */
static void follow(__u64 *anchor_ns, uint64_t then_ns)
{
	uint64_t off_ns = *anchor_ns > then_ns ? *anchor_ns - then_ns : then_ns - *anchor_ns;

	if (off_ns > CLOCK_SLACK_NS)
		__atomic_store_n(anchor_ns, then_ns, __ATOMIC_RELAXED);
}

void header_follow_clocks(struct record_header *header)
{
	struct clocks clocks = read_clocks(FOLLOW_TRIES);
	uint64_t since_ns = clocks.monotonic_ns - header->anchor_monotonic_ns;

	follow(&header->anchor_boottime_ns, clocks.boottime_ns - since_ns);
	follow(&header->anchor_realtime_ns, clocks.realtime_ns - since_ns);
}

uint64_t header_boottime_ns(const struct record_header *header, uint64_t monotonic_ns)
{
	return header->anchor_boottime_ns + (monotonic_ns - header->anchor_monotonic_ns);
}
