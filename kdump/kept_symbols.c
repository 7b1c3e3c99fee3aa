// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/kept_symbols.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "dump/dump.h"
#include "dump/vmcoreinfo.h"

#define CHUNK (1u << 20)
#define MOST  (64u << 20) /* of a kernel with all modules: 10 MB */

bool kept_symbols_needed(void)
{
	struct vmcoreinfo info = { 0 };
	struct dump *dump;
	uint64_t address;
	struct error *err = dump_open(DUMP_LIVE, &dump);

	if (err) {
		error_destroy(err);
		return true;
	}
	info.text = dump_vmcoreinfo(dump, &info.size);
	bool needed = !info.text || !vmcoreinfo_symbol(&info, "kallsyms_names", &address);
	dump_close(dump);
	return needed;
}

/* To root too, if kernel.kptr_restrict is 2: then each address is 0. Some really are, but not ten in a row. */
static bool is_hidden(const char *text)
{
	for (int i = 0; i < 10 && text; i++) {
		if (strtoull(text, NULL, 16))
			return false;
		text = strchr(text, '\n');
		text = text && text[1] ? text + 1 : NULL;
	}
	return true;
}

struct error *kept_symbols_read(const char *path, struct kept_symbols *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	size_t size = 0;

	*ret = (struct kept_symbols){ 0 };
	if (fd < 0)
		return error_errno("%s", path);
	for (ssize_t n = 1; n;) {
		char *more = size < MOST ? realloc(text, size + CHUNK + 1) : NULL;
		if (!more)
			return size < MOST ? &error_no_memory
					   : error_create(ERROR_OTHER, "%s: longer than %u MB",
							  path, MOST >> 20);
		text = more;
		n = read(fd, text + size, CHUNK);
		if (n < 0)
			return error_errno("%s", path);
		size += n;
	}
	text[size] = '\0';
	if (is_hidden(text))
		return error_create(ERROR_OTHER,
				    "%s: the addresses are hidden; set kernel.kptr_restrict to 1",
				    path);
	ret->text = steal_ptr(text);
	ret->size = size;
	return NULL;
}

void kept_symbols_deinit(struct kept_symbols *symbols)
{
	free(symbols->text);
	*symbols = (struct kept_symbols){ 0 };
}
