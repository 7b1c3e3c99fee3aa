/* SPDX-License-Identifier: GPL-2.0-only */
/* Stacks: from a set of registers outwards, over every stack that the walk comes through. */
#ifndef LOCKDUMP_UNWIND_H
#define LOCKDUMP_UNWIND_H

#include "base/vector.h"
#include "dump/notes.h"
#include "unwind/orc.h"

#define REGISTERS_MAX 40

/* What a walk from registers is worth. */
enum registers_trust {
	REGISTERS_EXACT, /* those of the moment of the dump */
	REGISTERS_OLD, /* the stack must bear them out: a return address behind another call is a guess */
	REGISTERS_GUESSED,
};

/* Registers, in the order of the architecture's struct pt_regs. */
struct registers {
	uint64_t values[REGISTERS_MAX];
	enum registers_trust trust;
	/* Of the struct pt_regs, or 0, from which on the walk is no guess again. */
	uint64_t exact_at;
	uint64_t known; /* bit n: values[n] is the register's; a sleeping task keeps not all */
};

enum frame_section {
	SECTION_TASK,
	SECTION_IRQ,
	SECTION_NMI,
	SECTION_EXCEPTION,
	SECTION_USER,
};

struct frame {
	uint64_t pc;
	uint64_t sp; /* the stack pointer at pc: where the inner frame began */
	uint64_t registers_at; /* of the struct pt_regs that has this frame's registers, or 0 */
	enum frame_section section;
	bool interrupted; /* pc is where it was stopped; else a return address, behind the call */
	bool reliable; /* no guess led here */
};

/* A stack runs from the innermost frame out. */
struct stack {
	VECTOR(struct frame) frames;
	struct error *error; /* why the walk ended before its end, or NULL */
};

/* A stack's memory, and what runs on it. */
struct stack_area {
	uint64_t start, end;
	enum frame_section section;
};

#define UNWIND_MAX_FRAMES 256
#define UNWIND_MAX_AREAS  10

struct unwinder;

/* What unwinding is on an architecture. */
struct unwind_arch {
	uint16_t machine; /* EM_... */
	unsigned int nr_registers;
	const char *const *register_names;
	unsigned int pc, sp; /* indices of registers */
	unsigned int argument; /* and of the one with a function's first argument */
	const uint8_t *dwarf_registers; /* by DWARF's number, their indices */
	unsigned int nr_dwarf_registers;
	uint32_t thread_sp; /* bytes into struct thread_struct where sp is, if no type tells */
	uint64_t kept; /* bit n: functions keep the register with index n for their callers */

	/* Resolves the types it needs. */
	struct error *(*init)(struct unwinder *unwinder);
	/* The stacks of a CPU, the tasks' apart. @per_cpu: the CPU's per-CPU offset. */
	struct error *(*cpu_areas)(struct unwinder *unwinder, uint64_t per_cpu);
	/* Takes the registers out of an NT_PRSTATUS note. */
	bool (*from_prstatus)(const struct note *note, struct registers *ret);
	bool (*is_user)(const struct registers *registers);
	/* Walks from @registers, or for a sleeping task from the stack pointer it was switched out with. */
	struct error *(*walk)(struct unwinder *unwinder, const struct registers *registers,
			      struct stack *stack);
	struct error *(*walk_sleeping)(struct unwinder *unwinder, uint64_t sp, struct stack *stack);
	/* The registers that the switch away from a task kept on its stack, at @sp. */
	struct error *(*sleeping_registers)(const struct unwinder *unwinder, uint64_t sp,
					    struct registers *ret);
	/* The registers of user mode of the task whose stack is areas[0]; false if it has none. */
	bool (*user_registers)(struct unwinder *unwinder, struct registers *ret);
	/* Finds registers of a CPU that left none on its stacks, and sets their trust. */
	bool (*find_registers)(struct unwinder *unwinder, uint64_t per_cpu, struct registers *ret);
	/* Those of the struct pt_regs at @address. */
	struct error *(*read_registers)(const struct unwinder *unwinder, uint64_t address,
					struct registers *ret);
	/* Whether the @size bytes of @code, which is at @at, have @address as an operand. */
	bool (*code_mentions)(const uint8_t *code, size_t size, uint64_t at, uint64_t address);
};

extern const struct unwind_arch unwind_arch_x86_64;

/* That of ELF machine @machine, or NULL. */
const struct unwind_arch *unwind_arch_find(uint32_t machine);

/* Where a task keeps the return addresses that tracers replaced: return_hooks.c. */
struct return_hooks {
	struct return_hook_list {
		struct member head, next, place, address;
	} lists[2];
	struct member ret_stack, ret, retp;
};

enum unwind_method { UNWIND_ORC, UNWIND_FRAME_POINTERS, UNWIND_GUESS };

struct unwinder {
	const struct unwind_arch *arch;
	enum unwind_method method;
	bool usable; /* else no stack can be had at all */
	struct error *error; /* why there are no stacks, or only guesses; NULL: neither */
	struct symbols *symbols;
	struct memory *memory;
	struct orc orc;
	uint64_t thread_size; /* bytes of a task's stack */
	uint64_t task; /* whose stack is walked next, if that is known: for its return hooks */
	struct return_hooks return_hooks;
	struct stack_area areas[UNWIND_MAX_AREAS]; /* [0] is the task's */
	unsigned int nr_areas;
	union {
		struct {
			struct member frame[REGISTERS_MAX]; /* of inactive_task_frame */
			struct member hardirq_stack_ptr, hardirq_stack_inuse;
			struct member nmi, df, db, mce, vc;
			struct member estacks, entry_stack; /* of cpu_entry_area */
			uint32_t inactive_frame_size, irq_stack_size;
		} x86_64;
	} layout;
};

/*
 * Fails only for machines that are not known. What else is not there costs stacks, not the report: it ends in
 * unwinder->error.
 */
struct error *unwinder_init(struct unwinder *unwinder, struct symbols *symbols, uint16_t machine);
void unwinder_deinit(struct unwinder *unwinder);

/* Walks a task that was running on the CPU with @per_cpu; @task_stack: task_struct.stack. */
struct error *unwind_running(struct unwinder *unwinder, const struct registers *registers,
			     uint64_t task_stack, uint64_t per_cpu, struct stack *ret);

/*
 * Where the stack begins that @sp points into, for who has no task_struct to tell: each begins at a multiple of its
 * size (THREAD_ALIGN). 0: it is no task's, but one of the CPU's with @per_cpu.
 */
uint64_t unwind_task_stack(struct unwinder *unwinder, uint64_t sp, uint64_t per_cpu);

/* Walks a task that was switched out with stack pointer @sp. */
struct error *unwind_sleeping(struct unwinder *unwinder, uint64_t sp, uint64_t task_stack,
			      struct stack *ret);

/* Adds the frame of user mode to the stack of a task that has such, if the walk did not come to it. */
struct error *unwind_add_user(struct unwinder *unwinder, uint64_t task_stack, struct stack *stack);

/*
 * Looks through the stacks of a CPU that left no registers, and was running the task with @task_stack. False if
 * none can be had.
 */
bool unwind_find_registers(struct unwinder *unwinder, uint64_t task_stack, uint64_t per_cpu,
			   struct registers *ret);

/*
 * The registers that a walk begins with where the task was switched out: for who recovers more of them than
 * a walk needs. Those of a running task are what unwind_running() was given.
 */
struct error *unwind_sleeping_registers(struct unwinder *unwinder, uint64_t sp, uint64_t task_stack,
					struct registers *ret);

/* The registers of @frame, which must have registers_at: all are known there, whatever inner frames did. */
struct error *unwind_frame_registers(struct unwinder *unwinder, const struct frame *frame,
				     struct registers *ret);

/* For the architectures: adds a frame, whose section follows from @sp. */
struct error *unwind_add_frame(struct unwinder *unwinder, struct stack *stack,
			       const struct frame *frame);

/* For the architectures: the area that @sp points into, or NULL. */
const struct stack_area *unwind_area(const struct unwinder *unwinder, uint64_t sp);

void stack_deinit(struct stack *stack);

#endif
