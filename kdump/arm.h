/* SPDX-License-Identifier: GPL-2.0-only */
/* The ways to arm, and what they have in common. */
#ifndef LOCKDUMP_ARM_H
#define LOCKDUMP_ARM_H

#include "kdump/arm_options.h"
#include "kdump/config.h"

/* What capture is told of this machine: its kernel, its identity, and the time limits for its memory. */
void arm_describe_machine(struct config *config);

/* Each does what @options want, --dry-run and --estimate too, and prints it. @options->with is settled. */

/* Has lockdump's own capture kernel save crashes. */
struct error *arm_builtin(const struct arm_options *options);

/* Has a host save crashes, with lockdump's part done in its capture environment, and in the store. */
struct error *arm_hosted(const struct arm_options *options);

#endif
