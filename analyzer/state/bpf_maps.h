/* SPDX-License-Identifier: GPL-2.0-only */
/* BPF maps in a dump: the flight record is one. */
#ifndef LOCKDUMP_BPF_MAPS_H
#define LOCKDUMP_BPF_MAPS_H

#include "state/kernel.h"

/*
 * Finds the array map called @name whose memory begins with @magic: the address of its elements, their size in bytes (as
 * they are laid out) and their number. ERROR_NOT_FOUND if none is loaded; of several the one with the highest id, the
 * youngest.
 */
struct error *bpf_array_map_find(struct kernel *kernel, const char *name, const char *magic,
				 uint64_t *values_ret, uint32_t *element_size_ret,
				 uint32_t *count_ret);

#endif
