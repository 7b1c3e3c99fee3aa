// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flight record, from a file, with all that is made of it. An input has the header, and of each slot what regions
 * says: its head, and the first of each sort of what it has many of; the rest is 0.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "report/text_record.h"
#include "state/registers.h"

#define MAX_SLOTS 7
#define REGION(member, count)                                                  \
	{                                                                      \
		offsetof(struct record_slot, member),                          \
			(count) * sizeof(((struct record_slot *)0)->member[0]) \
	}

static const struct {
	size_t offset, size;
} regions[] = {
	{ 0, offsetof(struct record_slot, deaf[2]) },
	REGION(locks, 1),
	REGION(neighbours, 1),
	REGION(events, 6),
	REGION(hits, 2),
	REGION(samples, 3),
};

/* Of CPUs that left none, whose tasks are those of the newest samples. */
static void complete_registers(const struct record *record)
{
	static struct fuzz_base *base;
	struct cpus cpus;

	if (!base)
		base = fuzz_base_kernel("tests/fuzz/log.kernel");
	struct kernel *kernel = fuzz_kernel(base, (const uint8_t *)"", 1);
	cpus_init(&cpus, kernel);
	for (size_t i = 0; i < cpus.list.count; i++)
		cpus.list.data[i].registers_from = REGISTERS_NONE;
	registers_complete(kernel, &cpus, record);
	for (size_t i = 0; i < cpus.list.count; i++)
		fuzz_touch(&cpus.list.data[i].registers, sizeof(struct registers));
	cpus_deinit(&cpus);
}

static void put_text(const struct record *record)
{
	static FILE *out;

	if (!out)
		out = fopen("/dev/null", "w");
	fuzz_ok(text_put_record(record, out));
}

static void use(const struct record *record)
{
	const struct record_sample *samples[RECORD_NR_SAMPLES];
	const struct dmesg dmesg = {};
	size_t torn;

	for (uint32_t cpu = 0; cpu < record->header->nr_slots; cpu++) {
		size_t count = record_samples(record_slot(record, cpu), samples, &torn);
		for (size_t i = 0; i < count; i++) {
			const __u64 *pcs;
			size_t n = sample_stack(samples[i], samples[i]->stack[0], &pcs);
			fuzz_touch(pcs, n * sizeof(*pcs));
			fuzz_touch(samples[i]->comm, strlen(samples[i]->comm) + 1);
		}
	}
	record_realtime_ns(record->header, 1);
	put_text(record);
	complete_registers(record);
	fuzz_verdict(record, &dmesg);
}

/* Makes a slot of the input at @data; returns how much of it that took, 0 if there is too little. */
static size_t take_slot(const uint8_t *data, size_t size, uint8_t *slot)
{
	size_t taken = 0;

	for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++)
		taken += regions[i].size;
	if (size < taken)
		return 0;
	for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
		memcpy(slot + regions[i].offset, data, regions[i].size);
		data += regions[i].size;
	}
	return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t file[(1 + MAX_SLOTS) * RECORD_SLOT_SIZE];
	size_t at = sizeof(struct record_header), count = 1, taken;
	struct record record;

	if (size < at)
		return 0;
	memcpy(file, data, at);
	while (count <= MAX_SLOTS &&
	       (taken = take_slot(data + at, size - at, file + count * RECORD_SLOT_SIZE))) {
		at += taken;
		count++;
	}
	/* What is left over makes files that end within an element. */
	size_t length = count * RECORD_SLOT_SIZE - (size - at) % 2;
	if (fuzz_ok(record_from_file(fuzz_file(file, length), &record))) {
		use(&record);
		record_deinit(&record);
	}
	return 0;
}
