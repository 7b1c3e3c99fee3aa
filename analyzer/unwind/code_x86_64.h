/* SPDX-License-Identifier: GPL-2.0-only */
/* What machine code says without being run. */
#ifndef LOCKDUMP_CODE_X86_64_H
#define LOCKDUMP_CODE_X86_64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* struct unwind_arch has what it is for. */
bool code_mentions_x86_64(const uint8_t *code, size_t size, uint64_t at, uint64_t address);

#endif
