/* SPDX-License-Identifier: GPL-2.0-only */
/* The verbs. Each gets its own name as argv[0] and returns the exit status: 0 done, 1 failed, 2 usage. */
#ifndef LOCKDUMP_H
#define LOCKDUMP_H

int cmd_watch(int argc, char **argv); /* capture/ */
int cmd_doctor(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_test(int argc, char **argv);
int cmd_arm(int argc, char **argv); /* kdump/ */
int cmd_disarm(int argc, char **argv);
int cmd_capture(int argc, char **argv);
int cmd_harvest(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_rm(int argc, char **argv);
int cmd_report(int argc, char **argv); /* analyzer/report/ */
int cmd_record(int argc, char **argv);
int cmd_lab(int argc, char **argv); /* lab.c */

#endif
