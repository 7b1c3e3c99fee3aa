/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LOCKDUMP_CGROUP_H
#define LOCKDUMP_CGROUP_H

#include <stddef.h>
#include <stdint.h>

/* The path of cgroup @id in the cgroup2 tree, from its root, into @path; "" if it cannot be told. */
void cgroup_path(uint64_t id, char *path, size_t size);

#endif
