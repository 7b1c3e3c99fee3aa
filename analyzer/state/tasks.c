// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes are on the list init_task.tasks; a process's threads are on
 * signal->thread_head by thread_node (since 3.14; the old thread_group went in
 * 6.7, 8e1f385104ac). The idle tasks are on neither: runqueues.idle.
 */
#include "state/tasks.h"

#include <string.h>

#include "base/address_map.h"
#include "base/search.h"
#include "dump/list.h"
#include "state/rss.h"

#define PF_KTHREAD 0x00200000

#define LIVE_TRIES 3 /* to catch a task of a running kernel asleep */

#define MAX_TASKS  (4u << 20) /* PID_MAX_LIMIT */
#define MAX_ERRORS 65536 /* of which so many tasks cannot be read, that is no list of tasks */
#define MAX_FRAMES (4u << 20) /* of all stacks together: 250,000 tasks of 16 frames */

/* task_struct.__state and exit_state: include/linux/sched.h */
#define STATE_REPORTED 0x7f
#define STATE_NOLOAD   0x400
#define STATE_UNINT    0x2
#define STATE_WAKEKILL 0x100
/* TASK_RTLOCK_WAIT, and TASK_FROZEN since 6.1 (f5d39b020809) */
#define STATE_BLOCKED  (0x1000 | 0x8000)

struct layout {
	struct member tasks, thread_head, thread_node, signal;
	struct member pid, tgid, real_parent, comm, state, exit_state, flags, stack, sp, cpu;
	struct member mm;
	struct member on_cpu, voluntary, involuntary; /* not there: no moment can be told */
	struct rss_layout rss;
	struct scheduling_layout scheduling;
};

struct reader {
	struct tasks *tasks;
	struct kernel *kernel;
	const struct cpus *cpus;
	struct layout layout;
	uint32_t visits; /* tasks that were looked at, readable or not */
	uint32_t nr_errors;
	size_t nr_frames; /* of all stacks */
};

/* A task that cannot be read is no reason to go without the others. The first such error tells enough. */
static void note_error(struct reader *reader, struct error *err)
{
	if (!err)
		return;
	reader->nr_errors++;
	if (reader->tasks->error)
		error_destroy(err);
	else
		reader->tasks->error = err;
}

static struct error *resolve(struct reader *reader)
{
	const struct types *types = reader->kernel->symbols.types;
	struct layout *l = &reader->layout;
	const struct member_wanted wanted[] = {
		{ "task_struct", "tasks", &l->tasks },
		{ "task_struct", "pid", &l->pid },
		/* Renamed in 5.14 (2f064a59a11f). */
		{ "task_struct", "__state|state", &l->state },
		{ "task_struct", "stack", &l->stack },
	};
	const struct member_wanted others[] = {
		{ "signal_struct", "thread_head", &l->thread_head },
		{ "task_struct", "thread_node", &l->thread_node },
		{ "task_struct", "signal", &l->signal },
		{ "task_struct", "tgid", &l->tgid },
		{ "task_struct", "real_parent", &l->real_parent },
		{ "task_struct", "comm", &l->comm },
		{ "task_struct", "exit_state", &l->exit_state },
		{ "task_struct", "flags", &l->flags },
		{ "task_struct", "mm", &l->mm },
		/* In thread_info since 5.16 (bcf9033e5449). */
		{ "task_struct", "thread_info.cpu|cpu", &l->cpu },
		{ "task_struct", "on_cpu", &l->on_cpu, true }, /* with CONFIG_SMP */
		{ "task_struct", "nvcsw", &l->voluntary, true },
		{ "task_struct", "nivcsw", &l->involuntary, true },
	};
	scheduling_resolve(types, &l->scheduling);
	struct error *err = types_resolve(types, wanted, sizeof(wanted) / sizeof(wanted[0]));
	if (err)
		return err;
	/* Every kernel has them, but a dump may have lost what says where. */
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		note_error(reader, types_resolve(types, &others[i], 1));
	note_error(reader, rss_resolve(types, &l->rss));
	if (!types_member(types, "task_struct", "thread.sp", &l->sp) &&
	    types_member(types, "task_struct", "thread", &l->sp))
		l->sp = (struct member){
			.offset = l->sp.offset + reader->kernel->unwinder.arch->thread_sp,
			.size = sizeof(uint64_t),
		};
	return NULL;
}

/* As task_index_to_char(task_state_index()) of include/linux/sched.h. */
static char state_letter(uint64_t state, uint64_t exit_state)
{
	static const char letters[] = "RSDTtXZP";
	uint64_t idle = STATE_UNINT | STATE_NOLOAD;

	if (state & STATE_BLOCKED)
		return 'D';
	if ((state & idle) == idle)
		return 'I';
	uint64_t reported = (state | exit_state) & STATE_REPORTED;
	return letters[reported ? 64 - __builtin_clzll(reported) : 0];
}

/* A task that runs is its CPU's; of others only the task itself knows. */
static uint32_t cpu_of(const struct cpus *cpus, uint64_t task)
{
	for (size_t i = 0; i < cpus->list.count; i++)
		if (cpus->list.data[i].current == task || cpus->list.data[i].idle == task)
			return cpus->list.data[i].number;
	return TASK_NO_CPU;
}

static struct error *read_task(struct reader *reader, struct task *task)
{
	const struct layout *l = &reader->layout;
	struct memory *memory = &reader->kernel->memory;
	uint64_t pid, tgid, parent, ppid, state, exit_state, flags, cpu, mm;
	const struct {
		const struct member *member;
		uint64_t *ret;
	} fields[] = {
		{ &l->pid, &pid },     { &l->tgid, &tgid },
		{ &l->state, &state }, { &l->exit_state, &exit_state },
		{ &l->flags, &flags }, { &l->cpu, &cpu },
		{ &l->mm, &mm },       { &l->real_parent, &parent },
		{ &l->sp, &task->sp }, { &l->stack, &task->stack_base },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		*fields[i].ret = 0;
		if (!fields[i].member->size)
			continue;
		struct error *err =
			member_read(memory, task->address, fields[i].member, fields[i].ret);
		if (err)
			return err;
	}
	struct error *err = NULL;
	if (l->comm.size)
		err = memory_read_string(memory, task->address + l->comm.offset, task->comm,
					 sizeof(task->comm));
	if (err)
		return err;
	task->pid = pid;
	task->tgid = l->tgid.size ? tgid : pid;
	task->cpu = l->cpu.size ? cpu : cpu_of(reader->cpus, task->address);
	task->state = state_letter(state, exit_state);
	task->killable = state & STATE_WAKEKILL;
	task->kernel_thread = l->flags.size ? flags & PF_KTHREAD : l->mm.size && !mm;
	/* A kernel thread's is only borrowed. */
	task->mm = task->kernel_thread ? 0 : mm;
	task->wait_ns = CLOCK_UNKNOWN;
	err = scheduling_read(memory, &l->scheduling, task->address, &task->scheduling);
	if (err)
		return err;
	if (!l->real_parent.size || !l->tgid.size)
		return NULL;
	err = member_read(memory, parent, &l->tgid, &ppid);
	if (err)
		note_error(reader,
			   error_prefix(err, "parent of %s (pid %u)", task->comm, task->pid));
	else
		task->ppid = ppid;
	return NULL;
}

/* What of a task changes when it is switched in or out. */
struct moment {
	uint64_t on_cpu, sp, voluntary, involuntary;
};

static struct error *read_moment(struct reader *reader, const struct task *task, struct moment *ret)
{
	const struct layout *l = &reader->layout;
	struct memory *memory = &reader->kernel->memory;
	struct error *err = NULL;

	*ret = (struct moment){};
	if (!l->voluntary.size || !l->involuntary.size)
		return error_create(ERROR_NOT_FOUND,
				    "BTF: struct task_struct has no member nvcsw or nivcsw");
	err = member_read(memory, task->address, &l->voluntary, &ret->voluntary);
	if (!err)
		err = member_read(memory, task->address, &l->involuntary, &ret->involuntary);
	if (!err)
		err = member_read(memory, task->address, &l->sp, &ret->sp);
	if (!err && l->on_cpu.size)
		err = member_read(memory, task->address, &l->on_cpu, &ret->on_cpu);
	return err;
}

static struct error *walk_stack(struct reader *reader, struct task *task)
{
	struct unwinder *unwinder = &reader->kernel->unwinder;
	const struct cpu *cpu = cpus_find(reader->cpus, task->cpu);
	struct error *err = NULL;

	task->running = cpu && cpu->online && cpu->current == task->address &&
			!dump_is_live(reader->kernel->dump);
	/* A task that has exited has given its stack back: put_task_stack(). */
	if (!task->stack_base || !reader->kernel->can_unwind)
		return NULL;
	/* Where its CPU cannot be read, the task itself knows; what it was switched out with last is no stack. */
	if (!task->running && !(cpu && cpu->current)) {
		struct moment moment;
		err = read_moment(reader, task, &moment);
		task->running = !err && moment.on_cpu;
		if (!err && !reader->layout.on_cpu.size && task->state == 'R')
			err = error_create(ERROR_NOT_FOUND, "whether it ran is not known");
		if (err || task->running)
			return err;
	}
	unwinder->task = task->address;
	if (!task->running) {
		task->registers_from = REGISTERS_SLEEPING;
		err = unwind_sleeping(unwinder, task->sp, task->stack_base, &task->stack);
	} else {
		task->registers_from = cpu->registers_from;
		if (cpu->registers_from != REGISTERS_NONE)
			err = unwind_running(unwinder, &cpu->registers, task->stack_base,
					     cpu->per_cpu, &task->stack);
	}
	if (!task->kernel_thread) {
		struct error *user = unwind_add_user(unwinder, task->stack_base, &task->stack);
		if (err)
			error_destroy(user);
		else
			err = user;
	}
	return err;
}

struct error *task_registers(struct kernel *kernel, const struct cpus *cpus,
			     const struct task *task, struct registers *ret)
{
	const struct cpu *cpu = cpus_find(cpus, task->cpu);

	if (!task->running)
		return unwind_sleeping_registers(&kernel->unwinder, task->sp, task->stack_base,
						 ret);
	*ret = cpu ? cpu->registers : (struct registers){};
	return NULL;
}

/*
 * A task of a kernel that runs meanwhile: what was read is a stack only if the
 * task slept all the time. One that runs, or is never caught asleep, has none.
 */
static struct error *walk_live(struct reader *reader, struct task *task)
{
	struct moment before, after;
	struct error *err = read_moment(reader, task, &before);

	for (int tries = 0; !err && !before.on_cpu && tries < LIVE_TRIES; tries++) {
		task->sp = before.sp;
		struct error *its = walk_stack(reader, task);
		err = read_moment(reader, task, &after);
		if (!err && !memcmp(&before, &after, sizeof(before)))
			return its;
		before = after;
		error_destroy(its);
		stack_deinit(&task->stack);
		memset(&task->stack, 0, sizeof(task->stack));
	}
	task->running = !err;
	task->registers_from = REGISTERS_NONE;
	return err;
}

static struct error *take_stack(struct reader *reader, struct task *task)
{
	if (reader->nr_frames >= MAX_FRAMES)
		return error_fault(ERROR_CORRUPT, task->address,
				   "all stacks together have over %u frames", MAX_FRAMES);
	struct error *err = dump_is_live(reader->kernel->dump) ? walk_live(reader, task)
							       : walk_stack(reader, task);
	reader->nr_frames += task->stack.frames.count;
	return err;
}

static void add_task(struct reader *reader, uint64_t address)
{
	struct task task = { .address = address };

	if (address_map_get(&reader->tasks->index, address) != ADDRESS_MAP_NONE)
		return;
	if (!address_map_put(&reader->tasks->index, address, reader->tasks->list.count))
		return note_error(reader, &error_no_memory);
	struct error *err = address % 8
				    ? error_fault(ERROR_CORRUPT, address, "no address of a task")
				    : read_task(reader, &task);
	if (err) {
		note_error(reader, error_prefix(err, "task 0x%llx", (unsigned long long)address));
		return;
	}
	task.stack.error = take_stack(reader, &task);
	struct task *place = vector_push(&reader->tasks->list);
	if (place) {
		*place = task;
	} else {
		stack_deinit(&task.stack);
		note_error(reader, &error_no_memory);
	}
}

/* Gives all tasks from list.data[@first] on, which are of one process, what memory it has. */
static void share_rss(struct reader *reader, size_t first)
{
	struct task *tasks = reader->tasks->list.data;
	size_t count = reader->tasks->list.count, at = first;

	/* The first thread may have exited, and given up its memory, before the others. */
	while (at < count && !tasks[at].mm)
		at++;
	if (at == count)
		return;
	int64_t pages = rss_read(reader->kernel, &reader->layout.rss, reader->cpus, tasks[at].mm);
	for (size_t i = first; i < count; i++)
		pages += rss_cached(reader->kernel, &reader->layout.rss, tasks[i].address);
	for (size_t i = first; i < count; i++)
		tasks[i].rss_pages = pages > 0 ? pages : 0;
}

static bool visit(struct reader *reader)
{
	return reader->visits++ < MAX_TASKS && reader->nr_errors < MAX_ERRORS;
}

/* Lists that lead into each other would be walked over and over. */
static struct error *first_time(const struct reader *reader, uint64_t address)
{
	return address_map_get(&reader->tasks->index, address) == ADDRESS_MAP_NONE
		       ? NULL
		       : error_fault(ERROR_CORRUPT, address, "task 0x%llx is on two lists",
				     (unsigned long long)address);
}

static void add_threads(struct reader *reader, uint64_t leader)
{
	const struct layout *l = &reader->layout;
	size_t first = reader->tasks->list.count;
	struct list_walk walk;
	uint64_t signal;

	if (!l->signal.size || !l->thread_head.size || !l->thread_node.size) {
		add_task(reader, leader);
		return share_rss(reader, first);
	}
	struct error *err = member_read(&reader->kernel->memory, leader, &l->signal, &signal);
	if (!err) {
		list_walk_init(&walk, &reader->kernel->memory, signal + l->thread_head.offset,
			       l->thread_node.offset);
		while (visit(reader) && list_walk_next(&walk, &err) &&
		       !(err = first_time(reader, walk.object)))
			add_task(reader, walk.object);
		share_rss(reader, first);
	}
	if (!err)
		return;
	bool missing = err->class != ERROR_CORRUPT;
	note_error(reader, error_prefix(err, "threads of 0x%llx", (unsigned long long)leader));
	/* The task itself may be there all the same. */
	if (missing && reader->tasks->list.count == first)
		add_task(reader, leader);
}

#define NR_LINKS_OF_LEADERS 4 /* of those that follow */

/* Adds the process that @address, a task that another one points to, is of. */
static void add_relative(struct reader *reader, const struct member *group_leader, uint64_t address)
{
	uint64_t leader;
	struct error *err = member_read(&reader->kernel->memory, address, group_leader, &leader);

	if (!err && address_map_get(&reader->tasks->index, leader) == ADDRESS_MAP_NONE &&
	    visit(reader))
		add_threads(reader, leader);
	/* That it is not there has been noted. */
	error_destroy(err);
}

/*
 * Where pages are missing, the list of all processes breaks off on both sides. But each task is also among its
 * parent's children, between two siblings, and points to its neighbours on that list.
 */
static void add_relatives(struct reader *reader)
{
	struct memory *memory = &reader->kernel->memory;
	struct tasks *tasks = reader->tasks;
	struct member children, sibling, leader;
	const struct member_wanted wanted[] = {
		{ "task_struct", "children", &children },
		{ "task_struct", "sibling", &sibling },
		{ "task_struct", "group_leader", &leader },
	};
	struct error *err = types_resolve(reader->kernel->symbols.types, wanted, 3);

	for (size_t i = 0; !err && i < reader->cpus->list.count; i++)
		add_relative(reader, &leader, reader->cpus->list.data[i].current);
	for (size_t i = 0; !err && i < tasks->list.count; i++) {
		uint64_t task = tasks->list.data[i].address, parent = 0, node;
		const uint32_t processes = reader->layout.tasks.offset;
		const struct {
			uint32_t at, of; /* a pointer, and the member that it points to */
		} links[] = {
			/* A thread's are copies of those that its maker had, and may lead to what is gone. */
			{ processes, processes },
			{ processes + sizeof(node), processes },
			{ sibling.offset, sibling.offset },
			{ sibling.offset + sizeof(node), sibling.offset },
			{ children.offset, sibling.offset },
			{ children.offset + sizeof(node), sibling.offset },
		};
		if (reader->layout.real_parent.size)
			error_destroy(
				member_read(memory, task, &reader->layout.real_parent, &parent));
		if (parent)
			add_relative(reader, &leader, parent);
		bool leads = tasks->list.data[i].pid == tasks->list.data[i].tgid;
		for (size_t k = leads ? 0 : NR_LINKS_OF_LEADERS;
		     k < sizeof(links) / sizeof(links[0]); k++) {
			struct error *its = memory_read_u64(memory, task + links[k].at, &node);
			/* The end of a list is in the parent, or, if it is empty, in the task itself. */
			if (!its && node != parent + children.offset &&
			    node != task + children.offset)
				add_relative(reader, &leader, node - links[k].of);
			error_destroy(its);
		}
	}
	error_destroy(err);
}

static void add_all(struct reader *reader)
{
	struct list_walk walk;
	uint64_t init_task;

	for (size_t i = 0; i < reader->cpus->list.count; i++)
		if (reader->cpus->list.data[i].online && reader->cpus->list.data[i].idle)
			add_task(reader, reader->cpus->list.data[i].idle);
	struct error *err = symbols_address(&reader->kernel->symbols, KSYM_init_task, &init_task);
	if (!err) {
		list_walk_init(&walk, &reader->kernel->memory,
			       init_task + reader->layout.tasks.offset,
			       reader->layout.tasks.offset);
		while (visit(reader) && list_walk_next(&walk, &err))
			add_threads(reader, walk.object);
	}
	if (!err && reader->visits >= MAX_TASKS)
		err = error_fault(ERROR_CORRUPT, init_task, "over %u tasks", MAX_TASKS);
	bool whole = !err;
	note_error(reader, err);
	if (!whole && !dump_is_live(reader->kernel->dump))
		add_relatives(reader);
}

/* A page of slabs that was lost, or left out by mistake, has taken the task_struct, but not the stack. */
static void add_lost(struct reader *reader, const struct cpu *cpu)
{
	struct task task = {
		.address = cpu->current,
		.state = 'R',
		.cpu = cpu->number,
		.registers_from = cpu->registers_from,
		.stack_base = cpu_task_stack(reader->kernel, cpu),
		.wait_ns = CLOCK_UNKNOWN,
	};

	task.stack.error = take_stack(reader, &task);
	struct task *place = vector_push(&reader->tasks->lost);
	if (place) {
		*place = task;
	} else {
		stack_deinit(&task.stack);
		note_error(reader, &error_no_memory);
	}
}

static void add_all_lost(struct reader *reader)
{
	const struct cpus *cpus = reader->cpus;

	for (size_t i = 0; i < cpus->list.count; i++)
		if (cpus->list.data[i].online && cpus->list.data[i].current &&
		    !tasks_find(reader->tasks, cpus->list.data[i].current))
			add_lost(reader, &cpus->list.data[i]);
}

void tasks_init(struct tasks *tasks, struct kernel *kernel, const struct cpus *cpus)
{
	struct reader reader = { .tasks = tasks, .kernel = kernel, .cpus = cpus };

	memset(tasks, 0, sizeof(*tasks));
	struct error *err = resolve(&reader);
	if (err)
		tasks->error = err;
	else
		add_all(&reader);
	if (!dump_is_live(kernel->dump))
		add_all_lost(&reader);
	if (reader.nr_errors > 1)
		tasks->error =
			error_prefix(tasks->error, "the first of %u errors", reader.nr_errors);
	tasks->error = error_prefix(tasks->error, "task list");
}

void tasks_set_waits(struct tasks *tasks, const struct cpus *cpus, const struct clocks *clocks)
{
	for (size_t i = 0; i < tasks->list.count; i++) {
		struct task *task = &tasks->list.data[i];
		const struct cpu *cpu = cpus_find(cpus, task->cpu);

		/* An idle task waits for nothing. */
		if (cpu && task->pid && !task->running)
			task->wait_ns = scheduling_wait_ns(&task->scheduling, clocks,
							   cpu - cpus->list.data);
	}
}

void tasks_deinit(struct tasks *tasks)
{
	for (size_t i = 0; i < tasks->list.count; i++)
		stack_deinit(&tasks->list.data[i].stack);
	for (size_t i = 0; i < tasks->lost.count; i++)
		stack_deinit(&tasks->lost.data[i].stack);
	vector_deinit(&tasks->list);
	vector_deinit(&tasks->lost);
	address_map_deinit(&tasks->index);
	error_destroy(tasks->error);
}

const struct task *tasks_find(const struct tasks *tasks, uint64_t address)
{
	uint32_t place = address_map_get(&tasks->index, address);

	/* Where one that could not be read would be, another may be. */
	return place < tasks->list.count && tasks->list.data[place].address == address
		       ? &tasks->list.data[place]
		       : NULL;
}

const struct task *tasks_on_cpu(const struct tasks *tasks, const struct cpu *cpu)
{
	const struct task *task = tasks_find(tasks, cpu->current);
	size_t i = search_upto(tasks->lost.data, tasks->lost.count, cpu, cpu->number);

	if (task || !i || tasks->lost.data[i - 1].cpu != cpu->number)
		return task;
	return &tasks->lost.data[i - 1];
}
