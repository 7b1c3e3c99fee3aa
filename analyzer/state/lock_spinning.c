// SPDX-License-Identifier: GPL-2.0-only
/*
 * Spinlocks and rwlocks (kernel/locking/qspinlock.c, qrwlock.c). The lock is the
 * slow path's first argument, and stays in its register while it spins; it is
 * taken for one if its word is that of a lock that is taken. A CPU in the queue
 * of spinners is also known by its own node: the last one in its chain is
 * the tail that stands in the lock.
 */
#include "state/lock_finder.h"

/* struct qspinlock, NR_CPUS below 16384: include/asm-generic/qspinlock_types.h */
#define LOCKED_MASK    0xffu
#define PENDING_SHIFT  8
#define TAIL_MASK      0xffff0000u
#define TAIL_IDX_SHIFT 16
#define TAIL_CPU_SHIFT 18
#define MAX_NODES      4 /* task, softirq, hard interrupt, NMI */
#define LOCKED	       1
#define LOCKED_SLOW    3 /* _Q_SLOW_VAL: of a paravirtual lock whose waiter sleeps */

/* struct qrwlock: include/asm-generic/qrwlock.h */
#define WRITER_LOCKED 0xffu
#define QRWLOCK_MASK  0x1ffu
#define WAIT_LOCK     4 /* offset of wait_lock */

static bool is_slow_path(const char *name, enum lock_type *ret)
{
	static const struct {
		const char *name;
		enum lock_type type;
	} paths[] = {
		{ "native_queued_spin_lock_slowpath", LOCK_SPINLOCK },
		{ "__pv_queued_spin_lock_slowpath", LOCK_SPINLOCK },
		{ "queued_spin_lock_slowpath", LOCK_SPINLOCK },
		{ "queued_read_lock_slowpath", LOCK_RWLOCK },
		{ "queued_write_lock_slowpath", LOCK_RWLOCK },
	};

	for (size_t i = 0; name && i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (lock_name_matches(name, paths[i].name)) {
			*ret = paths[i].type;
			return true;
		}
	}
	return false;
}

static bool read_u32(struct lock_finder *finder, uint64_t address, uint32_t *ret)
{
	struct error *err = memory_read_u32(finder->memory, address, ret);

	error_destroy(err);
	return !err;
}

/* The tail of the queue that the CPU's own node is in, as a lock's word has it; 0 if it is in none. */
static uint32_t queue_tail(struct lock_finder *finder, uint32_t number)
{
	const struct lock_layout *l = &finder->layout;
	uint64_t nodes = finder->kernel->symbols.at[KSYM_qnodes];
	const struct cpu *cpu = cpus_find(finder->cpus, number);

	if (!nodes || !cpu || !l->spin.node_size || !l->spin.next.size || !l->spin.count.size)
		return 0;
	uint64_t count = lock_read(finder, nodes + cpu->per_cpu, &l->spin.count);
	if (!count || count > MAX_NODES)
		return 0;
	uint64_t node = nodes + cpu->per_cpu + (count - 1) * l->spin.node_size, next;
	for (size_t i = 0;
	     i < finder->cpus->list.count && (next = lock_read(finder, node, &l->spin.next)); i++)
		node = next;
	for (size_t i = 0; i < finder->cpus->list.count; i++) {
		const struct cpu *last = &finder->cpus->list.data[i];
		uint64_t offset = node - nodes - last->per_cpu;
		if (offset < (uint64_t)MAX_NODES * l->spin.node_size &&
		    !(offset % l->spin.node_size))
			return (last->number + 1) << TAIL_CPU_SHIFT |
			       (uint32_t)(offset / l->spin.node_size) << TAIL_IDX_SHIFT;
	}
	return 0;
}

/* Whether @address has the word of a spinlock that is taken. */
static bool is_taken(struct lock_finder *finder, uint64_t address, uint32_t *word_ret)
{
	uint32_t word;

	if (!lock_plausible(address) || address % 4 || !read_u32(finder, address, &word))
		return false;
	uint32_t locked = word & LOCKED_MASK, pending = (word & 0xffff) >> PENDING_SHIFT;
	uint32_t tail = word >> TAIL_CPU_SHIFT;
	*word_ret = word;
	return (locked == LOCKED || locked == LOCKED_SLOW) && pending <= 1 &&
	       (!tail || cpus_find(finder->cpus, tail - 1)) && !(!tail && word & TAIL_MASK);
}

static bool is_taken_rwlock(struct lock_finder *finder, uint64_t address)
{
	uint32_t word, wait;

	if (!lock_plausible(address) || address % 4 || !read_u32(finder, address, &word) ||
	    !read_u32(finder, address + WAIT_LOCK, &wait))
		return false;
	uint32_t writer = word & WRITER_LOCKED, readers = word & ~QRWLOCK_MASK;
	return (writer == WRITER_LOCKED || (!writer && readers)) &&
	       (!wait || is_taken(finder, address + WAIT_LOCK, &wait));
}

struct spinner {
	enum lock_type type;
	bool inner; /* it spins for the spinlock inside a rwlock */
	uint32_t tail; /* of the queue it is in, or 0 */
};

/* What the spinner waits for if its argument is @address; 0 if that cannot be. */
static uint64_t accept(struct lock_finder *finder, const struct spinner *spinner, uint64_t address)
{
	uint32_t word;

	if (spinner->type == LOCK_RWLOCK && !spinner->inner)
		return is_taken_rwlock(finder, address) ? address : 0;
	if (!is_taken(finder, address, &word))
		return 0;
	return spinner->inner ? address - WAIT_LOCK : address;
}

/* The same, if the queue that the spinner is in is the lock's. */
static uint64_t accept_queued(struct lock_finder *finder, const struct spinner *spinner,
			      uint64_t address)
{
	uint32_t word;

	if (!spinner->tail || (spinner->type == LOCK_RWLOCK && !spinner->inner) ||
	    !is_taken(finder, address, &word) || spinner->tail != (word & TAIL_MASK))
		return 0;
	return accept(finder, spinner, address);
}

bool lock_registers(struct lock_finder *finder, const struct task *task, size_t frame,
		    struct registers *ret)
{
	const struct frame *f = &task->stack.frames.data[frame];
	const struct cpu *cpu = cpus_find(finder->cpus, task->cpu);

	if (f->registers_at) {
		struct error *err = unwind_frame_registers(&finder->kernel->unwinder, f, ret);
		error_destroy(err);
		return !err;
	}
	if (frame || !task->running || !cpu || cpu->registers_from == REGISTERS_NONE)
		return false;
	*ret = cpu->registers;
	return true;
}

/* The one that the queue proves; else the argument's register; else the one address that can be it. */
static uint64_t find_in_registers(struct lock_finder *finder, const struct spinner *spinner,
				  const struct registers *registers)
{
	const struct unwind_arch *arch = finder->kernel->unwinder.arch;
	uint64_t only = 0;

	for (unsigned int i = 0; i < arch->nr_registers; i++) {
		uint64_t found = accept_queued(finder, spinner, registers->values[i]);
		if (found)
			return found;
	}
	uint64_t argument = accept(finder, spinner, registers->values[arch->argument]);
	for (unsigned int i = 0; !argument && i < arch->nr_registers; i++) {
		uint64_t found = accept(finder, spinner, registers->values[i]);
		if (found && only && found != only)
			return 0;
		only = found ? found : only;
	}
	return argument ? argument : only;
}

/* Words of the slow path's frame and its caller's prove nothing by themselves: the queue must. */
static uint64_t find_in_words(struct lock_finder *finder, const struct spinner *spinner)
{
	for (size_t i = 0; i < finder->nr_words; i++) {
		uint64_t found = accept_queued(finder, spinner, finder->words[i]);
		if (found)
			return found;
	}
	return 0;
}

static bool is_rwlock(const struct record_contention *contention)
{
	return contention->flags & (RECORD_LOCK_READ | RECORD_LOCK_WRITE);
}

/* What the recorder saw last that was spun for, in a context @contention of the CPU. */
static uint64_t accept_recorded(struct lock_finder *finder, const struct spinner *spinner,
				const struct record_contention *contention)
{
	uint64_t argument = contention->lock;

	if (spinner->inner && is_rwlock(contention))
		argument += WAIT_LOCK;
	uint64_t address = accept_queued(finder, spinner, argument);
	if (address || is_rwlock(contention) != (spinner->type == LOCK_RWLOCK))
		return address;
	return accept(finder, spinner, argument);
}

static const struct record_slot *find_slot(const struct lock_finder *finder,
					   const struct task *task)
{
	return finder->record && task->running && task->cpu < finder->record->header->nr_slots
		       ? record_slot(finder->record, task->cpu)
		       : NULL;
}

/* The innermost context's that fits: of those that the recorder takes for @current, or of the others. */
static uint64_t find_in_slot(struct lock_finder *finder, struct spinner *spinner,
			     const struct record_slot *slot, bool has_stack, bool current)
{
	for (size_t i = RECORD_NR_CONTEXTS; i--;) {
		const struct record_contention *contention = &slot->locks[i];
		if (!contention->lock || contention->pid != finder->task->pid ||
		    record_is_spinning(slot, contention) != current)
			continue;
		if (!has_stack)
			spinner->type = is_rwlock(contention) ? LOCK_RWLOCK : LOCK_SPINLOCK;
		uint64_t address = accept_recorded(finder, spinner, contention);
		if (address)
			return address;
	}
	return 0;
}

/* Where a stack shows that it spins, it is for what the slow path was called with. */
static uint64_t find_in_record(struct lock_finder *finder, struct spinner *spinner, bool has_stack)
{
	const struct record_slot *slot = find_slot(finder, finder->task);
	uint64_t address = 0;

	if (slot)
		address = find_in_slot(finder, spinner, slot, has_stack, true);
	if (slot && has_stack && !address)
		address = find_in_slot(finder, spinner, slot, has_stack, false);
	return address;
}

/* The first frame at or behind @i that spins; the count of frames if there is none. */
static size_t find_slow_path(struct lock_finder *finder, const struct task *task, size_t i,
			     struct spinner *ret)
{
	enum lock_type outer;

	while (i < task->stack.frames.count &&
	       !is_slow_path(lock_frame_name(finder, task, i), &ret->type))
		i++;
	ret->inner = i + 1 < task->stack.frames.count && ret->type == LOCK_SPINLOCK &&
		     is_slow_path(lock_frame_name(finder, task, i + 1), &outer) &&
		     outer == LOCK_RWLOCK;
	if (ret->inner)
		ret->type = LOCK_RWLOCK;
	return i;
}

bool lock_spins_beneath(struct lock_finder *finder, const struct task *task, uint64_t address)
{
	const struct record_slot *slot = find_slot(finder, task);
	size_t count = task->stack.frames.count, i;
	struct spinner spinner = {};

	i = find_slow_path(finder, task, 0, &spinner);
	if (i < count)
		i = find_slow_path(finder, task, i + 1 + spinner.inner, &spinner);
	if (!slot || (count && i == count))
		return false;
	for (i = 0; i < RECORD_NR_CONTEXTS; i++)
		if (slot->locks[i].lock == address && slot->locks[i].pid == task->pid &&
		    (count || record_is_spinning(slot, &slot->locks[i])))
			return true;
	return false;
}

uint32_t lock_find_spinning(struct lock_finder *finder)
{
	const struct stack *stack = &finder->task->stack;
	struct spinner spinner = {};
	struct registers registers;
	size_t i = find_slow_path(finder, finder->task, 0, &spinner);

	/* Without a stack only the record knows; but a stack that shows no such code tells that it is over. */
	if (i == stack->frames.count && i)
		return LOCK_NONE;
	bool has_stack = i < stack->frames.count;
	spinner.tail = queue_tail(finder, finder->task->cpu);
	uint64_t address = 0;
	if (has_stack && lock_registers(finder, finder->task, i, &registers))
		address = find_in_registers(finder, &spinner, &registers);
	if (!address && has_stack && lock_read_frames(finder, finder->task, i, i + 2))
		address = find_in_words(finder, &spinner);
	if (!address)
		address = find_in_record(finder, &spinner, has_stack);
	if (!address)
		return LOCK_NONE;
	uint32_t lock = lock_add(finder, spinner.type, address);
	if (lock != LOCK_NONE)
		finder->locks->list.data[lock].spinning = true;
	return lock;
}
