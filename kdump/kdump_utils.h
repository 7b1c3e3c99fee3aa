/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fedora's kdump-utils (1.0.61; its ways are the same since kexec-tools 2.0.20, of which it was a part). Its capture kernel has an
 * initramfs of its own, made by dracut, that mounts nothing but the target of the dump; there kdump.sh runs what is in
 * /etc/kdump/pre.d, saves /proc/vmcore, runs what is in /etc/kdump/post.d with its exit status, and reboots; if it comes to
 * none of that, it runs what is in /etc/kdump/emergency.d (since 1.0.60). dracut's module in scripts/dracut/ puts lockdump, and
 * hooks that run 'lockdump capture', there.
 */
#ifndef LOCKDUMP_KDUMP_UTILS_H
#define LOCKDUMP_KDUMP_UTILS_H

#include "kdump/host.h"

extern const struct host kdump_utils;

#endif
