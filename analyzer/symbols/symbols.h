/* SPDX-License-Identifier: GPL-2.0-only */
/* All names and types of a dumped kernel: kallsyms, BTF and modules behind one question, "what is at?". */
#ifndef LOCKDUMP_SYMBOLS_H
#define LOCKDUMP_SYMBOLS_H

#include "symbols/generated.h"
#include "symbols/kallsyms.h"
#include "symbols/module_types.h"
#include "symbols/modules.h"
#include "symbols/types.h"

/*
 * The variables that the analyzer reads, looked up in one pass over kallsyms:
 * symbols.at[KSYM_init_task]. Those that a kernel lacks are 0.
 */
#define KSYM_LIST(K)                \
	K(__cpu_online_mask)        \
	K(__end_init_stack)         \
	K(__end_init_task)          \
	K(__gtod_offset)            \
	K(__irq_regs)               \
	K(__lock_text_end)          \
	K(__lock_text_start)        \
	K(__per_cpu_end)            \
	K(__per_cpu_offset)         \
	K(__per_cpu_start)          \
	K(__sched_text_end)         \
	K(__sched_text_start)       \
	K(__preempt_count)          \
	K(__softirq_pending)        \
	K(__start_BTF)              \
	K(__start_init_stack)       \
	K(__start_init_task)        \
	K(__start_notes)            \
	K(__start_orc_unwind)       \
	K(__start_orc_unwind_ip)    \
	K(__stop_BTF)               \
	K(__stop_notes)             \
	K(__stop_orc_unwind_ip)     \
	K(_einittext)               \
	K(_etext)                   \
	K(_sinittext)               \
	K(_stext)                   \
	K(_text)                    \
	K(_totalram_pages)          \
	K(avenrun)                  \
	K(call_single_queue)        \
	K(cea_exception_stacks)     \
	K(cfd_data)                 \
	K(clocksource_jiffies)      \
	K(contig_page_data)         \
	K(cpu_current_top_of_stack) \
	K(crash_notes)              \
	K(cpu_tss_rw)               \
	K(current_task)             \
	K(debug_locks)              \
	K(hardirq_stack_inuse)      \
	K(crashing_cpu)             \
	K(hardirq_stack_ptr)        \
	K(hrtimer_bases)            \
	K(init_task)                \
	K(irq_stat)                 \
	K(jiffies_64)               \
	K(kernel_cpustat)           \
	K(map_idr)                  \
	K(modules)                  \
	K(node_data)                \
	K(nmi_print_seq)            \
	K(nr_cpu_ids)               \
	K(nr_node_ids)              \
	K(nr_swap_pages)            \
	K(oops_in_progress)         \
	K(orc_header)               \
	K(page_offset_base)         \
	K(panic_cpu)                \
	K(pcpu_hot)                 \
	K(qnodes)                   \
	K(rcu_data)                 \
	K(rcu_state)                \
	K(runqueues)                \
	K(safe_print_seq)           \
	K(saved_command_line)       \
	K(shadow_timekeeper)        \
	K(sysctl_bootid)            \
	K(tainted_mask)             \
	K(tick_do_timer_cpu)        \
	K(timekeeper_data)          \
	K(timer_bases)              \
	K(tk_core)                  \
	K(total_swap_pages)         \
	K(totalreserve_pages)       \
	K(vm_node_stat)             \
	K(vm_zone_stat)             \
	K(vmcoreinfo_note)          \
	K(watchdog_enabled)         \
	K(watchdog_report_ts)       \
	K(watchdog_thresh)          \
	K(watchdog_touch_ts)        \
	K(workqueues)               \
	K(wq_barrier_func)

#define KSYM_ENUM(name) KSYM_##name,
enum ksym_id { KSYM_LIST(KSYM_ENUM) NR_KSYM };

struct symbol {
	const char *name; /* NULL: nothing is known at that address */
	uint64_t start;
	uint64_t size; /* bytes to the next symbol, 0 if there is none */
	const struct module *module; /* NULL: the core kernel, or code that was generated */
};

#define SYMBOL_CACHE_SIZE 1024

struct symbol_name; /* of the core kernel, once put together */

struct symbols {
	struct memory *memory;
	struct kallsyms kallsyms;
	struct types *types;
	struct modules modules;
	struct module_types module_types; /* read when first asked for */
	uint64_t btf_modules; /* the list of them; 0: read, or there is none */
	struct generated generated;
	struct error *generated_error; /* why not all generated code has a name, or NULL */
	struct error *types_error; /* why not all types are there, or NULL */
	struct error *modules_error; /* why the list of modules is not whole, or NULL */
	char *vmlinux; /* that was found in the folders, or NULL */
	struct arena names;
	struct symbol_name *core_names; /* a hash by their index in kallsyms */
	uint32_t nr_core_names, core_names_size;
	uint64_t at[NR_KSYM];
	uint64_t module_space, module_space_end; /* for modules and generated code */
	struct {
		uint64_t address; /* plus one: 0 is a free place */
		struct symbol symbol;
	} cache[SYMBOL_CACHE_SIZE]; /* the same functions are in every stack */
};

/* Files that have what a dump may lack; each may be NULL. symbol_file.h tells what they may be. */
struct symbol_files {
	const char *symbols; /* the core kernel's; used instead of the dump's own */
	const char *kept; /* the same, but used only if the dump has none */
	const char *vmlinux; /* symbols and BTF if the dump has none, and debug information */
	const char *debug_dir; /* folders to look for it in if none is named: debuginfo.h */
};

/* On an error, what was read before it is there nevertheless. */
struct error *symbols_init(struct symbols *symbols, struct memory *memory,
			   const struct vmcoreinfo *info, const struct symbol_files *files);
void symbols_deinit(struct symbols *symbols);

/* What covers @address. Its strings live as long as @symbols. */
struct symbol symbols_lookup(struct symbols *symbols, uint64_t address);

/*
 * The types of @module: its own and the kernel's. The kernel's alone if it has none, or if they cannot be read: then
 * the error says why, once.
 */
struct error *symbols_module_types(struct symbols *symbols, const struct module *module,
				   const struct types **ret);

/*
 * Whether @address is in the space for modules, and in none of what is there now: in one that was unloaded. The
 * last of these, if the kernel knows one, is modules.last_unloaded.
 */
bool symbols_is_unloaded(const struct symbols *symbols, uint64_t address);

/* The address of variable @ksym, or an error that names it. */
struct error *symbols_address(const struct symbols *symbols, enum ksym_id ksym, uint64_t *ret);

#endif
