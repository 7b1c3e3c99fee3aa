/* SPDX-License-Identifier: GPL-2.0-only */
/* The flight record as the programs have it: the map, a CPU's slot, the events in it. */
#ifndef LOCKDUMP_SLOT_H
#define LOCKDUMP_SLOT_H

#include "bpf/cpu.h"
#include "bpf/record.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* the loader: 1 + the number of possible CPUs */
	__uint(key_size, sizeof(__u32));
	__uint(value_size, RECORD_SLOT_SIZE);
} lockdump_record SEC(".maps");

#define barrier() asm volatile("" ::: "memory")

static __always_inline struct record_slot *slot_of(__u32 cpu)
{
	__u32 key = 1 + cpu;

	return bpf_map_lookup_elem(&lockdump_record, &key);
}

/* The place for this CPU's next event; all but its kind and time are the caller's, and event_end() must follow. */
static __always_inline struct record_event *event_begin(struct record_slot *slot, __u32 kind,
							__u64 now)
{
	__u64 number = ++slot->last_event; /* at once: an interrupt may bring another event */
	struct record_event *event = &slot->events[number % RECORD_NR_EVENTS];

	event->number = number;
	barrier();
	event->time_ns = now;
	event->kind = kind;
	event->reserved = 0;
	return event;
}

static __always_inline void event_end(struct record_event *event)
{
	barrier();
	event->number_end = event->number;
}

#endif
