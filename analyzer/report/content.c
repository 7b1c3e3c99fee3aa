// SPDX-License-Identifier: GPL-2.0-only
#include "report/content.h"

#include <string.h>

#include "base/hash.h"

static uint32_t hash_text(uint32_t hash, const char *text)
{
	return hash_add(hash, text, strlen(text) + 1);
}

static void add_stacks(const struct tasks *tasks, struct report_content *ret)
{
	for (size_t i = 0; i < tasks->list.count; i++) {
		const struct task *task = &tasks->list.data[i];
		const struct stack *stack = &task->stack;
		uint32_t hash = hash_add(ret->stacks_hash, &task->pid, sizeof(task->pid));
		for (size_t j = 0; j < stack->frames.count; j++) {
			const struct frame *frame = &stack->frames.data[j];
			hash = hash_add(hash, &frame->pc, sizeof(frame->pc));
			hash = hash_add(hash, &frame->reliable, sizeof(frame->reliable));
		}
		ret->stacks_hash = hash;
		ret->frames += stack->frames.count;
		ret->tasks_with_stack += stack->frames.count > 0;
	}
	ret->tasks = tasks->list.count;
}

static void add_modules(const struct modules *modules, struct report_content *ret)
{
	for (size_t i = 0; i < modules->list.count; i++) {
		const struct module *module = &modules->list.data[i];
		uint32_t hash = hash_text(ret->modules_hash, module->name);
		hash = hash_add(hash, &module->object, sizeof(module->object));
		ret->modules_hash = hash_add(hash, &module->size, sizeof(module->size));
	}
	ret->modules = modules->list.count;
}

static void add_log(const struct dmesg *dmesg, struct report_content *ret)
{
	for (size_t i = 0; i < dmesg->lines.count; i++) {
		const struct dmesg_line *line = &dmesg->lines.data[i];
		uint32_t hash = hash_add(ret->log_hash, &line->t_ns, sizeof(line->t_ns));
		ret->log_hash = hash_text(hash, line->text);
	}
	ret->log_lines = dmesg->lines.count;
}

void report_content(const struct report *report, struct report_content *ret)
{
	*ret = (struct report_content){ .stacks_hash = HASH_START,
					.modules_hash = HASH_START,
					.log_hash = HASH_START };
	add_stacks(&report->tasks, ret);
	add_modules(&report->kernel->symbols.modules, ret);
	add_log(&report->dmesg, ret);
}
