// SPDX-License-Identifier: GPL-2.0-only
#include "capture/header.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "capture/clock.h"

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"
#define ANCHOR_TRIES 10

uint64_t header_sample_first_ns(const struct watch_options *options)
{
	return options->threshold_ns < SAMPLE_INTERVAL_NS ? options->threshold_ns
							  : SAMPLE_INTERVAL_NS;
}

/* Of several tries the one that was interrupted least. */
static void read_anchors(struct record_header *header)
{
	uint64_t best = UINT64_MAX;

	for (int try = 0; try < ANCHOR_TRIES; try++) {
		uint64_t before = now_ns();
		uint64_t boottime = clock_ns(CLOCK_BOOTTIME);
		uint64_t realtime = clock_ns(CLOCK_REALTIME);
		uint64_t took = now_ns() - before;
		if (took >= best)
			continue;
		best = took;
		header->anchor_monotonic_ns = before + took / 2;
		header->anchor_boottime_ns = boottime;
		header->anchor_realtime_ns = realtime;
	}
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

static struct error *read_boot_id(struct record_header *header)
{
	_cleanup_fclose_ FILE *file = fopen(BOOT_ID_PATH, "re");

	if (!file || !fgets(header->boot_id, sizeof(header->boot_id), file))
		return error_errno(BOOT_ID_PATH);
	header->boot_id[strcspn(header->boot_id, "\n")] = '\0';
	return NULL;
}

struct error *header_init(const struct recorder *recorder, const struct watch_options *options)
{
	struct record_header *header = recorder_header(recorder);
	struct utsname name;

	*header = (struct record_header){
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
		.trigger_on = options->trigger_on,
		.controller_pid = getpid(),
		.heartbeat_ns = now_ns(),
		.fired_cpu = -1,
	};
	read_anchors(header);
	read_memory(header);
	struct error *err = read_boot_id(header);
	if (err)
		return err;
	if (uname(&name))
		return error_errno("uname");
	snprintf(header->release, sizeof(header->release), "%.*s", (int)sizeof(header->release) - 1,
		 name.release);
	snprintf(header->tick_hook, sizeof(header->tick_hook), "%s", recorder->hook);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	memcpy(header->magic, RECORD_MAGIC, sizeof(header->magic));
	return NULL;
}

uint64_t header_boottime_ns(const struct record_header *header, uint64_t monotonic_ns)
{
	return header->anchor_boottime_ns + (monotonic_ns - header->anchor_monotonic_ns);
}
