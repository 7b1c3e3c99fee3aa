// SPDX-License-Identifier: GPL-2.0-only
#include "fuzz.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dump/find_vmcoreinfo.h"
#include "report/report.h"

/* What looking up symbols leaves behind in an open kernel is let go after so many inputs. */
#define KERNEL_LIFE 2000

#define NR_PAGES (FUZZ_SIZE / PAGE_SIZE)

struct fuzz_base {
	int fd;
	char path[32];
	Elf64_Phdr *phdrs; /* notes first, then memory, the input's pages last */
	size_t nr_phdrs;
	char *notes, *info;
	size_t notes_size;
	uint64_t region_at; /* in the file */
	struct kernel *kernel;
	unsigned int uses;
};

static void die(const char *what)
{
	fprintf(stderr, "tests/fuzz: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void *allocate(size_t size)
{
	void *ret = malloc(size ? size : 1);

	if (!ret)
		die("malloc");
	return ret;
}

static void put_at(int fd, uint64_t offset, const void *data, size_t size)
{
	if (size && pwrite(fd, data, size, offset) != (ssize_t)size)
		die("pwrite");
}

void fuzz_touch(const void *data, size_t size)
{
	const volatile uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++)
		(void)bytes[i];
}

static int make_file(char path[32])
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0)
		die("memfd_create");
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

const char *fuzz_file(const void *data, size_t size)
{
	static char path[32];
	static int fd = -1;

	if (fd < 0)
		fd = make_file(path);
	if (ftruncate(fd, size))
		die("ftruncate");
	put_at(fd, 0, data, size);
	return path;
}

bool fuzz_ok(struct error *err)
{
	static int verbose = -1;

	if (!err)
		return true;
	if (verbose < 0)
		verbose = getenv("FUZZ_VERBOSE") != NULL;
	if (verbose)
		fprintf(stderr, "%s\n", err->message);
	fuzz_touch(err->message, strlen(err->message));
	error_destroy(err);
	return false;
}

void fuzz_dump(const uint8_t *data, size_t size, bool find)
{
	struct dump *dump;
	uint8_t bytes[PAGE_SIZE];
	char *text;
	uint64_t pa;
	size_t n;

	if (!fuzz_ok(dump_open(fuzz_file(data, size), &dump)))
		return;
	dump_is_complete(dump);
	const void *notes = dump_notes(dump, &n);
	fuzz_touch(notes, n);
	const char *info = dump_vmcoreinfo(dump, &n);
	fuzz_touch(info, info ? n : 0);
	if (!info && find && fuzz_ok(vmcoreinfo_find(dump, &text, &n, &pa))) {
		fuzz_touch(text, n);
		free(text);
	}
	/* The first pages, and some in each power of two. */
	for (uint64_t pfn = 0; pfn < 16; pfn++)
		fuzz_ok(dump_read(dump, pfn << PAGE_SHIFT, bytes, sizeof(bytes)));
	for (pa = PAGE_SIZE; pa; pa <<= 1)
		fuzz_ok(dump_read(dump, pa - 5, bytes, 10));
	pa = 0;
	for (size_t i = 0; i < 16 && dump_next_page(dump, &pa); i++)
		pa += PAGE_SIZE;
	dump_close(dump);
}

static char *read_text(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t capacity = 0;

	if (!file || getdelim(&text, &capacity, '\0', file) < 0)
		die(path);
	fclose(file);
	return text;
}

/* Takes over the file that make_dump has written, with one more segment for each page at @region_pa, still empty. */
static struct fuzz_base *base_of(struct make_dump *d, uint64_t region_pa, const char *info)
{
	struct fuzz_base *base = allocate(sizeof(*base));
	FILE *file = fopen(make_dump_write(d), "r");
	uint8_t *bytes = allocate(d->size);
	Elf64_Ehdr ehdr;

	if (!file || fread(bytes, 1, d->size, file) != d->size)
		die(d->path);
	fclose(file);
	memset(base, 0, sizeof(*base));
	memcpy(&ehdr, bytes, sizeof(ehdr));
	base->nr_phdrs = ehdr.e_phnum + NR_PAGES;
	base->phdrs = allocate(base->nr_phdrs * sizeof(*base->phdrs));
	memcpy(base->phdrs, bytes + ehdr.e_phoff, ehdr.e_phnum * sizeof(*base->phdrs));
	/* Program headers to the front, and everything behind them where it was, but for a page. */
	uint64_t shift = PAGE_SIZE * (1 + base->nr_phdrs * sizeof(Elf64_Phdr) / PAGE_SIZE);
	for (size_t i = 0; i < ehdr.e_phnum; i++)
		base->phdrs[i].p_offset += shift;
	base->region_at = shift + d->size;
	for (size_t i = 0; i < NR_PAGES; i++)
		base->phdrs[ehdr.e_phnum++] = (Elf64_Phdr){
			.p_type = PT_LOAD,
			.p_offset = base->region_at + i * PAGE_SIZE,
			.p_paddr = region_pa + i * PAGE_SIZE,
			.p_memsz = PAGE_SIZE,
		};
	ehdr.e_phoff = sizeof(ehdr);
	base->fd = make_file(base->path);
	put_at(base->fd, 0, &ehdr, sizeof(ehdr));
	put_at(base->fd, shift, bytes, d->size);
	/* The vmcoreinfo, which is the last note, is made anew with each input. */
	base->info = strdup(info);
	base->notes_size = d->notes_size - (info[0] ? 24 + (strlen(info) + 3) / 4 * 4 : 0);
	base->notes = allocate(base->notes_size);
	memcpy(base->notes, bytes + d->notes_at, base->notes_size);
	free(bytes);
	return base;
}

struct fuzz_base *fuzz_base_physical(void)
{
	struct make_dump d;

	make_dump_init(&d);
	struct fuzz_base *base = base_of(&d, 0, "");
	make_dump_deinit(&d);
	return base;
}

struct fuzz_base *fuzz_base_kernel(const char *path)
{
	struct make_kernel k;

	make_kernel_init(&k);
	uint64_t region_pa = make_kernel_pa(&k, FUZZ_VA);
	for (uint64_t at = PAGE_SIZE; at < FUZZ_SIZE; at += PAGE_SIZE)
		make_kernel_pa(&k, FUZZ_VA + at);
	if (path) {
		char *text = read_text(path);
		make_kernel_text(&k, made_kernel_minimum);
		make_kernel_text(&k, text);
		free(text);
	}
	k.dump.finish(&k.dump);
	k.dump.finish = NULL;
	char *info = strdup(k.dump.info);
	struct fuzz_base *base = base_of(&k.dump, region_pa, info);
	free(info);
	make_kernel_deinit(&k);
	return base;
}

static size_t put_note(char *to, const char *name, const void *desc, size_t size)
{
	Elf64_Nhdr nhdr = { .n_namesz = strlen(name) + 1, .n_descsz = size };
	size_t name_size = (nhdr.n_namesz + 3) / 4 * 4, padded = (size + 3) / 4 * 4;

	memset(to, 0, sizeof(nhdr) + name_size + padded);
	memcpy(to, &nhdr, sizeof(nhdr));
	memcpy(to + sizeof(nhdr), name, nhdr.n_namesz);
	memcpy(to + sizeof(nhdr) + name_size, desc, size);
	return sizeof(nhdr) + name_size + padded;
}

/* Where the input says SYMBOL(holes), its pages with these bits are not in the dump. */
static void put_pages(struct fuzz_base *base, const char *info, size_t info_size, size_t size)
{
	const struct vmcoreinfo vmcoreinfo = { info, info_size };
	Elf64_Phdr *phdrs = base->phdrs + base->nr_phdrs - NR_PAGES;
	uint64_t holes = 0;

	vmcoreinfo_symbol(&vmcoreinfo, "holes", &holes);
	for (size_t i = 0; i < NR_PAGES; i++) {
		size_t left = size > i * PAGE_SIZE ? size - i * PAGE_SIZE : 0;
		phdrs[i].p_filesz = holes >> i & 1 ? 0 : left < PAGE_SIZE ? left : PAGE_SIZE;
	}
}

const char *fuzz_vmcore(struct fuzz_base *base, const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, 0, size), *memory = end ? end + 1 : data + size;
	size_t info_size = (end ? end : memory) - data, memory_size = data + size - memory;
	size_t whole = info_size + 1 + strlen(base->info);
	char *info = allocate(whole), *notes = allocate(base->notes_size + whole + 64);

	if (memory_size > FUZZ_SIZE)
		memory_size = FUZZ_SIZE;
	/* What a key says first counts: the input may change what the base says. */
	memcpy(info, data, info_size);
	info[info_size] = '\n';
	memcpy(info + info_size + 1, base->info, strlen(base->info));
	memcpy(notes, base->notes, base->notes_size);
	size_t notes_size =
		base->notes_size + put_note(notes + base->notes_size, "VMCOREINFO", info, whole);
	base->phdrs[0].p_offset = base->region_at + memory_size;
	base->phdrs[0].p_filesz = notes_size;
	put_pages(base, info, info_size, memory_size);
	put_at(base->fd, sizeof(Elf64_Ehdr), base->phdrs, base->nr_phdrs * sizeof(*base->phdrs));
	put_at(base->fd, base->region_at, memory, memory_size);
	put_at(base->fd, base->region_at + memory_size, notes, notes_size);
	free(info);
	free(notes);
	return base->path;
}

bool fuzz_memory(struct fuzz_base *base, const uint8_t *data, size_t size, struct made_memory *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!fuzz_ok(dump_open(fuzz_vmcore(base, data, size), &ret->dump)))
		return false;
	ret->info.text = dump_vmcoreinfo(ret->dump, &ret->info.size);
	if (fuzz_ok(memory_init(&ret->memory, ret->dump, &ret->info)))
		return true;
	dump_close(ret->dump);
	return false;
}

struct kernel *fuzz_kernel(struct fuzz_base *base, const uint8_t *data, size_t size)
{
	if (base->kernel && base->uses++ % KERNEL_LIFE == 0) {
		kernel_close(base->kernel);
		base->kernel = NULL;
	}
	if (!base->kernel) {
		struct kernel_source source = { fuzz_vmcore(base, (const uint8_t *)"", 1) };
		struct error *err = kernel_open(&source, &base->kernel);
		if (err) {
			fprintf(stderr, "tests/fuzz: %s\n", err->message);
			exit(2);
		}
	}
	struct kernel *kernel = base->kernel;
	dump_close(kernel->dump);
	kernel->dump = NULL;
	if (!fuzz_ok(dump_open(fuzz_vmcore(base, data, size), &kernel->dump)))
		return NULL;
	kernel->info.text = dump_vmcoreinfo(kernel->dump, &kernel->info.size);
	return fuzz_ok(memory_init(&kernel->memory, kernel->dump, &kernel->info)) ? kernel : NULL;
}

/* As a report has it, but for the log. */
void fuzz_verdict(const struct record *record, const struct dmesg *dmesg)
{
	static struct fuzz_base *base;
	struct report *report;
	struct timeline timeline;

	if (!base)
		base = fuzz_base_kernel("tests/fuzz/log.kernel");
	struct kernel *kernel = fuzz_kernel(base, (const uint8_t *)"", 1);
	if (!fuzz_ok(report_create(kernel, "vmcore", record, &report)))
		return;
	machine_init(&report->machine, kernel, dmesg, &report->clocks);
	fuzz_ok(timeline_init(&timeline, kernel, record, dmesg, &report->machine));
	for (size_t i = 0; i < timeline.events.count; i++)
		event_name(timeline.events.data[i].kind);
	const struct verdict_input input = {
		.kernel = kernel,
		.cpus = &report->cpus,
		.tasks = &report->tasks,
		.locks = &report->locks,
		.cpu_states = &report->cpu_states,
		.dmesg = dmesg,
		.machine = &report->machine,
		.record = record,
	};
	verdict_init(&report->verdict, &input);
	timeline_deinit(&timeline);
	report_destroy(report);
}
