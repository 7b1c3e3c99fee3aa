/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pinned links of a BPF object. Their names are PREFIX, then a number that is another for other programs or other
 * settings of theirs, and the program's name: so the next watch knows whether what it finds does what it wants.
 */
#ifndef LOCKDUMP_HOOKS_H
#define LOCKDUMP_HOOKS_H

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "capture/pin.h"

/*
 * Whether the links that are pinned under @prefix, at least one, are those of @skeleton, which is open, with its constants
 * (const volatile variables) set: they all have its number, and each of its programs that is to be loaded has one.
 */
bool hooks_are_pinned(const struct pins *pins, const char *prefix,
		      const struct bpf_object_skeleton *skeleton);

/*
 * Pins the links of @skeleton, whose programs are attached, and @others, which it does not know of (NULL among them are
 * passed over). Then it takes the names away from all else under @prefix: for a moment both run.
 */
struct error *hooks_pin(const struct pins *pins, const char *prefix,
			const struct bpf_object_skeleton *skeleton, struct bpf_link *const *others,
			size_t nr_others);

#endif
