/* SPDX-License-Identifier: GPL-2.0-only */
/* For the files that make locks.h true, a family of locks each. */
#ifndef LOCKDUMP_LOCK_FINDER_H
#define LOCKDUMP_LOCK_FINDER_H

#include "base/address_map.h"
#include "state/lock_rings.h"
#include "state/locks.h"

/* Words of a stack that are looked at: a slow path and what it called. */
#define LOCK_MAX_WORDS 1024

/* How a family of locks that keep their waiters on a list is laid out. */
struct list_lock_layout {
	struct member list, task; /* of the waiter */
	struct member head; /* of the lock: a list_head; size 0 where there is none */
	struct member first; /* of the lock: the first waiter, since 7.1 (25500ba7e77c) */
};

struct lock_layout {
	struct list_lock_layout mutex, rwsem, semaphore, completion;
	struct member mutex_owner, rwsem_owner, rwsem_count, semaphore_last_holder;
	struct member blocked_on, blocker, pi_blocked_on; /* of the task */
	struct {
		struct member tree, task, lock; /* of the waiter */
		struct member root, owner; /* of the lock */
		struct member rb_parent, rb_left, rb_right, in_rwsem;
	} rt;
	struct {
		struct member function, private, entry; /* of the entry */
		struct member head; /* of the queue */
		struct member page, page_bit, page_wait, word, word_bit, word_wait;
		struct member percpu_queue, percpu_writer;
	} queue;
	struct {
		struct member next, count; /* of a CPU's node in the queue of spinners */
		uint32_t node_size;
	} spin;
	struct member owner[NR_LOCK_TYPES]; /* of a spinlock or rwlock that is debugged */
	struct {
		struct member depth, held, instance; /* of the task, and of what it holds */
		uint32_t held_size;
		struct member map[NR_LOCK_TYPES]; /* of the lock */
	} lockdep;
	struct {
		struct member requests; /* of call_function_data: per-CPU, one for each CPU */
		struct member flags; /* of a request */
	} ipi;
};

struct lock_pending {
	uint32_t task; /* place in tasks->list */
	uint32_t ring; /* place in rings.list */
};

struct lock_finder {
	struct kernel *kernel;
	struct memory *memory; /* the kernel's */
	const struct cpus *cpus;
	const struct tasks *tasks;
	const struct cpu_states *states; /* NULL: not known */
	const struct record *record; /* NULL: none */
	struct locks *locks;
	struct lock_layout layout;
	struct address_map task_at; /* task_struct -> place in tasks->list */
	struct address_map lock_at; /* address and type -> place in locks->list */
	struct lock_rings rings;
	/* Waiters on rings whose lock their own stacks do not show: another waiter's may. */
	VECTOR(struct lock_pending) pending;
	/* Of the lock that is looked at for its holder: function -> whether its code has the lock's address. */
	uint64_t sought;
	struct address_map code_has;
	/* The stack of the task that is looked at. */
	const struct task *task;
	uint64_t words_at;
	size_t nr_words;
	uint64_t words[LOCK_MAX_WORDS];
};

void lock_layout_init(struct lock_layout *layout, const struct types *types);

/*
 * Reads the words of @task's stack that its frames @first to before @end have, and for a sleeping task's first one
 * also what is below it, where the registers were saved. What is beyond LOCK_MAX_WORDS is left out. False: they
 * cannot be read, or are on different stacks.
 */
bool lock_read_frames(struct lock_finder *finder, const struct task *task, size_t first,
		      size_t end);

/* The function of a frame of the core kernel; NULL in a module, in user mode, and where there is no name. */
const char *lock_frame_name(struct lock_finder *finder, const struct task *task, size_t frame);

/*
 * Whether @name is @pattern, or begins with what is before its '*'. What a compiler appends to the names of a
 * function's parts and copies (".constprop.0") does not count. A NULL @name matches nothing.
 */
bool lock_name_matches(const char *name, const char *pattern);

/* Whether the first of those that wait for the lock at @place called a function that @pattern matches. */
bool lock_is_asked_by(struct lock_finder *finder, uint32_t place, const char *pattern);

/* Which slow path a function belongs to. */
enum lock_family {
	FAMILY_NONE,
	FAMILY_MUTEX,
	FAMILY_RWSEM,
	FAMILY_SEMAPHORE,
	FAMILY_COMPLETION,
	FAMILY_PERCPU_RWSEM,
	FAMILY_RT, /* with PREEMPT_RT, locks of most kinds */
};

enum lock_family lock_family_of(const char *name);

/* The scheduler's own, on the stack of whoever sleeps. */
bool lock_is_scheduler(const char *name);

/* The first frame of the task that is not the scheduler's, or the number of frames. */
size_t lock_skip_scheduler(struct lock_finder *finder, const struct task *task);

/* A sleeper that is on no queue that would tell more than its stack does, or on many. */
bool lock_is_just_asleep(const char *name);

/* The registers at a frame that was interrupted; false if they are not to be had. */
bool lock_registers(struct lock_finder *finder, const struct task *task, size_t frame,
		    struct registers *ret);

/* The word at @address of the task's stack, if it was read. */
bool lock_word(const struct lock_finder *finder, uint64_t address, uint64_t *ret);

/* A member of the object at @object; 0 if the kernel has no such member, or if it cannot be read. */
uint64_t lock_read(struct lock_finder *finder, uint64_t object, const struct member *member);

/* Looks like an address of kernel memory that an object may have. */
bool lock_plausible(uint64_t address);

/* The lock at @address, which is added if it is new; LOCK_NONE if there is no memory. */
uint32_t lock_add(struct lock_finder *finder, enum lock_type type, uint64_t address);

/* @address of a task_struct; no task there, no holder. @why is copied, NULL: certain. */
void lock_add_holder(struct lock_finder *finder, uint32_t lock, uint64_t address, const char *why);

/* Says more of the lock at @lock, in place of what was said. */
void lock_set_detail(struct lock_finder *finder, uint32_t lock, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The name of the function that begins at @address, or NULL. */
const char *lock_function_at(struct lock_finder *finder, uint64_t address);

/* The sleeping task's lock by family, LOCK_NONE if nothing is proven. The words are read. */
uint32_t lock_find_mutex(struct lock_finder *finder);
uint32_t lock_find_rwsem(struct lock_finder *finder);
uint32_t lock_find_semaphore(struct lock_finder *finder);
uint32_t lock_find_completion(struct lock_finder *finder);
uint32_t lock_find_rt_mutex(struct lock_finder *finder);
uint32_t lock_find_percpu_rwsem(struct lock_finder *finder);
uint32_t lock_find_queue(struct lock_finder *finder);

/* What the running task spins for: a lock, or other CPUs. */
uint32_t lock_find_spinning(struct lock_finder *finder);
uint32_t lock_find_ipi(struct lock_finder *finder);

/*
 * Whether @task spins for the lock at @address besides: beneath the one that its stack shows first, for which an
 * interrupt may spin that came then.
 */
bool lock_spins_beneath(struct lock_finder *finder, const struct task *task, uint64_t address);

/* When all waiters are known: what lockdep knows, whose work is waited for, and who may hold what does not say so. */
void lock_read_lockdep(struct lock_finder *finder);
void lock_explain_completions(struct lock_finder *finder);
void lock_explain_objects(struct lock_finder *finder);
void lock_explain_journals(struct lock_finder *finder);
void lock_find_suspects(struct lock_finder *finder); /* of what spinners wait for */
void lock_find_sleeping_suspects(struct lock_finder *finder);

/* What speaks for it that a task holds a lock. */
struct lock_suspicion {
	unsigned int weight; /* 0: nothing */
	char why[192];
};

/* What the frames of @task from @first outwards have to do with the lock at @address. */
struct lock_suspicion lock_look_at_frames(struct lock_finder *finder, const struct task *task,
					  size_t first, uint64_t address);

/* Whether the code of the function @symbol has @address in it. */
bool lock_code_has(struct lock_finder *finder, const struct symbol *symbol, uint64_t address);

#endif
