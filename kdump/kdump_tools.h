/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Debian's kdump-tools (1.8.1 in Debian 12). Its capture kernel boots into the rig's own root file system, by the rig's own
 * initramfs made small, and there kdump-tools.service saves /proc/vmcore by 'kdump-config savecore', then reboots. A drop-in
 * of that unit (scripts/systemd/kdump-tools.service.d/) runs 'lockdump capture' before it.
 */
#ifndef LOCKDUMP_KDUMP_TOOLS_H
#define LOCKDUMP_KDUMP_TOOLS_H

#include "kdump/host.h"

#define KDUMP_TOOLS_FILE "/etc/default/kdump-tools"

extern const struct host kdump_tools;

#endif
