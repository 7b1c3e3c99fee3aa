// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who wants to know when a function returns puts an address of its own in
 * place of the return address. What was there is kept with the task, together
 * with the place on the stack that it was taken from:
 *
 *	rethooks	task_struct.rethooks, struct rethook_node, since 5.18 (54ecbe6f1ed5)
 *	kretprobes	task_struct.kretprobe_instances, since 5.11 (d741bf41d7c7)
 *	function graph	task_struct.ret_stack, struct ftrace_ret_stack: an array; since 6.11
 *			of no even step, so that its words are looked through for the place
 */
#include "unwind/return_hooks.h"

#include <string.h>

#define MAX_HOOKS	256 /* no stack has more frames */
#define RET_STACK_WORDS 512 /* a page: SHADOW_STACK_SIZE; the older array is smaller */
#define CHUNK_WORDS	64
#define WORD		sizeof(uint64_t)

void return_hooks_init(struct unwinder *unwinder)
{
	struct return_hooks *h = &unwinder->return_hooks;
	const struct types *types = unwinder->symbols->types;
	const struct {
		const char *type, *path;
		struct member *ret;
	} wanted[] = {
		{ "task_struct", "rethooks.first", &h->lists[0].head },
		{ "rethook_node", "llist.next", &h->lists[0].next },
		{ "rethook_node", "frame", &h->lists[0].place },
		{ "rethook_node", "ret_addr", &h->lists[0].address },
		{ "task_struct", "kretprobe_instances.first", &h->lists[1].head },
		{ "kretprobe_instance", "llist.next", &h->lists[1].next },
		{ "kretprobe_instance", "fp", &h->lists[1].place },
		{ "kretprobe_instance", "ret_addr", &h->lists[1].address },
		{ "task_struct", "ret_stack", &h->ret_stack },
		{ "ftrace_ret_stack", "ret", &h->ret },
		{ "ftrace_ret_stack", "retp", &h->retp },
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		types_member(types, wanted[i].type, wanted[i].path, wanted[i].ret);
}

static struct error *find_in_list(struct unwinder *unwinder, const struct return_hook_list *list,
				  uint64_t slot, uint64_t *ret)
{
	uint64_t node, place;

	if (!list->head.size || !list->next.size || !list->place.size || !list->address.size)
		return NULL;
	struct error *err = member_read(unwinder->memory, unwinder->task, &list->head, &node);
	for (int i = 0; !err && node && i < MAX_HOOKS; i++) {
		uint64_t object = node - list->next.offset;
		err = member_read(unwinder->memory, object, &list->place, &place);
		if (!err && place == slot)
			return member_read(unwinder->memory, object, &list->address, ret);
		if (!err)
			err = member_read(unwinder->memory, object, &list->next, &node);
	}
	return err;
}

static struct error *find_in_ret_stack(struct unwinder *unwinder, uint64_t slot, uint64_t *ret)
{
	const struct return_hooks *h = &unwinder->return_hooks;
	uint64_t stack, words[CHUNK_WORDS];

	if (!h->ret_stack.size || !h->ret.size || !h->retp.size)
		return NULL;
	struct error *err = member_read(unwinder->memory, unwinder->task, &h->ret_stack, &stack);
	for (uint64_t i = 0; !err && stack && i < RET_STACK_WORDS; i++) {
		uint64_t at = stack + i * WORD;
		if (i % CHUNK_WORDS == 0)
			err = memory_read(unwinder->memory, at, words, sizeof(words));
		if (!err && words[i % CHUNK_WORDS] == slot && at - stack >= h->retp.offset)
			return member_read(unwinder->memory, at - h->retp.offset, &h->ret, ret);
	}
	return err;
}

enum tracer { TRACER_NONE, TRACER_LISTED, TRACER_GRAPH };

/* Who replaced it: such an address is the very beginning of a function, which nothing returns to. */
static enum tracer tracer_of(struct unwinder *unwinder, uint64_t pc)
{
	static const char *const listed[] = { "arch_rethook_trampoline", "__kretprobe_trampoline",
					      "kretprobe_trampoline" /* up to 5.14 */ };
	struct symbol symbol = symbols_lookup(unwinder->symbols, pc);

	if (!symbol.name || symbol.start != pc)
		return TRACER_NONE;
	for (size_t i = 0; i < sizeof(listed) / sizeof(listed[0]); i++)
		if (!strcmp(symbol.name, listed[i]))
			return TRACER_LISTED;
	return strcmp(symbol.name, "return_to_handler") ? TRACER_NONE : TRACER_GRAPH;
}

struct error *return_hooks_undo(struct unwinder *unwinder, uint64_t slot, uint64_t *pc)
{
	const struct return_hooks *h = &unwinder->return_hooks;
	struct error *err = NULL;
	uint64_t ret = 0;
	enum tracer by = tracer_of(unwinder, *pc);

	if (by == TRACER_NONE)
		return NULL;
	if (unwinder->task && by == TRACER_GRAPH)
		err = find_in_ret_stack(unwinder, slot, &ret);
	for (size_t i = 0; unwinder->task && by == TRACER_LISTED && !err && !ret && i < 2; i++)
		err = find_in_list(unwinder, &h->lists[i], slot, &ret);
	if (!err && !ret)
		err = error_fault(ERROR_OTHER, slot,
				  "0x%llx: a tracer has replaced the return address",
				  (unsigned long long)slot);
	if (!err)
		*pc = ret;
	return err;
}
