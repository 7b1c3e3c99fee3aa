/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The chain from a crash to an incident on the disk, link by link: what arm has loaded, and what that depends on. Each
 * function adds its findings; none changes anything.
 */
#ifndef LOCKDUMP_LINKS_H
#define LOCKDUMP_LINKS_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/findings.h"
#include "kdump/armed.h"
#include "kdump/machine.h"

struct links {
	const char *root; /* before all paths: "" but in tests */
	bool is_root; /* who is not cannot look at much */
	struct findings findings;

	struct machine now;
	unsigned long reserved_kb; /* 0: no memory is */
	bool loaded; /* a crash kernel is */
	bool ours; /* and as arm has left it, as far as can be told */
	bool has_armed;
	struct armed armed; /* if it has */
	struct error *no_armed; /* owned; why it has not */
	bool whole; /* its file is as it was loaded */
};

/* Reads what arm has left, and the machine as it is. */
void links_init(struct links *links, const char *root, bool is_root);
void links_deinit(struct links *links);

/* A crash kernel is loaded, and it is ours. */
void links_crash_kernel(struct links *links);

/* The initramfs that was loaded is whole, and made of what is still there. */
void links_initramfs(struct links *links);

/* Somebody else's crash kernel, if it is one that was armed, knows what lockdump is to do in it. */
void links_host(struct links *links);

/* CPUs and memory are as they were, or the kernel keeps up. */
void links_machine(struct links *links);

/* The running kernel's modules are there, and it was not upgraded. */
void links_kernel(struct links *links);

/* The store is there, on the file system that the capture kernel looks for, and has room for @size bytes. */
void links_store(struct links *links, uint64_t size);

/* What the report and a vmcore take as a rule, bytes. */
uint64_t links_usual_size(const struct links *links);

/* "YYYY-MM-DDTHH:MM:SSZ" */
#define LINKS_TIME_SIZE 32
void links_time(double time_s, char ret[static LINKS_TIME_SIZE]);

#endif
