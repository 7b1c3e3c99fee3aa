/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The steps of a capture. Each runs in a child of its own (run_function()), with a
 * struct capture as its argument: what it leaves is in the store and in capture->found.
 */
#ifndef LOCKDUMP_STEPS_H
#define LOCKDUMP_STEPS_H

#include "base/error.h"

/* Finds the flight record in /proc/vmcore, opens or makes its incident, and writes record.bin there. */
struct error *step_record(void *arg);

/* dmesg.txt */
struct error *step_dmesg(void *arg);

/* rig.json, of an incident that no controller has made: what is known of the rig since arm */
struct error *step_rig(void *arg);

/* kallsyms: what was kept of them at arm */
struct error *step_symbols(void *arg);

/* report.txt and report.json, of /proc/vmcore */
struct error *step_report(void *arg);

/* The report's text on stdout, for want of a store. */
struct error *step_report_to_console(void *arg);

/* vmcore */
struct error *step_vmcore(void *arg);

/* Reads the vmcore back: it must give the tasks, stacks and the record that /proc/vmcore gave. */
struct error *step_proof(void *arg);

/* manifest.json */
struct error *step_manifest(void *arg);

#endif
