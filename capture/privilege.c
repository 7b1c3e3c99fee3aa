// SPDX-License-Identifier: GPL-2.0-only
#include "capture/privilege.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const cap_value_t spooler[] = { CAP_SYSLOG, CAP_DAC_READ_SEARCH };
static const cap_value_t helper[] = { CAP_SYSLOG, CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE,
				      CAP_SYS_ADMIN };
static const cap_value_t override[] = { CAP_DAC_OVERRIDE };

/* An empty set of what this thread may have at all: the service manager may have cut it too. */
struct sets {
	cap_t had;
	cap_t caps;
};

static struct error *sets_init(struct sets *ret)
{
	ret->had = cap_get_proc();
	ret->caps = cap_init();
	return ret->had && ret->caps ? NULL : error_errno("watch: capabilities");
}

static void sets_deinit(struct sets *sets)
{
	cap_free(sets->had);
	cap_free(sets->caps);
}

static void add(struct sets *sets, cap_flag_t flag, const cap_value_t *values, int count)
{
	for (int i = 0; i < count; i++) {
		cap_flag_value_t has = CAP_CLEAR;
		cap_get_flag(sets->had, values[i], CAP_PERMITTED, &has);
		if (has == CAP_SET)
			cap_set_flag(sets->caps, flag, 1, &values[i], CAP_SET);
	}
}

/* What a program that is run could have at most: as long as there is CAP_SETPCAP to say so. */
static void clear_bounding_set(void)
{
	for (cap_value_t cap = 0; cap_get_bound(cap) >= 0; cap++)
		cap_drop_bound(cap);
}

static struct error *apply(const struct sets *sets)
{
	if (cap_set_proc(sets->caps))
		return error_errno("watch: cannot cut its capabilities");
	return NULL;
}

/* The last step: neither set-user-ID programs nor file capabilities count any more. */
static struct error *seal(const struct sets *sets)
{
	clear_bounding_set();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return error_errno("watch: no_new_privs");
	return apply(sets);
}

struct error *privilege_cut_sentry(void)
{
	struct sets sets;
	struct error *err = sets_init(&sets);

	if (!err)
		err = seal(&sets);
	sets_deinit(&sets);
	return err;
}

static bool is_writable(const char *folder)
{
	return !faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS);
}

/* Whether both can be written without overriding their permissions. To be asked before the last step. */
static bool needs_no_override(const struct sets *sets, const char *store, const char *metrics)
{
	_cleanup_free_ char *path = metrics ? strdup(metrics) : NULL;
	cap_t caps = cap_dup(sets->had);
	bool writable =
		caps && !cap_set_flag(caps, CAP_EFFECTIVE, COUNT(override), override, CAP_CLEAR) &&
		!cap_set_proc(caps) && is_writable(store) && (!path || is_writable(dirname(path)));

	cap_free(caps);
	return writable;
}

struct error *privilege_cut_spooler(const char *store, const char *metrics)
{
	struct sets sets;
	struct error *err = sets_init(&sets);

	if (!err) {
		add(&sets, CAP_EFFECTIVE, spooler, COUNT(spooler));
		add(&sets, CAP_PERMITTED, helper, COUNT(helper));
		if (!needs_no_override(&sets, store, metrics)) {
			add(&sets, CAP_EFFECTIVE, override, COUNT(override));
			add(&sets, CAP_PERMITTED, override, COUNT(override));
		}
		err = seal(&sets);
	}
	sets_deinit(&sets);
	return err;
}

struct error *privilege_for_helper(void)
{
	struct sets sets;
	struct error *err = sets_init(&sets);

	if (!err) {
		add(&sets, CAP_EFFECTIVE, helper, COUNT(helper));
		add(&sets, CAP_PERMITTED, helper, COUNT(helper));
		err = apply(&sets);
	}
	sets_deinit(&sets);
	return err;
}
