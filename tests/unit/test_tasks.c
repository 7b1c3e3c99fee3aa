// SPDX-License-Identifier: GPL-2.0-only
/* Tasks of a dump that lacks some: those behind are found by their relatives. */
#include <string.h>

#include "make_kernel.h"
#include "state/cpus.h"
#include "state/tasks.h"
#include "test.h"

#define NR_TASKS  8
#define INIT	  0xffffffff82c00000ull
#define TASK(n)	  ((n) ? 0xffff888000100000ull + (n)*0x2000ull : INIT)
#define SIGNAL(n) (0xffff888000300000ull + (n)*0x1000ull)
#define NODE(n)	  (TASK(n) + 48)
#define CHILDREN  160
#define SIBLING	  176
#define LEADER	  192
#define THREAD_SP (232 + 24)

static const char types[] =
	"struct list_head 16 next:ptr@0 prev:ptr@8\n"
	"struct rq 4096 nr_running:u32@0 curr:ptr@16 idle:ptr@24\n"
	"struct signal_struct 64 thread_head:list_head@16\n"
	"struct task_struct 1024 cpu:u32@16 __state:u32@24 stack:ptr@32 flags:u32@40 "
	"tasks:list_head@48 exit_state:u32@72 pid:u32@80 tgid:u32@84 real_parent:ptr@88 "
	"thread_node:list_head@96 comm:char[16]@112 signal:ptr@128 children:list_head@160 "
	"sibling:list_head@176 group_leader:ptr@192 ";

/* Tasks 1, 2, ...; number 4 is the parent of the last, and all others are the first's children. */
static void make_tasks(struct make_kernel *k, const char *thread)
{
	make_kernel_init(k);
	make_kernel_text(k, made_kernel_minimum);
	make_kernel_line(k, "struct thread_struct 64 %s", thread);
	make_kernel_line(k, "%sthread:thread_struct@232", types);
	make_kernel_line(k, "symbol init_task 0x%llx D", INIT);
	for (unsigned long long n = 0; n <= NR_TASKS; n++) {
		unsigned int parent = n == NR_TASKS ? 4 : n > 1;
		make_kernel_line(k, "at 0x%llx\n fill 1024 0", TASK(n));
		make_kernel_line(k, "at 0x%llx\n u64 0x%llx 0x%llx", NODE(n),
				 NODE((n + 1) % (NR_TASKS + 1)),
				 NODE((n + NR_TASKS) % (NR_TASKS + 1)));
		make_kernel_line(k, "at 0x%llx\n u32 %llu %llu\n u64 0x%llx", TASK(n) + 80, n, n,
				 TASK(parent));
		make_kernel_line(k, "at 0x%llx\n u64 0x%llx", TASK(n) + 128, SIGNAL(n));
		make_kernel_line(k, "at 0x%llx\n u64 0x%llx", TASK(n) + LEADER, TASK(n));
		make_kernel_line(k, "at 0x%llx\n u64 0x%llx", TASK(n) + THREAD_SP, 0x1000 + n);
		/* Of siblings only what leads back. */
		make_kernel_line(k, "at 0x%llx\n u64 0x%llx 0x%llx", TASK(n) + SIBLING,
				 TASK(parent) + CHILDREN, TASK(parent) + CHILDREN);
		make_kernel_line(k, "at 0x%llx\n u64 0x%llx 0x%llx", TASK(n) + CHILDREN,
				 TASK(n) + CHILDREN, TASK(n) + CHILDREN);
		make_kernel_line(k, "at 0x%llx\n u64 0x%llx 0x%llx", SIGNAL(n) + 16, TASK(n) + 96,
				 TASK(n) + 96);
		make_kernel_line(k, "at 0x%llx\n u64 0x%llx 0x%llx", TASK(n) + 96, SIGNAL(n) + 16,
				 SIGNAL(n) + 16);
	}
}

static void assert_tasks(struct make_kernel *k, const char *pids)
{
	char found[NR_TASKS + 2] = {};
	struct cpus cpus;
	struct tasks tasks;

	struct kernel *kernel = make_kernel_open(k);
	cpus_init(&cpus, kernel);
	tasks_init(&tasks, kernel, &cpus);
	for (size_t i = 0; i < tasks.list.count; i++) {
		const struct task *task = &tasks.list.data[i];
		assert_true(task->pid <= NR_TASKS && !found[task->pid]);
		assert_true(task->address == TASK(task->pid));
		assert_true(task->sp == 0x1000 + task->pid);
		found[task->pid] = '0' + task->pid;
	}
	for (size_t i = 1; i <= NR_TASKS; i++)
		assert_int_equal(found[i] != 0, strchr(pids, '0' + i) != NULL);
	tasks_deinit(&tasks);
	cpus_deinit(&cpus);
	kernel_close(kernel);
	make_kernel_deinit(k);
}

static void lost_tasks(void **state)
{
	struct make_kernel k;

	(void)state;
	make_tasks(&k, "sp:u64@24");
	assert_tasks(&k, "12345678");
	make_tasks(&k, "sp:u64@24");
	make_kernel_line(&k, "exclude 0x%llx", TASK(3));
	assert_tasks(&k, "1245678");
	/* Number 4 is the parent of 8, and 5 is behind it. */
	make_tasks(&k, "sp:u64@24");
	make_kernel_line(&k, "exclude 0x%llx\nexclude 0x%llx", TASK(3), TASK(6));
	assert_tasks(&k, "124578");
	/* What a process shares is lost: the task itself is not. */
	make_tasks(&k, "sp:u64@24");
	make_kernel_line(&k, "exclude 0x%llx", SIGNAL(2));
	assert_tasks(&k, "12345678");
}

/* Where the type does not say where the stack pointer is, the architecture does. */
static void lost_thread_struct(void **state)
{
	struct make_kernel k;

	(void)state;
	make_tasks(&k, "cr2:u64@32");
	assert_tasks(&k, "12345678");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("tasks between two that are lost are found by their relatives", lost_tasks),
		TEST("a lost struct thread_struct costs no stack", lost_thread_struct),
	};
	return RUN_TESTS(tests);
}
