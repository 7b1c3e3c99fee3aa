/* SPDX-License-Identifier: GPL-2.0-only */
/* What lockdump.conf says of the store and of harvesting. */
#ifndef LOCKDUMP_SETTINGS_H
#define LOCKDUMP_SETTINGS_H

#include <limits.h>
#include <stdint.h>

#include "base/error.h"
#include "kdump/configuration.h"

/* Bytes, or a share of the store's file system. */
struct amount {
	uint64_t bytes; /* beside a share: it is so much at most; 0: any */
	double share; /* 0..1; 0: it is in bytes */
};

/* What is kept in the store; all 0: everything. */
struct limits {
	unsigned int incidents; /* KeepIncidents=: the newest so many */
	struct amount size; /* KeepSize=: so much at most */
	double age_s; /* KeepAge=: for so long */
	struct amount free; /* KeepFree=: so much is left free */
};

struct settings {
	char store[PATH_MAX]; /* [Watch] Store= */
	struct limits keep;
	char mail_to[256]; /* MailTo=; empty: nobody */
	double hook_timeout_s; /* HookTimeoutSec=: each script's */
	char debug_dir[PATH_MAX]; /* DebugDir=: where a vmlinux may be */
};

/* The defaults, then the configuration in @folder. */
struct error *settings_read(const char *folder, struct settings *ret);

#endif
