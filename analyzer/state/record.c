// SPDX-License-Identifier: GPL-2.0-only
#include "state/record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/regular_file.h"
#include "state/bpf_maps.h"

static struct error *check(const struct record_header *header, size_t size)
{
	if (size < RECORD_SLOT_SIZE ||
	    memcmp(header->magic, RECORD_MAGIC, sizeof(header->magic)) != 0)
		return error_create(ERROR_OTHER, "no flight record");
	if (header->abi != RECORD_ABI)
		return error_create(
			ERROR_OTHER,
			"a flight record of ABI version %u; this lockdump reads version %u",
			header->abi, RECORD_ABI);
	if (header->header_size != sizeof(*header) || header->slot_size != RECORD_SLOT_SIZE ||
	    header->sample_size != sizeof(struct record_sample) ||
	    header->nr_onset != RECORD_NR_ONSET || header->nr_ring != RECORD_NR_RING)
		return error_create(ERROR_CORRUPT,
				    "a flight record with sizes that version %u "
				    "does not have",
				    RECORD_ABI);
	if (header->nr_slots > size / RECORD_SLOT_SIZE - 1)
		return error_create(ERROR_MISSING, "a flight record cut off: %zu of %u CPUs",
				    size / RECORD_SLOT_SIZE - 1, header->nr_slots);
	return NULL;
}

static void end_strings(struct record_header *header)
{
	header->fired_reason[sizeof(header->fired_reason) - 1] = '\0';
	header->boot_id[sizeof(header->boot_id) - 1] = '\0';
	header->release[sizeof(header->release) - 1] = '\0';
	header->incident[sizeof(header->incident) - 1] = '\0';
	header->tick_hook[sizeof(header->tick_hook) - 1] = '\0';
	for (size_t i = 0; i < RECORD_NR_PROBES; i++)
		header->probes[i][sizeof(header->probes[i]) - 1] = '\0';
}

#define END_COMMS(array)                                                \
	for (size_t i = 0; i < sizeof(array) / sizeof((array)[0]); i++) \
	(array)[i].comm[sizeof((array)[i].comm) - 1] = '\0'

/* What bounds loops and array indices later is checked here, once; what fails is torn. */
static void check_samples(struct record_slot *slot)
{
	for (size_t i = 0; i < RECORD_NR_SAMPLES; i++) {
		struct record_sample *sample = &slot->samples[i];
		sample->comm[sizeof(sample->comm) - 1] = '\0';
		if (sample->nr_stack > RECORD_STACK_MAX)
			sample->number_end = ~sample->number;
	}
}

static bool is_good_event(const struct record_event *event)
{
	switch (event->kind) {
	case RECORD_EVENT_CONDITION:
	case RECORD_EVENT_CONDITION_END:
		return event->words[0] < RECORD_NR_KINDS;
	case RECORD_EVENT_DEAF:
	case RECORD_EVENT_DEAF_END:
	case RECORD_EVENT_PAUSE:
		return true;
	}
	return false;
}

static void check_events(struct record_slot *slot)
{
	for (size_t i = 0; i < RECORD_NR_EVENTS; i++)
		if (slot->events[i].number && !is_good_event(&slot->events[i]))
			slot->events[i].number_end = ~slot->events[i].number;
	for (size_t i = 0; i < RECORD_NR_HITS; i++)
		if (slot->hits[i].number && slot->hits[i].probe >= RECORD_NR_PROBES)
			slot->hits[i].number_end = ~slot->hits[i].number;
}

static void check_slot(struct record_slot *slot)
{
	check_samples(slot);
	check_events(slot);
	END_COMMS(slot->deaf);
	END_COMMS(slot->neighbours);
	END_COMMS(slot->events);
	END_COMMS(slot->hits);
	for (size_t i = 0; i < RECORD_NR_CONTEXTS; i++)
		if (slot->locks[i].nr_stack > RECORD_LOCK_STACK)
			slot->locks[i].nr_stack = 0;
}

struct error *record_view(void *data, size_t size, struct record *ret)
{
	struct record_header *header = data;
	struct error *err = check(header, size);

	if (err)
		return err;
	end_strings(header);
	*ret = (struct record){ .data = data, .size = size, .header = header };
	for (uint32_t cpu = 0; cpu < header->nr_slots; cpu++)
		check_slot((struct record_slot *)record_slot(ret, cpu));
	return NULL;
}

struct error *record_parse(void *data, size_t size, struct record *ret)
{
	struct error *err = record_view(data, size, ret);

	if (err)
		free(data);
	return err;
}

struct error *record_from_kernel(struct kernel *kernel, struct record *ret)
{
	uint64_t values, nr_cpus = 1;
	uint32_t element_size, count;
	void *data;

	struct error *err = bpf_array_map_find(kernel, RECORD_MAP_NAME, RECORD_MAGIC, &values,
					       &element_size, &count);
	/* A kernel for one CPU has no such variable. */
	if (!err && kernel->symbols.at[KSYM_nr_cpu_ids])
		err = kernel_variable(kernel, KSYM_nr_cpu_ids, sizeof(uint32_t), &nr_cpus);
	/* A header, and a slot for each CPU: more of it is no recorder's. */
	if (!err && (uint64_t)element_size * count > (nr_cpus + 1) * RECORD_SLOT_SIZE)
		err = error_fault(ERROR_CORRUPT, values,
				  "a flight record of %u elements of %u bytes for %llu CPUs", count,
				  element_size, (unsigned long long)nr_cpus);
	if (!err)
		err = memory_read_alloc(&kernel->memory, values, (uint64_t)element_size * count,
					RECORD_MAX_SIZE, &data);
	if (!err)
		err = record_parse(data, (uint64_t)element_size * count, ret);
	if (!err)
		ret->from = RECORD_FROM_VMCORE;
	return err;
}

struct error *record_from_file(const char *path, struct record *ret)
{
	_cleanup_close_ int fd = -1;
	uint64_t in_file;
	struct error *err = regular_file_open(path, &fd, &in_file);

	if (err)
		return err;
	if (in_file > RECORD_MAX_SIZE)
		return error_create(ERROR_OTHER, "%s: no flight record: they have up to %llu MB",
				    path, (unsigned long long)RECORD_MAX_SIZE >> 20);
	char *data = malloc(in_file + 1);
	if (!data)
		return &error_no_memory;
	size_t size = 0;
	for (ssize_t n; size < in_file; size += n) {
		n = read(fd, data + size, in_file - size);
		if (n < 0) {
			free(data);
			return error_errno("%s", path);
		}
		if (!n)
			break;
	}
	err = record_parse(data, size, ret);
	if (!err)
		ret->from = RECORD_FROM_FILE;
	return error_prefix(err, "%s", path);
}

uint64_t record_realtime_ns(const struct record_header *header, uint64_t monotonic_ns)
{
	return header->anchor_realtime_ns + (monotonic_ns - header->anchor_monotonic_ns);
}

const struct record_slot *record_slot(const struct record *record, uint32_t cpu)
{
	return (const struct record_slot *)((const char *)record->data +
					    (size_t)(cpu + 1) * RECORD_SLOT_SIZE);
}

/* Of whatever begins with its number. */
static int compare_numbers(const void *a, const void *b)
{
	const __u64 *const *x = a, *const *y = b;
	return **x < **y ? -1 : **x > **y;
}

size_t record_samples(const struct record_slot *slot,
		      const struct record_sample *ret[RECORD_NR_SAMPLES], size_t *torn_ret)
{
	size_t count = 0;

	*torn_ret = 0;
	for (size_t i = 0; i < RECORD_NR_SAMPLES; i++) {
		const struct record_sample *sample = &slot->samples[i];
		if (sample->number != sample->number_end)
			++*torn_ret;
		else if (sample->number && sample->onset_ns == slot->onset_ns)
			ret[count++] = sample;
	}
	qsort(ret, count, sizeof(*ret), compare_numbers);
	return count;
}

size_t record_events(const struct record_slot *slot,
		     const struct record_event *ret[RECORD_NR_EVENTS], size_t *torn_ret)
{
	size_t count = 0;

	*torn_ret = 0;
	for (size_t i = 0; i < RECORD_NR_EVENTS; i++) {
		const struct record_event *event = &slot->events[i];
		if (event->number != event->number_end)
			++*torn_ret;
		else if (event->number)
			ret[count++] = event;
	}
	qsort(ret, count, sizeof(*ret), compare_numbers);
	return count;
}

size_t record_hits(const struct record_slot *slot, const struct record_hit *ret[RECORD_NR_HITS],
		   size_t *torn_ret)
{
	size_t count = 0;

	*torn_ret = 0;
	for (size_t i = 0; i < RECORD_NR_HITS; i++) {
		const struct record_hit *hit = &slot->hits[i];
		if (hit->number != hit->number_end)
			++*torn_ret;
		else if (hit->number)
			ret[count++] = hit;
	}
	qsort(ret, count, sizeof(*ret), compare_numbers);
	return count;
}

bool record_slot_is_torn(const struct record_slot *slot)
{
	return slot->sequence & 1;
}

bool record_describe_torn(const struct record_slot *slot, char *ret, size_t size)
{
	const struct record_sample *samples[RECORD_NR_SAMPLES];
	const struct record_event *events[RECORD_NR_EVENTS];
	const struct record_hit *hits[RECORD_NR_HITS];
	struct {
		const char *name;
		size_t count;
	} torn[] = { { "sample" }, { "event" }, { "hit" } };
	size_t len = 0;

	record_samples(slot, samples, &torn[0].count);
	record_events(slot, events, &torn[1].count);
	record_hits(slot, hits, &torn[2].count);
	if (record_slot_is_torn(slot))
		len = snprintf(ret, size, "its stall");
	for (size_t i = 0; i < sizeof(torn) / sizeof(torn[0]) && len < size; i++)
		if (torn[i].count)
			len += snprintf(ret + len, size - len, "%s%zu %s%s", len ? ", " : "",
					torn[i].count, torn[i].name, torn[i].count == 1 ? "" : "s");
	return len;
}

/* The interrupted pc itself is in the stack, exactly, behind the interrupt's frames: perf_callchain_kernel(). */
size_t sample_stack(const struct record_sample *sample, uint64_t pc, const __u64 **ret)
{
	if (!(sample->flags & RECORD_SAMPLE_REGS)) {
		*ret = sample->stack;
		return sample->nr_stack;
	}
	for (uint32_t i = 0; i < sample->nr_stack; i++) {
		if (sample->stack[i] == pc) {
			*ret = sample->stack + i;
			return sample->nr_stack - i;
		}
	}
	*ret = NULL;
	return 0;
}

uint64_t record_looked_ns(const struct record_slot *slot)
{
	return slot->nmi_ns > slot->last_tick_ns ? slot->nmi_ns : slot->last_tick_ns;
}

bool record_is_spinning(const struct record_slot *slot, const struct record_contention *contention)
{
	const struct record_sample *samples[RECORD_NR_SAMPLES];
	size_t torn, count;

	if (contention->since_ns > record_looked_ns(slot))
		return true;
	if (slot->end_ns || record_slot_is_torn(slot))
		return false;
	count = record_samples(slot, samples, &torn);
	return count && samples[count - 1]->lock == contention->lock &&
	       samples[count - 1]->lock_since_ns == contention->since_ns;
}

void record_deinit(struct record *record)
{
	free(record->data);
	memset(record, 0, sizeof(*record));
}
