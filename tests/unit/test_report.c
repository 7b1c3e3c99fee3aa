// SPDX-License-Identifier: GPL-2.0-only
/* CPUs, tasks and the report of a kernel that is made from text, whole and damaged. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "make_kernel.h"
#include "report/report.h"
#include "test.h"

/* Two CPUs, and a third that never was there. CPU 0 runs init, CPU 1 its second thread. */
static const char machine[] =
	"struct list_head 16 next:ptr@0 prev:ptr@8\n"
	"struct rq 4096 nr_running:u32@0 curr:ptr@16 idle:ptr@24\n"
	"struct signal_struct 64 thread_head:list_head@16\n"
	"struct thread_info 24 cpu:u32@16\n"
	"struct thread_struct 64 sp:u64@24\n"
	"struct rss_stat 32 count:u64[4]@0\n"
	"struct mm_struct 64 rss_stat:rss_stat@8\n"
	"struct task_struct 1024 thread_info:thread_info@0 __state:u32@24 stack:ptr@32 flags:u32@40 "
	"tasks:list_head@48 mm:ptr@64 exit_state:u32@72 pid:u32@80 tgid:u32@84 real_parent:ptr@88 "
	"thread_node:list_head@96 comm:char[16]@112 signal:ptr@128 thread:thread_struct@192 "
	"nvcsw:u64@256 nivcsw:u64@264\n"
	"symbol runqueues 0x2000 A\n symbol crash_notes 0xffffffff82a00000 D\n"
	"symbol __per_cpu_offset 0xffffffff82a00100 D\n symbol nr_cpu_ids 0xffffffff82a00200 D\n"
	"symbol __cpu_online_mask 0xffffffff82a00300 D\n"
	"symbol start 0xffffffff81000100\n orc start end\n"
	"symbol spin 0xffffffff81000200\n orc spin call sp 8\n"
	"symbol sleep 0xffffffff81000300\n orc sleep call sp 8\n symbol end_of_text 0xffffffff81000400\n"
	"at nr_cpu_ids\n u32 3\n at __cpu_online_mask\n u64 3\n"
	"at __per_cpu_offset\n u64 0xffff888010000000 0xffff888020000000 0xffff888030000000\n"
	"at crash_notes\n u64 0x3000\n"
	"symbol init_task 0xffffffff82b00000 D\n"
	"symbol idle_1 0xffff888000001000 D\n symbol init 0xffff888000002000 D\n"
	"symbol thread 0xffff888000003000 D\n symbol kthread 0xffff888000004000 D\n"
	"symbol signals 0xffff888000008000 D\n symbol mm 0xffff888000009000 D\n"
	/* CPUs */
	"at 0xffff888010002000\n u32 2\n at 0xffff888010002010\n u64 init init_task\n"
	"at 0xffff888020002000\n u32 1\n at 0xffff888020002010\n u64 thread idle_1\n"
	/* The list of processes: init_task, init, kthread. Threads of init: itself and thread. */
	"set init_task task_struct.tasks.next init+48\n"
	"set init task_struct.tasks.next kthread+48\n"
	"set kthread task_struct.tasks.next init_task+48\n"
	"set init task_struct.signal signals\n set kthread task_struct.signal signals+64\n"
	"set signals signal_struct.thread_head.next init+96\n"
	"set init task_struct.thread_node.next thread+96\n"
	"set thread task_struct.thread_node.next signals+16\n"
	"set signals+64 signal_struct.thread_head.next kthread+96\n"
	"set kthread task_struct.thread_node.next signals+80\n"
	/* Who they are */
	"at init_task+112\n str swapper/0\n set init_task task_struct.real_parent init_task\n"
	"set init_task task_struct.flags 0x200000\n"
	"at idle_1+112\n str swapper/1\n set idle_1 task_struct.real_parent init_task\n"
	"set idle_1 task_struct.thread_info.cpu 1\n"
	"at init+112\n str init\n set init task_struct.pid 1\n set init task_struct.tgid 1\n"
	"set init task_struct.real_parent init_task\n set init task_struct.mm mm\n"
	"at mm+8\n u64 100 20 3 0xfffffffffffffff0\n"
	"at thread+112\n str worker\n set thread task_struct.pid 5\n set thread task_struct.tgid 1\n"
	"set thread task_struct.real_parent init_task\n set thread task_struct.thread_info.cpu 1\n"
	"at kthread+112\n str kthreadd\n set kthread task_struct.pid 2\n set kthread task_struct.tgid 2\n"
	"set kthread task_struct.real_parent init\n set kthread task_struct.__state 2\n"
	"set kthread task_struct.flags 0x200000\n"
	/* Stacks */
	"set init task_struct.stack 0xffffc90000010000\n"
	"at 0xffffc90000013000\n u64 start+1\n"
	"set thread task_struct.stack 0xffffc90000020000\n"
	"at 0xffffc90000023000\n u64 start+2\n"
	"set kthread task_struct.stack 0xffffc90000030000\n"
	"set kthread task_struct.thread.sp 0xffffc90000033000\n"
	"at 0xffffc90000033000\n u64 0 0 0 0 0 0 sleep+4 start+3\n";

/* A note of crash_notes: pc and sp are the 16th and 19th of pt_regs, which begins 112 into the note's bytes. */
static void add_crash_note(struct make_kernel *k, uint64_t at, const char *pc, const char *sp)
{
	make_kernel_line(k,
			 "at 0x%llx\n u32 5 336 1\n str CORE\n u8 0 0 0\n fill 112 0\n fill 128 0",
			 (unsigned long long)at);
	make_kernel_line(k, "u64 %s 0x10 0x246 %s 0x18\n fill 56 0", pc, sp);
}

struct opened {
	struct make_kernel k;
	struct kernel *kernel;
	struct cpus cpus;
	struct tasks tasks;
};

static void open_machine(struct opened *o, const char *change)
{
	memset(o, 0, sizeof(*o));
	make_kernel_init(&o->k);
	make_kernel_text(&o->k, made_kernel_minimum);
	make_kernel_text(&o->k, machine);
	add_crash_note(&o->k, 0xffff888010003000, "spin+4", "0xffffc90000013000");
	/* Over the end of a page. */
	add_crash_note(&o->k, 0xffff888020003000, "spin+8", "0xffffc90000023000");
	make_kernel_text(&o->k, change);
	o->kernel = make_kernel_open(&o->k);
	cpus_init(&o->cpus, o->kernel);
	tasks_init(&o->tasks, o->kernel, &o->cpus);
}

static void close_machine(struct opened *o)
{
	tasks_deinit(&o->tasks);
	cpus_deinit(&o->cpus);
	kernel_close(o->kernel);
	make_kernel_deinit(&o->k);
}

static const struct task *task_of(const struct opened *o, uint32_t pid, const char *comm)
{
	for (size_t i = 0; i < o->tasks.list.count; i++) {
		const struct task *task = &o->tasks.list.data[i];
		if (task->pid == pid && !strcmp(task->comm, comm))
			return task;
	}
	fail_msg("no task %s", comm);
	return NULL;
}

static void cpus_and_their_registers(void **state)
{
	struct opened o;

	(void)state;
	open_machine(&o, "");
	assert_no_error(o.cpus.error);
	assert_int_equal(o.cpus.list.count, 2); /* the third has no memory */
	const struct cpu *cpu = cpus_find(&o.cpus, 1);
	assert_true(cpu->online);
	assert_true(cpu->current == 0xffff888000003000);
	assert_int_equal(cpu->nr_running, 1);
	assert_int_equal(cpu->registers_from, REGISTERS_CRASH_NOTES);
	assert_true(cpu->registers.values[o.kernel->unwinder.arch->pc] == 0xffffffff81000208);
	assert_true(cpu->registers.values[o.kernel->unwinder.arch->sp] == 0xffffc90000023000);
	assert_null(cpus_find(&o.cpus, 2));
	close_machine(&o);
}

static void notes_that_end_with_the_memory(void **state)
{
	struct opened o;

	(void)state;
	/* CPU 0's note ends with its page. Of CPU 1's, only the first 32 bytes are in the dump. */
	memset(&o, 0, sizeof(o));
	make_kernel_init(&o.k);
	make_kernel_text(&o.k, made_kernel_minimum);
	make_kernel_text(&o.k, machine);
	add_crash_note(&o.k, 0xffff888010004000 - 356, "spin+4", "0xffffc90000013000");
	make_kernel_text(
		&o.k, "at crash_notes\n u64 0x3e9c\n"
		      "at __per_cpu_offset+8\n u64 0xffff888020000144\n"
		      "at 0xffff888020002144\n u32 1\n at 0xffff888020002154\n u64 thread idle_1\n"
		      "at 0xffff888020003fe0\n u32 5 336 1\n str CORE\n");
	o.kernel = make_kernel_open(&o.k);
	cpus_init(&o.cpus, o.kernel);
	assert_no_error(o.cpus.error);
	assert_int_equal(o.cpus.list.data[0].registers_from, REGISTERS_CRASH_NOTES);
	assert_int_equal(o.cpus.list.data[1].registers_from, REGISTERS_NONE);
	close_machine(&o);
}

static void the_dumps_own_notes(void **state)
{
	struct opened o;

	(void)state;
	/* crash_notes cannot be read: the n-th note of the dump serves, if each CPU left one. */
	open_machine(&o, "note CORE 1 336\n note CORE 1 336\n at crash_notes\n u64 0x7000\n");
	assert_int_equal(o.cpus.list.data[0].registers_from, REGISTERS_ELF_NOTE);
	assert_int_equal(o.cpus.list.data[1].registers_from, REGISTERS_ELF_NOTE);
	close_machine(&o);
	open_machine(&o, "note CORE 1 336\n at crash_notes\n u64 0x7000\n");
	assert_int_equal(o.cpus.list.data[0].registers_from, REGISTERS_NONE);
	assert_int_equal(o.cpus.list.data[1].registers_from, REGISTERS_NONE);
	close_machine(&o);
}

static void notes_of_qemu(void **state)
{
	struct {
		uint8_t other[32];
		uint32_t pid, others[19];
		uint64_t registers[27];
		uint64_t fpvalid;
	} note = {};
	struct opened o;

	(void)state;
	memset(&o, 0, sizeof(o));
	make_kernel_init(&o.k);
	make_kernel_text(&o.k, made_kernel_minimum);
	make_kernel_text(&o.k, machine);
	/* Nobody wrote to crash_notes, and CPU 1 comes first; the third is of no CPU of this kernel. */
	make_kernel_text(&o.k, "at 0xffff888010003000\n u64 0\n at 0xffff888020003000\n u64 0\n");
	for (uint32_t pid = 3; pid; pid--) {
		note.pid = pid;
		note.registers[16] = 0xffffffff81000200 + pid;
		make_dump_note(&o.k.dump, "CORE", 1, &note, sizeof(note));
	}
	make_dump_note(&o.k.dump, "QEMU", 0, &note, sizeof(note));
	o.kernel = make_kernel_open(&o.k);
	cpus_init(&o.cpus, o.kernel);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(o.cpus.list.data[i].registers_from, REGISTERS_ELF_NOTE);
		assert_int_equal(o.cpus.list.data[i].registers.values[16],
				 0xffffffff81000200 + i + 1);
	}
	tasks_init(&o.tasks, o.kernel, &o.cpus);
	close_machine(&o);
}

/* Four million processes that have all the same threads would be as many tasks, squared. */
static void threads_of_two_processes(void **state)
{
	struct opened o;

	(void)state;
	open_machine(&o, "set kthread task_struct.signal signals\n");
	assert_int_equal(o.tasks.list.count, 4);
	assert_non_null(o.tasks.error);
	assert_non_null(strstr(o.tasks.error->message, "is on two lists"));
	close_machine(&o);
}

static void every_task_with_its_stack(void **state)
{
	struct opened o;

	(void)state;
	open_machine(&o, "");
	assert_no_error(o.tasks.error);
	assert_int_equal(o.tasks.list.count, 5);
	const struct task *init = task_of(&o, 1, "init"), *kthread = task_of(&o, 2, "kthreadd");
	const struct task *thread = task_of(&o, 5, "worker");
	assert_int_equal(task_of(&o, 0, "swapper/0")->kernel_thread, true);
	task_of(&o, 0, "swapper/1");
	assert_true(init->running);
	assert_int_equal(init->state, 'R');
	assert_int_equal(init->rss_pages, 120); /* the one below 0 counts as none */
	assert_int_equal(init->stack.frames.count, 2);
	assert_true(thread->running);
	assert_int_equal(thread->tgid, 1);
	assert_int_equal(thread->stack.frames.count, 2);
	assert_int_equal(kthread->state, 'D');
	assert_int_equal(kthread->ppid, 1);
	assert_false(kthread->running);
	assert_int_equal(kthread->registers_from, REGISTERS_SLEEPING);
	assert_int_equal(kthread->stack.frames.count, 2);
	assert_true(kthread->stack.frames.data[0].pc == 0xffffffff81000304);
	for (size_t i = 0; i < o.tasks.list.count; i++)
		assert_ptr_equal(tasks_find(&o.tasks, o.tasks.list.data[i].address),
				 &o.tasks.list.data[i]);
	assert_null(tasks_find(&o.tasks, 0xffff888000005000));
	assert_null(tasks_find(&o.tasks, 0));
	close_machine(&o);
}

/* What it was switched out with last is no stack of one that may have run since. */
static void who_ran_is_lost(void **state)
{
	struct opened o;

	(void)state;
	open_machine(&o, "exclude 0xffff888010002000\n"
			 "set init task_struct.thread.sp 0xffffc90000013800\n"
			 "at 0xffffc90000013800\n u64 0 0 0 0 0 0 sleep+4 start+3\n");
	const struct task *init = task_of(&o, 1, "init"), *kthread = task_of(&o, 2, "kthreadd");
	assert_int_equal(init->stack.frames.count, 0);
	assert_int_equal(kthread->stack.frames.count, 2);
	assert_non_null(init->stack.error);
	close_machine(&o);
}

static void letters_of_states(void **state)
{
	static const struct {
		const char *change;
		char letter;
	} cases[] = {
		{ "set kthread task_struct.__state 0\n", 'R' },
		{ "set kthread task_struct.__state 1\n", 'S' },
		{ "set kthread task_struct.__state 0x102\n", 'D' },
		{ "set kthread task_struct.__state 0x402\n", 'I' },
		{ "set kthread task_struct.__state 4\n", 'T' },
		{ "set kthread task_struct.__state 8\n", 't' },
		{ "set kthread task_struct.exit_state 0x10\n", 'X' },
		{ "set kthread task_struct.exit_state 0x20\n", 'Z' },
		{ "set kthread task_struct.__state 0x40\n", 'P' },
		{ "set kthread task_struct.__state 0xffffffff\n", 'D' },
		{ "set kthread task_struct.__state 0xffff6b00\n", 'R' },
		{ "set kthread task_struct.__state 0x8001\n", 'D' }, /* frozen */
		{ "set kthread task_struct.__state 0x1000\n", 'D' }, /* waits for an rt lock */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct opened o;
		open_machine(&o, cases[i].change);
		if (task_of(&o, 2, "kthreadd")->state != cases[i].letter)
			fail_msg("%s: %c", cases[i].change, task_of(&o, 2, "kthreadd")->state);
		close_machine(&o);
	}
}

static void one_task_does_not_cost_the_others(void **state)
{
	static const struct {
		const char *change, *says;
		size_t count;
	} cases[] = {
		{ "set init task_struct.real_parent 0x8\n", "parent of init (pid 1)", 5 },
		{ "exclude 0xffff888000003000\n", "excluded", 4 }, /* worker */
		{ "set init task_struct.signal 0\n", "threads of 0xffff888000002000", 3 },
		{ "set thread task_struct.thread_node.next thread+96\n", "circle", 5 },
		{ "set thread task_struct.thread_node.next 0\n", "task list", 5 },
		{ "set kthread task_struct.tasks.next 0xdead000000000100\n", "canonical", 5 },
		{ "set kthread task_struct.tasks.next kthread+48\n", "circle", 5 },
		{ "at 0xffff888020002018\n u64 0x10\n", "task 0x10", 4 }, /* idle */
		{ "set init_task task_struct.tasks.next 0\n", "task list", 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct opened o;
		open_machine(&o, cases[i].change);
		if (!o.tasks.error || !strstr(o.tasks.error->message, cases[i].says))
			fail_msg("case %zu: %s", i,
				 o.tasks.error ? o.tasks.error->message : "no error");
		if (o.tasks.list.count < cases[i].count)
			fail_msg("case %zu: %zu tasks", i, o.tasks.list.count);
		close_machine(&o);
	}
}

/* What a dump claims may not make more tasks than there is memory for. */
static void a_task_on_two_lists(void **state)
{
	struct opened o;

	(void)state;
	/* kthread's threads are init's, and the list of processes has init twice. */
	open_machine(&o, "set signals+64 signal_struct.thread_head.next init+96\n"
			 "set kthread task_struct.tasks.next init+49\n");
	for (size_t i = 0; i < o.tasks.list.count; i++) {
		assert_true(o.tasks.list.data[i].address % 8 == 0);
		for (size_t j = 0; j < i; j++)
			assert_true(o.tasks.list.data[i].address != o.tasks.list.data[j].address);
	}
	close_machine(&o);
}

/* A long run of words, of which each third leads to the next process, and no other to anything. */
static void processes_without_end(void **state)
{
	const uint64_t first = 0xffff888000100030;
	const size_t count = 140000;
	struct opened o;
	char *text = NULL;
	size_t size;

	(void)state;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	fprintf(out, "set kthread task_struct.tasks.next 0x%llx\nat 0x%llx\n",
		(unsigned long long)first, (unsigned long long)first);
	for (size_t i = 1; i <= count; i++)
		fprintf(out, "u64 0x%llx 1 1\n", (unsigned long long)(first + 24 * i));
	fclose(out);
	open_machine(&o, text);
	assert_non_null(o.tasks.error);
	assert_non_null(strstr(o.tasks.error->message, "the first of 65536 errors"));
	close_machine(&o);
	free(text);
}

static void hostile_cpus(void **state)
{
	static const struct {
		const char *change, *says;
	} cases[] = {
		{ "at nr_cpu_ids\n u32 0\n", "nr_cpu_ids is 0" },
		{ "at nr_cpu_ids\n u32 0xffffffff\n", "nr_cpu_ids is 4294967295" },
		{ "at __per_cpu_offset\n u64 0 0xffff888020000000\n", "CPU 0" },
		{ "at __per_cpu_offset\n u64 0xffff888010000000 0xffffffffffffffff\n", "CPU 1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct opened o;
		open_machine(&o, cases[i].change);
		if (!o.cpus.error || !strstr(o.cpus.error->message, cases[i].says))
			fail_msg("case %zu: %s", i,
				 o.cpus.error ? o.cpus.error->message : "no error");
		/* The processes are there whatever the CPUs are. */
		task_of(&o, 1, "init");
		task_of(&o, 2, "kthreadd");
		close_machine(&o);
	}
}

/* Both forms of the report; the JSON, parsed. The text has @says in it. */
static struct json_object *print(struct opened *o, const char *says)
{
	struct report *report;
	char *text = NULL;
	size_t size;

	assert_no_error(report_create(o->kernel, "vmcore", NULL, &report));
	FILE *out = open_memstream(&text, &size);
	assert_no_error(report_print_json(report, out));
	fclose(out);
	struct json_object *ret = json_tokener_parse(text);
	assert_non_null(ret);
	free(text);
	out = open_memstream(&text, &size);
	assert_no_error(report_print_text(report, true, true, out));
	fclose(out);
	if (!strstr(text, says))
		fail_msg("no \"%s\" in:\n%s", says, text);
	free(text);
	report_destroy(report);
	return ret;
}

static struct json_object *member(struct json_object *object, const char *path)
{
	struct json_object *ret = NULL;

	assert_int_equal(json_pointer_get(object, path, &ret), 0);
	return ret;
}

static void the_whole_report(void **state)
{
	struct opened o;

	(void)state;
	open_machine(&o, "");
	struct json_object *json = print(&o, "swapper/0");
	assert_string_equal(json_object_get_string(member(json, "/verdict/kind")), "none");
	assert_int_equal(json_object_array_length(member(json, "/tasks")), 5);
	assert_string_equal(json_object_get_string(member(json, "/cpus/1/task/comm")), "worker");
	assert_string_equal(json_object_get_string(member(json, "/cpus/1/stack/0/symbol")), "spin");
	assert_int_equal(json_object_get_int(member(json, "/cpus/1/stack/0/offset")), 8);
	assert_string_equal(json_object_get_string(member(json, "/cpus/1/stack/1/symbol")),
			    "start");
	assert_null(member(json, "/verdict/task"));
	json_object_put(json);
	close_machine(&o);
}

/* What need not be there is no lack of the dump. */
static void notes_that_are_no_lack(void **state)
{
	struct error *errors[] = {
		error_create(ERROR_NOT_FOUND, "no record"),
		error_fault(ERROR_EXCLUDED, 0x1000, "no memory"),
	};
	struct report *report;
	struct opened o;
	size_t size;

	(void)state;
	open_machine(&o, "");
	assert_no_error(report_create(o.kernel, "vmcore", NULL, &report));
	for (size_t i = 0; i < 2; i++) {
		char *text = NULL;
		assert_no_error(report_note(report, errors[i]));
		FILE *out = open_memstream(&text, &size);
		assert_no_error(report_print_text(report, false, false, out));
		fclose(out);
		assert_int_equal(strstr(text, "not all could be read") != NULL, i == 1);
		free(text);
	}
	report_destroy(report);
	close_machine(&o);
}

static void frames_of_a_softirq(void **state)
{
	static const char softirq[] =
		"symbol handle_softirqs 0xffffffff81000280\n orc handle_softirqs call sp 8\n"
		"at 0xffffc90000023000\n u64 handle_softirqs+4 start+2\n";
	const uint64_t spin = 0xffffffff81000204, handle = 0xffffffff81000284;
	/* What is called in the interrupt that came into a softirq is of the interrupt. */
	const struct frame frames[] = {
		{ .pc = spin }, { .pc = spin, .interrupted = true },
		{ .pc = spin }, { .pc = handle },
		{ .pc = spin },
	};
	static const bool expected[] = { false, true, true, true, false };
	struct opened o;

	(void)state;
	open_machine(&o, softirq);
	bool *found = report_find_softirqs(o.kernel, frames, 5);
	assert_non_null(found);
	assert_memory_equal(found, expected, sizeof(expected));
	free(found);
	struct json_object *json = print(&o, "handle_softirqs+0x4");
	assert_string_equal(json_object_get_string(member(json, "/cpus/1/stack/0/section")),
			    "softirq");
	assert_string_equal(json_object_get_string(member(json, "/cpus/1/stack/1/section")),
			    "softirq");
	assert_string_equal(json_object_get_string(member(json, "/cpus/1/stack/2/section")),
			    "task");
	json_object_put(json);
	close_machine(&o);
}

static void all_parts_of_a_split_dump(void **state)
{
	static const char *const more[] = { "vmcore.2", "vmcore.3" };
	struct opened o;

	(void)state;
	open_machine(&o, "");
	o.kernel->source.more_parts = more;
	o.kernel->source.nr_more_parts = 2;
	struct json_object *json = print(&o, "  part       vmcore.2\n  part       vmcore.3\n");
	assert_int_equal(json_object_array_length(member(json, "/source/parts")), 3);
	assert_string_equal(json_object_get_string(member(json, "/source/parts/0")), "vmcore");
	assert_string_equal(json_object_get_string(member(json, "/source/parts/2")), "vmcore.3");
	json_object_put(json);
	close_machine(&o);
}

/* Before 5.11 the vmcoreinfo has no offset of the names; taint that is not known is no clean kernel. */
static void names_of_the_kernel(void **state)
{
	static const char names[] =
		"info SYMBOL(init_uts_ns)=ffffffff82c00000\n at 0xffffffff82c00000\n"
		" fill 138 0\n str 5.10.0-test\n fill 53 0\n str v1\n fill 62 0\n str x86_64\n"
		" fill 256 0\n";
	char with_types[512];
	struct opened o;

	(void)state;
	snprintf(with_types, sizeof(with_types), "%sstruct uts_namespace 416 name:u64@8\n", names);
	open_machine(&o, with_types);
	struct json_object *json = print(&o, "5.10.0-test x86_64\n");
	assert_string_equal(json_object_get_string(member(json, "/kernel/version")), "v1");
	json_object_put(json);
	close_machine(&o);
}

static void the_time_of_the_crash(void **state)
{
	struct opened o;

	(void)state;
	open_machine(&o, "symbol vmcoreinfo_note 0xffffffff82c00000 D\n"
			 "at vmcoreinfo_note\n u64 0xffffffff82c01000\n"
			 "at 0xffffffff82c01000\n u32 11 20 0\n str VMCOREINFO\n u8 0\n"
			 " str CRASHTIME=1795413339\n fill 8192 0\n");
	struct json_object *json = print(&o, "2026-11-23 05:55:39 UTC");
	assert_int_equal(json_object_get_int64(member(json, "/kernel/crash_time")), 1795413339);
	json_object_put(json);
	close_machine(&o);
}

/* What stands first says that tasks may be missing. */
static void a_task_that_was_excluded(void **state)
{
	struct opened o;

	(void)state;
	open_machine(&o, "exclude 0xffff888000003000\n");
	json_object_put(print(&o, "not all could be read: see the end"));
	json_object_put(print(&o, "a task that cannot be read"));
	close_machine(&o);
}

static bool has_note(struct json_object *json, const char *says)
{
	struct json_object *notes = member(json, "/source/notes");
	bool found = false;

	for (size_t i = 0; i < json_object_array_length(notes); i++) {
		struct json_object *note = json_object_array_get_idx(notes, i);
		found = found ||
			strstr(json_object_get_string(member(note, "/text")), says) != NULL;
	}
	return found;
}

/* worker's task_struct is not in the dump; its stack and registers are. */
static void a_cpu_keeps_its_stack(void **state)
{
	struct opened o;

	(void)state;
	open_machine(&o, "exclude thread\n");
	struct json_object *json = print(&o, "a task that cannot be read");
	assert_null(member(json, "/cpus/1/task"));
	assert_string_equal(json_object_get_string(member(json, "/cpus/1/registers_from")),
			    "crash_notes");
	struct json_object *stack = member(json, "/cpus/1/stack");
	assert_int_equal(json_object_array_length(stack), 2);
	assert_string_equal(json_object_get_string(member(stack, "/0/symbol")), "spin");
	assert_string_equal(json_object_get_string(member(stack, "/1/symbol")), "start");
	assert_true(json_object_get_boolean(member(stack, "/1/reliable")));
	assert_int_equal(json_object_array_length(member(json, "/tasks")), 4);
	json_object_put(json);
	json_object_put(print(&o, "spin+0x8/0x100\n    start+0x2/0x100\n"));
	close_machine(&o);
}

static void a_cpu_without_its_stack(void **state)
{
	struct opened o;

	(void)state;
	open_machine(&o, "exclude thread\n exclude 0xffffc90000023000\n");
	struct json_object *json = print(&o, "a task that cannot be read");
	assert_int_equal(json_object_array_length(member(json, "/cpus/1/stack")), 1);
	assert_true(has_note(json, "stack of CPU 1: "));
	json_object_put(json);
	close_machine(&o);
	/* Nor did it answer, and there is nothing to look through. */
	open_machine(&o, "exclude thread\n at 0xffff888020003000\n u64 0\n");
	json = print(&o, "nowhere: it did not answer");
	assert_int_equal(json_object_array_length(member(json, "/cpus/1/stack")), 0);
	assert_true(has_note(json, "CPU 1 left no registers"));
	json_object_put(json);
	close_machine(&o);
}

static void an_idle_cpu_whose_task_is_lost(void **state)
{
	struct opened o;

	(void)state;
	open_machine(&o, "exclude idle_1\n at 0xffff888020002010\n u64 idle_1\n");
	struct json_object *json = print(&o, "an idle task that cannot be read");
	assert_string_equal(json_object_get_string(member(json, "/cpus/1/stack/1/symbol")),
			    "start");
	json_object_put(json);
	close_machine(&o);
}

static void a_record_of_another_boot(void **state)
{
	struct record_header header = { .boot_id = "88776655-4433-2211-00ff-eeddccbbaa99" };
	const struct record record = {
		.data = &header,
		.size = sizeof(header),
		.header = &header,
		.from = RECORD_FROM_FILE,
	};
	struct report *report;
	struct opened o;

	(void)state;
	open_machine(&o, "symbol sysctl_bootid 0xffffffff82c00000 D\n at sysctl_bootid\n "
			 "u64 0x1122334455667788 0x99aabbccddeeff00\n");
	assert_no_error(report_create(o.kernel, "vmcore", &record, &report));
	report_destroy(report);
	header.boot_id[0] = 'a';
	assert_error(report_create(o.kernel, "vmcore", &record, &report), ERROR_OTHER,
		     "the record is of boot a8776655");
	close_machine(&o);
}

static void reports_of_damaged_kernels(void **state)
{
	static const char *const changes[] = {
		"at init_task+112\n fill 16 0xff\n", /* a comm without an end, and no UTF-8 */
		"exclude 0xffff888020002000\n",
		"exclude 0xffffc90000023000\n",
		"at nr_cpu_ids\n u32 0\n",
		"set init task_struct.mm 0xffffffffffffffff\n at mm+8\n u64 0x7fffffffffffffff 0x7fffffffffffffff\n",
		"set init task_struct.thread_info.cpu 0xffffffff\n",
		"set kthread task_struct.thread.sp 0xffffffffffffffff\n",
		"set kthread task_struct.stack 0xffffffffffffffff\n",
		"symbol modules 0xffffffff82900000 D\n",
		"symbol saved_command_line 0xffffffff82900000 D\n at saved_command_line\n u64 8\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct opened o;
		open_machine(&o, changes[i]);
		assert_true(o.tasks.list.count >= 3);
		struct report *report;
		assert_no_error(report_create(o.kernel, "vmcore", NULL, &report));
		FILE *out = fopen("/dev/null", "w");
		assert_no_error(report_print_json(report, out));
		assert_no_error(report_print_text(report, true, false, out));
		fclose(out);
		report_destroy(report);
		close_machine(&o);
	}
}

static void unloaded_modules_are_noted(void **state)
{
	struct opened o;
	struct report *report;
	bool noted = false;

	(void)state;
	open_machine(&o,
		     "info NUMBER(KERNEL_IMAGE_SIZE)=1073741824\n"
		     "symbol last_unloaded_module 0xffffffff82c00000 b\n"
		     "at last_unloaded_module\n str dummy\n"
		     "symbol modules 0xffffffff82c01000 D\n at modules\n u64 modules\n"
		     "struct module_layout 80 base:ptr@0 size:u32@8\n"
		     "struct mod_kallsyms 32 symtab:ptr@0 num_symtab:u32@8 strtab:ptr@16\n"
		     "struct module 512 state:u32@0 list:list_head@8 name:char[56]@24 "
		     "core_layout:module_layout@96 init_layout:module_layout@176 taints:u64@288 "
		     "kallsyms:ptr@296\n"
		     "set kthread task_struct.thread.sp 0xffffc90000032000\n"
		     "at 0xffffc90000032000\n u64 0 0 0 0 0 0 0xffffffffc0123456\n");
	assert_no_error(report_create(o.kernel, "vmcore", NULL, &report));
	for (size_t i = 0; i < report->notes.count; i++) {
		const struct report_note *note = &report->notes.data[i];
		if (strstr(note->text, "kthreadd (pid 2), is of an unloaded module") &&
		    strstr(note->text, "dummy") && note->address == 0xffffffffc0123456)
			noted = true;
	}
	assert_true(noted);
	report_destroy(report);
	close_machine(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("threads that two processes claim are there once", threads_of_two_processes),
		TEST("a CPU has its task, and its registers out of crash_notes",
		     cpus_and_their_registers),
		TEST("a crash note may end with its page", notes_that_end_with_the_memory),
		TEST("without crash_notes the dump's own notes serve, if each CPU left one",
		     the_dumps_own_notes),
		TEST("QEMU's notes are those of the CPU that they name", notes_of_qemu),
		TEST("every task is there, with its stack", every_task_with_its_stack),
		TEST("where nothing tells who ran, a task that could has no stack", who_ran_is_lost),
		TEST("a task's state is ps's letter", letters_of_states),
		TEST("a task that cannot be read does not cost the others",
		     one_task_does_not_cost_the_others),
		TEST("a task is there once, on however many lists it is", a_task_on_two_lists),
		TEST("a list of processes without end ends", processes_without_end),
		TEST("hostile CPUs are named, and the tasks are there", hostile_cpus),
		TEST("the report has it all, as text and as JSON", the_whole_report),
		TEST("a dump lacks what could not be read, not what nobody made",
		     notes_that_are_no_lack),
		TEST("what a softirq calls is of the softirq, up to the next interrupt",
		     frames_of_a_softirq),
		TEST("the report names all parts of a split dump", all_parts_of_a_split_dump),
		TEST("the kernel's names are found by its types too", names_of_the_kernel),
		TEST("the time of the crash is read out of the kernel's own note",
		     the_time_of_the_crash),
		TEST("a report of tasks that were excluded says so first",
		     a_task_that_was_excluded),
		TEST("a CPU whose task_struct was excluded keeps its stack", a_cpu_keeps_its_stack),
		TEST("a CPU whose stack was excluded too says so", a_cpu_without_its_stack),
		TEST("an idle CPU is known without its task_struct",
		     an_idle_cpu_whose_task_is_lost),
		TEST("code of an unloaded module is noted", unloaded_modules_are_noted),
		TEST("a record of another boot is refused", a_record_of_another_boot),
		TEST("a damaged kernel gives a report", reports_of_damaged_kernels),
	};
	return RUN_TESTS(tests);
}
