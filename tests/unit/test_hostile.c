// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dumps that were made to cost time and memory: whatever is in a file, its analysis ends within 10 s and 256 MB, with
 * a report or an error. The bounds that each of these meets are the readers' own, and not the sandbox's, which
 * test_sandbox.c is about.
 */
#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/vector.h"
#include "bpf/record.h"
#include "lockdump.h"
#include "make_machine.h"
#include "make_record.h"
#include "symbols/types.h"
#include "test.h"

#define MOST_S	10
#define MOST_MB 256

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#else
#define SANITIZED false
#endif

/* A memory checker takes its own time and memory. */
static bool is_measured(void)
{
	return !SANITIZED && !RUNNING_ON_VALGRIND;
}

/* --- what it costs -------------------------------------------------------- */

struct outcome {
	int status;
	char said[4096]; /* on stderr */
};

static void take_usage(pid_t pid, struct outcome *ret)
{
	struct rusage usage;

	assert_int_equal(wait4(pid, &ret->status, 0, &usage), pid);
	double seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
			 (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	print_message("took %.2f s, %ld MB\n", seconds, usage.ru_maxrss >> 10);
	if (!is_measured())
		return;
	/* The limits of the sandbox are of whole seconds, and of data alone. */
	assert_true(seconds < MOST_S + 1.5);
	assert_true(usage.ru_maxrss < (MOST_MB + 32) << 10);
}

/* Runs a verb on a file, with one more argument or two. */
static struct outcome run_verb(int (*verb)(int argc, char **argv), const char *path,
			       const char *option, const char *value)
{
	char *argv[] = { "verb", (char *)path, (char *)option, (char *)value, NULL };
	FILE *err = tmpfile();
	struct outcome ret = {};

	assert_non_null(err);
	fflush(NULL);
	pid_t pid = fork();
	if (!pid) {
		int null = open("/dev/null", O_WRONLY);
		if (dup2(null, STDOUT_FILENO) < 0 || dup2(fileno(err), STDERR_FILENO) < 0)
			_exit(9);
		_exit(verb(2 + !!option + !!value, argv));
	}
	take_usage(pid, &ret);
	rewind(err);
	ret.said[fread(ret.said, 1, sizeof(ret.said) - 1, err)] = '\0';
	fclose(err);
	assert_true(WIFEXITED(ret.status));
	return ret;
}

static void assert_reported(const char *path)
{
	struct outcome outcome = run_verb(cmd_report, path, "--format", "json");

	if (WEXITSTATUS(outcome.status))
		fail_msg("%s", outcome.said);
}

static void assert_refused(const char *path, const char *says)
{
	struct outcome outcome = run_verb(cmd_report, path, NULL, NULL);

	assert_int_equal(WEXITSTATUS(outcome.status), 1);
	if (!strstr(outcome.said, says) || strchr(outcome.said, '\n')[1])
		fail_msg("%s", outcome.said);
}

/* --- dumps ---------------------------------------------------------------- */

/*
 * A machine of two CPUs as an ELF core, and what is put behind its end: further segments of the memory, for what a
 * text would be too long. Physical memory from BIG_PA on is mapped at BIG.
 */
#define BIG	0xffffa00000000000ull
#define BIG_PA	0x100000000ull
#define BIG_GB	64
#define PML4_PA 0x1000ull
#define PUD_PA	0x3fe000ull

struct hostile {
	struct made_machine m;
	int fd;
	uint64_t end; /* of the file */
	VECTOR(Elf64_Phdr) segments;
};

static void begin(struct hostile *h)
{
	memset(h, 0, sizeof(*h));
	made_machine_begin(&h->m, made_locks_with_lists);
	made_machine_runner(&h->m, 1, "want", "0", "want");
	made_machine_runner(&h->m, 2, "want", "0", "want");
}

static void line(struct hostile *h, const char *text)
{
	make_kernel_text(&h->m.k, text);
}

static void map_big(struct hostile *h)
{
	uint64_t entry = PUD_PA | 3;

	make_dump_poke(&h->m.k.dump, PML4_PA + (BIG >> 39 & 511) * 8, &entry, sizeof(entry));
	for (uint64_t i = 0; i < BIG_GB; i++) {
		entry = (BIG_PA + (i << 30)) | 0x83;
		make_dump_poke(&h->m.k.dump, PUD_PA + i * 8, &entry, sizeof(entry));
	}
}

static void add_segment(struct hostile *h, uint32_t type, uint64_t pa, uint64_t size,
			uint64_t offset)
{
	Elf64_Phdr *phdr = vector_push(&h->segments);

	assert_non_null(phdr);
	*phdr = (Elf64_Phdr){
		.p_type = type,
		.p_paddr = pa,
		.p_memsz = size,
		.p_filesz = size,
		.p_offset = offset,
	};
}

/* Writes what there is so far, and takes over its segments. */
static void put_down(struct hostile *h)
{
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr;

	map_big(h);
	h->fd = open(make_dump_write(&h->m.k.dump), O_RDWR | O_CLOEXEC);
	assert_true(h->fd >= 0);
	assert_int_equal(pread(h->fd, &ehdr, sizeof(ehdr), 0), sizeof(ehdr));
	for (int i = 0; i < ehdr.e_phnum; i++) {
		assert_int_equal(pread(h->fd, &phdr, sizeof(phdr), ehdr.e_phoff + i * sizeof(phdr)),
				 sizeof(phdr));
		add_segment(h, phdr.p_type, phdr.p_paddr, phdr.p_memsz, phdr.p_offset);
		h->segments.data[i].p_filesz = phdr.p_filesz;
	}
	h->end = (h->m.k.dump.size + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
}

/* So many bytes of zeros behind the end; *@offset_ret is where. Who writes to them unmaps them. */
static void *extend(struct hostile *h, uint64_t size, uint64_t *offset_ret)
{
	*offset_ret = h->end;
	h->end += (size + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
	assert_int_equal(ftruncate(h->fd, h->end), 0);
	void *ret = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, h->fd, *offset_ret);
	assert_ptr_not_equal(ret, MAP_FAILED);
	return ret;
}

/* Writes the program headers, at the end. */
static const char *finish(struct hostile *h)
{
	Elf64_Ehdr ehdr;
	Elf64_Shdr shdr = { .sh_info = h->segments.count };
	size_t size = h->segments.count * sizeof(*h->segments.data);

	assert_int_equal(pread(h->fd, &ehdr, sizeof(ehdr), 0), sizeof(ehdr));
	ehdr.e_phoff = h->end;
	ehdr.e_phnum = PN_XNUM;
	ehdr.e_shoff = h->end + size;
	assert_int_equal(pwrite(h->fd, h->segments.data, size, h->end), size);
	assert_int_equal(pwrite(h->fd, &shdr, sizeof(shdr), h->end + size), sizeof(shdr));
	assert_int_equal(pwrite(h->fd, &ehdr, sizeof(ehdr), 0), sizeof(ehdr));
	return h->m.k.dump.path;
}

static void end(struct hostile *h)
{
	close(h->fd);
	vector_deinit(&h->segments);
	make_kernel_deinit(&h->m.k);
}

static void nothing_wrong(void **state)
{
	struct hostile h;

	(void)state;
	begin(&h);
	put_down(&h);
	assert_reported(finish(&h));
	end(&h);
}

/* All of them online, all with the per-CPU memory of the first; and a table of notes that is as long as may be. */
static void many_cpus(void **state)
{
	enum { NOTES = 64 << 20 };
	struct hostile h;
	uint64_t offset;

	(void)state;
	begin(&h);
	line(&h, "at nr_cpu_ids\n u32 8192\n at __cpu_online_mask\n fill 1024 0xff\n");
	for (unsigned int i = 512; i < 8192; i++)
		make_kernel_line(&h.m.k, "at __per_cpu_offset+%u\n u64 0xffff888010000000", i * 8);
	put_down(&h);
	char *notes = extend(&h, NOTES, &offset);
	const struct make_dump *d = &h.m.k.dump;
	const Elf64_Nhdr qemu = { 5, 0, 0 }, core = { 5, 0, NT_PRSTATUS };
	memcpy(notes, d->notes, d->notes_size);
	size_t at = d->notes_size;
	for (; at + sizeof(core) + 8 <= NOTES; at += sizeof(core) + 8) {
		memcpy(notes + at, at == d->notes_size ? &qemu : &core, sizeof(core));
		memcpy(notes + at + sizeof(core), at == d->notes_size ? "QEMU" : "CORE", 5);
	}
	munmap(notes, NOTES);
	h.segments.data[0].p_offset = offset;
	h.segments.data[0].p_filesz = at;
	assert_reported(finish(&h));
	end(&h);
}

/* The list of tasks goes on at BIG, where the dump ends as yet. */
static void begin_with_tasks_at_big(struct hostile *h)
{
	begin(h);
	make_kernel_line(&h->m.k, "set init_task task_struct.tasks.next 0x%llx", BIG + 48);
	put_down(h);
}

/* Task structs so near to each other that each word of memory is a member of many, all pointers to others of them. */
static void many_tasks(void **state)
{
	enum { COUNT = 1 << 20, STEP = 16 };
	struct hostile h;
	uint64_t offset;

	(void)state;
	if (!is_measured())
		SKIP("a memory checker, which has no limits");
	begin_with_tasks_at_big(&h);
	uint64_t *words = extend(&h, COUNT * STEP, &offset);
	for (uint64_t i = 0; i < COUNT; i++) {
		words[2 * i] = BIG + (i + 1) % COUNT * STEP;
		words[2 * i + 1] = BIG + i * 7919 % COUNT * STEP;
	}
	munmap(words, COUNT * STEP);
	add_segment(&h, PT_LOAD, BIG_PA, COUNT * STEP, offset);
	struct outcome outcome = run_verb(cmd_report, finish(&h), "--format", "json");
	assert_true(WEXITSTATUS(outcome.status) <= 1);
	end(&h);
}

/* Tasks that cannot be read, one behind the other. */
static void many_broken_tasks(void **state)
{
	enum { COUNT = 1 << 20, STEP = PAGE_SIZE };
	struct hostile h;
	uint64_t offset;

	(void)state;
	begin_with_tasks_at_big(&h);
	/* One page, of which only the list is there: the page table has it everywhere. */
	char *page = extend(&h, (uint64_t)COUNT * 64, &offset);
	for (uint64_t i = 0; i < COUNT; i++) {
		uint64_t next = BIG + (i + 1) * STEP + 48;
		memcpy(page + i * 64 + 48, &next, sizeof(next));
	}
	munmap(page, (uint64_t)COUNT * 64);
	for (uint64_t i = 0; i < COUNT / 4; i++)
		add_segment(&h, PT_LOAD, BIG_PA + i * STEP, 64, offset + i * 64);
	assert_reported(finish(&h));
	end(&h);
}

/* Each a segment of its own, each over half of the one before. */
static void many_segments(void **state)
{
	struct hostile h;

	(void)state;
	begin(&h);
	put_down(&h);
	for (uint64_t i = 0; i < 500000; i++)
		add_segment(&h, PT_LOAD, BIG_PA + i * 3000, (500000 - i) * 6000, PAGE_SIZE);
	assert_reported(finish(&h));
	end(&h);
}

/* Where is the vmcoreinfo in the memory of a machine that has the same page all over? */
static void memory_without_end(void **state)
{
	struct hostile h;
	uint64_t offset;

	(void)state;
	begin(&h);
	put_down(&h);
	char *bytes = extend(&h, 1 << 24, &offset);
	memset(bytes, 'x', 1 << 24);
	munmap(bytes, 1 << 24);
	h.segments.data[0].p_type = PT_NULL;
	for (uint64_t i = 0; i < 1 << 18; i++)
		add_segment(&h, PT_LOAD, BIG_PA + (i << 24), 1 << 24, offset);
	assert_reported(finish(&h));
	/* The same as a file of 8 TB, which has no bytes. */
	h.segments.count = 1;
	add_segment(&h, PT_LOAD, BIG_PA, 1ull << 43, h.end);
	h.end += 1ull << 43;
	if (!ftruncate(h.fd, h.end))
		assert_reported(finish(&h));
	end(&h);
}

/* The top page table is all page tables and all memory. */
static void one_page(void **state)
{
	static const char info[] =
		"OSRELEASE=6.1.0\nSYMBOL(swapper_pg_dir)=ffffffff80001000\nNUMBER(phys_base)=0\n"
		"SYMBOL(_stext)=ffffffff81000000\nSYMBOL(init_uts_ns)=ffffffff8e000000\n"
		"SYMBOL(prb)=ffffffff81000000\nKERNELOFFSET=0\n";
	char kallsyms[512];
	struct make_dump d;

	(void)state;
	for (int whole = 0; whole < 2; whole++) {
		make_dump_init(&d);
		make_dump_text(&d, "format elf\n pa 0x1000\n");
		for (int i = 0; i < 512; i++)
			make_dump_text(&d, "u64 0x1003\n");
		char *copy = strdup(info);
		for (char *s = strtok(copy, "\n"); s; s = strtok(NULL, "\n")) {
			snprintf(kallsyms, sizeof(kallsyms), "info %s", s);
			make_dump_text(&d, kallsyms);
		}
		free(copy);
		if (whole)
			make_dump_text(&d, "info SYMBOL(kallsyms_num_syms)=ffffffff81000000\n"
					   "info SYMBOL(kallsyms_names)=ffffffff81000000\n"
					   "info SYMBOL(kallsyms_token_table)=ffffffff81000000\n"
					   "info SYMBOL(kallsyms_token_index)=ffffffff81000000\n"
					   "info SYMBOL(kallsyms_offsets)=ffffffff81000000\n");
		assert_reported(make_dump_write(&d));
		make_dump_deinit(&d);
	}
}

/* --- containers ------------------------------------------------------------ */

static uint64_t be(uint64_t n)
{
	return htobe64(n);
}

/* Blocks of no bytes, and blocks that cover each other. */
static void flattened_crumbs(void **state)
{
	char path[] = "/tmp/lockdump-test.XXXXXX";
	char head[4096] = "makedumpfile";

	(void)state;
	FILE *file = fdopen(mkstemp(path), "w");
	assert_non_null(file);
	memcpy(head + 16, &(uint64_t[]){ be(1), be(1) }, 16);
	fwrite(head, sizeof(head), 1, file);
	for (uint64_t i = 0; i < 3000000; i++) {
		const uint64_t block[] = { be((i * 7919 % 3000000) * 3), be(4) };
		fwrite(block, sizeof(block), 1, file);
		fwrite("ELF", 4, 1, file);
	}
	fclose(file);
	assert_refused(path, path);
	unlink(path);
}

/* Bitmaps of the largest machine there may be, empty, in a file that has no bytes; or that says it has more. */
static void bitmaps_without_end(void **state)
{
	static const uint64_t pages[] = { 1ull << 32, 1ull << 40 };
	struct make_dump d;

	(void)state;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		make_dump_init(&d);
		make_dump_text(&d,
			       "format kdump zlib\n pa 0x1000\n u64 1\n info OSRELEASE=6.1.0\n"
			       "info SYMBOL(swapper_pg_dir)=ffffffff80001000\n"
			       "info NUMBER(phys_base)=0\n info SYMBOL(_stext)=ffffffff81000000\n"
			       "info SYMBOL(init_uts_ns)=ffffffff8e000000\n");
		const char *path = make_dump_write(&d);
		const uint32_t blocks = 1 << 18, status = 8; /* incomplete */
		make_dump_patch(&d, 424, &status, sizeof(status));
		make_dump_patch(&d, 436, &blocks, sizeof(blocks));
		make_dump_patch(&d, PAGE_SIZE + 96, &pages[i], sizeof(pages[i]));
		assert_int_equal(truncate(path, 3ull << 30), 0);
		if (i)
			assert_refused(path, "pages in bitmaps");
		else
			assert_reported(path);
		make_dump_deinit(&d);
	}
}

/* A record for 1024 CPUs, each with all the samples there can be, as a file and beside a dump. */
static void full_records(void **state)
{
	enum { NR = 1024 };
	char path[] = "/tmp/lockdump-test.XXXXXX";
	struct hostile h;

	(void)state;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	uint64_t size = (uint64_t)(NR + 1) * RECORD_SLOT_SIZE;
	assert_int_equal(ftruncate(fd, size), 0);
	char *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(data, MAP_FAILED);
	struct record_header *header = (void *)data;
	make_record_header(header, NR);
	for (int cpu = 0; cpu < NR; cpu++) {
		struct record_slot *slot = (void *)(data + (size_t)(cpu + 1) * RECORD_SLOT_SIZE);
		slot->onset_ns = 1;
		for (int i = 0; i < RECORD_NR_SAMPLES; i++) {
			struct record_sample *sample = &slot->samples[i];
			sample->number = sample->number_end = i + 1;
			sample->onset_ns = 1;
			sample->nr_stack = RECORD_STACK_MAX;
			for (int f = 0; f < RECORD_STACK_MAX; f++)
				sample->stack[f] = 0xffffffff81000200 + (cpu * 64 + f) % 4096;
		}
	}
	munmap(data, size);
	struct outcome outcome = run_verb(cmd_record, path, NULL, NULL);
	assert_int_equal(WEXITSTATUS(outcome.status), 0);
	begin(&h);
	put_down(&h);
	outcome = run_verb(cmd_report, finish(&h), "--record", path);
	if (WEXITSTATUS(outcome.status))
		fail_msg("%s", outcome.said);
	end(&h);
	close(fd);
	unlink(path);
}

/* --- tables ---------------------------------------------------------------- */

/* Runs what is no file by itself in a process that has no more than an analysis has. */
static void run_bounded(struct error *(*function)(void))
{
	const struct rlimit time = { MOST_S, MOST_S }, data = { MOST_MB << 20, MOST_MB << 20 };
	struct outcome outcome = {};

	pid_t pid = fork();
	if (!pid) {
		if (is_measured() &&
		    (setrlimit(RLIMIT_CPU, &time) || setrlimit(RLIMIT_DATA, &data)))
			_exit(9);
		struct error *err = function();
		if (err)
			fprintf(stderr, "%s\n", err->message);
		_exit(err == &error_no_memory);
	}
	take_usage(pid, &outcome);
	assert_true(WIFEXITED(outcome.status));
	assert_int_equal(WEXITSTATUS(outcome.status), 0);
}

/* A million structs, each called by all of a string of 40 MB. */
static struct error *parse_long_names(void)
{
	enum { COUNT = 1000000, STRINGS = 40 << 20 };
	size_t size = 24 + COUNT * 12 + STRINGS;
	uint32_t *words = malloc(size), *at = words + 6;
	struct types *types;

	memcpy(words, &(uint32_t[]){ 0x1eb9f, 24, 0, COUNT * 12, COUNT * 12, STRINGS }, 24);
	((uint8_t *)words)[2] = 1; /* version */
	for (uint32_t i = 0; i < COUNT; i++, at += 3)
		memcpy(at, &(uint32_t[]){ 1 + i, 4u << 24, 8 }, 12);
	memset(at, 'x', STRINGS);
	((char *)at)[0] = ((char *)at)[STRINGS - 1] = '\0';
	struct error *err = types_parse(words, size, &types);
	if (!err)
		types_destroy(types);
	return err;
}

/* Names whose hashes end in the same bits: the hash's last step is undone for each. */
static struct error *parse_colliding_names(void)
{
	enum { COUNT = 200000 };
	size_t size = 24 + COUNT * 12 + COUNT * 12 + 4;
	uint32_t *words = calloc(1, size), *at = words + 6, found = 0;
	char *strings = (char *)(at + COUNT * 3), name[12];
	struct types *types;

	memcpy(words, &(uint32_t[]){ 0x1eb9f, 24, 0, COUNT * 12, COUNT * 12, COUNT * 12 + 4 }, 24);
	((uint8_t *)words)[2] = 1;
	for (uint32_t i = 0; found < COUNT; i++) {
		uint32_t hash = 2166136261u;
		snprintf(name, sizeof(name), "%x", i);
		for (char *s = name; *s; s++)
			hash = (hash ^ (uint8_t)*s) * 16777619u;
		/* Of 2^19 slots only some are asked for. */
		if ((hash & 0x7ffff) >= 0x1000)
			continue;
		memcpy(at, &(uint32_t[]){ 1 + found * 12, 4u << 24, 8 }, 12);
		memcpy(strings + 1 + found++ * 12, name, sizeof(name));
		at += 3;
	}
	struct error *err = types_parse(words, size, &types);
	if (!err)
		types_destroy(types);
	return err;
}

static void btf(void **state)
{
	(void)state;
	run_bounded(parse_long_names);
	run_bounded(parse_colliding_names);
}

/* Four million tasks, each alone in its process: as many as there is memory for. */
static void more_tasks(void **state)
{
	enum { COUNT = 4 << 20, STEP = 512 };
	struct hostile h;
	uint64_t offset;

	(void)state;
	if (!is_measured())
		SKIP("a memory checker, which has no limits");
	begin_with_tasks_at_big(&h);
	char *bytes = extend(&h, 1ull << 31, &offset);
	for (uint64_t i = 0; i < COUNT; i++) {
		/* Its tasks.next, its signal, and there its own list, whose only member is itself. */
		uint64_t task = BIG + i * STEP, next = task + STEP + 48, signal = task + 256,
			 head = task + 96, back = signal + 16;
		memcpy(bytes + i * STEP + 48, &next, 8);
		memcpy(bytes + i * STEP + 88, &task, 8); /* its own parent */
		memcpy(bytes + i * STEP + 128, &signal, 8);
		memcpy(bytes + i * STEP + 256 + 16, &head, 8);
		memcpy(bytes + i * STEP + 96, &back, 8);
	}
	munmap(bytes, 1ull << 31);
	add_segment(&h, PT_LOAD, BIG_PA, 1ull << 31, offset);
	assert_reported(finish(&h));
	end(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a machine with nothing wrong is reported", nothing_wrong),
		TEST("8192 CPUs with millions of notes", many_cpus),
		TEST("a million tasks in a small file", many_tasks),
		TEST("a million tasks that cannot be read", many_broken_tasks),
		TEST("half a million segments over each other", many_segments),
		TEST("no vmcoreinfo in terabytes of memory, or of a hole", memory_without_end),
		TEST("page tables that map one page everywhere", one_page),
		TEST("a flattened file of millions of blocks", flattened_crumbs),
		TEST("bitmaps of terabytes", bitmaps_without_end),
		TEST("a flight record of 1024 CPUs, all stuck", full_records),
		TEST("BTF whose names are without end, or have one hash", btf),
		TEST("more tasks than there is memory for", more_tasks),
	};
	if (RUNNING_ON_VALGRIND) {
		printf("under valgrind millions of tasks take too long\n");
		return 77;
	}
	return RUN_TESTS(tests);
}
