/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that works while a CPU takes no interrupts must not change its own page tables so that others would have
 * to know: memory that is given back to the kernel takes an answer of each CPU that has seen it, which a deaf one never
 * gives, and who waits for that loses its own CPU, too. So does memory that is read, as zeros, before it is written.
 */
#ifndef LOCKDUMP_HEAP_H
#define LOCKDUMP_HEAP_H

#include <stddef.h>

/* From now on nothing that is freed is given back, and @size bytes are there already. */
void heap_keep(size_t size);

#endif
