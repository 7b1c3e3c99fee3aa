// SPDX-License-Identifier: GPL-2.0-only
#include "capture/signals.h"

#include <stddef.h>

void signals_of_end(sigset_t *ret)
{
	struct sigaction hangup;

	sigemptyset(ret);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGTERM);
	if (!sigaction(SIGHUP, NULL, &hangup) && hangup.sa_handler != SIG_IGN)
		sigaddset(ret, SIGHUP);
}

bool signals_end(int signal)
{
	return signal == SIGINT || signal == SIGTERM || signal == SIGHUP;
}
