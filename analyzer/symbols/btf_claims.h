/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What types say of each other by number: a function has a prototype, a pointer
 * points to no function but to its prototype, what a member is has room before
 * the next one. So much of it is said that types which are counted wrongly
 * contradict it soon.
 */
#ifndef LOCKDUMP_BTF_CLAIMS_H
#define LOCKDUMP_BTF_CLAIMS_H

#include <linux/btf.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct btf_claim {
	uint32_t kinds; /* bit n: it can be of kind n */
	uint32_t room; /* bytes */
};

struct btf_claims {
	struct btf_claim *of; /* by number */
	uint32_t count;
};

/* What there is to say of a type itself. */
struct btf_fact {
	uint32_t kind; /* a bit */
	uint32_t size; /* 0: none of its own */
};

/* Room for types up to number @count - 1, of which nothing is said yet. */
struct error *btf_claims_init(struct btf_claims *claims, uint32_t count);
void btf_claims_deinit(struct btf_claims *claims);

/* Adds what @type, which is whole, says of others. */
void btf_claims_add(struct btf_claims *claims, const struct btf_type *type);

struct btf_fact btf_fact(const struct btf_type *type);

/* Whether types that are numbered from @first on are what is said of them, and enough is said. */
bool btf_claims_allow(const struct btf_claims *claims, const struct btf_fact *facts, uint32_t count,
		      uint64_t first);

#endif
