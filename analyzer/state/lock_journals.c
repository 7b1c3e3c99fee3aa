// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waits for a journal of ext4 (fs/jbd2): for its thread to commit, or, of that thread, for those who have a part
 * in the transaction to be done. These have it in task_struct.journal_info, as other file systems have other things
 * there: it is believed if its transaction is the journal's.
 */
#include "state/lock_finder.h"

#include <string.h>

/* The queues of a journal, and for whom who is in them waits. */
static const struct {
	const char *name;
	bool for_parts;
	const char *what;
} queues[] = {
	{ "j_wait_transaction_locked", false,
	  "until the journal of %s has locked its transaction" },
	{ "j_wait_done_commit", false, "until the journal of %s is committed" },
	{ "j_wait_updates", true, "until all are done with the transaction of the journal of %s" },
};

#define NR_QUEUES (sizeof(queues) / sizeof(queues[0]))

struct layout {
	struct member queues[NR_QUEUES];
	struct member task, device, running, committing; /* of a journal */
	struct member info, transaction; /* of a task, and of what it has there */
};

static void resolve(struct layout *l, const struct types *types)
{
	const struct member_wanted wanted[] = {
		{ "journal_s", "j_task", &l->task, true },
		{ "journal_s", "j_devname", &l->device, true },
		{ "journal_s", "j_running_transaction", &l->running, true },
		{ "journal_s", "j_committing_transaction", &l->committing, true },
		{ "task_struct", "journal_info", &l->info, true },
		{ "jbd2_journal_handle", "h_transaction", &l->transaction, true },
	};

	types_resolve(types, wanted, sizeof(wanted) / sizeof(wanted[0]));
	for (size_t i = 0; i < NR_QUEUES; i++)
		types_member(types, "journal_s", queues[i].name, &l->queues[i]);
}

/* Whether the task is in jbd2's code; then its types, which may be a module's. */
static bool find_types(struct lock_finder *finder, const struct task *task, struct layout *ret)
{
	for (size_t i = 0; i < task->stack.frames.count; i++) {
		const struct frame *frame = &task->stack.frames.data[i];
		const struct symbol symbol =
			symbols_lookup(&finder->kernel->symbols, frame->pc - !frame->interrupted);
		const struct types *types = finder->kernel->symbols.types;
		if (frame->section == SECTION_USER || !symbol.name)
			continue;
		if (!lock_name_matches(symbol.name, "jbd2_*") &&
		    !lock_name_matches(symbol.name, "wait_transaction_*") &&
		    !lock_name_matches(symbol.name, "start_this_handle"))
			continue;
		if (symbol.module)
			error_destroy(symbols_module_types(&finder->kernel->symbols, symbol.module,
							   &types));
		resolve(ret, types);
		return true;
	}
	return false;
}

/* A journal names its thread, which is called by its device. */
static const struct task *thread_of(struct lock_finder *finder, const struct layout *l,
				    uint64_t journal, char *device, size_t size)
{
	const struct task *task = tasks_find(finder->tasks, lock_read(finder, journal, &l->task));
	struct error *err =
		memory_read_string(finder->memory, journal + l->device.offset, device, size);

	error_destroy(err);
	if (err || !task || !task->kernel_thread || strncmp(task->comm, "jbd2/", 5) ||
	    strncmp(task->comm + 5, device, strlen(task->comm + 5)))
		return NULL;
	return task;
}

/* All that have a part in what the journal commits. */
static void add_parts(struct lock_finder *finder, const struct layout *l, uint64_t journal,
		      uint32_t lock)
{
	uint64_t running = lock_read(finder, journal, &l->running);
	uint64_t committing = lock_read(finder, journal, &l->committing);

	for (size_t i = 0; i < finder->tasks->list.count; i++) {
		const struct task *task = &finder->tasks->list.data[i];
		uint64_t info = lock_read(finder, task->address, &l->info);
		uint64_t transaction =
			lock_plausible(info) ? lock_read(finder, info, &l->transaction) : 0;
		if (transaction && (transaction == running || transaction == committing))
			lock_add_holder(finder, lock, task->address, NULL);
	}
}

static void explain(struct lock_finder *finder, const struct layout *l, uint32_t place)
{
	uint64_t address = finder->locks->list.data[place].address;
	char device[64];

	for (size_t i = 0; i < NR_QUEUES; i++) {
		uint64_t journal = address - l->queues[i].offset;
		if (!l->queues[i].size || !l->task.size || !l->device.size)
			continue;
		const struct task *thread = thread_of(finder, l, journal, device, sizeof(device));
		if (!thread)
			continue;
		lock_set_detail(finder, place, queues[i].what, device);
		finder->locks->list.data[place].ends = true;
		if (queues[i].for_parts)
			add_parts(finder, l, journal, place);
		else
			lock_add_holder(finder, place, thread->address, NULL);
		return;
	}
}

void lock_explain_journals(struct lock_finder *finder)
{
	for (uint32_t i = 0; i < finder->locks->list.count; i++) {
		const struct lock *lock = &finder->locks->list.data[i];
		struct layout layout = {};
		if (lock->type == LOCK_OTHER && !lock->word && !lock->name && lock->waiters.count &&
		    find_types(finder, &finder->tasks->list.data[lock->waiters.data[0]], &layout))
			explain(finder, &layout, i);
	}
}
