/* SPDX-License-Identifier: GPL-2.0-only */
/* What each blocked or spinning task waits for, and who holds it. */
#ifndef LOCKDUMP_LOCKS_H
#define LOCKDUMP_LOCKS_H

#include "base/arena.h"
#include "state/cpu_state.h"

enum lock_type {
	LOCK_SPINLOCK,
	LOCK_RWLOCK,
	LOCK_MUTEX,
	LOCK_RWSEM,
	LOCK_SEMAPHORE,
	LOCK_COMPLETION,
	LOCK_RT_MUTEX,
	LOCK_PERCPU_RWSEM,
	LOCK_PAGE, /* a bit of a page or folio */
	LOCK_OTHER, /* a wait queue, or a bit of a word */
	LOCK_IPI, /* the answer of another CPU to a function call */
	NR_LOCK_TYPES,
};

struct lock_holder {
	uint32_t task; /* place in tasks->list */
	bool certain; /* the lock itself says so; else it is a hint or a suspect */
	const char *why; /* what speaks for a suspect; NULL where it is certain */
};

struct lock {
	uint64_t address;
	enum lock_type type;
	const char *name; /* a static one's symbol, NULL: it has none */
	const char *module; /* of the symbol; NULL: the core kernel */
	const char *detail; /* what else there is to say, or NULL */
	bool spinning; /* its waiters run */
	bool ends; /* nobody holds it: who is named is to end the wait */
	bool word; /* LOCK_OTHER: a word in memory, no wait queue */
	VECTOR(struct lock_holder) holders;
	VECTOR(uint32_t) waiters; /* places in tasks->list */
};

struct locks {
	VECTOR(struct lock) list; /* each that a task waits for */
	uint32_t *waits_for; /* place in list by place in tasks->list; LOCK_NONE */
	uint32_t nr_tasks;
	struct arena text;
	struct error *error; /* why something could not be read, or NULL */
};

#define LOCK_NONE UINT32_MAX

/*
 * Finds the locks. Only what the dump proves is there: a waiter's structure is on the lock's own list and names the
 * task. What cannot be read ends in locks->error. @tasks must live as long as the locks; without @states (NULL)
 * nobody is known to hold RCU up.
 */
void locks_init(struct locks *locks, struct kernel *kernel, const struct cpus *cpus,
		const struct tasks *tasks, const struct cpu_states *states);
void locks_deinit(struct locks *locks);

/* What the task at @place of tasks->list waits for, or NULL. */
const struct lock *locks_waited_for(const struct locks *locks, uint32_t place);

#define LOCK_TEXT_SIZE 640 /* enough for what describes a lock */

/* "mutex ldhang_mutex [ldhang]", "page 0xffffea0000001000 (PG_locked)"; cut to fit. */
void lock_describe(const struct lock *lock, char *ret, size_t size);

/*
 * Index of the innermost frame of @stack outside of the scheduler and of what locks and wait queues are made of:
 * who wanted to wait. One that spins was perhaps interrupted there; whatever interrupted it, a tick say, is not
 * asked. The number of frames if there is none.
 */
size_t locks_asking_frame(struct kernel *kernel, const struct stack *stack);

/* The same for a task that runs and need not wait, from frame @first outwards. */
size_t locks_running_frame(struct kernel *kernel, const struct stack *stack, size_t first);

/* "mutex", "rwsem", ...: interface.md's words. */
const char *lock_type_name(enum lock_type type);

/* What a holder has done with it: "held"; "ended" of what is nobody's until then; "owed" of an answer. */
const char *lock_participle(const struct lock *lock);

/* Whether it is a lock that somebody holds: no completion, no wait queue. */
bool lock_is_held(const struct lock *lock);

#endif
