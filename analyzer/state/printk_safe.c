// SPDX-License-Identifier: GPL-2.0-only
/*
 * Up to 5.14 printk() in an NMI, or inside of printk() itself, wrote to a buffer
 * of the CPU, which an interrupt work flushed to the log later: per-CPU
 * nmi_print_seq and safe_print_seq, kernel/printk/printk_safe.c. A CPU that hangs
 * with its interrupts off never does. Lines begin with KERN_SOH and a level.
 */
#include "state/printk_safe.h"

#include <string.h>

#include "base/cleanup.h"
#include "state/printk.h"

#define KERN_SOH      '\001'
#define DEFAULT_LEVEL 4 /* CONFIG_MESSAGE_LOGLEVEL_DEFAULT */

static struct error *add_lines(struct dmesg *dmesg, uint32_t cpu, const char *text, size_t size)
{
	uint64_t count = dmesg->lines.count;
	struct printk_record record = {
		.t_ns = count ? dmesg->lines.data[count - 1].t_ns : 0,
		.has_caller = true,
		.caller = DMESG_CALLER_CPU | cpu,
	};
	struct error *err = NULL;

	while (!err && size) {
		const char *newline = memchr(text, '\n', size);
		size_t len = newline ? (size_t)(newline - text) : size;
		size_t skip = len >= 2 && text[0] == KERN_SOH ? 2 : 0;
		record.level =
			skip && text[1] >= '0' && text[1] <= '7' ? text[1] - '0' : DEFAULT_LEVEL;
		record.text = text + skip;
		record.size = len - skip;
		err = dmesg_add(dmesg, &record);
		len += newline ? 1 : 0;
		text += len;
		size -= len;
	}
	return err;
}

static struct error *read_buffer(struct dmesg *dmesg, struct kernel *kernel, const struct cpu *cpu,
				 uint64_t address, const struct member *len_member,
				 const struct member *buffer)
{
	_cleanup_free_ char *text = NULL;
	uint64_t len;

	struct error *err = member_read(&kernel->memory, address, len_member, &len);
	if (err || !len)
		return err;
	err = memory_read_alloc(&kernel->memory, address + buffer->offset, len, buffer->count,
				&text);
	return err ? err : add_lines(dmesg, cpu->number, text, len);
}

void printk_safe_read(struct dmesg *dmesg, struct kernel *kernel, const struct cpus *cpus)
{
	static const enum ksym_id buffers[] = { KSYM_safe_print_seq, KSYM_nmi_print_seq };
	struct member len, buffer;

	if (!types_member(kernel->symbols.types, "printk_safe_seq_buf", "len", &len) ||
	    !types_member(kernel->symbols.types, "printk_safe_seq_buf", "buffer", &buffer))
		return;
	for (size_t i = 0; i < cpus->list.count; i++) {
		for (size_t b = 0; b < sizeof(buffers) / sizeof(buffers[0]); b++) {
			const struct cpu *cpu = &cpus->list.data[i];
			uint64_t address = kernel->symbols.at[buffers[b]];
			if (!address)
				continue;
			/* That one cannot be read is no reason to go without the others. */
			error_destroy(read_buffer(dmesg, kernel, cpu, address + cpu->per_cpu, &len,
						  &buffer));
		}
	}
}
