// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flight record, from a file, with all that is made of it. An input has a part of each 64 KB element: the header,
 * and of each slot the head and the first samples; the rest is 0.
 */
#include <string.h>

#include "fuzz.h"
#include "state/registers.h"

#define PART	     (256 + 3 * sizeof(struct record_sample))
#define MAX_ELEMENTS 8

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
	complete_registers(record);
	fuzz_verdict(record, &dmesg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t file[MAX_ELEMENTS * RECORD_SLOT_SIZE];
	size_t count = size / PART < MAX_ELEMENTS ? size / PART : MAX_ELEMENTS;
	struct record record;

	/* What is left over makes files that end within an element. */
	for (size_t i = 0; i < count; i++)
		memcpy(file + i * RECORD_SLOT_SIZE, data + i * PART, PART);
	if (fuzz_ok(record_from_file(fuzz_file(file, count * RECORD_SLOT_SIZE + size % PART % 2),
				     &record))) {
		use(&record);
		record_deinit(&record);
	}
	return 0;
}
