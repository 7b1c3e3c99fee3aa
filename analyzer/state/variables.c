// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a variable is at a pc, its DWARF location says: in memory, in registers, or nowhere any more. A parameter that
 * was in a register when the function was entered and is lost since may still be known to the caller: its call site
 * says from what it was computed (DW_OP_entry_value, DWARF 5, 2.5.1.7).
 */
#include "state/variables.h"

#include <dwarf.h>
#include <string.h>

#include "base/cleanup.h"
#include "symbols/dwarf_expression.h"
#include "symbols/dwarf_type.h"
#include "symbols/dwarf_units.h"
#include "symbols/dwarf_value.h"

#define MAX_SCOPES	128
#define MAX_CHILDREN	100000 /* of a scope */
#define MAX_VARIABLES	256 /* of a function */
#define MAX_ENTRY_DEPTH 8 /* callers that are asked for one value */

struct frame_values {
	struct frame_registers registers;
	struct stack_values *stack;
	struct debug_file *file; /* NULL: no debug information of this frame */
	const struct source_places *places;
	uint64_t address; /* what to look up: in the file */
	bool has_call_site, searched_call_site;
	Dwarf_Die call_site; /* in this frame, of the call that leads to the inner one */
	unsigned int entry_depth;
};

static bool read_register(void *data, unsigned int number, uint64_t *ret)
{
	const struct frame_values *frame = data;

	return frame_register(frame->stack->kernel->unwinder.arch, &frame->registers, number, ret);
}

static bool frame_address(void *data, uint64_t *ret)
{
	const struct frame_values *frame = data;

	*ret = frame->registers.cfa;
	return frame->registers.has_cfa;
}

static bool frame_base(void *data, uint64_t *ret);
static bool entry_value(void *data, const Dwarf_Op *ops, size_t count, uint64_t *ret);

static struct expression_context context_of(struct frame_values *frame, Dwarf_Attribute *attribute)
{
	return (struct expression_context){
		.memory = &frame->stack->kernel->memory,
		.bias = frame->file->bias,
		.attribute = attribute,
		.data = frame,
		.read_register = read_register,
		.frame_address = frame_address,
		.frame_base = frame_base,
		.entry_value = entry_value,
	};
}

/* The function of the frame itself, whatever was inlined into it. */
static Dwarf_Die *function_of(const struct frame_values *frame)
{
	if (!frame->places || !frame->places->count)
		return NULL;
	const struct source_place *place = &frame->places->list[frame->places->count - 1];
	return place->scope.addr ? (Dwarf_Die *)&place->scope : NULL;
}

/* The expression that @name of @die has at the frame's address. */
static bool find_expression(const struct frame_values *frame, Dwarf_Die *die, unsigned int name,
			    Dwarf_Attribute *attribute, Dwarf_Op **ops, size_t *count)
{
	return dwarf_attr_integrate(die, name, attribute) &&
	       dwarf_getlocation_addr(attribute, frame->address, ops, count, 1) == 1;
}

/* The word that the expression comes to. */
static bool compute(struct frame_values *frame, Dwarf_Die *die, unsigned int name, uint64_t *ret)
{
	Dwarf_Attribute attribute;
	Dwarf_Op *ops;
	size_t count;

	if (!find_expression(frame, die, name, &attribute, &ops, &count))
		return false;
	struct expression_context context = context_of(frame, &attribute);
	return expression_word(&context, ops, count, false, ret);
}

static bool frame_base(void *data, uint64_t *ret)
{
	struct frame_values *frame = data;
	Dwarf_Die *function = function_of(frame);
	Dwarf_Attribute attribute;
	Dwarf_Op *ops;
	size_t count;

	if (!function ||
	    !find_expression(frame, function, DW_AT_frame_base, &attribute, &ops, &count))
		return false;
	struct expression_context context = context_of(frame, &attribute);
	context.frame_base = NULL; /* not by itself */
	return expression_word(&context, ops, count, false, ret);
}

/* A call site is a child of the innermost scope that the call is in. */
static bool is_scope(int tag)
{
	return tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block;
}

static bool is_call_site(Dwarf_Die *die, uint64_t return_address)
{
	Dwarf_Attribute attribute;
	Dwarf_Addr address;
	int tag = dwarf_tag(die);
	bool gnu = tag == DW_TAG_GNU_call_site;

	return (gnu || tag == DW_TAG_call_site) &&
	       dwarf_attr(die, gnu ? DW_AT_low_pc : DW_AT_call_return_pc, &attribute) &&
	       !dwarf_formaddr(&attribute, &address) && address == return_address;
}

static bool find_call_site(struct frame_values *frame)
{
	Dwarf_Die *function = function_of(frame), scope, die, inner;
	bool deeper = function;

	if (function)
		scope = *function;
	/* Of a frame that is a caller, address is one below the address of return. */
	for (int depth = 0; deeper && depth < MAX_SCOPES; depth++, scope = inner) {
		unsigned int count = 0;
		deeper = false;
		if (dwarf_child(&scope, &die))
			return false;
		do {
			if (is_call_site(&die, frame->address + 1)) {
				frame->call_site = die;
				return true;
			}
			if (!deeper && is_scope(dwarf_tag(&die)) &&
			    dwarf_haspc(&die, frame->address) > 0) {
				inner = die;
				deeper = true;
			}
		} while (count++ < MAX_CHILDREN && !dwarf_siblingof(&die, &die));
	}
	return false;
}

/* Whether the call leads to @callee: between them may have been functions that ended in a jump, and left no frame. */
static bool leads_to(struct frame_values *caller, const struct frame_values *callee)
{
	Dwarf_Die *function = function_of(callee), *site = &caller->call_site, target;
	Dwarf_Attribute attribute;
	uint64_t address;

	if (!function)
		return false;
	if (dwarf_attr(site, DW_AT_call_origin, &attribute) ||
	    dwarf_attr(site, DW_AT_abstract_origin, &attribute)) {
		const char *name =
			dwarf_formref_die(&attribute, &target) ? dwarf_diename(&target) : NULL;
		const char *its = dwarf_diename(function);
		return name && its && !strcmp(name, its);
	}
	struct symbols *symbols = &callee->stack->kernel->symbols;
	return (compute(caller, site, DW_AT_call_target, &address) ||
		compute(caller, site, DW_AT_GNU_call_site_target, &address)) &&
	       symbols_lookup(symbols, callee->address + callee->file->bias).start == address;
}

static bool get_register_number(const Dwarf_Op *ops, size_t count, uint64_t *ret)
{
	if (count != 1)
		return false;
	if (ops->atom >= DW_OP_reg0 && ops->atom <= DW_OP_reg31)
		*ret = ops->atom - DW_OP_reg0;
	else if (ops->atom == DW_OP_regx)
		*ret = ops->number;
	else
		return false;
	return true;
}

/* What the call site says about the register @number. */
static bool find_parameter(struct frame_values *caller, uint64_t number, Dwarf_Die *ret)
{
	unsigned int count = 0;
	uint64_t its;

	if (dwarf_child(&caller->call_site, ret))
		return false;
	do {
		Dwarf_Attribute attribute;
		Dwarf_Op *ops;
		size_t nr_ops;
		int tag = dwarf_tag(ret);
		if ((tag == DW_TAG_call_site_parameter || tag == DW_TAG_GNU_call_site_parameter) &&
		    find_expression(caller, ret, DW_AT_location, &attribute, &ops, &nr_ops) &&
		    get_register_number(ops, nr_ops, &its) && its == number)
			return true;
	} while (count++ < MAX_CHILDREN && !dwarf_siblingof(ret, ret));
	return false;
}

static bool entry_value(void *data, const Dwarf_Op *ops, size_t count, uint64_t *ret)
{
	struct frame_values *callee = data, *caller = callee + 1;
	const struct stack *stack = callee->stack->stack;
	size_t index = callee - callee->stack->frames;
	uint64_t number;
	Dwarf_Die parameter;

	if (index + 1 >= stack->frames.count || stack->frames.data[index + 1].interrupted ||
	    !caller->file || !get_register_number(ops, count, &number))
		return false;
	if (!caller->searched_call_site) {
		caller->searched_call_site = true;
		caller->has_call_site = find_call_site(caller) && leads_to(caller, callee);
	}
	if (!caller->has_call_site || callee->entry_depth >= MAX_ENTRY_DEPTH ||
	    !find_parameter(caller, number, &parameter))
		return false;
	caller->entry_depth = callee->entry_depth + 1;
	return compute(caller, &parameter, DW_AT_call_value, ret) ||
	       compute(caller, &parameter, DW_AT_GNU_call_site_value, ret);
}

struct error *stack_values_init(struct stack_values *values, struct kernel *kernel,
				const struct stack *stack, const struct registers *innermost)
{
	size_t count = kernel->debuginfo ? stack->frames.count : 0;

	*values = (struct stack_values){ .kernel = kernel, .stack = stack };
	if (!count)
		return NULL;
	_cleanup_free_ struct frame_registers *registers = calloc(count, sizeof(*registers));
	values->frames = calloc(count, sizeof(*values->frames));
	if (!registers || !values->frames)
		return &error_no_memory;
	frame_registers_recover(&kernel->unwinder, kernel->debuginfo, stack, innermost, registers);
	for (size_t i = 0; i < count; i++) {
		const struct frame *frame = &stack->frames.data[i];
		uint64_t address = frame->pc - !frame->interrupted;
		struct frame_values *its = &values->frames[i];
		its->stack = values;
		its->registers = registers[i];
		if (frame->section == SECTION_USER)
			continue;
		its->places = debuginfo_places(kernel->debuginfo, address);
		its->file = its->places ? debuginfo_file(kernel->debuginfo, address) : NULL;
		its->address = its->file ? address - its->file->bias : 0;
	}
	return NULL;
}

void stack_values_deinit(struct stack_values *values)
{
	free(values->frames);
}

/* A value that needs no place: the compiler found out that it is always the same. */
static bool read_constant(Dwarf_Die *die, uint8_t *bytes, size_t size)
{
	Dwarf_Attribute attribute;
	Dwarf_Block block;
	Dwarf_Sword number;
	const char *string;

	if (!dwarf_attr_integrate(die, DW_AT_const_value, &attribute))
		return false;
	if (!dwarf_formblock(&attribute, &block)) {
		if (block.length < size)
			return false;
		memcpy(bytes, block.data, size);
		return true;
	}
	if (!dwarf_formsdata(&attribute, &number) && size <= sizeof(number)) {
		memcpy(bytes, &number, size);
		return true;
	}
	string = dwarf_formstring(&attribute);
	if (!string || strlen(string) + 1 < size)
		return false;
	memcpy(bytes, string, size);
	return true;
}

/* Fills @bytes and @known; false if nothing of it is known. */
static bool read_object(struct frame_values *frame, Dwarf_Die *die, uint8_t *bytes, bool *known,
			size_t size, bool *unreadable)
{
	Dwarf_Attribute attribute;
	Dwarf_Op *ops;
	size_t count;

	memset(known, 0, size);
	if (read_constant(die, bytes, size)) {
		memset(known, 1, size);
		return true;
	}
	if (!find_expression(frame, die, DW_AT_location, &attribute, &ops, &count))
		return false;
	struct expression_context context = context_of(frame, &attribute);
	frame->entry_depth = 0;
	expression_read(&context, ops, count, bytes, known, size);
	*unreadable = context.unreadable;
	return memchr(known, 1, size);
}

static const char *print_value(struct variables *variables, struct frame_values *frame,
			       Dwarf_Die *die, bool *unreadable)
{
	uint8_t bytes[VALUE_MAX_SIZE];
	bool known[VALUE_MAX_SIZE];
	Dwarf_Die type;
	uint64_t size;
	_cleanup_free_ char *text = NULL;
	size_t length;

	if (!dwarf_plain_type_of(die, &type) || !dwarf_type_size(&type, &size) || !size)
		return NULL;
	if (size > VALUE_MAX_SIZE)
		size = VALUE_MAX_SIZE;
	if (!read_object(frame, die, bytes, known, size, unreadable))
		return NULL;
	FILE *out = open_memstream(&text, &length);
	if (!out)
		return NULL;
	const struct value_bytes value = { bytes, known, size };
	dwarf_print_value(&frame->stack->kernel->symbols, die, &value, out);
	if (fclose(out))
		return NULL;
	return arena_strndup(&variables->text, text, length);
}

static void add_variable(struct variables *variables, struct frame_values *frame, Dwarf_Die *die)
{
	char type[TYPE_NAME_SIZE];
	const char *name = dwarf_diename(die);

	if (!name || variables->list.count >= MAX_VARIABLES || dwarf_hasattr(die, DW_AT_external))
		return;
	dwarf_type_name(die, type);
	struct variable variable = {
		.name = arena_strndup(&variables->text, name, strlen(name)),
		.type = arena_strndup(&variables->text, type, sizeof(type)),
	};
	variable.value = print_value(variables, frame, die, &variable.excluded);
	struct variable *place =
		variable.name && variable.type ? vector_push(&variables->list) : NULL;
	if (place)
		*place = variable;
}

static void add_scope(struct variables *variables, struct frame_values *frame, Dwarf_Die *scope,
		      unsigned int depth)
{
	Dwarf_Die die;
	unsigned int count = 0;

	if (depth > MAX_SCOPES || dwarf_child(scope, &die))
		return;
	do {
		int tag = dwarf_tag(&die);
		if (tag == DW_TAG_formal_parameter || tag == DW_TAG_variable)
			add_variable(variables, frame, &die);
		else if (tag == DW_TAG_lexical_block && dwarf_haspc(&die, frame->address) > 0)
			add_scope(variables, frame, &die, depth + 1);
	} while (count++ < MAX_CHILDREN && !dwarf_siblingof(&die, &die));
}

void variables_init(struct variables *variables, struct stack_values *values, size_t frame,
		    const struct source_place *place)
{
	struct frame_values *its = values->frames ? &values->frames[frame] : NULL;

	memset(variables, 0, sizeof(*variables));
	if (its && its->file && place->scope.addr)
		add_scope(variables, its, (Dwarf_Die *)&place->scope, 0);
}

void variables_deinit(struct variables *variables)
{
	vector_deinit(&variables->list);
	arena_deinit(&variables->text);
}
