// SPDX-License-Identifier: GPL-2.0-only
/* What tasks wait for, and who waits for whom. */
#include <string.h>

#include "fuzz.h"
#include "make_record.h"
#include "state/locks.h"
#include "verdict/wait_graph.h"

static void look_at(const struct locks *locks)
{
	struct wait_cycle cycle;
	char text[64];
	size_t steps;

	for (size_t i = 0; i < locks->list.count; i++) {
		lock_describe(&locks->list.data[i], text, sizeof(text));
		fuzz_touch(text, strlen(text) + lock_is_held(&locks->list.data[i]));
		text[0] = *lock_participle(&locks->list.data[i]);
	}
	for (uint32_t i = 0; i < locks->nr_tasks; i++) {
		wait_graph_cycle(locks, i, &cycle);
		wait_graph_head(locks, i, &steps);
	}
	wait_graph_cycle(locks, LOCK_NONE, &cycle);
}

#define NR_CPUS 2

/* What the recorder saw spun for, in each context of each CPU. Nothing else of the record is looked at. */
static const struct record *read_record(struct kernel *kernel)
{
	static uint8_t data[(1 + NR_CPUS) * RECORD_SLOT_SIZE] __attribute__((aligned(8)));
	static struct record record = {
		.data = data,
		.size = sizeof(data),
		.header = (const void *)data,
	};
	struct {
		uint64_t lock;
		uint32_t flags, pid;
	} recorded[NR_CPUS][RECORD_NR_CONTEXTS] = {};

	make_record_header((void *)data, NR_CPUS);
	error_destroy(memory_read(&kernel->memory, FUZZ_VA + 0xf40, recorded, sizeof(recorded)));
	for (uint32_t cpu = 0; cpu < NR_CPUS; cpu++) {
		struct record_slot *slot = (void *)(data + (1 + cpu) * RECORD_SLOT_SIZE);
		for (size_t i = 0; i < RECORD_NR_CONTEXTS; i++) {
			slot->locks[i].lock = recorded[cpu][i].lock;
			slot->locks[i].flags = recorded[cpu][i].flags;
			slot->locks[i].pid = recorded[cpu][i].pid;
		}
	}
	return &record;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_base *base;
	/* The first CPU hangs; the second has switched tasks meanwhile, and RCU has waited for it. */
	struct cpu_state its[2] = {
		[0].stuck_ns = 10000000000,
		[1] = { .running_ns = 1000000000, .holds_up_rcu = true },
	};
	const struct cpu_states states = { .list = { .data = its, .count = 2 },
					   .grace_period_ns = 5000000000 };
	struct cpus cpus;
	struct tasks tasks;
	struct locks locks;

	if (!base)
		base = fuzz_base_kernel("tests/fuzz/locks.kernel");
	struct kernel *kernel = fuzz_kernel(base, data, size);
	if (!kernel)
		return 0;
	cpus_init(&cpus, kernel);
	tasks_init(&tasks, kernel, &cpus);
	locks_init(&locks, kernel, &cpus, &tasks, &states, read_record(kernel));
	look_at(&locks);
	for (size_t i = 0; i < tasks.list.count; i++)
		locks_asking_frame(kernel, &tasks.list.data[i].stack);
	locks_deinit(&locks);
	tasks_deinit(&tasks);
	cpus_deinit(&cpus);
	return 0;
}
