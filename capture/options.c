// SPDX-License-Identifier: GPL-2.0-only
#include "capture/options.h"

#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "capture/clock.h"
#include "kdump/store.h"

#define THRESHOLD_DEFAULT_NS (10 * NS_PER_SEC)
#define TRIGGER_DELAY_NS     (10 * NS_PER_SEC)
#define SECONDS_MIN	     0.1
#define SECONDS_MAX	     86400.0

void watch_options_usage(FILE *out)
{
	fputs("Usage: lockdump watch [OPTION...]\n"
	      "\n"
	      "Watches the CPUs. One that stays in kernel mode and switches to no other task is stalled:\n"
	      "from 1 s on it is sampled into the flight record; past the threshold, if another task wants\n"
	      "the CPU, the record is stored.\n"
	      "\n"
	      "      --threshold SEC      a stall this long is a lockup (default 10; fractions allowed)\n"
	      "      --trigger MODE       crash the machine into the capture kernel that 'lockdump arm' has\n"
	      "                           loaded. off: never (default); sysrq: lockdump does it; kernel: a BPF\n"
	      "                           program does, when no process can run (Linux 6.1); auto: lockdump, or\n"
	      "                           else the program\n"
	      "      --trigger-after SEC  how long after the stall's onset (default: threshold + 10)\n"
	      "      --store DIR          where the incidents go (default " STORE_DEFAULT ")\n"
	      "      --print              print process, memory and kernel facts of each stall\n"
	      "      --once               end when the first stall is over and stored\n"
	      "      --help               this text\n",
	      out);
}

static struct error *parse_seconds(const char *option, const char *text, uint64_t *ret)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !isfinite(seconds))
		return error_create(ERROR_OTHER, "watch: %s %s: not a number of seconds", option,
				    text);
	if (seconds < SECONDS_MIN || seconds > SECONDS_MAX)
		return error_create(ERROR_OTHER, "watch: %s %s: must be from %g to %g seconds",
				    option, text, SECONDS_MIN, SECONDS_MAX);
	*ret = seconds * NS_PER_SEC + 0.5;
	return NULL;
}

static const char *const trigger_modes[] = {
	[RECORD_TRIGGER_OFF] = "off",
	[RECORD_TRIGGER_SYSRQ] = "sysrq",
	[RECORD_TRIGGER_KERNEL] = "kernel",
	[RECORD_TRIGGER_AUTO] = "auto",
};

const char *watch_options_trigger(enum record_trigger_mode mode)
{
	return trigger_modes[mode];
}

static struct error *parse_trigger(const char *text, enum record_trigger_mode *ret)
{
	for (size_t i = 0; i < sizeof(trigger_modes) / sizeof(trigger_modes[0]); i++) {
		if (!strcmp(text, trigger_modes[i])) {
			*ret = i;
			return NULL;
		}
	}
	return error_create(ERROR_OTHER,
			    "watch: --trigger %s: no such mode; off, sysrq, kernel or auto", text);
}

enum option_id {
	OPTION_THRESHOLD = 256,
	OPTION_TRIGGER,
	OPTION_TRIGGER_AFTER,
	OPTION_STORE,
	OPTION_PRINT,
	OPTION_ONCE,
	OPTION_HELP,
};

static const struct option long_options[] = {
	{ "threshold", required_argument, NULL, OPTION_THRESHOLD },
	{ "trigger", required_argument, NULL, OPTION_TRIGGER },
	{ "trigger-after", required_argument, NULL, OPTION_TRIGGER_AFTER },
	{ "store", required_argument, NULL, OPTION_STORE },
	{ "print", no_argument, NULL, OPTION_PRINT },
	{ "once", no_argument, NULL, OPTION_ONCE },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ NULL, 0, NULL, 0 },
};

static struct error *parse_option(int id, const char *word, struct watch_options *options)
{
	switch (id) {
	case OPTION_THRESHOLD:
		return parse_seconds("--threshold", optarg, &options->threshold_ns);
	case OPTION_TRIGGER:
		return parse_trigger(optarg, &options->trigger);
	case OPTION_TRIGGER_AFTER:
		return parse_seconds("--trigger-after", optarg, &options->trigger_after_ns);
	case OPTION_STORE:
		options->store = optarg;
		return NULL;
	case OPTION_PRINT:
		options->print = true;
		return NULL;
	case OPTION_ONCE:
		options->once = true;
		return NULL;
	case OPTION_HELP:
		options->help = true;
		return NULL;
	case ':':
		return error_create(ERROR_OTHER, "watch: %s: needs a value", word);
	default:
		return error_create(ERROR_OTHER,
				    "watch: %s: no such option; 'lockdump watch --help' lists them",
				    word);
	}
}

struct error *watch_options_parse(int argc, char **argv, struct watch_options *ret)
{
	*ret = (struct watch_options){
		.threshold_ns = THRESHOLD_DEFAULT_NS,
		.store = STORE_DEFAULT,
		.trigger_on = 1U << RECORD_KIND_SOFT_LOCKUP | 1U << RECORD_KIND_HARD_LOCKUP,
	};
	optind = 0;
	for (;;) {
		int at = optind ? optind : 1;
		int id = getopt_long(argc, argv, "+:", long_options, NULL);
		if (id == -1)
			break;
		struct error *err = parse_option(id, argv[at], ret);
		if (err || ret->help)
			return err;
	}
	if (optind < argc)
		return error_create(ERROR_OTHER, "watch: %s: takes options only", argv[optind]);
	if (!ret->trigger_after_ns)
		ret->trigger_after_ns = ret->threshold_ns + TRIGGER_DELAY_NS;
	if (ret->trigger_after_ns < ret->threshold_ns)
		return error_create(
			ERROR_OTHER,
			"watch: --trigger-after %g: must not be below the threshold, %g",
			(double)ret->trigger_after_ns / NS_PER_SEC,
			(double)ret->threshold_ns / NS_PER_SEC);
	return NULL;
}
