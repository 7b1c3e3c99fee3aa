/* SPDX-License-Identifier: GPL-2.0-only */
/* The JSON of the machine's and the CPUs' state. */
#ifndef LOCKDUMP_JSON_STATE_H
#define LOCKDUMP_JSON_STATE_H

#include "base/json.h"
#include "report/report.h"

struct json_object *json_kernel(const struct report *report);
struct json_object *json_memory(const struct report *report);

/* cpus[].runqueue of report->cpus.list.data[index]. */
struct json_object *json_runqueue(const struct report *report, size_t index);

/* Adds what else there is to say of that CPU. */
void json_add_cpu_state(struct json_object *object, const struct report *report, size_t index);

/* Adds what else there is to say of a task. */
void json_add_task_state(struct json_object *object, const struct task *task);

#endif
