// SPDX-License-Identifier: GPL-2.0-only
#include "symbols/btf_claims.h"

#include <stdlib.h>

#include "symbols/btf.h"

#define KIND(name) (1u << BTF_KIND_##name)

/* What a variable can be of, and what else a pointer can point to, or a typedef stand for. */
#define OBJECTS                                                                          \
	(KIND(INT) | KIND(PTR) | KIND(ARRAY) | KIND(STRUCT) | KIND(UNION) | KIND(ENUM) | \
	 KIND(TYPEDEF) | KIND(VOLATILE) | KIND(CONST) | KIND(RESTRICT) | KIND(FLOAT) |   \
	 KIND(TYPE_TAG) | KIND(ENUM64))
#define TARGETS (OBJECTS | KIND(FWD) | KIND(FUNC_PROTO))

#define MIN_SAID 16 /* claims, which are no accident */

struct error *btf_claims_init(struct btf_claims *claims, uint32_t count)
{
	claims->of = malloc(count * sizeof(*claims->of));
	claims->count = count;
	if (!claims->of)
		return &error_no_memory;
	for (uint32_t i = 0; i < count; i++)
		claims->of[i] = (struct btf_claim){ UINT32_MAX, UINT32_MAX };
	return NULL;
}

void btf_claims_deinit(struct btf_claims *claims)
{
	free(claims->of);
}

static void claim(struct btf_claims *claims, uint32_t id, uint32_t kinds, uint32_t room)
{
	/* Void is no type, and stands too where something is lost. */
	if (!id || id >= claims->count)
		return;
	claims->of[id].kinds &= kinds;
	if (room < claims->of[id].room)
		claims->of[id].room = room;
}

static void claim_members(struct btf_claims *claims, const struct btf_type *type)
{
	const struct btf_member *members = (const struct btf_member *)(type + 1);
	uint32_t vlen = btf_vlen(type);

	for (uint32_t i = 0; i < vlen; i++) {
		uint32_t at = members[i].offset, room = UINT32_MAX;
		uint64_t end = (uint64_t)type->size * 8;
		/* Those of a struct with bit fields are packed otherwise. */
		if (!BTF_INFO_KFLAG(type->info) && at <= end) {
			if (btf_kind(type) == BTF_KIND_STRUCT && i + 1 < vlen &&
			    members[i + 1].type && members[i + 1].offset > at)
				end = members[i + 1].offset;
			room = (end - at + 7) / 8;
		}
		claim(claims, members[i].type, OBJECTS, room);
	}
}

void btf_claims_add(struct btf_claims *claims, const struct btf_type *type)
{
	const struct btf_array *array = (const struct btf_array *)(type + 1);
	const struct btf_param *params = (const struct btf_param *)(type + 1);
	const struct btf_var_secinfo *variables = (const struct btf_var_secinfo *)(type + 1);

	switch (btf_kind(type)) {
	case BTF_KIND_PTR:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		return claim(claims, type->type, TARGETS, UINT32_MAX);
	case BTF_KIND_FUNC:
		return claim(claims, type->type, KIND(FUNC_PROTO), UINT32_MAX);
	case BTF_KIND_VAR:
		return claim(claims, type->type, OBJECTS | KIND(FWD), UINT32_MAX);
	case BTF_KIND_ARRAY:
		claim(claims, array->type, OBJECTS | KIND(FWD), UINT32_MAX);
		return claim(claims, array->index_type, OBJECTS, UINT32_MAX);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return claim_members(claims, type);
	case BTF_KIND_FUNC_PROTO:
		claim(claims, type->type, OBJECTS, UINT32_MAX);
		for (uint32_t i = 0; i < btf_vlen(type); i++)
			claim(claims, params[i].type, OBJECTS, UINT32_MAX);
		return;
	case BTF_KIND_DATASEC:
		for (uint32_t i = 0; i < btf_vlen(type); i++)
			claim(claims, variables[i].type, KIND(VAR) | KIND(FUNC), UINT32_MAX);
		return;
	}
}

struct btf_fact btf_fact(const struct btf_type *type)
{
	return (struct btf_fact){ .kind = 1u << btf_kind(type), .size = btf_size(type) };
}

bool btf_claims_allow(const struct btf_claims *claims, const struct btf_fact *facts, uint32_t count,
		      uint64_t first)
{
	uint32_t said = 0;

	if (first + count > claims->count)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		const struct btf_claim *claim = &claims->of[first + i];
		if (!(claim->kinds & facts[i].kind) || facts[i].size > claim->room)
			return false;
		said += claim->kinds != UINT32_MAX;
	}
	return said >= MIN_SAID;
}
