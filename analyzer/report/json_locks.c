// SPDX-License-Identifier: GPL-2.0-only
#include "report/json_locks.h"

typedef struct json_object json;

/* {address, name, module, type, detail} */
static json *lock_itself(const struct lock *lock)
{
	json *object = json_object_new_object();

	json_add(object, "address", json_address(lock->address));
	json_add(object, "name", json_text(lock->name));
	json_add(object, "module", json_text(lock->module));
	json_add(object, "type", json_text(lock_type_name(lock->type)));
	json_add(object, "detail", json_text(lock->detail));
	return object;
}

static json *task_on_cpu(const struct task *task)
{
	json *object = json_object_new_object();

	json_add(object, "pid", json_number(task->pid));
	json_add(object, "comm", json_text(task->comm));
	json_add(object, "cpu", task->cpu == TASK_NO_CPU ? NULL : json_number(task->cpu));
	return object;
}

static json *holders(const struct report *report, const struct lock *lock)
{
	json *array = json_object_new_array();

	for (size_t i = 0; i < lock->holders.count; i++) {
		const struct lock_holder *holder = &lock->holders.data[i];
		json *object = task_on_cpu(&report->tasks.list.data[holder->task]);
		json_add(object, "certain", json_object_new_boolean(holder->certain));
		json_add(object, "why", json_text(holder->why));
		json_object_array_add(array, object);
	}
	return array;
}

json *json_waits_for(const struct report *report, const struct lock *lock)
{
	if (!lock)
		return NULL;
	json *object = lock_itself(lock);
	json_add(object, "holders", holders(report, lock));
	return object;
}

json *json_lock(const struct report *report, const struct lock *lock)
{
	json *object = json_waits_for(report, lock), *waiters = json_object_new_array();

	for (size_t i = 0; i < lock->waiters.count; i++) {
		const struct task *task = &report->tasks.list.data[lock->waiters.data[i]];
		double since_s = report_waited_s(report, task);
		json *waiter = task_on_cpu(task);
		json_add(waiter, "since_s", since_s < 0 ? NULL : json_double(since_s));
		json_object_array_add(waiters, waiter);
	}
	json_add(object, "waiters", waiters);
	return object;
}

json *json_cycle(const struct report *report)
{
	const struct wait_cycle *cycle = &report->verdict.cycle;
	json *array = json_object_new_array();

	for (size_t i = 0; i < cycle->count && i < WAIT_CYCLE_MAX; i++) {
		uint32_t place = cycle->tasks[i];
		const struct task *task = &report->tasks.list.data[place];
		json *object = json_object_new_object();
		json_add(object, "pid", json_number(task->pid));
		json_add(object, "comm", json_text(task->comm));
		json_add(object, "waits_for",
			 json_waits_for(report, locks_waited_for(&report->locks, place)));
		json_object_array_add(array, object);
	}
	return array;
}
