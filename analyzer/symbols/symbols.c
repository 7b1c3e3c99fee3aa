// SPDX-License-Identifier: GPL-2.0-only
#include "symbols/symbols.h"

#include <string.h>

#include "base/cleanup.h"
#include "symbols/btf_mend.h"
#include "symbols/btf_names.h"
#include "symbols/debug_search.h"
#include "symbols/lost_symbols.h"
#include "symbols/symbol_file.h"

#define MAX_BTF_SIZE	 (64u << 20) /* kernels have up to 7 MB */
/* arch/x86/include/asm/page_64_types.h, pgtable_64_types.h */
#define START_KERNEL_MAP 0xffffffff80000000ull
#define MODULES_END	 0xffffffffff000000ull

#define KSYM_NAME(name) #name,
static const char *const ksym_names[NR_KSYM] = { KSYM_LIST(KSYM_NAME) };

/* Those that only this layer reads. */
#define OWN_LIST(K)                   \
	K(btf_modules)                \
	K(bpf_kallsyms)               \
	K(ftrace_ops_trampoline_list) \
	K(kprobe_insn_slots)          \
	K(kprobe_optinsn_slots)       \
	K(last_unloaded_module)
#define OWN_ENUM(name) OWN_##name,
enum own_id { OWN_LIST(OWN_ENUM) NR_OWN };
static const char *const own_names[NR_OWN] = { OWN_LIST(KSYM_NAME) };

static void find_variables(struct symbols *symbols, uint64_t own[NR_OWN])
{
	struct kallsyms_wanted wanted[NR_KSYM + NR_OWN];

	for (size_t i = 0; i < NR_KSYM; i++)
		wanted[i].name = ksym_names[i];
	for (size_t i = 0; i < NR_OWN; i++)
		wanted[NR_KSYM + i].name = own_names[i];
	kallsyms_find(&symbols->kallsyms, wanted, NR_KSYM + NR_OWN);
	for (size_t i = 0; i < NR_KSYM; i++)
		symbols->at[i] = wanted[i].address;
	for (size_t i = 0; i < NR_OWN; i++)
		own[i] = wanted[NR_KSYM + i].address;
}

/* Where it is no variable, it is not random either, and page tables must do. */
static void find_direct_base(struct symbols *symbols)
{
	uint64_t address = symbols->at[KSYM_page_offset_base];
	struct error *err =
		address ? memory_read_u64(symbols->memory, address, &symbols->memory->direct_base)
			: NULL;

	if (err)
		symbols->memory->direct_base = 0;
	error_destroy(err);
}

/* One error of two: what failed, and what else was tried or can be. */
static struct error *also(struct error *first, struct error *then)
{
	struct error *ret =
		error_fault(first->class, first->address, "%s; %s", first->message, then->message);

	error_destroy(first);
	error_destroy(then);
	return ret;
}

struct vmlinux_search {
	struct build_id wanted;
	char *found;
};

static bool try_vmlinux(void *data, const char *path)
{
	struct vmlinux_search *search = data;

	if (symbol_file_is_of(path, &search->wanted))
		search->found = strdup(path);
	return search->found;
}

/* That of the dump's build id, which must be known: what nobody named is not taken for its name. */
static char *find_vmlinux(const char *folders, const struct vmcoreinfo *info)
{
	_cleanup_free_ char *release = debug_release(info);
	struct vmlinux_search search = {};
	const struct debug_wanted wanted = { .build_id = &search.wanted, .release = release };

	build_id_of_vmcoreinfo(info, &search.wanted);
	if (search.wanted.size)
		debug_search(folders, &wanted, try_vmlinux, &search);
	return search.found;
}

/* The dump's own symbols, those kept of this boot, those of a vmlinux: the first that can be had. */
static struct error *read_symbols(struct symbols *symbols, const struct vmcoreinfo *info,
				  const struct symbol_files *files)
{
	struct kallsyms *kallsyms = &symbols->kallsyms;
	const char *const others[] = { files->kept, files->vmlinux };

	if (files->symbols)
		return symbol_file_load(files->symbols, info, kallsyms);
	struct error *err = kallsyms_init(kallsyms, symbols->memory, info);
	for (size_t i = 0; err && i < sizeof(others) / sizeof(others[0]); i++) {
		if (!others[i])
			continue;
		struct error *why = symbol_file_load(others[i], info, kallsyms);
		if (!why) {
			error_destroy(err);
			return NULL;
		}
		err = also(err, why);
	}
	if (err)
		err = also(err,
			   error_create(ERROR_NOT_FOUND,
					"give its symbols by --symbols FILE: the /proc/kallsyms of "
					"that boot, a System.map or a vmlinux"));
	return err;
}

/* The dump's own BTF, or what there is of it. */
static struct error *read_own_btf(struct symbols *symbols, uint64_t start, size_t size,
				  bool all_or_none, void **ret)
{
	struct holes holes;
	struct error *err =
		memory_read_table(symbols->memory, start, size, MAX_BTF_SIZE, ret, &holes);

	if (!err && holes.error) {
		symbols->types_error =
			error_prefix(error_copy(holes.error), "BTF, which is not whole");
		if (all_or_none)
			err = error_copy(holes.error);
		else
			err = btf_mend(*ret, size, &holes);
		if (err)
			free(*ret);
	}
	holes_deinit(&holes);
	return err;
}

static struct error *read_btf(struct symbols *symbols, const struct vmcoreinfo *info,
			      const struct symbol_files *files, void **ret, size_t *size_ret)
{
	uint64_t start = symbols->at[KSYM___start_BTF], stop = symbols->at[KSYM___stop_BTF];
	struct error *err;

	if ((!start || !stop) && symbols->kallsyms.error)
		lost_symbols_find_btf(symbols, info, &start, &stop);
	if (start && stop > start) {
		*size_ret = stop - start;
		err = read_own_btf(symbols, start, *size_ret, files->vmlinux, ret);
	} else {
		err = symbols->kallsyms.error
			      ? error_create(ERROR_NOT_FOUND,
					     "the symbols that lead to it are lost")
			      : error_create(
					ERROR_NOT_FOUND,
					"this kernel has no BTF: without types its memory cannot be read; "
					"build it with CONFIG_DEBUG_INFO_BTF=y");
	}
	if (err && files->vmlinux) {
		struct error *why = symbol_file_btf(files->vmlinux, info, ret, size_ret);
		if (why)
			return also(err, why);
		error_destroy(err);
		err = NULL;
	}
	return error_prefix(err, "BTF");
}

/* Modules, and what was made at run time: without them the core kernel can still be read. */
static void read_others(struct symbols *symbols, const uint64_t own[NR_OWN])
{
	struct memory *memory = symbols->memory;
	struct modules *modules = &symbols->modules;
	uint64_t head = symbols->at[KSYM_modules];
	const struct generated_lists lists = {
		.bpf_kallsyms = own[OWN_bpf_kallsyms],
		.ftrace_ops_trampoline_list = own[OWN_ftrace_ops_trampoline_list],
		.kprobe_insn_slots = own[OWN_kprobe_insn_slots],
		.kprobe_optinsn_slots = own[OWN_kprobe_optinsn_slots],
	};

	if (head)
		symbols->modules_error =
			modules_init(modules, memory, symbols->types, head, &symbols->names);
	if (head && own[OWN_last_unloaded_module]) {
		struct error *err = modules_read_unloaded(modules, own[OWN_last_unloaded_module],
							  &symbols->names);
		if (symbols->modules_error)
			error_destroy(err);
		else
			symbols->modules_error = err;
	}
	symbols->btf_modules = own[OWN_btf_modules];
	symbols->generated_error = generated_init(&symbols->generated, memory, symbols->types,
						  &lists, &symbols->names);
}

/* x86-64: from the end of what the kernel's image may take (MODULES_VADDR) to the fixmap; others say it themselves. */
static void find_module_space(struct symbols *symbols, const struct vmcoreinfo *info)
{
	uint64_t size;

	if (vmcoreinfo_number(info, "NUMBER(KERNEL_IMAGE_SIZE)", &size)) {
		symbols->module_space = START_KERNEL_MAP + size;
		symbols->module_space_end = MODULES_END;
	} else if (!vmcoreinfo_number(info, "NUMBER(MODULES_VADDR)", &symbols->module_space) ||
		   !vmcoreinfo_number(info, "NUMBER(MODULES_END)", &symbols->module_space_end)) {
		symbols->module_space = symbols->module_space_end = 0;
	}
}

struct error *symbols_init(struct symbols *symbols, struct memory *memory,
			   const struct vmcoreinfo *info, const struct symbol_files *files)
{
	struct symbol_files with = *files;
	uint64_t own[NR_OWN];
	void *btf = NULL;
	size_t size = 0;

	memset(symbols, 0, sizeof(*symbols));
	symbols->memory = memory;
	find_module_space(symbols, info);
	if (!files->vmlinux && files->debug_dir)
		with.vmlinux = symbols->vmlinux = find_vmlinux(files->debug_dir, info);
	struct error *err = read_symbols(symbols, info, &with);
	if (err && files->symbols)
		return err;
	/* Without its names the kernel can be read nevertheless. */
	symbols->kallsyms.error = err ? err : symbols->kallsyms.error;
	find_variables(symbols, own);
	if (symbols->kallsyms.error)
		lost_symbols_find(symbols, ksym_names, info);
	find_direct_base(symbols);
	err = read_btf(symbols, info, &with, &btf, &size);
	if (!err)
		err = types_parse(btf, size, &symbols->types);
	if (!err && symbols->types_error)
		err = btf_names_restore(symbols->types);
	if (!err && symbols->kallsyms.error)
		lost_symbols_find_by_types(symbols, ksym_names);
	if (!err)
		read_others(symbols, own);
	/* Then that is why there is nothing. */
	if (err && !symbols->kallsyms.count) {
		error_destroy(err);
		err = symbols->kallsyms.error;
		symbols->kallsyms.error = NULL;
	}
	return err;
}

void symbols_deinit(struct symbols *symbols)
{
	kallsyms_deinit(&symbols->kallsyms);
	modules_deinit(&symbols->modules);
	module_types_deinit(&symbols->module_types);
	types_destroy(symbols->types);
	generated_deinit(&symbols->generated);
	error_destroy(symbols->modules_error);
	error_destroy(symbols->generated_error);
	error_destroy(symbols->types_error);
	arena_deinit(&symbols->names);
	free(symbols->core_names);
	free(symbols->vmlinux);
}

struct symbol_name {
	uint32_t index; /* plus one: 0 is a free place */
	const char *name;
};

static struct symbol_name *place_of(struct symbol_name *names, uint32_t size, uint32_t index)
{
	uint32_t slot = index * 2654435761u;

	for (;; slot++) {
		struct symbol_name *place = &names[slot & (size - 1)];
		if (!place->index || place->index == index + 1)
			return place;
	}
}

static bool grow_names(struct symbols *symbols)
{
	uint32_t size = symbols->core_names_size ? symbols->core_names_size * 2 : 1024;
	struct symbol_name *names = calloc(size, sizeof(*names));

	if (!names)
		return false;
	for (uint32_t i = 0; i < symbols->core_names_size; i++)
		if (symbols->core_names[i].index)
			*place_of(names, size, symbols->core_names[i].index - 1) =
				symbols->core_names[i];
	free(symbols->core_names);
	symbols->core_names = names;
	symbols->core_names_size = size;
	return true;
}

/* The name of a symbol of the core kernel, once for all that ask for it. */
static const char *core_name(struct symbols *symbols, uint32_t index)
{
	char name[KSYM_NAME_SIZE];

	if (symbols->nr_core_names * 2 >= symbols->core_names_size && !grow_names(symbols))
		return NULL;
	struct symbol_name *place = place_of(symbols->core_names, symbols->core_names_size, index);
	if (!place->index) {
		kallsyms_name(&symbols->kallsyms, index, name);
		*place = (struct symbol_name){ index + 1,
					       arena_strndup(&symbols->names, name, sizeof(name)) };
		symbols->nr_core_names++;
	}
	return place->name;
}

static struct symbol lookup(struct symbols *symbols, uint64_t address)
{
	struct symbol ret = {};
	struct module *module = modules_find(&symbols->modules, address);
	uint32_t index;

	if (module) {
		ret.module = module;
		module_lookup(&symbols->modules, module, address, &ret.name, &ret.start, &ret.size);
		return ret;
	}
	const struct generated_code *code = generated_find(&symbols->generated, address);
	if (code)
		return (struct symbol){ code->name, code->start, code->end - code->start };
	if (!kallsyms_lookup(&symbols->kallsyms, address, &index, &ret.start, &ret.size))
		return ret;
	/* Behind the last symbol, and below the first that is no per-CPU offset, nothing is known. */
	if (address - ret.start >= ret.size || ret.size > UINT32_MAX)
		return (struct symbol){};
	ret.name = core_name(symbols, index);
	if (!ret.name || !ret.name[0])
		return (struct symbol){};
	return ret;
}

struct symbol symbols_lookup(struct symbols *symbols, uint64_t address)
{
	size_t place = (address ^ address >> 10) % SYMBOL_CACHE_SIZE;

	if (symbols->cache[place].address != address + 1) {
		symbols->cache[place].symbol = lookup(symbols, address);
		symbols->cache[place].address = address + 1;
	}
	return symbols->cache[place].symbol;
}

struct error *symbols_module_types(struct symbols *symbols, const struct module *module,
				   const struct types **ret)
{
	struct module_types *all = &symbols->module_types;
	uint64_t head = symbols->btf_modules;
	struct error *err = NULL, *its;

	symbols->btf_modules = 0;
	if (head)
		err = module_types_init(all, symbols->memory, symbols->types, head);
	its = module_types_get(all, symbols->memory, symbols->types, module, ret);
	if (!err)
		return its;
	error_destroy(its);
	return err;
}

bool symbols_is_unloaded(const struct symbols *symbols, uint64_t address)
{
	return address >= symbols->module_space && address < symbols->module_space_end &&
	       !modules_find(&symbols->modules, address) &&
	       !generated_find(&symbols->generated, address);
}

struct error *symbols_address(const struct symbols *symbols, enum ksym_id ksym, uint64_t *ret)
{
	*ret = symbols->at[ksym];
	if (!*ret)
		return error_create(ERROR_NOT_FOUND, "kallsyms: no symbol %s", ksym_names[ksym]);
	return NULL;
}
