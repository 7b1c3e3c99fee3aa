// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stack machine of DWARF 5, 2.5 and 2.6. Values are 64 bits wide; one that has a type is kept as that type
 * would have it, extended to 64 bits by its sign. Floats, and calls of other expressions, are not known here.
 */
#include "symbols/dwarf_expression.h"

#include <dwarf.h>
#include <string.h>

#define MAX_STACK 64
#define MAX_STEPS 1000 /* of an expression: branches may go backwards */

struct type {
	uint8_t size; /* bytes; 0: the generic type, an address */
	bool is_signed;
};

struct value {
	uint64_t bits;
	struct type type;
};

enum location_kind { LOCATION_NONE, LOCATION_MEMORY, LOCATION_REGISTER, LOCATION_VALUE };

/* What one simple description came to. */
struct location {
	enum location_kind kind;
	uint64_t word; /* an address, a register's number, or the value */
	Dwarf_Block block; /* of the value, if it is longer */
};

struct machine {
	struct expression_context *context;
	const Dwarf_Op *ops;
	size_t count;
	unsigned int steps;
	struct value stack[MAX_STACK];
	unsigned int depth;
};

static uint64_t normalize(uint64_t bits, struct type type)
{
	unsigned int unused = type.size && type.size < 8 ? 64 - 8 * type.size : 0;

	if (type.is_signed)
		return (uint64_t)((int64_t)(bits << unused) >> unused);
	return bits << unused >> unused;
}

static bool push_typed(struct machine *m, uint64_t bits, struct type type)
{
	if (m->depth == MAX_STACK)
		return false;
	m->stack[m->depth++] = (struct value){ normalize(bits, type), type };
	return true;
}

static bool push(struct machine *m, uint64_t bits)
{
	return push_typed(m, bits, (struct type){});
}

static bool pop(struct machine *m, struct value *ret)
{
	if (!m->depth)
		return false;
	*ret = m->stack[--m->depth];
	return true;
}

static bool read_register(const struct machine *m, uint64_t number, uint64_t *ret)
{
	const struct expression_context *c = m->context;

	return c->read_register && number <= UINT32_MAX && c->read_register(c->data, number, ret);
}

static bool push_register(struct machine *m, uint64_t number, uint64_t offset, struct type type)
{
	uint64_t value;

	return read_register(m, number, &value) && push_typed(m, value + offset, type);
}

static bool read_memory(const struct machine *m, uint64_t address, void *buf, size_t size)
{
	struct error *err = memory_read(m->context->memory, address, buf, size);
	bool good = !err;

	m->context->unreadable |= !good;
	error_destroy(err);
	return good;
}

static bool dereference(struct machine *m, uint64_t size, struct type type)
{
	struct value address;
	uint64_t word = 0;

	return size && size <= sizeof(word) && pop(m, &address) &&
	       read_memory(m, address.bits, &word, size) && push_typed(m, word, type);
}

/* The base type that the operation names. Offset 0 is the generic type. */
static bool find_type(const struct machine *m, const Dwarf_Op *op, bool is_generic,
		      struct type *ret)
{
	Dwarf_Attribute attribute;
	Dwarf_Die die;
	Dwarf_Word encoding, size;

	*ret = (struct type){};
	if (is_generic)
		return true;
	if (!m->context->attribute || dwarf_getlocation_die(m->context->attribute, op, &die) ||
	    dwarf_tag(&die) != DW_TAG_base_type || !dwarf_attr(&die, DW_AT_encoding, &attribute) ||
	    dwarf_formudata(&attribute, &encoding) ||
	    !dwarf_attr(&die, DW_AT_byte_size, &attribute) || dwarf_formudata(&attribute, &size) ||
	    !size || size > 8)
		return false;
	ret->size = size;
	ret->is_signed = encoding == DW_ATE_signed || encoding == DW_ATE_signed_char;
	return ret->is_signed || encoding == DW_ATE_unsigned || encoding == DW_ATE_unsigned_char ||
	       encoding == DW_ATE_boolean || encoding == DW_ATE_address || encoding == DW_ATE_UTF;
}

static bool push_typed_constant(struct machine *m, const Dwarf_Op *op)
{
	Dwarf_Attribute attribute;
	Dwarf_Block block;
	struct type type;
	uint64_t bits = 0;

	if (!find_type(m, op, false, &type) ||
	    dwarf_getlocation_attr(m->context->attribute, op, &attribute) ||
	    dwarf_formblock(&attribute, &block) || block.length > sizeof(bits))
		return false;
	memcpy(&bits, block.data, block.length);
	return push_typed(m, bits, type);
}

/* An address, or a number, that stands in .debug_addr. */
static bool push_indexed(struct machine *m, const Dwarf_Op *op)
{
	Dwarf_Attribute attribute;
	Dwarf_Addr address;
	Dwarf_Word number;

	if (!m->context->attribute || dwarf_getlocation_attr(m->context->attribute, op, &attribute))
		return false;
	if (!dwarf_formaddr(&attribute, &address))
		return push(m, op->atom == DW_OP_addrx ? address + m->context->bias : address);
	return !dwarf_formudata(&attribute, &number) && push(m, number);
}

static bool push_entry_value(struct machine *m, const Dwarf_Op *op)
{
	struct expression_context *c = m->context;
	Dwarf_Attribute attribute;
	Dwarf_Op *ops;
	size_t count;
	uint64_t value;

	return c->entry_value && c->attribute &&
	       !dwarf_getlocation_attr(c->attribute, op, &attribute) &&
	       !dwarf_getlocation(&attribute, &ops, &count) &&
	       c->entry_value(c->data, ops, count, &value) && push(m, value);
}

static bool divide(uint8_t atom, struct type type, uint64_t a, uint64_t b, uint64_t *ret)
{
	bool is_signed = type.size ? type.is_signed : atom == DW_OP_div;

	if (!b || (is_signed && b == UINT64_MAX && a == (uint64_t)INT64_MIN))
		return false;
	if (is_signed)
		*ret = atom == DW_OP_div ? (uint64_t)((int64_t)a / (int64_t)b)
					 : (uint64_t)((int64_t)a % (int64_t)b);
	else
		*ret = atom == DW_OP_div ? a / b : a % b;
	return true;
}

static uint64_t shift(uint8_t atom, uint64_t a, uint64_t n)
{
	switch (atom) {
	case DW_OP_shl:
		return n < 64 ? a << n : 0;
	case DW_OP_shr:
		return n < 64 ? a >> n : 0;
	default:
		return (uint64_t)((int64_t)a >> (n < 64 ? n : 63));
	}
}

static bool compare(uint8_t atom, struct type type, uint64_t a, uint64_t b)
{
	/* The generic type compares as if it were signed. */
	bool is_signed = !type.size || type.is_signed;
	int order = a == b ? 0 : (is_signed ? (int64_t)a < (int64_t)b : a < b) ? -1 : 1;

	switch (atom) {
	case DW_OP_eq:
		return order == 0;
	case DW_OP_ne:
		return order != 0;
	case DW_OP_lt:
		return order < 0;
	case DW_OP_le:
		return order <= 0;
	case DW_OP_gt:
		return order > 0;
	default:
		return order >= 0;
	}
}

static bool binary(struct machine *m, uint8_t atom)
{
	struct value a, b;
	uint64_t ret;

	if (!pop(m, &b) || !pop(m, &a))
		return false;
	switch (atom) {
	case DW_OP_and:
		ret = a.bits & b.bits;
		break;
	case DW_OP_or:
		ret = a.bits | b.bits;
		break;
	case DW_OP_xor:
		ret = a.bits ^ b.bits;
		break;
	case DW_OP_plus:
		ret = a.bits + b.bits;
		break;
	case DW_OP_minus:
		ret = a.bits - b.bits;
		break;
	case DW_OP_mul:
		ret = a.bits * b.bits;
		break;
	case DW_OP_div:
	case DW_OP_mod:
		if (!divide(atom, a.type, a.bits, b.bits, &ret))
			return false;
		break;
	case DW_OP_shl:
	case DW_OP_shr:
	case DW_OP_shra:
		ret = shift(atom, a.bits, b.bits);
		break;
	default:
		return push(m, compare(atom, a.type, a.bits, b.bits));
	}
	return push_typed(m, ret, a.type);
}

static bool unary(struct machine *m, const Dwarf_Op *op)
{
	struct value a;

	if (!pop(m, &a))
		return false;
	switch (op->atom) {
	case DW_OP_neg:
		return push_typed(m, -a.bits, a.type);
	case DW_OP_not:
		return push_typed(m, ~a.bits, a.type);
	case DW_OP_abs:
		return push_typed(m, (int64_t)a.bits < 0 ? -a.bits : a.bits, a.type);
	default: /* DW_OP_plus_uconst */
		return push_typed(m, a.bits + op->number, a.type);
	}
}

static bool pick(struct machine *m, uint64_t index)
{
	if (index >= m->depth)
		return false;
	struct value value = m->stack[m->depth - 1 - index];
	return push_typed(m, value.bits, value.type);
}

static bool rotate(struct machine *m, unsigned int count)
{
	if (m->depth < count)
		return false;
	struct value top = m->stack[m->depth - 1];
	memmove(&m->stack[m->depth - count + 1], &m->stack[m->depth - count],
		(count - 1) * sizeof(top));
	m->stack[m->depth - count] = top;
	return true;
}

/* To the operation at @offset of the expression, or behind its last one. */
static bool jump(const struct machine *m, int64_t offset, size_t *at)
{
	for (size_t i = 0; i < m->count; i++)
		if ((int64_t)m->ops[i].offset == offset) {
			*at = i;
			return true;
		}
	*at = m->count;
	return m->count && offset > (int64_t)m->ops[m->count - 1].offset;
}

static bool branch(struct machine *m, const Dwarf_Op *op, size_t *at)
{
	struct value condition = { .bits = 1 };

	if (op->atom == DW_OP_bra && !pop(m, &condition))
		return false;
	/* Both have an offset of two bytes, which counts from behind it. */
	return !condition.bits || jump(m, op->offset + 3 + (int16_t)op->number, at);
}

/* An operation that changes the stack, and no more. *@at is the next operation. */
static bool step(struct machine *m, const Dwarf_Op *op, size_t *at)
{
	struct expression_context *c = m->context;
	struct value value;
	struct type type;
	uint64_t word;

	switch (op->atom) {
	case DW_OP_addr:
		return push(m, op->number + c->bias);
	case DW_OP_addrx:
	case DW_OP_constx:
	case DW_OP_GNU_addr_index:
	case DW_OP_GNU_const_index:
		return push_indexed(m, op);
	case DW_OP_const1u:
	case DW_OP_const1s:
	case DW_OP_const2u:
	case DW_OP_const2s:
	case DW_OP_const4u:
	case DW_OP_const4s:
	case DW_OP_const8u:
	case DW_OP_const8s:
	case DW_OP_constu:
	case DW_OP_consts:
		return push(m, op->number);
	case DW_OP_lit0 ... DW_OP_lit31:
		return push(m, op->atom - DW_OP_lit0);
	case DW_OP_breg0 ... DW_OP_breg31:
		return push_register(m, op->atom - DW_OP_breg0, op->number, (struct type){});
	case DW_OP_bregx:
		return push_register(m, op->number, op->number2, (struct type){});
	case DW_OP_regval_type:
	case DW_OP_GNU_regval_type:
		return find_type(m, op, false, &type) && push_register(m, op->number, 0, type);
	case DW_OP_fbreg:
		return c->frame_base && c->frame_base(c->data, &word) && push(m, word + op->number);
	case DW_OP_call_frame_cfa:
		return c->frame_address && c->frame_address(c->data, &word) && push(m, word);
	case DW_OP_entry_value:
	case DW_OP_GNU_entry_value:
		return push_entry_value(m, op);
	case DW_OP_const_type:
	case DW_OP_GNU_const_type:
		return push_typed_constant(m, op);
	case DW_OP_convert:
	case DW_OP_GNU_convert:
	case DW_OP_reinterpret:
	case DW_OP_GNU_reinterpret:
		return find_type(m, op, !op->number, &type) && pop(m, &value) &&
		       push_typed(m, value.bits, type);
	case DW_OP_deref:
		return dereference(m, sizeof(word), (struct type){});
	case DW_OP_deref_size:
		return dereference(m, op->number, (struct type){});
	case DW_OP_deref_type:
	case DW_OP_GNU_deref_type:
		return find_type(m, op, false, &type) && dereference(m, op->number, type);
	case DW_OP_dup:
		return pick(m, 0);
	case DW_OP_over:
		return pick(m, 1);
	case DW_OP_pick:
		return pick(m, op->number);
	case DW_OP_swap:
		return rotate(m, 2);
	case DW_OP_rot:
		return rotate(m, 3);
	case DW_OP_drop:
		return pop(m, &value);
	case DW_OP_nop:
	case DW_OP_GNU_uninit:
		return true;
	case DW_OP_neg:
	case DW_OP_not:
	case DW_OP_abs:
	case DW_OP_plus_uconst:
		return unary(m, op);
	case DW_OP_and:
	case DW_OP_or:
	case DW_OP_xor:
	case DW_OP_plus:
	case DW_OP_minus:
	case DW_OP_mul:
	case DW_OP_div:
	case DW_OP_mod:
	case DW_OP_shl:
	case DW_OP_shr:
	case DW_OP_shra:
	case DW_OP_eq:
	case DW_OP_ne:
	case DW_OP_lt:
	case DW_OP_le:
	case DW_OP_gt:
	case DW_OP_ge:
		return binary(m, op->atom);
	case DW_OP_bra:
	case DW_OP_skip:
		return branch(m, op, at);
	default:
		return false;
	}
}

static bool is_piece(const Dwarf_Op *op)
{
	return op->atom == DW_OP_piece || op->atom == DW_OP_bit_piece;
}

/* An operation that ends a description: the object is in a register, or is this value and is nowhere. */
static bool take_location(struct machine *m, const Dwarf_Op *op, struct location *ret)
{
	struct value value;

	switch (op->atom) {
	case DW_OP_reg0 ... DW_OP_reg31:
		*ret = (struct location){ LOCATION_REGISTER, op->atom - DW_OP_reg0 };
		return true;
	case DW_OP_regx:
		*ret = (struct location){ LOCATION_REGISTER, op->number };
		return true;
	case DW_OP_stack_value:
		if (pop(m, &value))
			*ret = (struct location){ LOCATION_VALUE, value.bits };
		return true;
	case DW_OP_implicit_value:
		if (m->context->attribute &&
		    !dwarf_getlocation_implicit_value(m->context->attribute, op, &ret->block))
			ret->kind = LOCATION_VALUE;
		return true;
	default:
		return false;
	}
}

/* Goes from *@at to the end of one description: that of the object, or of a piece of it. */
static struct location describe(struct machine *m, size_t *at)
{
	struct location ret = {};
	bool computed = false, failed = false;

	m->depth = 0;
	while (*at < m->count && !is_piece(&m->ops[*at])) {
		const Dwarf_Op *op = &m->ops[(*at)++];
		if (failed || take_location(m, op, &ret))
			continue;
		computed = true;
		failed = m->steps++ >= MAX_STEPS || !step(m, op, at);
	}
	struct value address;
	if (failed)
		return (struct location){};
	if (ret.kind == LOCATION_NONE && computed && pop(m, &address))
		return (struct location){ LOCATION_MEMORY, address.bits };
	return ret;
}

static void read_location(const struct machine *m, const struct location *location, uint8_t *buf,
			  bool *known, size_t size)
{
	uint64_t word = location->word;
	bool good = false;

	switch (location->kind) {
	case LOCATION_NONE:
		break;
	case LOCATION_MEMORY:
		good = read_memory(m, location->word, buf, size);
		break;
	case LOCATION_REGISTER:
		if (size <= sizeof(word) && read_register(m, location->word, &word)) {
			memcpy(buf, &word, size);
			good = true;
		}
		break;
	case LOCATION_VALUE:
		if (location->block.data ? size <= location->block.length : size <= sizeof(word)) {
			memcpy(buf, location->block.data ? location->block.data : (void *)&word,
			       size);
			good = true;
		}
		break;
	}
	memset(known, good, size);
}

void expression_read(struct expression_context *context, const Dwarf_Op *ops, size_t count,
		     uint8_t *buf, bool *known, size_t size)
{
	struct machine m = { .context = context, .ops = ops, .count = count };
	size_t at = 0, done = 0;

	memset(known, 0, size);
	while (at < count && done < size) {
		struct location location = describe(&m, &at);
		size_t length = size - done;
		if (at < count) {
			const Dwarf_Op *piece = &ops[at++];
			bool bits = piece->atom == DW_OP_bit_piece;
			/* Pieces that do not begin and end with a byte are not known, nor what follows. */
			if (bits && (piece->number % 8 || piece->number2))
				return;
			uint64_t its = bits ? piece->number / 8 : piece->number;
			length = its < length ? its : length;
		}
		read_location(&m, &location, buf + done, known + done, length);
		done += length;
	}
}

bool expression_word(struct expression_context *context, const Dwarf_Op *ops, size_t count,
		     bool of_object, uint64_t *ret)
{
	struct machine m = { .context = context, .ops = ops, .count = count };
	size_t at = 0;
	struct location location = describe(&m, &at);

	if (at < count || location.kind == LOCATION_NONE || location.block.data)
		return false;
	*ret = location.word;
	if (location.kind == LOCATION_REGISTER)
		return read_register(&m, location.word, ret);
	if (location.kind == LOCATION_MEMORY && of_object)
		return read_memory(&m, location.word, ret, sizeof(*ret));
	return true;
}
