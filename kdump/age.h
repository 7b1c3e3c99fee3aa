/* SPDX-License-Identifier: GPL-2.0-only */
/* age(1): encrypts to public keys, its own and ssh's. */
#ifndef LOCKDUMP_AGE_H
#define LOCKDUMP_AGE_H

#include "kdump/run.h"

/* Where the capture kernel finds whom to encrypt to. */
#define AGE_RECIPIENTS_PATH "/etc/lockdump/recipients"

/*
 * Whether @program encrypts to whom the file @recipients names, as age -R takes it: it does so with a few bytes. Refuses what
 * must not come near a dump, or works here and not in the capture kernel: private keys, and recipients of age's plugins.
 */
struct error *age_check(const char *program, const char *recipients);

/* @err is of an age that said @messages: its reason is not what it says last. */
struct error *age_explain(const char *messages, struct error *err);

#endif
