// SPDX-License-Identifier: GPL-2.0-only
#include "symbols/debuginfo.h"

#include "base/cleanup.h"
#include "symbols/debug_search.h"

/* Of a module; looked for once, found or not. */
struct module_file {
	const struct module *module;
	struct debug_file *file;
};

struct debuginfo {
	struct debuginfo_source source;
	struct symbols *symbols;
	uint16_t machine;
	char *release; /* NULL: not known, or no name for a file */
	struct debug_file *kernel; /* NULL: none */
	VECTOR(struct module_file) modules;
	VECTOR(struct error *) errors;
	size_t errors_given;
};

/* What is looked for, and what became of it. */
struct search {
	struct debuginfo *debuginfo;
	const struct module *module; /* NULL: the kernel */
	const struct build_id *wanted;
	struct debug_file *found;
	struct error *why; /* the first file that is there was not used */
};

static void add_error(struct debuginfo *debuginfo, struct error *err)
{
	struct error **place = err ? vector_push(&debuginfo->errors) : NULL;

	if (place)
		*place = err;
	else
		error_destroy(err);
}

/* Without a build id nothing tells a wrong file: it is used, and that is said. */
static struct error *check_build_id(struct debuginfo *debuginfo, const struct debug_file *file,
				    const struct build_id *wanted)
{
	char theirs[2 * BUILD_ID_MAX + 1], ours[2 * BUILD_ID_MAX + 1];
	struct build_id id;

	debug_file_build_id(file, &id);
	if (build_id_equal(&id, wanted))
		return NULL;
	if (!wanted->size) {
		add_error(debuginfo, error_create(ERROR_OTHER,
						  "%s: the dump has no build id to compare: it may "
						  "be of another build",
						  file->path));
		return NULL;
	}
	build_id_text(&id, theirs);
	build_id_text(wanted, ours);
	return error_create(ERROR_OTHER, "%s: not used: its build id is %s, the dump's is %s",
			    file->path, id.size ? theirs : "missing", ours);
}

/* The places of the linked file @file in the dump, or of the object's sections. */
static struct error *place_file(struct debuginfo *debuginfo, struct debug_file *file,
				const struct module *module)
{
	if (module)
		return debug_file_relocate(file, module);
	uint64_t text = debuginfo->symbols->at[KSYM__text], its = debug_file_section(file, ".text");
	if (!text || !its)
		return error_create(ERROR_OTHER, "%s: not used: the kernel's place is not known",
				    file->path);
	file->bias = text - its;
	return NULL;
}

static struct error *try_file(struct search *search, const char *path, int fd)
{
	struct debug_file *file;
	struct error *err = debug_file_open(path, fd, search->debuginfo->machine, &file);

	if (err)
		return err;
	if (search->module && !debug_file_is_relocatable(file))
		err = error_create(ERROR_OTHER, "%s: not used: no module", path);
	if (!err)
		err = check_build_id(search->debuginfo, file, search->wanted);
	if (!err)
		err = place_file(search->debuginfo, file, search->module);
	if (!err)
		err = debug_file_load(file);
	if (err)
		debug_file_close(file);
	else
		search->found = file;
	return err;
}

/* Of several files that are there, why the first was not used. A stripped file is no wrong one. */
static void note_outcome(struct search *search, struct error *err)
{
	if (!err || search->why || err->class == ERROR_NOT_FOUND)
		error_destroy(err);
	else
		search->why = err;
}

/* A candidate of debug_search(): goes on until one fits. */
static bool candidate(void *data, const char *path)
{
	struct search *search = data;

	note_outcome(search, try_file(search, path, -1));
	return search->found;
}

static void ask_server(struct search *search)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;
	struct error *err =
		debuginfod_fetch(search->debuginfo->source.debuginfod, search->wanted, &fd, &path);

	if (!err)
		err = try_file(search, path, fd);
	if (search->why)
		error_destroy(err);
	else
		search->why = err;
}

static struct debug_file *search_file(struct debuginfo *debuginfo, const struct module *module,
				      const struct build_id *wanted)
{
	struct search search = { .debuginfo = debuginfo, .module = module, .wanted = wanted };
	const char *vmlinux = debuginfo->source.vmlinux;

	if (vmlinux && !module)
		search.why = try_file(&search, vmlinux, -1);
	if (!search.found && debuginfo->source.debug_dir) {
		const struct debug_wanted files = {
			.build_id = wanted,
			.release = debuginfo->release,
			.module = module ? module->name : NULL,
		};
		debug_search(debuginfo->source.debug_dir, &files, candidate, &search);
	}
	if (!search.found && debuginfo->source.debuginfod && wanted->size)
		ask_server(&search);
	/* Of a file that was named it is told even if another one was found. */
	if (!search.found || (vmlinux && !module))
		add_error(debuginfo, search.why);
	else
		error_destroy(search.why);
	return search.found;
}

struct error *debuginfo_create(const struct debuginfo_source *source, struct symbols *symbols,
			       const struct vmcoreinfo *info, uint16_t machine,
			       struct debuginfo **ret)
{
	struct build_id wanted;

	*ret = NULL;
	if (!source->vmlinux && !source->debug_dir && !source->debuginfod)
		return NULL;
	struct debuginfo *debuginfo = calloc(1, sizeof(*debuginfo));
	if (!debuginfo)
		return &error_no_memory;
	debuginfo->source = *source;
	debuginfo->symbols = symbols;
	debuginfo->machine = machine;
	debuginfo->release = debug_release(info);
	build_id_of_kernel(symbols, info, &wanted);
	debuginfo->kernel = search_file(debuginfo, NULL, &wanted);
	if (!debuginfo->kernel && !debuginfo->errors.count)
		add_error(debuginfo, error_create(ERROR_NOT_FOUND,
						  "no debug information of the kernel found"));
	*ret = debuginfo;
	return NULL;
}

void debuginfo_destroy(struct debuginfo *debuginfo)
{
	if (!debuginfo)
		return;
	for (size_t i = debuginfo->errors_given; i < debuginfo->errors.count; i++)
		error_destroy(debuginfo->errors.data[i]);
	for (size_t i = 0; i < debuginfo->modules.count; i++)
		debug_file_close(debuginfo->modules.data[i].file);
	vector_deinit(&debuginfo->errors);
	vector_deinit(&debuginfo->modules);
	debug_file_close(debuginfo->kernel);
	free(debuginfo->release);
	free(debuginfo);
}

const char *debuginfo_vmlinux(const struct debuginfo *debuginfo)
{
	return debuginfo && debuginfo->kernel ? debuginfo->kernel->path : NULL;
}

static struct debug_file *file_of_module(struct debuginfo *debuginfo, const struct module *module)
{
	struct build_id wanted;

	for (size_t i = 0; i < debuginfo->modules.count; i++)
		if (debuginfo->modules.data[i].module == module)
			return debuginfo->modules.data[i].file;
	struct module_file *place = vector_push(&debuginfo->modules);
	if (!place)
		return NULL;
	*place = (struct module_file){ .module = module };
	build_id_of_module(debuginfo->symbols, module, &wanted);
	place->file = search_file(debuginfo, module, &wanted);
	return place->file;
}

struct debug_file *debuginfo_file(struct debuginfo *debuginfo, uint64_t address)
{
	if (!debuginfo)
		return NULL;
	/* Looks the module's symbols up too, which debug_file_relocate() needs. */
	struct symbol symbol = symbols_lookup(debuginfo->symbols, address);
	if (symbol.module)
		return file_of_module(debuginfo, symbol.module);
	return symbol.name ? debuginfo->kernel : NULL;
}

const struct source_places *debuginfo_places(struct debuginfo *debuginfo, uint64_t address)
{
	struct debug_file *file = debuginfo_file(debuginfo, address);
	const struct source_places *places = file ? dwarf_places(file, address) : NULL;

	return places && places->count ? places : NULL;
}

struct error *debuginfo_next_error(struct debuginfo *debuginfo)
{
	if (!debuginfo || debuginfo->errors_given == debuginfo->errors.count)
		return NULL;
	return debuginfo->errors.data[debuginfo->errors_given++];
}
