/* SPDX-License-Identifier: GPL-2.0-only */
/* The scenarios of the lab's module, by name. Each runs in the context of the task that asks for it. */
#ifndef LDHANG_H
#define LDHANG_H

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>

struct scenario {
	const char *name;
	void (*run)(void);
};

/* Tasks that sleep: no hang, but something to wait for, and to tell of. Ends with a nameless one. */
extern const struct scenario ldhang_sleepers[];

/* CPUs that hang. Ends with a nameless one. */
extern const struct scenario ldhang_spinners[];

/* Waits for what never comes, and cannot be killed. */
void ldhang_sleep_for_good(void);

int ldhang_sleepers_init(void);
void ldhang_sleepers_exit(void);

#endif
