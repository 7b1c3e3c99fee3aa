// SPDX-License-Identifier: GPL-2.0-only
/* What tasks wait for, in kernels made from text: each kind of lock, whole and damaged. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "make_machine.h"
#include "test.h"

/* Task @pid waits for a lock of @type at @address. */
static const struct lock *assert_waits(const struct made_machine *m, uint32_t pid,
				       enum lock_type type, uint64_t address)
{
	const struct lock *lock = made_machine_lock(m, pid);

	if (!lock)
		fail_msg("task %u waits for nothing", pid);
	if (lock->type != type || lock->address != address)
		fail_msg("task %u waits for a %s at 0x%llx", pid, lock_type_name(lock->type),
			 (unsigned long long)lock->address);
	return lock;
}

/* @lock has one holder, task @pid. */
static void assert_holder(const struct made_machine *m, const struct lock *lock, uint32_t pid,
			  bool certain)
{
	assert_int_equal(lock->holders.count, 1);
	assert_int_equal(lock->holders.data[0].task, made_machine_place(m, pid));
	assert_int_equal(lock->holders.data[0].certain, certain);
	assert_int_equal(!lock->holders.data[0].why, certain);
}

static void a_mutex(void **state)
{
	struct made_machine m;

	(void)state;
	made_machine_begin_calm(&m, made_locks_with_lists);
	for (unsigned int n = 3; n <= 5; n++)
		made_machine_sleeper(&m, n, "__mutex_lock.constprop.0");
	made_machine_sleeper(&m, 6, "some_function");
	LINK(&m, LOCK_AT + 16, made_machine_waiter(&m, 3), made_machine_waiter(&m, 4),
	     made_machine_waiter(&m, 5));
	made_machine_put(&m, LOCK_AT, TASK(6) | 1);
	made_machine_find(&m);
	const struct lock *lock = assert_waits(&m, 4, LOCK_MUTEX, LOCK_AT);
	assert_ptr_equal(made_machine_lock(&m, 3), lock);
	assert_ptr_equal(made_machine_lock(&m, 5), lock);
	assert_null(made_machine_lock(&m, 6));
	assert_string_equal(lock->name, "lock");
	assert_false(lock->spinning);
	assert_int_equal(lock->waiters.count, 3);
	assert_holder(&m, lock, 6, true);
	made_machine_end(&m);
}

static void a_mutex_of_7_1(void **state)
{
	struct made_machine m;

	(void)state;
	made_machine_begin_calm(&m, made_locks_with_pointers);
	for (unsigned int n = 3; n <= 5; n++)
		made_machine_sleeper(&m, n, "__mutex_lock.constprop.0");
	/* 3 and 4 wait for lock: 4's stack has its address. 5 alone waits for lock_b: blocked_on has it. */
	LINK(&m, made_machine_waiter(&m, 3), made_machine_waiter(&m, 4));
	made_machine_put(&m, LOCK_AT, TASK(5) | 1);
	made_machine_put(&m, LOCK_AT + 16, FRAME(3) + 0x20);
	made_machine_put(&m, SP(4) + 8, LOCK_AT);
	made_machine_put(&m, FRAME(4), LOCK_B_AT);
	LINK(&m, made_machine_waiter(&m, 5));
	made_machine_put(&m, LOCK_B_AT, TASK(3) | 1);
	made_machine_put(&m, LOCK_B_AT + 16, FRAME(5) + 0x20);
	made_machine_put(&m, TASK(5) + 144, LOCK_B_AT);
	made_machine_find(&m);
	/* What one of them shows holds for all. */
	assert_ptr_equal(made_machine_lock(&m, 3), made_machine_lock(&m, 4));
	assert_holder(&m, assert_waits(&m, 4, LOCK_MUTEX, LOCK_AT), 5, true);
	assert_holder(&m, assert_waits(&m, 5, LOCK_MUTEX, LOCK_B_AT), 3, true);
	made_machine_end(&m);
}

static void hostile_waiters(void **state)
{
	/* Changes to a mutex with one waiter, task 3, and its owner, task 4. */
	static const struct {
		const char *change;
		bool found, held;
	} cases[] = {
		{ "", true, true },
		{ "at lock\n u64 0xffff888000104007\n", true, false }, /* handed over */
		{ "at lock\n u64 0\n", true, false },
		{ "at lock\n u64 0xffffffffffffffff\n", true, false },
		{ "at lock\n u64 0xffff888000104100\n", true, false }, /* no task there */
		{ "at 0xffffc90000133860\n u64 0\n", false, false }, /* next */
		{ "at 0xffffc90000133860\n u64 0xffffffffffffffff\n", false, false },
		{ "at 0xffffc90000133860\n u64 0xffffc90000133861\n", false, false },
		{ "at 0xffffc90000133868\n u64 0xffff888000104000\n", false, false }, /* prev */
		{ "at 0xffffc90000133860\n u64 0xffffc90000133860 0xffffc90000133860\n", false,
		  false }, /* off the list */
		{ "at 0xffffc90000133870\n u64 0xffff888000104000\n", false,
		  false }, /* another's waiter */
		{ "at lock+16\n u64 0xffff888000109000\n", false, false },
		{ "exclude 0xffffffff82b00000\n", false, false },
		{ "set 0xffff888000103000 task_struct.__state 0\n", false, false }, /* was woken */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made_machine m;
		made_machine_begin_calm(&m, made_locks_with_lists);
		made_machine_sleeper(&m, 3, "__mutex_lock.constprop.0");
		made_machine_sleeper(&m, 4, "some_function");
		LINK(&m, LOCK_AT + 16, made_machine_waiter(&m, 3));
		made_machine_put(&m, LOCK_AT, TASK(4) | 1);
		make_kernel_text(&m.k, cases[i].change);
		made_machine_find(&m);
		const struct lock *lock = made_machine_lock(&m, 3);
		if (!!lock != cases[i].found || (lock && !!lock->holders.count != cases[i].held))
			fail_msg("case %zu: %s, %zu holders", i, lock ? "found" : "not found",
				 lock ? lock->holders.count : 0);
		made_machine_end(&m);
	}
}

static void an_rwsem(void **state)
{
	static const struct {
		uint64_t count, owner;
		bool held, certain;
	} cases[] = {
		{ 0x3, TASK(4), true, true }, /* a writer */
		{ 0x202, TASK(4) | 1, true, false }, /* two readers */
		{ 0x2, TASK(4) | 1, false, false }, /* the last reader has gone */
		{ 0x2, TASK(4), false, false },
		{ 0x8000000000000102, TASK(4) | 1, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made_machine m;
		made_machine_begin_calm(&m, made_locks_with_lists);
		made_machine_sleeper(&m, 3, "rwsem_down_write_slowpath");
		made_machine_sleeper(&m, 4, "some_function");
		LINK(&m, LOCK_AT + 24, made_machine_waiter(&m, 3));
		made_machine_put(&m, LOCK_AT, cases[i].count);
		made_machine_put(&m, LOCK_AT + 8, cases[i].owner);
		made_machine_find(&m);
		const struct lock *lock = assert_waits(&m, 3, LOCK_RWSEM, LOCK_AT);
		if (cases[i].held)
			assert_holder(&m, lock, 4, cases[i].certain);
		else
			assert_int_equal(lock->holders.count, 0);
		made_machine_end(&m);
	}
}

static void a_semaphore_and_a_completion(void **state)
{
	struct made_machine m;

	(void)state;
	made_machine_begin_calm(&m, made_locks_with_pointers);
	made_machine_sleeper(&m, 3, "__down_common");
	made_machine_sleeper(&m, 4, "__wait_for_common");
	LINK(&m, made_machine_waiter(&m, 3));
	made_machine_put(&m, LOCK_AT + 8, FRAME(3) + 0x20);
	made_machine_put(&m, LOCK_AT + 16, TASK(4));
	made_machine_put(&m, FRAME(3) + 8, LOCK_AT);
	made_machine_put(&m, FRAME(4), TASK(4));
	/* The completion is on the waiter's own stack. */
	LINK(&m, FRAME(4) + 0x80 + 16, FRAME(4) + 8);
	made_machine_find(&m);
	assert_holder(&m, assert_waits(&m, 3, LOCK_SEMAPHORE, LOCK_AT), 4, false);
	const struct lock *lock = assert_waits(&m, 4, LOCK_COMPLETION, FRAME(4) + 0x80);
	assert_null(lock->name);
	assert_string_equal(lock->detail, "on the waiter's stack");
	assert_false(lock_is_held(lock));
	made_machine_end(&m);
}

static void an_rt_mutex(void **state)
{
	static const struct {
		const char *change;
		bool found;
	} cases[] = {
		{ "", true },
		{ "at lock+8\n u64 0\n", false }, /* not in the tree */
		{ "at 0xffffc90000133870\n u64 0xffff888000104000\n", false }, /* another's */
		{ "at 0xffffc90000133878\n u64 8\n", false }, /* a lock at 8 */
		{ "set 0xffff888000103000 task_struct.pi_blocked_on 0xffffffffffffffff\n", false },
		{ "set 0xffff888000103000 task_struct.pi_blocked_on 0\n", false },
		/* Below another node, at 0x40 of the frame. */
		{ "at 0xffffc90000133840\n u64 0xffffc90000133881\n at 0xffffc90000133890\n "
		  "u64 0xffffc90000133840\n",
		  true },
		{ "at 0xffffc90000133840\n u64 0xffffc90000133881\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made_machine m;
		made_machine_begin_calm(&m, made_locks_with_lists);
		made_machine_sleeper(&m, 3, "rt_mutex_slowlock");
		made_machine_sleeper(&m, 4, "some_function");
		make_kernel_line(&m.k, "at 0x%llx\n u64 1 0 0 0 0 0 0x%llx lock", FRAME(3),
				 TASK(3));
		make_kernel_line(&m.k, "set 0x%llx task_struct.pi_blocked_on 0x%llx", TASK(3),
				 FRAME(3));
		made_machine_put(&m, LOCK_AT + 8, FRAME(3));
		made_machine_put(&m, LOCK_AT + 24, TASK(4) | 1);
		make_kernel_text(&m.k, cases[i].change);
		made_machine_find(&m);
		if (!!made_machine_lock(&m, 3) != cases[i].found)
			fail_msg("case %zu", i);
		if (cases[i].found)
			assert_holder(&m, assert_waits(&m, 3, LOCK_RT_MUTEX, LOCK_AT), 4, true);
		made_machine_end(&m);
	}
}

/* A wait_queue_entry at FRAME(n) + 0x40; returns its list_head. */
static uint64_t entry(struct made_machine *m, unsigned int n, const char *function)
{
	make_kernel_line(&m->k, "at 0x%llx\n u64 0 0x%llx %s", FRAME(n) + 0x40, TASK(n), function);
	return FRAME(n) + 0x40 + 24;
}

static void wait_queues(void **state)
{
	struct made_machine m;

	(void)state;
	made_machine_begin_calm(&m, made_locks_with_lists);
	for (unsigned int n = 3; n <= 7; n++)
		made_machine_sleeper(&m, n, "some_function");
	made_machine_sleeper(&m, 8, "some_function");
	/* Two in one queue; the second of them is another's than the sleeper's. */
	LINK(&m, LOCK_AT + 8, entry(&m, 3, "autoremove_wake_function"),
	     entry(&m, 4, "autoremove_wake_function"));
	/* A page's bit 0, and bit 2 of a word, in one of the hashed queues. */
	LINK(&m, 0xffffffff82b00188, entry(&m, 5, "wake_page_function"),
	     entry(&m, 6, "wake_bit_function"));
	made_machine_put(&m, FRAME(5) + 0x40 - 16, 0xffffea0000012340);
	made_machine_put(&m, FRAME(5) + 0x40 - 8, 0);
	made_machine_put(&m, FRAME(6) + 0x40 - 24, LOCK_B_AT);
	made_machine_put(&m, FRAME(6) + 0x40 - 16, 2);
	/* Nobody's function; and one that has been taken off. */
	LINK(&m, 0xffffffff82b00198, entry(&m, 7, "autoremove_wake_function+1"));
	LINK(&m, entry(&m, 8, "autoremove_wake_function"));
	made_machine_find(&m);
	assert_ptr_equal(assert_waits(&m, 3, LOCK_OTHER, LOCK_AT), made_machine_lock(&m, 4));
	assert_string_equal(assert_waits(&m, 5, LOCK_PAGE, 0xffffea0000012340)->detail,
			    "PG_locked");
	const struct lock *word = assert_waits(&m, 6, LOCK_OTHER, LOCK_B_AT);
	assert_string_equal(word->name, "lock_b");
	assert_string_equal(word->detail, "bit 2");
	assert_null(made_machine_lock(&m, 7));
	assert_null(made_machine_lock(&m, 8));
	made_machine_end(&m);
}

static void a_percpu_rwsem(void **state)
{
	struct made_machine m;

	(void)state;
	made_machine_begin_calm(&m, made_locks_with_lists);
	made_machine_sleeper(&m, 3, "percpu_rwsem_wait");
	made_machine_sleeper(&m, 4, "percpu_down_write");
	/* 4 is in, and waits for readers to go; 3 waits for 4. */
	LINK(&m, LOCK_AT + 16, entry(&m, 3, "percpu_rwsem_wake_function"));
	made_machine_put(&m, LOCK_AT, TASK(4));
	made_machine_put(&m, SP(4) + 8, LOCK_AT);
	made_machine_find(&m);
	assert_holder(&m, assert_waits(&m, 3, LOCK_PERCPU_RWSEM, LOCK_AT), 4, true);
	assert_waits(&m, 4, LOCK_PERCPU_RWSEM, LOCK_AT);
	made_machine_end(&m);
}

static void spinlocks(void **state)
{
	static const struct {
		const char *slow_path, *di, *change;
		uint64_t address; /* 0: nothing is found */
		enum lock_type type;
	} cases[] = {
		/* By the register. */
		{ "native_queued_spin_lock_slowpath", "lock", "at lock\n u32 1", LOCK_AT },
		{ "native_queued_spin_lock_slowpath", "lock", "at lock\n u32 0x101", LOCK_AT },
		{ "native_queued_spin_lock_slowpath", "lock", "at lock\n u32 0", 0 },
		{ "native_queued_spin_lock_slowpath", "lock", "at lock\n u32 0x80001", LOCK_AT },
		{ "native_queued_spin_lock_slowpath", "lock", "at lock\n u32 0x40000001", 0 },
		{ "native_queued_spin_lock_slowpath", "8", "at lock\n u32 1", 0 },
		{ "native_queued_spin_lock_slowpath", "0xffffffffffffffff", "at lock\n u32 1", 0 },
		/* By the queue: CPU 0's node is the last, or has CPU 1's behind it. */
		{ "native_queued_spin_lock_slowpath", "0",
		  "at 0xffff888010003008\n u32 0 1\n at lock_b\n u32 0x40001\n at 0xffffc90000113808\n"
		  "u64 lock_b",
		  LOCK_B_AT },
		{ "native_queued_spin_lock_slowpath", "0",
		  "at 0xffff888010003000\n u64 0xffff888020003000\n u32 0 1\n at lock_b\n"
		  "u32 0x80001\n at 0xffffc90000113808\n u64 lock_b",
		  LOCK_B_AT },
		/* A queue that goes in a circle. */
		{ "native_queued_spin_lock_slowpath", "0",
		  "at 0xffff888010003000\n u64 0xffff888010003000\n u32 0 1\n", 0 },
		/* Not in the queue: words of the stack prove nothing. */
		{ "native_queued_spin_lock_slowpath", "0",
		  "at lock_b\n u32 1\n at 0xffffc90000113808\n u64 lock_b", 0 },
		/* rwlocks: two readers; nobody; a writer. */
		{ "queued_write_lock_slowpath", "lock", "at lock\n u32 0x500 1", LOCK_AT,
		  LOCK_RWLOCK },
		{ "queued_write_lock_slowpath", "lock", "at lock\n u32 0x100 1", 0 },
		{ "queued_write_lock_slowpath", "lock", "at lock\n u32 0x1ff 1", LOCK_AT,
		  LOCK_RWLOCK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made_machine m;
		made_machine_begin(&m, made_locks_with_lists);
		made_machine_runner(&m, 1, cases[i].slow_path, cases[i].di, "want");
		made_machine_runner(&m, 2, "want", "0", "want");
		make_kernel_text(&m.k, cases[i].change);
		made_machine_find(&m);
		const struct lock *lock = made_machine_lock(&m, 1);
		if ((lock ? lock->address : 0) != cases[i].address)
			fail_msg("case %zu: 0x%llx", i,
				 lock ? (unsigned long long)lock->address : 0ull);
		if (lock) {
			assert_int_equal(lock->type, cases[i].type);
			assert_true(lock->spinning);
		}
		made_machine_end(&m);
	}
}

/* Where registers and stack do not give the lock, the record says where to look; the memory there has to agree. */
static void spinlocks_by_the_record(void **state)
{
	static const struct {
		const char *slow_path; /* NULL: no stack is left */
		struct record_contention contention;
		const char *change;
		uint64_t address;
		enum lock_type type;
		uint64_t looked_ns,
			sample; /* the recorder's last look, and what it saw the CPU spin for then */
	} cases[] = {
		{ "native_queued_spin_lock_slowpath",
		  { LOCK_AT, 5, 0, 1 },
		  "at lock\n u32 1",
		  LOCK_AT },
		{ "native_queued_spin_lock_slowpath", { LOCK_AT, 5, 0, 1 }, "at lock\n u32 0", 0 },
		{ "native_queued_spin_lock_slowpath", { 8, 5, 0, 1 }, "at lock\n u32 1", 0 },
		/* Of another task, of another sort, over. */
		{ "native_queued_spin_lock_slowpath", { LOCK_AT, 5, 0, 2 }, "at lock\n u32 1", 0 },
		{ "native_queued_spin_lock_slowpath", { LOCK_AT, 5, 2, 1 }, "at lock\n u32 1", 0 },
		{ "native_queued_spin_lock_slowpath", { 0, 5, 0, 1 }, "at lock\n u32 1", 0 },
		{ "want", { LOCK_AT, 5, 0, 1 }, "at lock\n u32 1", 0 },
		{ "queued_write_lock_slowpath",
		  { LOCK_AT, 5, 4, 1 },
		  "at lock\n u32 0x1ff 1",
		  LOCK_AT,
		  LOCK_RWLOCK },
		/* The stack proves it, also if no look did. */
		{ "native_queued_spin_lock_slowpath",
		  { LOCK_AT, 5, 0, 1 },
		  "at lock\n u32 1",
		  LOCK_AT,
		  LOCK_SPINLOCK,
		  6 },
		{ NULL, { LOCK_AT, 5, 0, 1 }, "at lock\n u32 1", LOCK_AT },
		{ NULL, { LOCK_AT, 5, 2, 1 }, "at lock\n u32 0x1ff 1", LOCK_AT, LOCK_RWLOCK },
		{ NULL, { LOCK_AT, 5, 0, 1 }, "at lock\n u32 0", 0 },
		/* A look since: it did, it did not, or for another one. */
		{ NULL,
		  { LOCK_AT, 5, 0, 1 },
		  "at lock\n u32 1",
		  LOCK_AT,
		  LOCK_SPINLOCK,
		  6,
		  LOCK_AT },
		{ NULL, { LOCK_AT, 5, 0, 1 }, "at lock\n u32 1", 0, 0, 6 },
		{ NULL, { LOCK_AT, 5, 0, 1 }, "at lock\n u32 1", 0, 0, 6, LOCK_AT + 8 },
	};
	struct record_header *header = calloc(3, RECORD_SLOT_SIZE);
	const struct record record = { .data = header, .header = header };
	struct record_slot *slot = (struct record_slot *)record_slot(&record, 0);

	(void)state;
	header->nr_slots = 2;
	slot->onset_ns = 1;
	slot->first_number = slot->last_number = 1;
	slot->samples[0].number = slot->samples[0].number_end = 1;
	slot->samples[0].onset_ns = 1;
	slot->samples[0].lock_since_ns = 5;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made_machine m;
		slot->locks[1] = cases[i].contention;
		slot->last_tick_ns = cases[i].looked_ns;
		slot->samples[0].lock = cases[i].sample;
		made_machine_begin(&m, made_locks_with_lists);
		made_machine_runner(&m, 1, cases[i].slow_path ? cases[i].slow_path : "want", "0",
				    "want");
		made_machine_runner(&m, 2, "want", "0", "want");
		make_kernel_text(&m.k, cases[i].change);
		if (!cases[i].slow_path) { /* the CPU left no registers */
			make_kernel_text(&m.k, "at 0xffff888010004000\n fill 352 0\n");
			make_kernel_line(&m.k, "exclude 0x%llx\nexclude 0x%llx", STACK(1) + 0x3000,
					 STACK(1) + 0x2000);
		}
		m.record = &record;
		made_machine_find(&m);
		const struct task *task = &m.tasks.list.data[made_machine_place(&m, 1)];
		assert_int_equal(!task->stack.frames.count, !cases[i].slow_path);
		const struct lock *lock = made_machine_lock(&m, 1);
		if ((lock ? lock->address : 0) != cases[i].address)
			fail_msg("case %zu: 0x%llx", i,
				 lock ? (unsigned long long)lock->address : 0ull);
		if (lock)
			assert_int_equal(lock->type, cases[i].type);
		made_machine_end(&m);
	}
	free(header);
}

/* Its code has the lock, but beneath the interrupt that spins for another one it spins for this. */
static void who_spins_is_no_suspect(void **state)
{
	static const struct {
		uint32_t pid; /* who spun for it last */
		const char *beneath;
		bool suspected;
	} cases[] = {
		{ 1, "native_queued_spin_lock_slowpath", true },
		{ 2, "native_queued_spin_lock_slowpath", false },
		{ 2, "want", true }, /* it has it now */
	};
	struct record_header *header = calloc(3, RECORD_SLOT_SIZE);
	const struct record record = { .data = header, .header = header };
	struct record_slot *slot = (struct record_slot *)record_slot(&record, 1);

	(void)state;
	header->nr_slots = 2;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made_machine m;
		slot->locks[0] = (struct record_contention){ LOCK_AT, 5, 0, cases[i].pid };
		made_machine_begin(&m, made_locks_with_lists);
		made_machine_runner(&m, 1, "native_queued_spin_lock_slowpath", "lock", "want");
		made_machine_runner(&m, 2, "native_queued_spin_lock_slowpath", "lock+64", "want");
		make_kernel_line(&m.k, "at 0x%llx\n u64 want+4 %s+4 holds_it+4 start+4", SP(2),
				 cases[i].beneath);
		make_kernel_text(&m.k, "at lock\n u32 1\nat lock+64\n u32 1\n");
		made_machine_put(&m, 0xffffffff81000d00, LOCK_AT); /* in the code of holds_it() */
		m.record = &record;
		made_machine_find(&m);
		const struct lock *lock = made_machine_lock(&m, 1);
		assert_non_null(lock);
		bool suspected = lock->holders.count &&
				 m.tasks.list.data[lock->holders.data[0].task].pid == 2;
		if (suspected != cases[i].suspected)
			fail_msg("case %zu", i);
		made_machine_end(&m);
	}
	free(header);
}

static void the_spinlock_inside_a_rwlock(void **state)
{
	struct made_machine m;

	(void)state;
	made_machine_begin(&m, made_locks_with_lists);
	made_machine_runner(&m, 1, "native_queued_spin_lock_slowpath", "lock+4",
			    "queued_write_lock_slowpath");
	made_machine_runner(&m, 2, "want", "0", "want");
	make_kernel_text(&m.k, "at lock\n u32 0x300 1\n");
	made_machine_find(&m);
	assert_waits(&m, 1, LOCK_RWLOCK, LOCK_AT);
	made_machine_end(&m);
}

/* Its registers are lost, and the record has the rwlock. */
static void the_spinlock_inside_a_recorded_rwlock(void **state)
{
	struct record_header *header = calloc(3, RECORD_SLOT_SIZE);
	const struct record record = { .data = header, .header = header };
	struct record_slot *slot = (struct record_slot *)record_slot(&record, 0);
	struct made_machine m;

	(void)state;
	header->nr_slots = 2;
	slot->locks[0] = (struct record_contention){ LOCK_AT, 5, RECORD_LOCK_WRITE, 1 };
	made_machine_begin(&m, made_locks_with_lists);
	made_machine_runner(&m, 1, "native_queued_spin_lock_slowpath", "0",
			    "queued_write_lock_slowpath");
	made_machine_runner(&m, 2, "want", "0", "want");
	make_kernel_text(&m.k, "at lock\n u32 0x300 1\n");
	m.record = &record;
	made_machine_find(&m);
	assert_waits(&m, 1, LOCK_RWLOCK, LOCK_AT);
	made_machine_end(&m);
	free(header);
}

static void suspects(void **state)
{
	static const struct {
		const char *pc, *di, *caller, *change, *why;
	} cases[] = {
		/* The code of who runs has the address: as a number, and as a distance with an immediate behind it. */
		{ "want", "0", "holds_it", "at holds_it+0x20\n u8 0x48 0xc7 0xc7\n u32 0x82b00000",
		  "it is in holds_it, whose code has it" },
		{ "want", "0", "holds_it", "at holds_it+0x20\n u8 0xc6 0x05\n u32 0x1aff2d9\n u8 0",
		  "it is in holds_it, whose code has it" },
		{ "want", "lock", "holds_it", "", "its stack has the lock's address" },
		{ "want", "0", "holds_it", "at 0xffffc90000123808\n u64 lock",
		  "its stack has the lock's address" },
		{ "want", "lock", "holds_it",
		  "at holds_it+0x20\n u8 0x48 0xc7 0xc7\n u32 0x82b00000",
		  "its stack has the lock's address, and it is in holds_it, whose code has it" },
		{ "want", "0", "holds_it", "", NULL },
		/* Who spins for it does not hold it. */
		{ "native_queued_spin_lock_slowpath", "lock", "want", "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made_machine m;
		made_machine_begin(&m, made_locks_with_lists);
		made_machine_runner(&m, 1, "native_queued_spin_lock_slowpath", "lock", "want");
		made_machine_runner(&m, 2, cases[i].pc, cases[i].di, cases[i].caller);
		make_kernel_text(&m.k, "at lock\n u32 1\n");
		make_kernel_text(&m.k, cases[i].change);
		made_machine_find(&m);
		const struct lock *lock = assert_waits(&m, 1, LOCK_SPINLOCK, LOCK_AT);
		if (!cases[i].why && lock->holders.count)
			fail_msg("case %zu: %s", i, lock->holders.data[0].why);
		if (cases[i].why) {
			if (!lock->holders.count)
				fail_msg("case %zu: no holder", i);
			assert_holder(&m, lock, 2, false);
			assert_string_equal(lock->holders.data[0].why, cases[i].why);
		}
		made_machine_end(&m);
	}
}

static void the_waiter_itself(void **state)
{
	struct made_machine m;

	(void)state;
	/* The other CPU is idle. */
	made_machine_begin(&m, made_locks_with_lists);
	made_machine_runner(&m, 1, "native_queued_spin_lock_slowpath", "lock", "want");
	made_machine_runner(&m, 2, "want", "0", "want");
	make_kernel_text(&m.k, "at lock\n u32 1\n set 0xffff888000102000 task_struct.pid 0\n");
	made_machine_find(&m);
	const struct lock *lock = assert_waits(&m, 1, LOCK_SPINLOCK, LOCK_AT);
	assert_holder(&m, lock, 1, false);
	made_machine_end(&m);
}

/* A CPU that has switched tasks while the waiter hung has not held the spinlock meanwhile. */
static void the_others_that_switched(void **state)
{
	static const struct {
		uint64_t stuck_ns, running_ns;
		bool itself;
	} cases[] = { { 10000000000, 1000000000, true },
		      { 10000000000, 9000000000, false },
		      { CLOCK_UNKNOWN, 1000000000, false } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cpu_state each[2] = { cpu_state_unknown, cpu_state_unknown };
		const struct cpu_states states = { .list = { .data = each, .count = 2 } };
		struct made_machine m;

		each[0].stuck_ns = cases[i].stuck_ns;
		each[1].running_ns = cases[i].running_ns;
		made_machine_begin(&m, made_locks_with_lists);
		m.states = &states;
		made_machine_runner(&m, 1, "native_queued_spin_lock_slowpath", "lock", "want");
		made_machine_runner(&m, 2, "want", "0", "want");
		make_kernel_text(&m.k, "at lock\n u32 1\n");
		made_machine_find(&m);
		const struct lock *lock = assert_waits(&m, 1, LOCK_SPINLOCK, LOCK_AT);
		if (cases[i].itself)
			assert_holder(&m, lock, 1, false);
		else
			assert_int_equal(lock->holders.count, 0);
		made_machine_end(&m);
	}
}

static void answers_of_other_cpus(void **state)
{
	static const struct {
		const char *function, *change;
		bool waits;
	} cases[] = {
		{ "smp_call_function_single", "", false },
		/* On CPU 1's queue, behind another's, is one from the asker's stack. */
		{ "smp_call_function_single",
		  "at 0xffff888020003200\n u64 0xffff888000109000\n at 0xffff888000109000\n "
		  "u64 0xffffc90000113900\n at 0xffffc90000113900\n u64 0\n",
		  true },
		{ "smp_call_function_single",
		  "at 0xffff888020003200\n u64 0xffff888000109000\n at 0xffff888000109000\n "
		  "u64 0xffff888000109000\n",
		  false }, /* a queue that goes in a circle */
		{ "smp_call_function_single", "at 0xffff888020003308\n u32 1\n", false },
		{ "smp_call_function_many_cond", "at 0xffff888020003308\n u32 1\n", true },
		{ "smp_call_function_many_cond", "at 0xffff888020003308\n u32 0x10\n", false },
		{ "smp_call_function_many_cond", "at 0xffff888020003200\n u64 0xffff888020003300\n",
		  true },
		{ "smp_call_function_many_cond", "at 0xffff888010003308\n u32 1\n",
		  false }, /* the CPU's own */
		{ "want", "at 0xffff888020003308\n u32 1\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made_machine m;
		made_machine_begin(&m, made_locks_with_lists);
		made_machine_runner(&m, 1, cases[i].function, "0", "want");
		made_machine_runner(&m, 2, "want", "0", "want");
		make_kernel_text(&m.k, cases[i].change);
		made_machine_find(&m);
		const struct lock *lock = made_machine_lock(&m, 1);
		if (!!lock != cases[i].waits)
			fail_msg("case %zu", i);
		if (lock) {
			assert_int_equal(lock->type, LOCK_IPI);
			assert_string_equal(lock->detail, "the answer of CPU 1 to a function call");
			assert_string_equal(lock_participle(lock), "owed");
			assert_holder(&m, lock, 2, true);
		}
		made_machine_end(&m);
	}
}

/* What kernels that are built to be debugged know. */
static void owners_of_debugged_locks(void **state)
{
	struct made_machine m;

	(void)state;
	made_machine_begin(&m, made_locks_with_lists);
	make_kernel_text(&m.k,
			 "struct raw_spinlock 32 raw_lock:u32@0 owner_cpu:u32@4 owner:ptr@8\n");
	made_machine_runner(&m, 1, "native_queued_spin_lock_slowpath", "lock", "want");
	made_machine_runner(&m, 2, "want", "0", "want");
	make_kernel_text(&m.k, "at lock\n u32 1 1\n u64 0xffff888000102000\n");
	made_machine_find(&m);
	assert_holder(&m, assert_waits(&m, 1, LOCK_SPINLOCK, LOCK_AT), 2, true);
	made_machine_end(&m);
	/* A rwlock has its writer; of readers it knows none. */
	for (unsigned int writer = 0; writer < 2; writer++) {
		made_machine_begin(&m, made_locks_with_lists);
		make_kernel_text(&m.k, "struct rwlock 32 raw_lock:u64@0 magic:u32@8 owner:ptr@16\n"
				       "struct fasync_struct 64 magic:u32@0 fa_lock:rwlock@8\n");
		made_machine_runner(&m, 1, "queued_write_lock_slowpath", "lock", "want");
		made_machine_runner(&m, 2, "want", "0", "want");
		make_kernel_line(&m.k, "at lock\n u32 %u 0\n at lock+16\n u64 0x%llx",
				 writer ? 0xff : 0x200, writer ? TASK(2) : UINT64_MAX);
		made_machine_find(&m);
		const struct lock *lock = assert_waits(&m, 1, LOCK_RWLOCK, LOCK_AT);
		if (writer)
			assert_holder(&m, lock, 2, true);
		else
			assert_int_equal(lock->holders.count, 0);
		made_machine_end(&m);
	}
}

static void what_lockdep_knows(void **state)
{
	static const struct {
		unsigned int
			depth; /* of task 3, the waiter, which has the lock's map as its newest entry */
		bool twice; /* and as its oldest */
		unsigned int holder_depth; /* of task 4, whose only entry is the map */
		size_t holders;
	} cases[] = {
		{ 1, false, 1, 1 }, { 1, false, 0, 0 }, { 2, true, 0, 1 },
		{ 2, true, 1, 2 },  { 1, false, 5, 0 }, /* deeper than there is room for */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made_machine m;
		made_machine_begin_calm(&m, made_locks_with_lists);
		made_machine_sleeper(&m, 3, "__mutex_lock.constprop.0");
		made_machine_sleeper(&m, 4, "some_function");
		LINK(&m, LOCK_AT + 16, made_machine_waiter(&m, 3));
		make_kernel_line(&m.k,
				 "set 0x%llx task_struct.lockdep_depth %u\n"
				 "set 0x%llx task_struct.lockdep_depth %u",
				 TASK(3), cases[i].depth, TASK(4), cases[i].holder_depth);
		made_machine_put(&m, TASK(4) + 264 + 8, LOCK_AT + 32);
		made_machine_put(&m, TASK(3) + 264 + (cases[i].depth - 1) * 32 + 8, LOCK_AT + 32);
		if (cases[i].twice)
			made_machine_put(&m, TASK(3) + 264 + 8, LOCK_AT + 32);
		made_machine_find(&m);
		const struct lock *lock = assert_waits(&m, 3, LOCK_MUTEX, LOCK_AT);
		if (lock->holders.count != cases[i].holders)
			fail_msg("case %zu: %zu holders", i, lock->holders.count);
		for (size_t j = 0; j < lock->holders.count; j++)
			assert_true(lock->holders.data[j].certain);
		made_machine_end(&m);
	}
}

/* Its lists are of the moment when it found a bug: hints, and none where the lock itself names its holder. */
static void lockdep_that_has_stopped(void **state)
{
	(void)state;
	for (int named = 0; named < 2; named++) {
		struct made_machine m;
		made_machine_begin(&m, made_locks_with_lists);
		make_kernel_text(&m.k, "symbol debug_locks 0xffffffff82b00180 D\n"
				       "at debug_locks\n u32 0\n");
		made_machine_runner(&m, 1, "want", "0", "want");
		made_machine_runner(&m, 2, "want", "0", "want");
		made_machine_sleeper(&m, 3, "__mutex_lock.constprop.0");
		made_machine_sleeper(&m, 4, "some_function");
		made_machine_sleeper(&m, 5, "some_function");
		LINK(&m, LOCK_AT + 16, made_machine_waiter(&m, 3));
		make_kernel_line(&m.k, "set 0x%llx task_struct.lockdep_depth 1", TASK(4));
		made_machine_put(&m, TASK(4) + 264 + 8, LOCK_AT + 32);
		if (named)
			made_machine_put(&m, LOCK_AT, TASK(5) | 1);
		made_machine_find(&m);
		assert_holder(&m, assert_waits(&m, 3, LOCK_MUTEX, LOCK_AT), named ? 5 : 4, named);
		made_machine_end(&m);
	}
}

/* An interrupt came while want() spun: the dump's registers are the interrupt's. */
static void who_asked(void **state)
{
	static const uint64_t some_function = 0xffffffff81000a10, slow_path = 0xffffffff81000b10;
	static const uint64_t want = 0xffffffff81000210;
	struct frame frames[] = {
		{ .pc = some_function, .interrupted = true },
		{ .pc = slow_path, .interrupted = true },
		{ .pc = want },
	};
	const struct stack stack = { .frames = { frames, 3, 3 } };
	struct made_machine m;

	(void)state;
	made_machine_begin_calm(&m, made_locks_with_lists);
	made_machine_find(&m);
	assert_int_equal(locks_asking_frame(m.kernel, &stack), 2);
	assert_int_equal(locks_running_frame(m.kernel, &stack, 0), 0);
	assert_int_equal(locks_running_frame(m.kernel, &stack, 1), 2);
	/* Not a lock's: then nobody asked but who runs. */
	frames[1].pc = want;
	assert_int_equal(locks_asking_frame(m.kernel, &stack), 0);
	made_machine_end(&m);
}

static void descriptions(void **state)
{
	static const struct {
		struct lock lock;
		const char *text;
	} cases[] = {
		{ { 0xffff888000000000, LOCK_MUTEX }, "mutex at 0xffff888000000000" },
		{ { 1, LOCK_MUTEX, "a_mutex", "ext4" }, "mutex a_mutex [ext4]" },
		{ { 1, LOCK_OTHER, "queue" }, "wait queue queue" },
		{ { 1, LOCK_OTHER, "word", NULL, "bit 1", .word = true }, "word word (bit 1)" },
		{ { 16, LOCK_PAGE, NULL, NULL, "PG_locked" }, "page at 0x10 (PG_locked)" },
		{ { 16, LOCK_IPI, NULL, NULL, "the answer" }, "the answer" },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		lock_describe(&cases[i].lock, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a mutex's waiters are on its list, and it names its owner", a_mutex),
		TEST("a mutex of 7.1 is found by a word of the stack, or by blocked_on",
		     a_mutex_of_7_1),
		TEST("a waiter that is not on the lock's list is none", hostile_waiters),
		TEST("an rwsem's writer is certain, its last reader a hint", an_rwsem),
		TEST("a semaphore has a last holder, a completion nobody",
		     a_semaphore_and_a_completion),
		TEST("an rt_mutex's waiter is in its tree", an_rt_mutex),
		TEST("a wait queue, a page's bit and a word's bit", wait_queues),
		TEST("a percpu-rwsem's writer waits for its readers, and others for it",
		     a_percpu_rwsem),
		TEST("a spinlock is in the register, or the queue proves it", spinlocks),
		TEST("else the record says where to look for it", spinlocks_by_the_record),
		TEST("who was seen to spin for it is not suspected to have it",
		     who_spins_is_no_suspect),
		TEST("who spins for a rwlock's spinlock waits for the rwlock",
		     the_spinlock_inside_a_rwlock),
		TEST("also if only the record says so", the_spinlock_inside_a_recorded_rwlock),
		TEST("a spinlock's holder is suspected for its stack and its code", suspects),
		TEST("where nobody else can have the spinlock, its waiter has", the_waiter_itself),
		TEST("a CPU that switches tasks has not held a spinlock meanwhile",
		     the_others_that_switched),
		TEST("a CPU that has not answered keeps who asked it waiting",
		     answers_of_other_cpus),
		TEST("a debugged spinlock names its owner, and a rwlock its writer",
		     owners_of_debugged_locks),
		TEST("lockdep's lists of held locks name holders", what_lockdep_knows),
		TEST("what lockdep knew when it stopped is a hint", lockdep_that_has_stopped),
		TEST("who spins is asked, not the interrupt that came meanwhile", who_asked),
		TEST("a lock is called by its type and name", descriptions),
	};
	return RUN_TESTS(tests);
}
