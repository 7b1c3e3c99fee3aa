/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two CPUs that run tasks 1 and 2; further tasks sleep. Task N has its task_struct at TASK(N) and its stack at
 * STACK(N); a sleeping one was switched out in schedule(), which a slow path called: there is 0x100 bytes of frame
 * at FRAME(N), and behind it the callers want() and start().
 */
#ifndef TESTS_MAKE_MACHINE_H
#define TESTS_MAKE_MACHINE_H

#include "make_kernel.h"
#include "state/locks.h"

#define TASK(n)	 ((n) ? 0xffff888000100000ull + (n)*0x1000ull : 0xffffffff82c00000ull)
#define STACK(n) (0xffffc90000100000ull + (n)*0x10000ull)
#define SP(n)	 (STACK(n) + 0x3800)
#define FRAME(n) (SP(n) + 64)
#define SIGNALS	 0xffff888000300000ull

/* Two static locks: the symbols lock and lock_b. */
#define LOCK_AT	  0xffffffff82b00000ull
#define LOCK_B_AT 0xffffffff82b00100ull

struct made_machine {
	struct make_kernel k;
	unsigned int nr_tasks; /* besides init_task */
	bool lossy; /* not all of them need be found */
	struct kernel *kernel;
	struct cpus cpus;
	struct tasks tasks;
	const struct cpu_states *states; /* for the locks; NULL: none */
	struct locks locks;
};

/* Begins with types of locks: as they are up to 7.0, or from 7.1 on. */
extern const char made_locks_with_lists[], made_locks_with_pointers[];
void made_machine_begin(struct made_machine *m, const char *lock_types);

/* The same, with tasks 1 and 2 running in want(), which waits for nothing. */
void made_machine_begin_calm(struct made_machine *m, const char *lock_types);

/* Task @n sleeps in @slow_path. Tasks are added in the order of their numbers, from 1 on. */
void made_machine_sleeper(struct made_machine *m, unsigned int n, const char *slow_path);

/* Task @n, 1 or 2, runs on its CPU at @pc, with @di in the first argument's register and @caller as its caller. */
void made_machine_runner(struct made_machine *m, unsigned int n, const char *pc, const char *di,
			 const char *caller);

/* A ring of list_heads, in that order; 0 ends it. */
void made_machine_link(struct made_machine *m, const uint64_t *nodes);
#define LINK(m, ...) made_machine_link(m, (const uint64_t[]){ __VA_ARGS__, 0 })

void made_machine_put(struct made_machine *m, uint64_t at, uint64_t value);

/* Makes task @n's struct mutex_waiter, or one like it; returns the address of its list_head. */
uint64_t made_machine_waiter(struct made_machine *m, unsigned int n);

/* Writes the dump, opens it, and finds its locks. */
void made_machine_find(struct made_machine *m);
void made_machine_end(struct made_machine *m);

/* Of the task @pid: where it is in the list, and what it waits for. */
uint32_t made_machine_place(const struct made_machine *m, uint32_t pid);
const struct lock *made_machine_lock(const struct made_machine *m, uint32_t pid);

#endif
