// SPDX-License-Identifier: GPL-2.0-only
/*
 * timed LABEL COMMAND...	runs the command, and prints "lab-time: LABEL ELAPSED IDLE": how long that took,
 *				and for how long CPUs were idle meanwhile, in ns (the latter by 10 ms)
 *
 * Linked statically, for the guest.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

/* Of all CPUs: the first line's fourth and fifth number. */
static long long idle_ns(void)
{
	FILE *file = fopen("/proc/stat", "r");
	long long idle, waiting;

	if (!file || fscanf(file, "cpu %*d %*d %*d %lld %lld", &idle, &waiting) != 2)
		err(1, "/proc/stat");
	fclose(file);
	return (idle + waiting) * (1000000000 / sysconf(_SC_CLK_TCK));
}

static void run(char **command)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execvp(command[0], command);
		err(127, "%s", command[0]);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		err(1, "%s", command[0]);
	if (status)
		errx(1, "%s: wait status %d", command[0], status);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		errx(2, "usage: timed LABEL COMMAND...");
	long long idle = idle_ns(), began = now_ns();
	run(argv + 2);
	long long elapsed = now_ns() - began;
	printf("lab-time: %s %lld %lld\n", argv[1], elapsed, idle_ns() - idle);
	return 0;
}
