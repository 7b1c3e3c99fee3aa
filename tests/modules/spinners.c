// SPDX-License-Identifier: GPL-2.0-only
/* CPUs that hang, in each of the contexts that a CPU can be in. */
#include "ldhang.h"

#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/moduleparam.h>
#include <linux/nmi.h>
#include <linux/preempt.h>
#include <linux/rwlock.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <asm/apic.h>
#include <asm/msr.h>
#include <asm/nmi.h>
#include <asm/tsc.h>

/* Set, it ends what spins. */
static bool ldhang_stop;
module_param_named(stop, ldhang_stop, bool, 0600);
MODULE_PARM_DESC(stop, "nothing spins any more");

static unsigned int ldhang_limit_ms;
module_param_named(limit_ms, ldhang_limit_ms, uint, 0600);
MODULE_PARM_DESC(limit_ms, "what spins ends by itself after so long; 0: never");

/* By the time stamp counter: with interrupts off nothing else may go on. And nothing is called here. */
static noinline void ldhang_spin(unsigned long *turns)
{
	u64 start = rdtsc(), limit = (u64)READ_ONCE(ldhang_limit_ms) * tsc_khz;

	while (!READ_ONCE(ldhang_stop) && !(limit && rdtsc() - start >= limit)) {
		WRITE_ONCE(*turns, *turns + 1);
		cpu_relax();
	}
}

/* Scenarios that have come to where they hang. */
static atomic_t ldhang_nr_in_place = ATOMIC_INIT(0);

static void in_place(void)
{
	atomic_inc(&ldhang_nr_in_place);
}

/* Who hangs in user mode says so itself, by a write of anything. */
static int ldhang_in_place_set(const char *value, const struct kernel_param *param)
{
	in_place();
	return 0;
}

static int ldhang_in_place_get(char *buffer, const struct kernel_param *param)
{
	return sprintf(buffer, "%d\n", atomic_read(&ldhang_nr_in_place));
}

static const struct kernel_param_ops ldhang_in_place_ops = {
	.set = ldhang_in_place_set,
	.get = ldhang_in_place_get,
};
module_param_cb(in_place, &ldhang_in_place_ops, NULL, 0600);
MODULE_PARM_DESC(in_place, "how many scenarios have come to where they hang");

/* Also what keeps each function that ends with it from jumping there instead of calling. */
static void tell(unsigned long turns)
{
	pr_info("%lu turns\n", turns);
}

/* A CPU that does not schedule, interrupts on: the plainest soft lockup. */
static noinline void ldhang_busy_loop(void)
{
	unsigned long turns = 0;

	preempt_disable();
	in_place();
	ldhang_spin(&turns);
	preempt_enable();
	tell(turns);
}

/* Which CPU has its interrupts off; -1: none. */
static int ldhang_deaf_cpu = -1;

static noinline void ldhang_irqs_off(void)
{
	unsigned long turns = 0;

	local_irq_disable();
	WRITE_ONCE(ldhang_deaf_cpu, smp_processor_id());
	in_place();
	ldhang_spin(&turns);
	local_irq_enable();
	tell(turns);
}

static void ldhang_nothing(void *arg)
{
}

/* Waits for the CPU that runs irqs-off to answer. */
static noinline void ldhang_ipi_wait(void)
{
	while (READ_ONCE(ldhang_deaf_cpu) < 0)
		cpu_relax();
	in_place();
	smp_call_function_single(ldhang_deaf_cpu, ldhang_nothing, NULL, 1);
	barrier();
}

static noinline void ldhang_irq_work(struct irq_work *work)
{
	unsigned long turns = 0;

	in_place();
	ldhang_spin(&turns);
	tell(turns);
}

/* In an interrupt, which comes in while the task spins. */
static noinline void ldhang_hardirq(void)
{
	static struct irq_work work;
	unsigned long turns = 0;

	preempt_disable();
	init_irq_work(&work, ldhang_irq_work);
	irq_work_queue(&work);
	ldhang_spin(&turns);
	preempt_enable();
	tell(turns);
}

static noinline void ldhang_tasklet(struct tasklet_struct *tasklet)
{
	unsigned long turns = 0;

	in_place();
	ldhang_spin(&turns);
	tell(turns);
}

/*
 * In a softirq, behind the next interrupt. A tasklet, as before 6.5 (ksoftirqd_running() in
 * kernel/softirq.c) most others, timers too, are left to ksoftirqd if that is about to run, as it
 * may be by chance; here it never does.
 */
static noinline void ldhang_softirq(void)
{
	static struct tasklet_struct tasklet;
	unsigned long turns = 0;

	preempt_disable();
	tasklet_setup(&tasklet, ldhang_tasklet);
	tasklet_schedule(&tasklet);
	ldhang_spin(&turns);
	preempt_enable();
	tell(turns);
}

static int ldhang_nmi_cpu = -1;
static bool ldhang_nmi_panics;

static noinline int ldhang_nmi_handler(unsigned int type, struct pt_regs *regs)
{
	unsigned long turns = 0;

	if (READ_ONCE(ldhang_nmi_cpu) != raw_smp_processor_id())
		return NMI_DONE;
	if (ldhang_nmi_panics)
		nmi_panic(regs, "ldhang: an NMI");
	in_place();
	ldhang_spin(&turns);
	tell(turns);
	return NMI_HANDLED;
}

#define X2APIC_ID  0x802
#define X2APIC_ICR 0x830

/* To this CPU. By the local APIC itself: nothing that does it is exported. */
static void send_nmi(void)
{
	u32 base, id, high;

	rdmsr(MSR_IA32_APICBASE, base, high);
	if (base & X2APIC_ENABLE) {
		rdmsr(X2APIC_ID, id, high);
		wrmsr(X2APIC_ICR, APIC_DM_NMI, id);
	} else {
		id = native_apic_mem_read(APIC_ID);
		native_apic_mem_write(APIC_ICR2, id);
		native_apic_mem_write(APIC_ICR, APIC_DM_NMI);
	}
}

static noinline void ldhang_nmi(void)
{
	unsigned long turns = 0;
	int err = register_nmi_handler(NMI_LOCAL, ldhang_nmi_handler, 0, "ldhang");

	if (err) {
		pr_err("no NMI handler: %d\n", err);
		return;
	}
	preempt_disable();
	WRITE_ONCE(ldhang_nmi_cpu, smp_processor_id());
	send_nmi();
	ldhang_spin(&turns);
	preempt_enable();
	tell(turns);
}

/* The kernel panics in an NMI. */
static noinline void ldhang_nmi_panic(void)
{
	ldhang_nmi_panics = true;
	ldhang_nmi();
	barrier();
}

static DEFINE_SPINLOCK(ldhang_spinlock);
static bool ldhang_spinlock_held;

static noinline void ldhang_spin_hold(void)
{
	unsigned long turns = 0;

	spin_lock(&ldhang_spinlock);
	WRITE_ONCE(ldhang_spinlock_held, true);
	in_place();
	ldhang_spin(&turns);
	spin_unlock(&ldhang_spinlock);
	tell(turns);
}

/* For the lock of spin-hold. */
static noinline void ldhang_spin_wait(void)
{
	while (!READ_ONCE(ldhang_spinlock_held))
		cpu_relax();
	in_place();
	spin_lock(&ldhang_spinlock);
	spin_unlock(&ldhang_spinlock);
	barrier();
}

/* One CPU that wants a lock twice. */
static noinline void ldhang_spin_self(void)
{
	spin_lock(&ldhang_spinlock);
	in_place();
	spin_lock(&ldhang_spinlock);
	spin_unlock(&ldhang_spinlock);
	barrier();
}

/* Two CPUs, each with a lock that the other wants. */
static DEFINE_SPINLOCK(ldhang_spinlock_a);
static DEFINE_SPINLOCK(ldhang_spinlock_b);
static bool ldhang_has_a, ldhang_has_b;

static noinline void ldhang_spin_ab(void)
{
	spin_lock(&ldhang_spinlock_a);
	WRITE_ONCE(ldhang_has_a, true);
	while (!READ_ONCE(ldhang_has_b))
		cpu_relax();
	in_place();
	spin_lock(&ldhang_spinlock_b);
	spin_unlock(&ldhang_spinlock_b);
	spin_unlock(&ldhang_spinlock_a);
	barrier();
}

static noinline void ldhang_spin_ba(void)
{
	spin_lock(&ldhang_spinlock_b);
	WRITE_ONCE(ldhang_has_b, true);
	while (!READ_ONCE(ldhang_has_a))
		cpu_relax();
	in_place();
	spin_lock(&ldhang_spinlock_a);
	spin_unlock(&ldhang_spinlock_a);
	spin_unlock(&ldhang_spinlock_b);
	barrier();
}

static DEFINE_RWLOCK(ldhang_rwlock);
static bool ldhang_rwlock_held;

static noinline void ldhang_rwlock_hold(void)
{
	unsigned long turns = 0;

	read_lock(&ldhang_rwlock);
	WRITE_ONCE(ldhang_rwlock_held, true);
	in_place();
	ldhang_spin(&turns);
	read_unlock(&ldhang_rwlock);
	tell(turns);
}

/* To write what rwlock-hold reads. */
static noinline void ldhang_rwlock_wait(void)
{
	while (!READ_ONCE(ldhang_rwlock_held))
		cpu_relax();
	in_place();
	write_lock(&ldhang_rwlock);
	write_unlock(&ldhang_rwlock);
	barrier();
}

const struct scenario ldhang_spinners[] = {
	{ "busy-loop", ldhang_busy_loop },
	{ "irqs-off", ldhang_irqs_off },
	{ "ipi-wait", ldhang_ipi_wait },
	{ "hardirq", ldhang_hardirq },
	{ "softirq", ldhang_softirq },
	{ "nmi", ldhang_nmi },
	{ "nmi-panic", ldhang_nmi_panic },
	{ "spin-hold", ldhang_spin_hold },
	{ "spin-wait", ldhang_spin_wait },
	{ "spin-self", ldhang_spin_self },
	{ "spin-ab", ldhang_spin_ab },
	{ "spin-ba", ldhang_spin_ba },
	{ "rwlock-hold", ldhang_rwlock_hold },
	{ "rwlock-wait", ldhang_rwlock_wait },
	{},
};
