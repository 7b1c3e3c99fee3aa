// SPDX-License-Identifier: GPL-2.0-only
/*
 * A makedumpfile that goes wrong, in the way that /fault names, after it has begun to write. It stands in the capture
 * kernel's initramfs in the place of the real one, which is bin/makedumpfile.real there.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MB	  (1 << 20)
#define LEFT_FREE (4 * MB)

static char block[MB];

static void begin(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	memset(block, 'x', sizeof(block));
	if (fd < 0 || write(fd, block, sizeof(block)) != sizeof(block)) {
		perror(name);
		exit(2);
	}
	close(fd);
}

/* Somebody else takes what is free. */
static void fill(void)
{
	struct statvfs st;
	int fd = -1, files = 0;

	signal(SIGXFSZ, SIG_IGN);
	while (!statvfs(".", &st) && (unsigned long long)st.f_bavail * st.f_frsize > LEFT_FREE) {
		char name[32];
		if (fd >= 0 && write(fd, block, sizeof(block)) > 0 && !fsync(fd))
			continue;
		snprintf(name, sizeof(name), "filled.%d.incomplete", files++);
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
		if (fd < 0)
			break;
	}
	signal(SIGXFSZ, SIG_DFL);
}

int main(int argc, char **argv)
{
	char fault[16] = "";
	FILE *file = fopen("/fault", "r");

	if (!file || fscanf(file, "%15s", fault) != 1)
		return 2;
	if (!strcmp(fault, "fills")) {
		fill();
		execv("/bin/makedumpfile.real", argv);
		perror("makedumpfile.real");
		return 2;
	}
	begin(argv[argc - 1]);
	fprintf(stderr, "this makedumpfile %s\n", fault);
	if (!strcmp(fault, "fails"))
		return 3;
	if (!strcmp(fault, "dies"))
		raise(SIGKILL);
	if (!strcmp(fault, "hangs"))
		for (;;)
			pause();
	if (!strcmp(fault, "eats"))
		for (char *eaten; (eaten = malloc(MB));)
			memset(eaten, 1, MB);
	return 2;
}
