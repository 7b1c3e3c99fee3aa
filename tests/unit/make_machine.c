// SPDX-License-Identifier: GPL-2.0-only
#include "make_machine.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

static const char types[] =
	"struct list_head 16 next:ptr@0 prev:ptr@8\n"
	"struct rq 4096 nr_running:u32@0 curr:ptr@16 idle:ptr@24\n"
	"struct signal_struct 64 thread_head:list_head@16\n"
	"struct thread_info 24 cpu:u32@16\n"
	"struct thread_struct 64 sp:u64@24\n"
	"struct rss_stat 32 count:u64[4]@0\n"
	"struct mm_struct 96 rss_stat:rss_stat@8 mmap_lock:u64@40\n"
	"struct held_lock 32 prev_chain_key:u64@0 instance:ptr@8\n"
	"struct task_struct 1024 thread_info:thread_info@0 __state:u32@24 stack:ptr@32 flags:u32@40 "
	"tasks:list_head@48 mm:ptr@64 exit_state:u32@72 pid:u32@80 tgid:u32@84 real_parent:ptr@88 "
	"thread_node:list_head@96 comm:char[16]@112 signal:ptr@128 pi_blocked_on:ptr@136 "
	"blocked_on:ptr@144 blocker:u64@152 vfork_done:ptr@160 journal_info:ptr@168 thread:thread_struct@192 lockdep_depth:u32@256 "
	"held_locks:held_lock[4]@264\n"
	"struct mutex_waiter 32 list:list_head@0 task:ptr@16\n"
	"struct rwsem_waiter 32 list:list_head@0 task:ptr@16\n"
	"struct semaphore_waiter 32 list:list_head@0 task:ptr@16\n"
	"struct swait_queue 24 task:ptr@0 task_list:list_head@8\n"
	"struct swait_queue_head 24 lock:u32@0 task_list:list_head@8\n"
	"struct completion 32 done:u32@0 wait:swait_queue_head@8\n"
	"struct lockdep_map 16 key:ptr@0\n"
	"struct rb_node 24 __rb_parent_color:u64@0 rb_right:ptr@8 rb_left:ptr@16\n"
	"struct rb_root 8 rb_node:ptr@0\n"
	"struct rb_root_cached 16 rb_root:rb_root@0 rb_leftmost:ptr@8\n"
	"struct rt_mutex_base 32 wait_lock:u32@0 waiters:rb_root_cached@8 owner:ptr@24\n"
	"struct rt_mutex_waiter 64 tree_entry:rb_node@0 pi_tree_entry:rb_node@24 task:ptr@48 "
	"lock:ptr@56\n"
	"struct wait_queue_entry 40 flags:u32@0 private:ptr@8 func:ptr@16 entry:list_head@24\n"
	"struct wait_queue_head 24 lock:u32@0 head:list_head@8\n"
	"struct wait_page_queue 56 folio:ptr@0 bit_nr:u32@8 wait:wait_queue_entry@16\n"
	"struct wait_bit_key 24 flags:ptr@0 bit_nr:u32@8 timeout:u64@16\n"
	"struct wait_bit_queue_entry 64 key:wait_bit_key@0 wq_entry:wait_queue_entry@24\n"
	"struct rcuwait 8 task:ptr@0\n"
	"struct percpu_rw_semaphore 48 writer:rcuwait@0 waiters:wait_queue_head@8 block:u32@32\n"
	"struct mcs_spinlock 16 next:ptr@0 locked:u32@8 count:u32@12\n"
	"struct qnode 32 mcs:mcs_spinlock@0\n"
	"struct __call_single_node 16 llist:ptr@0 u_flags:u32@8\n"
	"struct __call_single_data 32 node:__call_single_node@0\n"
	"struct call_function_data 24 csd:ptr@0\n"
	"enum pageflags PG_locked=0 PG_writeback=1\n";

/* Locks as they are up to 7.0, and from 7.1 on. */
const char made_locks_with_lists[] =
	"struct mutex 48 owner:u64@0 wait_lock:u32@8 wait_list:list_head@16 dep_map:lockdep_map@32\n"
	"struct rw_semaphore 40 count:u64@0 owner:u64@8 wait_lock:u32@16 wait_list:list_head@24\n"
	"struct semaphore 24 lock:u32@0 count:u32@4 wait_list:list_head@8\n";
const char made_locks_with_pointers[] =
	"struct mutex 24 owner:u64@0 wait_lock:u32@8 first_waiter:ptr@16\n"
	"struct rw_semaphore 32 count:u64@0 owner:u64@8 wait_lock:u32@16 first_waiter:ptr@24\n"
	"struct semaphore 24 lock:u32@0 count:u32@4 first_waiter:ptr@8 last_holder:u64@16\n";

static const char machine[] =
	"symbol runqueues 0x2000 A\n symbol qnodes 0x3000 A\n "
	"symbol cfd_data 0x3100 A\n symbol call_single_queue 0x3200 A\n symbol crash_notes 0xffffffff82a00000 D\n"
	"symbol __per_cpu_offset 0xffffffff82a00100 D\n symbol nr_cpu_ids 0xffffffff82a00200 D\n"
	"symbol __cpu_online_mask 0xffffffff82a00300 D\n symbol init_task 0xffffffff82c00000 D\n"
	"at nr_cpu_ids\n u32 2\n at __cpu_online_mask\n u64 3\n"
	"at __per_cpu_offset\n u64 0xffff888010000000 0xffff888020000000\n"
	"at 0xffff888010002010\n u64 0xffff888000101000 init_task\n"
	"at 0xffff888020002010\n u64 0xffff888000102000 0\n"
	"at 0xffff888010003000\n u64 0 0\n at 0xffff888020003000\n u64 0 0\n"
	"at 0xffff888010003100\n u64 0x3300\n at 0xffff888020003100\n u64 0x3300\n"
	"at 0xffff888010003200\n u64 0\n at 0xffff888020003200\n u64 0\n"
	"at 0xffff888010003300\n u64 0 0 0 0\n at 0xffff888020003300\n u64 0 0 0 0\n"
	"at crash_notes\n u64 0x4000\n"
	"symbol start 0xffffffff81000100\n orc start end\n"
	"symbol want 0xffffffff81000200\n orc want call sp 8\n"
	"symbol schedule 0xffffffff81000300\n orc schedule call sp 8\n"
	"symbol __mutex_lock.constprop.0 0xffffffff81000400\n"
	"symbol rwsem_down_write_slowpath 0xffffffff81000500\n"
	"symbol __down_common 0xffffffff81000600\n symbol __wait_for_common 0xffffffff81000700\n"
	"symbol rt_mutex_slowlock 0xffffffff81000800\n symbol percpu_rwsem_wait 0xffffffff81000900\n"
	"symbol percpu_down_write 0xffffffff81000980\n"
	"symbol some_function 0xffffffff81000a00\n"
	"orc __mutex_lock.constprop.0 call sp 264\n"
	"symbol native_queued_spin_lock_slowpath 0xffffffff81000b00\n"
	"symbol queued_write_lock_slowpath 0xffffffff81000c00\n"
	"orc native_queued_spin_lock_slowpath call sp 8\n"
	"symbol smp_call_function_single 0xffffffff81000c80\n"
	"symbol smp_call_function_many_cond 0xffffffff81000cc0\n"
	"symbol holds_it 0xffffffff81000d00\n symbol end_of_text 0xffffffff81000e00\n"
	"symbol autoremove_wake_function 0xffffffff81001000\n"
	"symbol wake_page_function 0xffffffff81001100\n"
	"symbol wake_bit_function 0xffffffff81001200\n"
	"symbol percpu_rwsem_wake_function 0xffffffff81001300\n"
	"symbol end_of_functions 0xffffffff81001400\n"
	"symbol lock 0xffffffff82b00000 D\n symbol lock_b 0xffffffff82b00100 D\n"
	"symbol end_of_data 0xffffffff82b00200 D\n"
	"at lock\n u64 0 0 0 0 0 0 0 0\n at lock_b\n u64 0 0 0 0 0 0 0 0\n"
	"at holds_it\n fill 256 0x90\n at want\n fill 256 0x90\n at start\n fill 256 0x90\n";

static void add_task(struct made_machine *m, unsigned int n, unsigned int state)
{
	unsigned long long task = TASK(n);

	make_kernel_line(&m->k, "set 0x%llx task_struct.pid %u\nset 0x%llx task_struct.tgid %u",
			 task, n, task, n);
	make_kernel_line(&m->k,
			 "set 0x%llx task_struct.__state %u\nset 0x%llx task_struct.stack 0x%llx",
			 task, state, task, STACK(n));
	make_kernel_line(&m->k,
			 "set 0x%llx task_struct.real_parent 0x%llx\nset 0x%llx task_struct.signal "
			 "0x%llx\nset 0x%llx task_struct.thread_info.cpu %d",
			 task, TASK(0), task, SIGNALS + n * 64, task, n == 2);
	make_kernel_line(&m->k, "set 0x%llx task_struct.thread.sp 0x%llx\nat 0x%llx\nstr task_%u",
			 task, SP(n), task + 112, n);
	make_kernel_line(&m->k,
			 "set 0x%llx signal_struct.thread_head.next 0x%llx\n"
			 "set 0x%llx task_struct.thread_node.next 0x%llx",
			 SIGNALS + n * 64, task + 96, task, SIGNALS + n * 64 + 16);
	make_kernel_line(&m->k, "set 0x%llx task_struct.tasks.next 0x%llx", TASK(n - 1), task + 48);
	make_kernel_line(&m->k, "set 0x%llx task_struct.tasks.next 0x%llx", task, TASK(0) + 48);
	m->nr_tasks = n;
}

/* Task @n sleeps in @slow_path. */
void made_machine_sleeper(struct made_machine *m, unsigned int n, const char *slow_path)
{
	add_task(m, n, 2);
	make_kernel_line(&m->k, "at 0x%llx\n u64 0 0 0 0 0 0 schedule+4 %s+4", SP(n), slow_path);
	make_kernel_line(&m->k, "at 0x%llx\n fill 256 0\n u64 want+4 start+4", FRAME(n));
}

/* Task @n, 1 or 2, runs on its CPU at @pc, with @di in the first argument's register and @caller as its caller. */
void made_machine_runner(struct made_machine *m, unsigned int n, const char *pc, const char *di,
			 const char *caller)
{
	uint64_t note = (n == 1 ? 0xffff888010000000 : 0xffff888020000000) + 0x4000;

	add_task(m, n, 0);
	make_kernel_line(&m->k, "at 0x%llx\n u64 %s+4 start+4", SP(n), caller);
	make_kernel_line(&m->k, "at 0x%llx\n u32 5 336 1\n str CORE\n u8 0 0 0\n fill 112 0",
			 (unsigned long long)note);
	make_kernel_line(&m->k, "fill 112 0\n u64 %s 0 %s+4 0x10 0x246 0x%llx 0x18\n fill 56 0", di,
			 pc, SP(n));
}

void made_machine_begin(struct made_machine *m, const char *lock_types)
{
	memset(m, 0, sizeof(*m));
	make_kernel_init(&m->k);
	make_kernel_text(&m->k, made_kernel_minimum);
	make_kernel_text(&m->k, types);
	make_kernel_text(&m->k, lock_types);
	make_kernel_text(&m->k, machine);
	make_kernel_text(&m->k, "at init_task\n fill 1024 0\n");
	make_kernel_line(&m->k, "set init_task task_struct.real_parent init_task\n"
				"set init_task task_struct.tasks.next init_task+48\n"
				"at init_task+112\nstr swapper");
}

void made_machine_begin_calm(struct made_machine *m, const char *lock_types)
{
	made_machine_begin(m, lock_types);
	made_machine_runner(m, 1, "want", "0", "want");
	made_machine_runner(m, 2, "want", "0", "want");
}

void made_machine_link(struct made_machine *m, const uint64_t *nodes)
{
	size_t count = 0;

	while (nodes[count])
		count++;
	for (size_t i = 0; i < count; i++)
		make_kernel_line(&m->k, "at 0x%llx\n u64 0x%llx 0x%llx",
				 (unsigned long long)nodes[i],
				 (unsigned long long)nodes[(i + 1) % count],
				 (unsigned long long)nodes[(i + count - 1) % count]);
}

void made_machine_put(struct made_machine *m, uint64_t at, uint64_t value)
{
	make_kernel_line(&m->k, "at 0x%llx\n u64 0x%llx", (unsigned long long)at,
			 (unsigned long long)value);
}

uint64_t made_machine_waiter(struct made_machine *m, unsigned int n)
{
	made_machine_put(m, FRAME(n) + 0x20 + 16, TASK(n)); /* mutex_waiter.task */
	return FRAME(n) + 0x20;
}

void made_machine_find(struct made_machine *m)
{
	m->kernel = make_kernel_open(&m->k);
	cpus_init(&m->cpus, m->kernel);
	tasks_init(&m->tasks, m->kernel, &m->cpus);
	if (!m->lossy)
		assert_no_error(m->tasks.error);
	locks_init(&m->locks, m->kernel, &m->cpus, &m->tasks, m->states);
	assert_no_error(m->locks.error);
}

void made_machine_end(struct made_machine *m)
{
	locks_deinit(&m->locks);
	tasks_deinit(&m->tasks);
	cpus_deinit(&m->cpus);
	kernel_close(m->kernel);
	make_kernel_deinit(&m->k);
}

uint32_t made_machine_place(const struct made_machine *m, uint32_t pid)
{
	for (uint32_t i = 0; i < m->tasks.list.count; i++)
		if (m->tasks.list.data[i].pid == pid)
			return i;
	fail_msg("no task %u", pid);
	return 0;
}

const struct lock *made_machine_lock(const struct made_machine *m, uint32_t pid)
{
	return locks_waited_for(&m->locks, made_machine_place(m, pid));
}
