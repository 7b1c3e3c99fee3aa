/* SPDX-License-Identifier: GPL-2.0-only */
/* Parameters and locals of the functions on a stack, with what they held. */
#ifndef LOCKDUMP_VARIABLES_H
#define LOCKDUMP_VARIABLES_H

#include "state/kernel.h"
#include "unwind/frame_registers.h"

struct variable {
	const char *name, *type;
	const char *value; /* NULL: the compiler kept it nowhere, or the dump does not have it */
	bool excluded; /* it would have been in memory that is not in the dump */
};

struct variables {
	VECTOR(struct variable) list; /* as in the source: parameters first */
	struct arena text;
};

struct frame_values;

/* A stack whose variables are asked for. */
struct stack_values {
	struct kernel *kernel;
	const struct stack *stack;
	struct frame_values *frames;
};

/*
 * @innermost: the registers that the walk of @stack began with. @stack must live as long as @values. Without debug
 * information there are none, and that is no error.
 */
struct error *stack_values_init(struct stack_values *values, struct kernel *kernel,
				const struct stack *stack, const struct registers *innermost);
void stack_values_deinit(struct stack_values *values);

/* Those of the function at @place, one of the places of the @frame-th frame. */
void variables_init(struct variables *variables, struct stack_values *values, size_t frame,
		    const struct source_place *place);
void variables_deinit(struct variables *variables);

#endif
