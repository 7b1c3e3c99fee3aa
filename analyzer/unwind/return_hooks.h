/* SPDX-License-Identifier: GPL-2.0-only */
/* Return addresses that a tracer has replaced by its own, and keeps for later: kretprobes, the function graph. */
#ifndef LOCKDUMP_RETURN_HOOKS_H
#define LOCKDUMP_RETURN_HOOKS_H

#include "unwind/unwind.h"

void return_hooks_init(struct unwinder *unwinder);

/*
 * If *@pc, which stood on the stack at @slot, is a tracer's, sets it to what stood there before. An error if that
 * cannot be had; *@pc is then as it was.
 */
struct error *return_hooks_undo(struct unwinder *unwinder, uint64_t slot, uint64_t *pc);

#endif
