// SPDX-License-Identifier: GPL-2.0-only
#include "make_program.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

void made_program_run(const struct made_program *program, const char *format, ...)
{
	char command[1024];
	int len = snprintf(command, sizeof(command), "cd %s && ", program->folder);
	va_list args;

	va_start(args, format);
	vsnprintf(command + len, sizeof(command) - len, format, args);
	va_end(args);
	if (system(command))
		fail_msg("%s", command);
}

void make_program(struct made_program *program, const char *source, const char *options)
{
	char path[sizeof(program->path)];

	strcpy(program->folder, "/tmp/lockdump-test.XXXXXX");
	assert_non_null(mkdtemp(program->folder));
	snprintf(program->path, sizeof(program->path), "%s/vmlinux", program->folder);
	snprintf(path, sizeof(path), "%s/source.c", program->folder);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(source, file);
	assert_return_code(fclose(file), errno);
	made_program_run(program, "gcc -g %s -o vmlinux source.c", options);
}

void made_program_deinit(struct made_program *program)
{
	made_program_run(program, "rm -rf %s", program->folder);
}

uint64_t made_program_symbol(const char *path, const char *name)
{
	int fd = open(path, O_RDONLY);
	assert_return_code(fd, errno);
	elf_version(EV_CURRENT);
	Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	GElf_Sym sym;
	uint64_t ret = 0;
	bool found = false;

	while ((scn = elf_nextscn(elf, scn))) {
		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_SYMTAB)
			continue;
		Elf_Data *data = elf_getdata(scn, NULL);
		for (int i = 0; !found && gelf_getsym(data, i, &sym); i++) {
			found = !strcmp(elf_strptr(elf, shdr.sh_link, sym.st_name), name);
			ret = sym.st_value;
		}
	}
	elf_end(elf);
	close(fd);
	if (!found)
		fail_msg("%s: no symbol %s", path, name);
	return ret;
}

uint32_t made_program_line(const char *source, const char *mark)
{
	const char *at = strstr(source, mark);
	uint32_t line = 1;

	assert_non_null(at);
	for (; source < at; source++)
		line += *source == '\n';
	return line;
}
