/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * After fork() parent and child share their pages until one of them writes: then it gets a copy, and who has seen the
 * old page must forget it, by an interrupt on each CPU that the process ran on. Since Linux 6.14 (209954cbc7d0,
 * "x86/mm/tlb: Update mm_cpumask lazily") these are also CPUs where it ran long ago. One of them is deaf: the process hangs,
 * spinning, and its CPU with it.
 */
#ifndef LOCKDUMP_PAGES_H
#define LOCKDUMP_PAGES_H

/*
 * Makes each page that this process has its own, now, while all is well. After a fork() both sides call it. The process
 * must have one thread.
 */
void pages_own(void);

#endif
