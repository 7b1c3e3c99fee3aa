/* SPDX-License-Identifier: GPL-2.0-only */
/* What lockdump.conf says of the store, of what is captured and of harvesting. */
#ifndef LOCKDUMP_SETTINGS_H
#define LOCKDUMP_SETTINGS_H

#include <limits.h>
#include <stdint.h>

#include "base/error.h"
#include "kdump/configuration.h"
#include "kdump/with.h"

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
	enum with with; /* [Capture] With=: who saves a crash */
	int dump_level; /* DumpLevel=: makedumpfile's; below 0: what was proven last time */
	char encrypt_to[PATH_MAX]; /* EncryptTo=: a file of public keys; empty: nobody */
	char compression[16]; /* Compression=; empty: the fastest that there is */
	char second_store[PATH_MAX]; /* [Store] Second=: for arm */
	struct limits keep;
	char mail_to[256]; /* MailTo=; empty: nobody */
	double hook_timeout_s; /* HookTimeoutSec=: each script's */
	char debug_dir[PATH_MAX]; /* DebugDir=: where a vmlinux may be */
};

/* The defaults, then the configuration in @folder. */
struct error *settings_read(const char *folder, struct settings *ret);

/* The values of DumpLevel= and Compression=, as options have them too; "auto" is one of each. */
struct error *settings_parse_level(const char *text, int *ret);
struct error *settings_parse_compression(const char *text, char ret[static 16]);

/* That of EncryptTo= as an option has it: it need not be absolute, but an empty one would be nobody by mistake. */
struct error *settings_parse_recipients(const char *text, char ret[static PATH_MAX]);

#endif
