// SPDX-License-Identifier: GPL-2.0-only
#include "capture/options.h"

#include <ctype.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "capture/cause.h"
#include "capture/clock.h"
#include "capture/external.h"
#include "kdump/store.h"

#define TRIGGER_DELAY_NS (10 * NS_PER_SEC)
#define SECONDS_MIN	 0.1
#define SECONDS_MAX	 86400.0
#define MAX_COUNT	 10000
#define HELP_COLUMN	 29
#define PROBE_NAME_MAX	 (sizeof(((struct record_header *)0)->probes[0]) - 1)

static const struct watch_options defaults = {
	.threshold_ns = 10 * NS_PER_SEC,
	.threshold_for.ns = {
		/* The kernel's own limits, where it has them; 0: the stall's. Its detector of hung tasks has waited already. */
		[RECORD_KIND_RCU_STALL] = 21 * NS_PER_SEC,
		[RECORD_KIND_WORKQUEUE_STALL] = 30 * NS_PER_SEC,
		[RECORD_KIND_IRQ_STORM] = 10 * NS_PER_SEC,
		[RECORD_KIND_SOFTIRQ_STORM] = 10 * NS_PER_SEC,
	},
	.trigger_on = { .kinds = 1U << RECORD_KIND_SOFT_LOCKUP | 1U << RECORD_KIND_HARD_LOCKUP },
	.max_triggers = { .count = 3, .days = 1 },
	.store = STORE_DEFAULT,
	.root = "",
	.locks = true,
};

/* The parsers: each sets the member of struct watch_options that its row names. */

static struct error *parse_seconds(const char *text, void *ret)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !isfinite(seconds))
		return error_create(ERROR_OTHER, "not a number of seconds");
	if (seconds < SECONDS_MIN || seconds > SECONDS_MAX)
		return error_create(ERROR_OTHER, "must be from %g to %g seconds", SECONDS_MIN,
				    SECONDS_MAX);
	*(uint64_t *)ret = seconds * NS_PER_SEC + 0.5;
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

static struct error *parse_trigger(const char *text, void *ret)
{
	for (size_t i = 0; i < sizeof(trigger_modes) / sizeof(trigger_modes[0]); i++) {
		if (!strcmp(text, trigger_modes[i])) {
			*(enum record_trigger_mode *)ret = i;
			return NULL;
		}
	}
	return error_create(ERROR_OTHER, "no such mode; off, sysrq, kernel or auto");
}

/* What --trigger-on knows besides the kinds of the record. */
static const struct {
	const char *name;
	enum external_request request;
} trigger_requests[] = {
	{ "nmi", EXTERNAL_NMI },
	{ "pretimeout", EXTERNAL_PRETIMEOUT },
};

#define NR_TRIGGER_REQUESTS (sizeof(trigger_requests) / sizeof(trigger_requests[0]))

static bool is_word(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && !memcmp(text, word, length);
}

/* Below 0: there is no such. */
static int find_kind(const char *name, size_t length)
{
	for (int kind = 0; kind < RECORD_NR_KINDS; kind++)
		if (is_word(name, length, cause_kind_name(kind)))
			return kind;
	return -1;
}

static struct error *add_trigger_on(const char *name, size_t length, void *ret)
{
	struct trigger_on *on = ret;
	int kind = find_kind(name, length);

	if (kind >= 0) {
		on->kinds |= 1U << kind;
		return NULL;
	}
	for (size_t i = 0; i < NR_TRIGGER_REQUESTS; i++) {
		if (is_word(name, length, trigger_requests[i].name)) {
			on->requests |= trigger_requests[i].request;
			return NULL;
		}
	}
	return error_create(
		ERROR_OTHER,
		"'%.*s' is no kind that can trigger; 'lockdump watch --help' lists them",
		(int)length, name);
}

/* Each of a list's words. */
static struct error *each_word(const char *list,
			       struct error *(*add)(const char *word, size_t length, void *ret),
			       void *ret)
{
	for (const char *word = list;; word++) {
		size_t length = strcspn(word, ",");
		struct error *err = add(word, length, ret);
		word += length;
		if (err || !*word)
			return err;
	}
}

/* A list: it takes the place of the one before. */
static struct error *parse_trigger_on(const char *text, void *ret)
{
	struct trigger_on on = {};
	struct error *err = each_word(text, add_trigger_on, &on);

	if (!err)
		*(struct trigger_on *)ret = on;
	return err;
}

static struct error *add_threshold(const char *word, size_t length, void *ret)
{
	struct thresholds *thresholds = ret;
	size_t name_length = strcspn(word, "=,");
	int kind = find_kind(word, name_length);
	char value[32] = "";

	/* A stall's is --threshold. */
	if (kind <= RECORD_KIND_SOFT_LOCKUP)
		return error_create(ERROR_OTHER,
				    "'%.*s' is no kind that has a threshold of its own; "
				    "'lockdump watch --help' lists them",
				    (int)name_length, word);
	if (name_length < length && length - name_length - 1 < sizeof(value))
		memcpy(value, word + name_length + 1, length - name_length - 1);
	if (!strcmp(value, "never")) {
		thresholds->ns[kind] = THRESHOLD_NEVER;
		return NULL;
	}
	return error_prefix(parse_seconds(value, &thresholds->ns[kind]), "%s",
			    cause_kind_name(kind));
}

/* One that is given adds to those before. */
static struct error *parse_threshold_for(const char *text, void *ret)
{
	return each_word(text, add_threshold, ret);
}

/* A number from 1 on; what follows it is at *@end. */
static unsigned int parse_count(const char *text, const char **end)
{
	unsigned int count = 0;

	for (*end = text; isdigit((unsigned char)**end) && count <= MAX_COUNT; ++*end)
		count = 10 * count + (**end - '0');
	return count;
}

static struct error *parse_max_triggers(const char *text, void *ret)
{
	struct max_triggers max = { .days = 1 };
	const char *end;

	max.count = parse_count(text, &end);
	if (*end == '/')
		max.days = parse_count(end + 1, &end);
	if (*end || !max.count || !max.days || max.count > MAX_COUNT || max.days > MAX_COUNT)
		return error_create(ERROR_OTHER, "not N/DAYS, numbers from 1 to %d", MAX_COUNT);
	*(struct max_triggers *)ret = max;
	return NULL;
}

static struct error *parse_outlet(const char *text, void *ret)
{
	enum outlet outlet = outlet_find(text);

	if (!outlet)
		return error_create(ERROR_OTHER, "neither console nor pmsg");
	*(enum outlet *)ret = outlet;
	return NULL;
}

static struct error *parse_text(const char *text, void *ret)
{
	*(const char **)ret = text;
	return NULL;
}

static bool is_function_name(const char *text)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789_.");

	return length && !text[length] && !isdigit((unsigned char)*text);
}

/* One more of them. */
static struct error *parse_probe(const char *text, void *ret)
{
	struct probe_names *probes = ret;

	if (!is_function_name(text))
		return error_create(ERROR_OTHER, "not the name of a kernel function");
	if (strlen(text) > PROBE_NAME_MAX)
		return error_create(ERROR_OTHER, "too long: at most %zu characters",
				    PROBE_NAME_MAX);
	for (size_t i = 0; i < probes->count; i++)
		if (!strcmp(text, probes->names[i]))
			return error_create(ERROR_OTHER, "given twice");
	if (probes->count == RECORD_NR_PROBES)
		return error_create(ERROR_OTHER, "too many: at most %d functions",
				    RECORD_NR_PROBES);
	probes->names[probes->count++] = text;
	return NULL;
}

static bool is_one_of(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcasecmp(text, words[i]))
			return true;
	return false;
}

/* As systemd has it. */
static struct error *parse_bool(const char *text, void *ret)
{
	static const char *const yes[] = { "yes", "y", "true", "t", "on", "1" };
	static const char *const no[] = { "no", "n", "false", "f", "off", "0" };
	bool is_yes = is_one_of(text, yes, sizeof(yes) / sizeof(yes[0]));

	if (!is_yes && !is_one_of(text, no, sizeof(no) / sizeof(no[0])))
		return error_create(ERROR_OTHER, "neither yes nor no");
	*(bool *)ret = is_yes;
	return NULL;
}

struct setting {
	const char *option; /* after the two dashes */
	const char *key; /* of the configuration; NULL: none */
	const char *value; /* what --help calls its value; NULL: it takes none, and is "yes" */
	/* @text outlives the options. Sets *@ret; one that may be given several times adds to it. */
	struct error *(*parse)(const char *text, void *ret);
	size_t offset, size; /* of *@ret in struct watch_options */
	const char *does; /* what --help says of it */
};

#define MEMBER(m) offsetof(struct watch_options, m), sizeof(((struct watch_options *)0)->m)

/* In the order of --help. */
static const struct setting settings[] = {
	{ "threshold", "Threshold", "SEC", parse_seconds, MEMBER(threshold_ns),
	  "a stall this long is a lockup (default 10; fractions allowed)" },
	{ "threshold-for", "ThresholdFor", "KIND=SEC,...", parse_threshold_for,
	  MEMBER(threshold_for),
	  "how long something else must last to be recorded as an incident:\n"
	  "hard-lockup (default: as stalls), rcu-stall (21), workqueue-stall\n"
	  "(30), irq-storm, softirq-storm (10), need-resched (as stalls), and\n"
	  "hung-task, counted from the kernel's first report of it (0); SEC may\n"
	  "be never" },
	{ "trigger", "Trigger", "MODE", parse_trigger, MEMBER(trigger),
	  "crash the machine into the capture kernel that 'lockdump arm' has\n"
	  "loaded. off: never (default); sysrq: lockdump does it; kernel: a BPF\n"
	  "program does, when no process can run (Linux 6.1); auto: lockdump, or\n"
	  "else the program" },
	{ "trigger-after", "TriggerAfter", "SEC", parse_seconds, MEMBER(trigger_after_ns),
	  "how long after the stall's onset (default: threshold + 10)" },
	{ "trigger-on", "TriggerOn", "KIND,...", parse_trigger_on, MEMBER(trigger_on),
	  "what triggers: soft-lockup, hard-lockup (default: both), rcu-stall,\n"
	  "hung-task, workqueue-stall, irq-storm, softirq-storm, need-resched;\n"
	  "and the panic that is asked for from outside: nmi (a button, a\n"
	  "management board), pretimeout (a hardware watchdog)" },
	{ "max-triggers", "MaxTriggers", "N/DAYS", parse_max_triggers, MEMBER(max_triggers),
	  "crash the machine that often in so many days, then only record\n"
	  "(default 3/1)" },
	{ "store", "Store", "DIR", parse_text, MEMBER(store),
	  "where the incidents go (default " STORE_DEFAULT ")" },
	{ "metrics", "Metrics", "FILE", parse_text, MEMBER(metrics),
	  "counters for the textfile collector of Prometheus' node_exporter" },
	{ "locks", "Locks", "yes|no", parse_bool, MEMBER(locks),
	  "record which lock each CPU spins for, and since when (default yes)" },
	{ "probe", "Probe", "FUNC", parse_probe, MEMBER(probes),
	  "record each call of this kernel function, with its first arguments\n"
	  "and its caller; may be given several times" },
	{ "print", "Print", NULL, parse_bool, MEMBER(print),
	  "print process, memory and kernel facts of each stall, and the calls\n"
	  "of probed functions: TIME(s) COMM PID MESSAGE" },
	{ "to", "To", "WHERE", parse_outlet, MEMBER(to),
	  "write who is stuck, where and since when, in a few lines, to the\n"
	  "kernel's log and console (console) or to ramoops (pmsg)" },
	{ "once", NULL, NULL, parse_bool, MEMBER(once),
	  "end when the first stall is over and stored" },
	{ "help", NULL, NULL, parse_bool, MEMBER(help), "this text" },
};

#define NR_SETTINGS (sizeof(settings) / sizeof(settings[0]))

/* What has been set so far, and where: the first time in a place what came before is forgotten. */
struct setter {
	struct watch_options *options;
	bool seen[NR_SETTINGS];
};

static void print_setting(const struct setting *setting, FILE *out)
{
	int column = fprintf(out, "      --%s%s%s", setting->option, setting->value ? " " : "",
			     setting->value ? setting->value : "");

	for (const char *line = setting->does; line; column = 0) {
		const char *end = strchr(line, '\n');
		int length = end ? (int)(end - line) : (int)strlen(line);
		fprintf(out, "%*s%.*s\n", HELP_COLUMN - column, "", length, line);
		line = end ? end + 1 : NULL;
	}
}

void watch_options_usage(FILE *out)
{
	fputs("Usage: lockdump watch [OPTION...]\n"
	      "\n"
	      "Watches the CPUs. One that stays in kernel mode and switches to no other task is stalled:\n"
	      "from 1 s on it is sampled into the flight record; past the threshold, if another task wants\n"
	      "the CPU, the record is stored. Where the kernel takes no programs it follows what the\n"
	      "kernel's own watchdogs say; 'lockdump doctor' tells.\n"
	      "\n",
	      out);
	for (size_t i = 0; i < NR_SETTINGS; i++)
		print_setting(&settings[i], out);
	fputs("\n"
	      "Options win over " CONFIGURATION_FOLDER
	      "/lockdump.conf and lockdump.conf.d/*.conf:\n"
	      "\n"
	      "  [" SECTION_WATCH "]\n",
	      out);
	for (size_t i = 0; i < NR_SETTINGS; i++)
		if (settings[i].key)
			fprintf(out, "  %s=%s\n", settings[i].key,
				settings[i].value ? settings[i].value : "yes|no");
}

static void *member(struct watch_options *options, const struct setting *setting)
{
	return (char *)options + setting->offset;
}

static void reset(struct watch_options *options, const struct setting *setting)
{
	memcpy(member(options, setting), (const char *)&defaults + setting->offset, setting->size);
}

/* Sets @text, which outlives the options. */
static struct error *set(struct setter *setter, const struct setting *setting, const char *text)
{
	bool *seen = &setter->seen[setting - settings];

	if (!*seen)
		reset(setter->options, setting);
	*seen = true;
	return setting->parse(text, member(setter->options, setting));
}

static struct error *set_option(struct setter *setter, int id, const char *word)
{
	if (id == ':')
		return error_create(ERROR_OTHER, "watch: %s: needs a value", word);
	if (id == '?')
		return error_create(ERROR_OTHER,
				    "watch: %s: no such option; 'lockdump watch --help' lists them",
				    word);
	const struct setting *setting = &settings[id - 256];
	const char *text = setting->value ? optarg : "yes";
	return error_prefix(set(setter, setting, text), "watch: --%s %s", setting->option, text);
}

static struct error *parse_command_line(int argc, char **argv, struct watch_options *ret)
{
	struct option long_options[NR_SETTINGS + 1] = {};
	struct setter setter = { .options = ret };

	for (size_t i = 0; i < NR_SETTINGS; i++)
		long_options[i] = (struct option){
			settings[i].option,
			settings[i].value ? required_argument : no_argument,
			NULL,
			256 + (int)i,
		};
	optind = 0;
	for (;;) {
		int at = optind ? optind : 1;
		int id = getopt_long(argc, argv, "+:", long_options, NULL);
		if (id == -1)
			break;
		struct error *err = set_option(&setter, id, argv[at]);
		if (err || ret->help)
			return err;
	}
	if (optind < argc)
		return error_create(ERROR_OTHER, "watch: %s: takes options only", argv[optind]);
	return NULL;
}

static const struct setting *find_key(const char *key)
{
	for (size_t i = 0; i < NR_SETTINGS; i++)
		if (settings[i].key && !strcmp(settings[i].key, key))
			return &settings[i];
	return NULL;
}

static struct error *set_key(const struct ini_entry *entry, void *context)
{
	struct watch_options *options = context;
	const struct setting *setting = find_key(entry->key);

	if (!setting) {
		configuration_warn(entry, "no such key");
		return NULL;
	}
	if (!*entry->value) {
		reset(options, setting);
		return NULL;
	}
	struct error *err = strings_add(&options->texts, "%s", entry->value);
	if (err)
		return err;
	err = setting->parse(options->texts.items[options->texts.count - 1],
			     member(options, setting));
	return error_prefix(err, "%s=%s", entry->key, entry->value);
}

/* Each kind's threshold, and when it triggers. */
static struct error *complete_kinds(struct watch_options *options)
{
	struct thresholds *thresholds = &options->threshold_for;

	thresholds->ns[RECORD_KIND_SOFT_LOCKUP] = options->threshold_ns;
	if (!thresholds->ns[RECORD_KIND_HARD_LOCKUP])
		thresholds->ns[RECORD_KIND_HARD_LOCKUP] = options->threshold_ns;
	if (!thresholds->ns[RECORD_KIND_NEED_RESCHED])
		thresholds->ns[RECORD_KIND_NEED_RESCHED] = options->threshold_ns;
	for (int kind = 0; kind < RECORD_NR_KINDS; kind++) {
		uint64_t threshold_ns = thresholds->ns[kind];
		/* The kernel has waited for longer, when it says that a task hangs. */
		bool at_once =
			kind == RECORD_KIND_HUNG_TASK || threshold_ns > options->trigger_after_ns;
		bool triggers = options->trigger_on.kinds & (1U << kind);
		if (triggers && threshold_ns == THRESHOLD_NEVER)
			return error_create(ERROR_OTHER,
					    "watch: --trigger-on %s: --threshold-for says never",
					    cause_kind_name(kind));
		options->trigger_after_for.ns[kind] =
			at_once ? threshold_ns : options->trigger_after_ns;
	}
	return NULL;
}

/* What follows from several of them. */
static struct error *complete(struct watch_options *options)
{
	if (!options->trigger_after_ns)
		options->trigger_after_ns = options->threshold_ns + TRIGGER_DELAY_NS;
	if (options->trigger_after_ns < options->threshold_ns)
		return error_create(
			ERROR_OTHER,
			"watch: --trigger-after %g: must not be below the threshold, %g",
			(double)options->trigger_after_ns / NS_PER_SEC,
			(double)options->threshold_ns / NS_PER_SEC);
	return complete_kinds(options);
}

struct error *watch_options_parse(int argc, char **argv, const char *folder,
				  struct watch_options *ret)
{
	/* Wrong usage and --help come first, whatever the configuration is. */
	*ret = defaults;
	struct error *err = parse_command_line(argc, argv, ret);
	if (err || ret->help)
		return err;

	*ret = defaults;
	if (folder)
		err = configuration_read(folder, SECTION_WATCH, set_key, ret);
	ret->probes.optional = ret->probes.count;
	if (!err)
		err = parse_command_line(argc, argv, ret);
	if (!err)
		err = complete(ret);
	if (err)
		watch_options_deinit(ret);
	return err;
}

void watch_options_deinit(struct watch_options *options)
{
	strings_deinit(&options->texts);
}
