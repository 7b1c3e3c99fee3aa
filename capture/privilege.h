/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a watch may still do once its BPF programs are loaded. Root's user id stays, so that files of root's need no
 * capability; none of its processes gets any back by running a program. Of the calling thread, and of those that it
 * makes later.
 *
 * The sentry has all it needs open, mapped, and set: it keeps nothing. The spooler keeps
 *
 *	CAP_SYSLOG		/proc/kallsyms and /proc/modules with addresses (kernel.kptr_restrict), the kernel's log
 *	CAP_DAC_READ_SEARCH	open_by_handle_at(2), a cgroup's name by its id
 *	CAP_DAC_OVERRIDE	only where the store or the folder of the metrics is another user's
 *
 * and for its helpers, who take them with privilege_for_helper(), not effective in itself:
 *
 *	CAP_SYS_PTRACE		/proc/PID of other users' processes: maps, wchan, fd
 *	CAP_SYS_ADMIN		/proc/PID/stack
 */
#ifndef LOCKDUMP_PRIVILEGE_H
#define LOCKDUMP_PRIVILEGE_H

#include "base/error.h"

struct error *privilege_cut_sentry(void);

/* Who writes to the folder @store, and replaces the file @metrics (NULL: there is none). */
struct error *privilege_cut_spooler(const char *store, const char *metrics);

/* In a child of the spooler that reads /proc for it. */
struct error *privilege_for_helper(void);

#endif
