// SPDX-License-Identifier: GPL-2.0-only
/*
 * The record as BPF writes it and as C reads it: of each of its structs, what the BTF of the built objects says is
 * compared with what this compiler makes of bpf/record.h, member by member.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "bpf/record.h"
#include "bpf/probe.skel.h"
#include "bpf/recorder.skel.h"
#include "bpf/trigger.skel.h"
#include "test.h"

struct layout_member {
	const char *name;
	size_t offset, size;
};

struct layout {
	const char *name;
	size_t size;
	const struct layout_member *members;
	size_t count;
};

#define MEMBER(type, member)                                                               \
	{                                                                                  \
#member, offsetof(struct type, member), sizeof(((struct type *)0)->member) \
	}
#define LAYOUT(type, list)                                                       \
	{                                                                        \
#type, sizeof(struct type), list, sizeof(list) / sizeof(list[0]) \
	}

#define M(member) MEMBER(record_header, member)
static const struct layout_member header[] = {
	M(magic),
	M(abi),
	M(machine),
	M(header_size),
	M(slot_size),
	M(sample_size),
	M(nr_slots),
	M(nr_onset),
	M(nr_ring),
	M(page_size),
	M(armed),
	M(anchor_monotonic_ns),
	M(anchor_boottime_ns),
	M(anchor_realtime_ns),
	M(memory_total_pages),
	M(swap_total_pages),
	M(sample_first_ns),
	M(sample_interval_ns),
	M(threshold_ns),
	M(trigger_after_ns),
	M(trigger_mode),
	M(controller_pid),
	M(heartbeat_ns),
	M(fired_ns),
	M(fired_onset_ns),
	M(fired_by),
	M(fired_cpu),
	M(fired_reason),
	M(boot_id),
	M(release),
	M(incident),
	M(tick_hook),
	M(trigger_on),
	M(drill),
	M(sysrq_ns),
	M(kernel_failed_ns),
	M(probes),
};
#undef M

#define M(member) MEMBER(record_condition, member)
static const struct layout_member condition[] = { M(since_ns), M(last_ns), M(words) };
#undef M

#define M(member) MEMBER(record_event, member)
static const struct layout_member event[] = {
	M(number), M(time_ns),	M(since_ns), M(kind),  M(cpu),
	M(pid),	   M(reserved), M(comm),     M(words), M(number_end),
};
#undef M

#define M(member) MEMBER(record_hit, member)
static const struct layout_member hit[] = {
	M(number), M(time_ns), M(args),	    M(caller), M(probe),
	M(pid),	   M(tgid),    M(reserved), M(comm),   M(number_end),
};
#undef M

#define M(member) MEMBER(record_contention, member)
static const struct layout_member contention[] = {
	M(lock), M(since_ns), M(flags), M(pid), M(stack_ns), M(nr_stack), M(stack),
};
#undef M

#define M(member) MEMBER(record_neighbour, member)
static const struct layout_member neighbour[] = {
	M(cpu), M(pid), M(comm), M(task), M(nr_running), M(online), M(nr_switches), M(tick_ns),
};
#undef M

#define M(member) MEMBER(record_deaf, member)
static const struct layout_member deaf[] = {
	M(cpu), M(pid), M(since_ns), M(last_ns), M(task), M(comm),
};
#undef M

#define M(member) MEMBER(record_sample, member)
static const struct layout_member sample[] = {
	M(number),	  M(time_ns),	 M(onset_ns),	   M(flags),	    M(preempt_count),
	M(nr_running),	  M(nr_stack),	 M(nr_switches),   M(cpu_time_ns),  M(memory_pages),
	M(comm),	  M(pid),	 M(tgid),	   M(ppid),	    M(prio),
	M(policy),	  M(task_flags), M(task_state),	   M(reserved),	    M(task),
	M(start_time_ns), M(runtime_ns), M(utime_ns),	   M(stime_ns),	    M(nvcsw),
	M(nivcsw),	  M(cgroup_id),	 M(rss_pages),	   M(thread_flags), M(nr_irqs),
	M(nr_softirqs),	  M(lock),	 M(lock_since_ns), M(regs),	    M(stack),
	M(number_end),
};
#undef M

#define M(member) MEMBER(record_slot, member)
static const struct layout_member slot[] = {
	M(ticks),	 M(last_tick_ns),   M(nr_switches),    M(progress_ns),
	M(watchdog_ns),	 M(watchdog_calls), M(sequence),       M(onset_ns),
	M(last_ns),	 M(end_ns),	    M(stalls),	       M(first_number),
	M(last_number),	 M(next_sample_ns), M(wanted_ns),      M(paused_ns),
	M(switch_ns),	 M(round_ns),	    M(irq_ns),	       M(softirq_ns),
	M(nr_irqs),	 M(nr_softirqs),    M(rcu_sequence),   M(pool_progress),
	M(last_event),	 M(last_hit),	    M(nmi_ns),	       M(lock_stack_next_ns),
	M(gap_since_ns), M(gap_until_ns),   M(pause_since_ns), M(pause_until_ns),
	M(resumed_ns),	 M(nmi_seen_ns),    M(nmi_switches),   M(reserved),
	M(conditions),	 M(deaf),	    M(locks),	       M(neighbours),
	M(events),	 M(hits),	    M(samples),
};
#undef M

static const struct layout layouts[] = {
	LAYOUT(record_header, header),
	LAYOUT(record_condition, condition),
	LAYOUT(record_event, event),
	LAYOUT(record_hit, hit),
	LAYOUT(record_contention, contention),
	LAYOUT(record_neighbour, neighbour),
	LAYOUT(record_deaf, deaf),
	LAYOUT(record_sample, sample),
	LAYOUT(record_slot, slot),
};

#define NR_LAYOUTS (sizeof(layouts) / sizeof(layouts[0]))

#define NR_OBJECTS 3

struct objects {
	struct bpf_object *list[NR_OBJECTS];
};

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static int open_objects(void **state)
{
	static struct objects objects;
	size_t size;
	const void *bytes = recorder_bpf__elf_bytes(&size);

	libbpf_set_print(quiet);
	objects.list[0] = bpf_object__open_mem(bytes, size, NULL);
	bytes = trigger_bpf__elf_bytes(&size);
	objects.list[1] = bpf_object__open_mem(bytes, size, NULL);
	bytes = probe_bpf__elf_bytes(&size);
	objects.list[2] = bpf_object__open_mem(bytes, size, NULL);
	*state = &objects;
	return !objects.list[0] || !objects.list[1] || !objects.list[2];
}

static int close_objects(void **state)
{
	struct objects *objects = *state;

	for (size_t i = 0; i < NR_OBJECTS; i++)
		bpf_object__close(objects->list[i]);
	return 0;
}

static void compare_member(const struct layout *layout, const struct btf *btf,
			   const struct btf_type *type, size_t i)
{
	const struct btf_member *member = &btf_members(type)[i];
	const struct layout_member *known = &layout->members[i];
	const char *name = btf__name_by_offset(btf, member->name_off);

	if (strcmp(name, known->name))
		fail_msg("%s: member %zu is %s for BPF, %s for C", layout->name, i, name,
			 known->name);
	assert_int_equal(btf_member_bitfield_size(type, i), 0);
	if (btf_member_bit_offset(type, i) != 8 * known->offset)
		fail_msg("%s.%s: at %u for BPF, at %zu for C", layout->name, name,
			 btf_member_bit_offset(type, i) / 8, known->offset);
	if (btf__resolve_size(btf, member->type) != (long long)known->size)
		fail_msg("%s.%s: %lld bytes for BPF, %zu for C", layout->name, name,
			 (long long)btf__resolve_size(btf, member->type), known->size);
}

static void compare(const struct layout *layout, const struct btf *btf, const struct btf_type *type)
{
	if (btf_vlen(type) != layout->count)
		fail_msg("%s: %u members for BPF, %zu in this test", layout->name, btf_vlen(type),
			 layout->count);
	if (type->size != layout->size)
		fail_msg("%s: %u bytes for BPF, %zu for C", layout->name, type->size, layout->size);
	for (size_t i = 0; i < layout->count; i++)
		compare_member(layout, btf, type, i);
}

static const struct layout *find_layout(const char *name)
{
	for (size_t i = 0; i < NR_LAYOUTS; i++)
		if (!strcmp(layouts[i].name, name))
			return &layouts[i];
	return NULL;
}

static void compare_all(const struct btf *btf)
{
	bool found[NR_LAYOUTS] = {};

	for (__u32 id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		const char *name = btf__name_by_offset(btf, type->name_off);
		if (!btf_is_struct(type) || strncmp(name, "record_", strlen("record_")))
			continue;
		const struct layout *layout = find_layout(name);
		if (!layout)
			fail_msg("%s: this test does not know it", name);
		compare(layout, btf, type);
		found[layout - layouts] = true;
	}
	for (size_t i = 0; i < NR_LAYOUTS; i++)
		if (!found[i])
			fail_msg("%s: the object's BTF does not have it", layouts[i].name);
}

static void is_the_same(void **state)
{
	const struct objects *objects = *state;

	for (size_t i = 0; i < NR_OBJECTS; i++)
		compare_all(bpf_object__btf(objects->list[i]));
}

/* Nothing is left to a compiler's alignment: what is between two members has a name. */
static void has_no_holes(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_LAYOUTS; i++) {
		size_t end = 0;
		for (size_t m = 0; m < layouts[i].count; m++) {
			if (layouts[i].members[m].offset != end)
				fail_msg("%s: a hole before %s", layouts[i].name,
					 layouts[i].members[m].name);
			end += layouts[i].members[m].size;
		}
		if (end != layouts[i].size)
			fail_msg("%s: a hole at its end", layouts[i].name);
	}
}

static void is_of_one_map(void **state)
{
	const struct objects *objects = *state;

	for (size_t i = 0; i < NR_OBJECTS; i++) {
		const struct bpf_map *map =
			bpf_object__find_map_by_name(objects->list[i], RECORD_MAP_NAME);
		assert_non_null(map);
		assert_int_equal(bpf_map__value_size(map), RECORD_SLOT_SIZE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("each struct is the same for BPF and for C, member by member", is_the_same),
		TEST("there are no holes", has_no_holes),
		TEST("all objects have the map, with slots of the same size", is_of_one_map),
	};
	return cmocka_run_group_tests(tests, open_objects, close_objects);
}
