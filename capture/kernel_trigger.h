/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The trigger that the kernel pulls itself, by a BPF program: bpf/trigger.bpf.c. Once armed it depends on no process: its
 * links are pinned, and a controller that is stopped, starved or killed leaves it as it is.
 */
#ifndef LOCKDUMP_KERNEL_TRIGGER_H
#define LOCKDUMP_KERNEL_TRIGGER_H

#include <stdbool.h>

#include "base/error.h"
#include "capture/options.h"
#include "capture/pin.h"
#include "capture/recorder.h"

struct trigger_bpf;

/*
 * Loads it; nothing is attached yet. @controller_first: by sysrq the controller comes first, and this one only if it
 * does not, or to no effect. NULL in @ret: one that does the same is there, left by the watch before. An error says why
 * this kernel or this process cannot have it, and what to do.
 */
struct error *kernel_trigger_load(const struct recorder *recorder, const struct pins *pins,
				  const struct watch_options *options, bool controller_first,
				  struct trigger_bpf **ret);

/*
 * Attaches and pins it, in the place of another that is there. What is in the kernel does not need @bpf any more. It
 * fires only while the record says that it is armed.
 */
struct error *kernel_trigger_attach(struct trigger_bpf *bpf, const struct pins *pins);
void kernel_trigger_destroy(struct trigger_bpf *bpf);

/* Takes away what the watch before has left. */
void kernel_trigger_detach(const struct recorder *recorder, const struct pins *pins);

/* A clean end disarms it first. If it is firing it is too late for that, unless there is no crash kernel any more. */
void kernel_trigger_set(const struct recorder *recorder, bool armed);

#endif
