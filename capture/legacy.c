// SPDX-License-Identifier: GPL-2.0-only
#include "capture/legacy.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "capture/clock.h"
#include "capture/header.h"
#include "capture/rig.h"
#include "kdump/store.h"
#include "state/record.h"
#include "state/stall.h"

#define DEAF_OLD_NS (5 * NS_PER_SEC) /* its neighbour looks each second */

/* A look at the map of any version: how large its elements are, and its memory. One that no record can be in has none. */
struct map {
	size_t slot_size;
	size_t size;
	void *memory;
};

static struct error *map_memory(int fd, struct map *ret)
{
	struct bpf_map_info info = {};
	__u32 info_size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &info_size))
		return error_errno("the pinned record");
	*ret = (struct map){};
	if (info.type != BPF_MAP_TYPE_ARRAY || !(info.map_flags & BPF_F_MMAPABLE))
		return NULL;
	*ret = (struct map){
		.slot_size = info.value_size,
		.size = (size_t)info.value_size * info.max_entries,
	};
	ret->memory = mmap(NULL, ret->size, PROT_READ, MAP_SHARED, fd, 0);
	if (ret->memory == MAP_FAILED)
		return error_errno("the pinned record cannot be mapped");
	return NULL;
}

struct error *legacy_check(const void *map, size_t size, size_t slot_size, const char *boot_id)
{
	const struct record_header *header = map;

	if (size < sizeof(*header) ||
	    memcmp(header->magic, RECORD_MAGIC, sizeof(header->magic)) != 0)
		return error_create(ERROR_OTHER, "is not whole");
	if (header->abi != RECORD_ABI)
		return error_create(ERROR_OTHER, "is of ABI version %u, not %u", header->abi,
				    RECORD_ABI);
	if (slot_size != RECORD_SLOT_SIZE || header->slot_size != RECORD_SLOT_SIZE ||
	    header->header_size != sizeof(*header) ||
	    header->sample_size != sizeof(struct record_sample) ||
	    header->nr_onset != RECORD_NR_ONSET || header->nr_ring != RECORD_NR_RING ||
	    size != (size_t)RECORD_SLOT_SIZE * (1 + (size_t)header->nr_slots))
		return error_create(ERROR_OTHER, "has other sizes");
	if (strncmp(header->boot_id, boot_id, sizeof(header->boot_id)) != 0)
		return error_create(ERROR_OTHER, "is of another boot");
	return NULL;
}

static const struct record_slot *slot_of(const struct map *map, size_t cpu)
{
	return (const void *)((const char *)map->memory + (1 + cpu) * map->slot_size);
}

static size_t nr_slots(const struct map *map)
{
	return map->size / map->slot_size - 1;
}

/* The longest lockup in the record that is @on, or in all of it. False: there is none. */
static bool find_lockup(const struct map *map, uint64_t threshold_ns, bool on, struct stall *ret)
{
	bool found = false;

	if (map->slot_size < offsetof(struct record_slot, samples))
		return false;
	for (size_t cpu = 0; cpu < nr_slots(map); cpu++) {
		struct stall stall;
		stall_read(slot_of(map, cpu), cpu, &stall);
		if (!stall.onset_ns || !stall_is_lockup(&stall, threshold_ns) ||
		    (on && stall.end_ns) ||
		    (found && stall_length_ns(&stall) <= stall_length_ns(ret)))
			continue;
		*ret = stall;
		found = true;
	}
	return found;
}

/* Whether a CPU takes no interrupts, as its neighbour has it. Of a map of this version only. */
static bool find_deaf(const struct map *map)
{
	uint64_t now = now_ns();

	for (size_t cpu = 0; cpu < nr_slots(map); cpu++) {
		for (size_t i = 0; i < RECORD_NR_DEAF; i++) {
			const struct record_deaf *deaf = &slot_of(map, cpu)->deaf[i];
			if (deaf->since_ns && deaf->last_ns + DEAF_OLD_NS > now)
				return true;
		}
	}
	return false;
}

/* The stalls' times are at the same place in the slots of all versions so far. */
static struct error *save(const struct map *map, const char *store, const char *boot_id,
			  const struct stall *stall)
{
	uint64_t onset_ns = clock_ns(CLOCK_REALTIME) - (now_ns() - stall->onset_ns);
	_cleanup_free_ void *copy = malloc(map->size);
	struct incident incident = { .dirfd = -1 };

	if (!copy)
		return &error_no_memory;
	memcpy(copy, map->memory, map->size);
	struct error *err = incident_create(store, onset_ns / NS_PER_SEC, boot_id, &incident);
	if (!err)
		err = incident_write(&incident, "record.bin", copy, map->size);
	if (!err)
		err = rig_write(&incident);
	if (!err)
		fprintf(stderr, "lockdump: its stall of CPU %u is kept as incident %s\n",
			stall->cpu, incident.id);
	incident_close(&incident);
	return err;
}

static void replace(const struct pins *pins, const struct map *map, const char *store,
		    const char *boot_id, uint64_t threshold_ns)
{
	struct stall stall;

	pin_remove_all(pins, "");
	if (find_lockup(map, threshold_ns, false, &stall)) {
		struct error *err = save(map, store, boot_id, &stall);
		if (err)
			error_report(error_prefix(err, "watch: the record that was left is lost"));
	}
}

static bool note_one(const char *name, void *arg)
{
	(void)name;
	*(bool *)arg = true;
	return false;
}

static bool has_hooks(const struct pins *pins)
{
	bool any = false;

	pin_each(pins, PIN_HOOK, note_one, &any);
	return any;
}

struct error *legacy_find(const struct pins *pins, const char *store, uint64_t threshold_ns,
			  struct legacy *ret)
{
	char boot_id[sizeof(ret->header.boot_id)];
	struct stall stall;
	struct map map = {};

	*ret = (struct legacy){ .map_fd = pin_get(pins, PIN_RECORD) };
	if (ret->map_fd < 0) {
		/* Hooks without a record are of a watch that was killed at its start. */
		pin_remove_all(pins, "");
		return NULL;
	}
	struct error *err = header_boot_id(boot_id, sizeof(boot_id));
	if (!err)
		err = map_memory(ret->map_fd, &map);
	if (err) {
		legacy_deinit(ret);
		return err;
	}
	struct error *why = legacy_check(map.memory, map.size, map.slot_size, boot_id);
	if (why) {
		fprintf(stderr,
			"lockdump: the record that a watch before has left %s: a new one is begun\n",
			why->message);
		error_destroy(why);
		replace(pins, &map, store, boot_id, threshold_ns);
		legacy_deinit(ret);
	} else {
		memcpy(&ret->header, map.memory, sizeof(ret->header));
		ret->stuck = has_hooks(pins) &&
			     (find_lockup(&map, ret->header.threshold_ns, true, &stall) ||
			      find_deaf(&map));
	}
	if (map.memory)
		munmap(map.memory, map.size);
	return NULL;
}

void legacy_deinit(struct legacy *legacy)
{
	if (legacy->map_fd >= 0)
		close(legacy->map_fd);
	legacy->map_fd = -1;
}

bool legacy_attended(const struct record_header *before, uint64_t onset_ns)
{
	return onset_ns + before->threshold_ns < before->heartbeat_ns;
}
