/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel's verifier says of a BPF program. */
#ifndef LOCKDUMP_VERIFIER_H
#define LOCKDUMP_VERIFIER_H

#define VERIFIER_LOG_SIZE (16 << 20) /* a whole log: a part of it ends without the reason */

/* Its log ends with the reason, then statistics: cuts @log to the reason. NULL: there is none. */
const char *verifier_reason(char *log);

#endif
