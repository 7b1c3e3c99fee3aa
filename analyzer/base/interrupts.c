// SPDX-License-Identifier: GPL-2.0-only
#include "base/interrupts.h"

#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

void interrupts_hold(struct interrupts *interrupts)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	struct sigaction action;
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (!sigaction(signals[i], NULL, &action) && action.sa_handler != SIG_IGN)
			sigaddset(&set, signals[i]);
	interrupts->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (interrupts->fd >= 0)
		sigprocmask(SIG_BLOCK, &set, &interrupts->before);
}

void interrupts_release(struct interrupts *interrupts)
{
	if (interrupts->fd < 0)
		return;
	close(interrupts->fd);
	interrupts->fd = -1;
	sigprocmask(SIG_SETMASK, &interrupts->before, NULL);
}
