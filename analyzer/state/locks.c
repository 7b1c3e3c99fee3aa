// SPDX-License-Identifier: GPL-2.0-only
/*
 * A task that waits is known by the slow path on its stack: the first function
 * outside of the scheduler. Which that is says what to look for; only tasks
 * that have one are looked at, and their stacks' words are read once.
 */
#include "state/locks.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/lock_finder.h"

/* Frames behind the scheduler's that may be a slow path: an action like bit_wait() may come before it. */
#define SLOW_PATH_FRAMES 2
/* Frames behind the scheduler's in which a wait queue's entry is looked for. */
#define QUEUE_FRAMES	 4

/* Where kernel memory may be. */
#define KERNEL_MEMORY 0xff00000000000000ull

bool lock_plausible(uint64_t address)
{
	return address >= KERNEL_MEMORY && address < -(uint64_t)PAGE_SIZE;
}

uint64_t lock_read(struct lock_finder *finder, uint64_t object, const struct member *member)
{
	uint64_t ret;

	if (!member->size)
		return 0;
	struct error *err = member_read(finder->memory, object, member, &ret);
	if (!err)
		return ret;
	error_destroy(err);
	return 0;
}

bool lock_word(const struct lock_finder *finder, uint64_t address, uint64_t *ret)
{
	uint64_t place = (address - finder->words_at) / 8;

	if (address % 8 || place >= finder->nr_words)
		return false;
	*ret = finder->words[place];
	return true;
}

const char *lock_frame_name(struct lock_finder *finder, const struct task *task, size_t frame)
{
	const struct frame *f = &task->stack.frames.data[frame];

	if (f->section == SECTION_USER)
		return NULL;
	const struct symbol symbol =
		symbols_lookup(&finder->kernel->symbols, f->pc - !f->interrupted);
	return symbol.module ? NULL : symbol.name;
}

/* Where the words of frames that end before @end end; 0 if that is on another stack. */
static uint64_t end_of_frames(const struct lock_finder *finder, const struct task *task,
			      size_t first, size_t end)
{
	const struct frame *frames = task->stack.frames.data;

	if (end < task->stack.frames.count && frames[end].section == frames[first].section)
		return frames[end].sp;
	if (frames[first].section == SECTION_TASK)
		return task->stack_base + finder->kernel->unwinder.thread_size;
	return 0;
}

bool lock_read_frames(struct lock_finder *finder, const struct task *task, size_t first, size_t end)
{
	const struct frame *frames = task->stack.frames.data;

	finder->nr_words = 0;
	uint64_t from = !first && !task->running ? task->sp : frames[first].sp;
	uint64_t to = end_of_frames(finder, task, first, end);
	if (from % 8 || to <= from)
		return false;
	uint64_t count = (to - from) / 8;
	if (count > LOCK_MAX_WORDS)
		count = LOCK_MAX_WORDS;
	struct error *err = memory_read(finder->memory, from, finder->words, count * 8);
	if (err) {
		error_destroy(err);
		return false;
	}
	finder->words_at = from;
	finder->nr_words = count;
	return true;
}

/* A static lock has its own symbol; one in a CPU's own memory has that of the variable. */
static void name_lock(struct lock_finder *finder, struct lock *lock)
{
	struct symbol symbol = symbols_lookup(&finder->kernel->symbols, lock->address);
	char text[KSYM_NAME_SIZE + 32], detail[32] = "";
	const uint64_t *at = finder->kernel->symbols.at;
	uint64_t address = lock->address;

	for (size_t i = 0; !symbol.name && i < finder->cpus->list.count; i++) {
		const struct cpu *cpu = &finder->cpus->list.data[i];
		uint64_t offset = lock->address - cpu->per_cpu;
		if (offset - at[KSYM___per_cpu_start] >=
		    at[KSYM___per_cpu_end] - at[KSYM___per_cpu_start])
			continue;
		symbol = symbols_lookup(&finder->kernel->symbols, offset);
		if (!symbol.name)
			continue;
		address = offset;
		snprintf(detail, sizeof(detail), "of CPU %u", cpu->number);
	}
	if (!symbol.name) {
		const struct task *task = finder->task;
		if (address - task->stack_base < finder->kernel->unwinder.thread_size)
			lock->detail = "on the waiter's stack";
		return;
	}
	if (address == symbol.start)
		snprintf(text, sizeof(text), "%s", symbol.name);
	else
		snprintf(text, sizeof(text), "%s+0x%llx", symbol.name,
			 (unsigned long long)(address - symbol.start));
	lock->name = arena_strndup(&finder->locks->text, text, strlen(text));
	lock->module = symbol.module ? symbol.module->name : NULL;
	if (detail[0])
		lock->detail = arena_strndup(&finder->locks->text, detail, strlen(detail));
}

static void no_memory(struct lock_finder *finder)
{
	if (!finder->locks->error)
		finder->locks->error = &error_no_memory;
}

/* What begins with a lock may be waited for by its address too: the type goes into the top bits, which are all ones. */
static uint64_t lock_key(enum lock_type type, uint64_t address)
{
	return address ^ (uint64_t)type << 56;
}

uint32_t lock_add(struct lock_finder *finder, enum lock_type type, uint64_t address)
{
	uint64_t key = lock_key(type, address);
	uint32_t place = address_map_get(&finder->lock_at, key);

	if (place != ADDRESS_MAP_NONE)
		return place;
	place = finder->locks->list.count;
	struct lock *lock = vector_push(&finder->locks->list);
	if (!lock) {
		no_memory(finder);
		return LOCK_NONE;
	}
	*lock = (struct lock){
		.address = address,
		.type = type,
		.ends = type == LOCK_COMPLETION,
	};
	if (type != LOCK_IPI)
		name_lock(finder, lock);
	if (!address_map_put(&finder->lock_at, key, place))
		no_memory(finder);
	return place;
}

void lock_add_holder(struct lock_finder *finder, uint32_t place, uint64_t address, const char *why)
{
	struct lock *lock = &finder->locks->list.data[place];
	uint32_t task = address_map_get(&finder->task_at, address);

	if (task == ADDRESS_MAP_NONE)
		return;
	for (size_t i = 0; i < lock->holders.count; i++) {
		if (lock->holders.data[i].task != task)
			continue;
		if (!why)
			lock->holders.data[i] =
				(struct lock_holder){ .task = task, .certain = true };
		return;
	}
	struct lock_holder *holder = vector_push(&lock->holders);
	if (!holder) {
		no_memory(finder);
		return;
	}
	*holder = (struct lock_holder){ .task = task, .certain = !why };
	if (why)
		holder->why = arena_strndup(&finder->locks->text, why, strlen(why));
}

void lock_set_detail(struct lock_finder *finder, uint32_t place, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	const char *detail = arena_strndup(&finder->locks->text, text, strlen(text));
	if (!detail)
		return no_memory(finder);
	finder->locks->list.data[place].detail = detail;
}

const char *lock_function_at(struct lock_finder *finder, uint64_t address)
{
	if (!lock_plausible(address))
		return NULL;
	const struct symbol symbol = symbols_lookup(&finder->kernel->symbols, address);
	return symbol.start == address ? symbol.name : NULL;
}

bool lock_is_asked_by(struct lock_finder *finder, uint32_t place, const char *pattern)
{
	const struct lock *lock = &finder->locks->list.data[place];

	if (!lock->waiters.count)
		return false;
	const struct task *task = &finder->tasks->list.data[lock->waiters.data[0]];
	for (size_t i = 0; i < task->stack.frames.count; i++)
		if (lock_name_matches(lock_frame_name(finder, task, i), pattern))
			return true;
	return false;
}

static uint32_t (*const finders[])(struct lock_finder *) = {
	[FAMILY_MUTEX] = lock_find_mutex,
	[FAMILY_RWSEM] = lock_find_rwsem,
	[FAMILY_SEMAPHORE] = lock_find_semaphore,
	[FAMILY_COMPLETION] = lock_find_completion,
	[FAMILY_PERCPU_RWSEM] = lock_find_percpu_rwsem,
};

size_t lock_skip_scheduler(struct lock_finder *finder, const struct task *task)
{
	size_t i = 0;

	while (i < task->stack.frames.count && lock_is_scheduler(lock_frame_name(finder, task, i)))
		i++;
	return i;
}

/* How far frames behind @frame go on to be of @family. */
static size_t last_of_family(struct lock_finder *finder, size_t frame, enum lock_family family)
{
	const struct task *task = finder->task;

	while (frame + 1 < task->stack.frames.count &&
	       lock_family_of(lock_frame_name(finder, task, frame + 1)) == family)
		frame++;
	return frame;
}

static uint32_t find_sleeping(struct lock_finder *finder)
{
	const struct task *task = finder->task;
	size_t first = lock_skip_scheduler(finder, task), count = task->stack.frames.count;

	if (!first || first >= count)
		return LOCK_NONE; /* it is not in the scheduler, or in nothing else */
	for (size_t i = first; i < first + SLOW_PATH_FRAMES && i < count; i++) {
		enum lock_family family = lock_family_of(lock_frame_name(finder, task, i));
		if (family == FAMILY_RT)
			return lock_find_rt_mutex(finder);
		if (family == FAMILY_NONE)
			continue;
		size_t last = last_of_family(finder, i, family);
		return lock_read_frames(finder, task, 0, last + 1) ? finders[family](finder)
								   : LOCK_NONE;
	}
	if (lock_is_just_asleep(lock_frame_name(finder, task, first)) ||
	    !lock_read_frames(finder, task, 0, first + QUEUE_FRAMES))
		return LOCK_NONE;
	return lock_find_queue(finder);
}

static uint32_t find_lock(struct lock_finder *finder)
{
	bool has_stack = finder->task->stack.frames.count;

	if (finder->task->running) {
		uint32_t lock = lock_find_spinning(finder);
		return lock != LOCK_NONE || !has_stack ? lock : lock_find_ipi(finder);
	}
	if (!has_stack)
		return LOCK_NONE;
	/* One that was woken waits for a CPU, no more. */
	return finder->task->state == 'R' ? LOCK_NONE : find_sleeping(finder);
}

static void set_lock(struct lock_finder *finder, uint32_t task, uint32_t place)
{
	finder->locks->waits_for[task] = place;
	if (place == LOCK_NONE)
		return;
	uint32_t *waiter = vector_push(&finder->locks->list.data[place].waiters);
	if (waiter)
		*waiter = task;
	else
		no_memory(finder);
}

static void find_all(struct lock_finder *finder)
{
	const struct tasks *tasks = finder->tasks;

	for (uint32_t i = 0; i < tasks->list.count; i++)
		if (!address_map_put(&finder->task_at, tasks->list.data[i].address, i))
			no_memory(finder);
	for (uint32_t i = 0; i < tasks->list.count; i++) {
		finder->task = &tasks->list.data[i];
		set_lock(finder, i, find_lock(finder));
	}
	for (size_t i = 0; i < finder->pending.count; i++) {
		const struct lock_pending *pending = &finder->pending.data[i];
		set_lock(finder, pending->task, finder->rings.list.data[pending->ring].lock);
	}
	lock_read_lockdep(finder);
	lock_explain_completions(finder);
	lock_explain_objects(finder);
	lock_explain_journals(finder);
	lock_find_suspects(finder);
	lock_find_sleeping_suspects(finder);
}

void locks_init(struct locks *locks, struct kernel *kernel, const struct cpus *cpus,
		const struct tasks *tasks, const struct cpu_states *states,
		const struct record *record)
{
	struct lock_finder *finder = calloc(1, sizeof(*finder));

	memset(locks, 0, sizeof(*locks));
	locks->waits_for = calloc(tasks->list.count + 1, sizeof(*locks->waits_for));
	if (!finder || !locks->waits_for) {
		locks->error = &error_no_memory;
		free(finder);
		return;
	}
	locks->nr_tasks = tasks->list.count;
	finder->kernel = kernel;
	finder->memory = &kernel->memory;
	finder->cpus = cpus;
	finder->tasks = tasks;
	finder->states = states;
	finder->record = record;
	finder->locks = locks;
	lock_layout_init(&finder->layout, kernel->symbols.types);
	find_all(finder);
	address_map_deinit(&finder->task_at);
	address_map_deinit(&finder->lock_at);
	lock_rings_deinit(&finder->rings);
	vector_deinit(&finder->pending);
	address_map_deinit(&finder->code_has);
	free(finder);
}

void locks_deinit(struct locks *locks)
{
	for (size_t i = 0; i < locks->list.count; i++) {
		vector_deinit(&locks->list.data[i].holders);
		vector_deinit(&locks->list.data[i].waiters);
	}
	vector_deinit(&locks->list);
	free(locks->waits_for);
	arena_deinit(&locks->text);
	error_destroy(locks->error);
}

const struct lock *locks_waited_for(const struct locks *locks, uint32_t place)
{
	if (place >= locks->nr_tasks || locks->waits_for[place] == LOCK_NONE)
		return NULL;
	return &locks->list.data[locks->waits_for[place]];
}

const char *lock_type_name(enum lock_type type)
{
	static const char *const names[] = {
		[LOCK_SPINLOCK] = "spinlock",	[LOCK_RWLOCK] = "rwlock",
		[LOCK_MUTEX] = "mutex",		[LOCK_RWSEM] = "rwsem",
		[LOCK_SEMAPHORE] = "semaphore", [LOCK_COMPLETION] = "completion",
		[LOCK_RT_MUTEX] = "rt_mutex",	[LOCK_PERCPU_RWSEM] = "percpu-rwsem",
		[LOCK_PAGE] = "page",		[LOCK_OTHER] = "other",
		[LOCK_IPI] = "other",
	};
	return names[type];
}

const char *lock_participle(const struct lock *lock)
{
	if (lock->type == LOCK_IPI)
		return "owed";
	return lock->ends ? "ended" : "held";
}

bool lock_is_held(const struct lock *lock)
{
	return lock->type != LOCK_COMPLETION && lock->type != LOCK_OTHER;
}

void lock_describe(const struct lock *lock, char *ret, size_t size)
{
	const char *kind = lock_type_name(lock->type), *detail = lock->detail;
	char address[32];

	if (lock->type == LOCK_IPI) {
		snprintf(ret, size, "%s", detail);
		return;
	}
	if (lock->type == LOCK_OTHER)
		kind = lock->word ? "word" : "wait queue";
	snprintf(address, sizeof(address), "at 0x%llx", (unsigned long long)lock->address);
	snprintf(ret, size, "%s %s%s%s%s%s%s%s", kind, lock->name ? lock->name : address,
		 lock->module ? " [" : "", lock->module ? lock->module : "",
		 lock->module ? "]" : "", detail ? " (" : "", detail ? detail : "",
		 detail ? ")" : "");
}
