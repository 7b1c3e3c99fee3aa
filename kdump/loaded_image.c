// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/loaded_image.h"

#include <bpf/btf.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kdump/kcore.h"
#include "kdump/rooted.h"
#include "symbols/ksyms.h"

#define BTF_PATH     "/sys/kernel/btf/vmlinux"
#define MAX_SEGMENTS 64 /* KEXEC_SEGMENT_MAX is 16 */
#define CHUNK	     65536

struct segment {
	uint64_t start;
	uint64_t size;
};

struct segments {
	struct segment list[MAX_SEGMENTS];
	size_t count;
};

/* Where in memory that bookkeeping has what. */
struct layout {
	uint64_t image; /* of the pointer */
	uint32_t nr_segments; /* offsets */
	uint32_t segment;
	uint32_t mem;
	uint32_t memsz;
	uint32_t segment_size;
};

static void free_btf(struct btf **btf)
{
	btf__free(*btf);
}

static const struct btf_type *find_struct(const struct btf *btf, const char *name)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);

	return id > 0 ? btf__type_by_id(btf, id) : NULL;
}

static bool find_member(const struct btf *btf, const struct btf_type *type, const char *name,
			uint32_t *ret)
{
	const struct btf_member *members = btf_members(type);

	for (int i = 0; i < btf_vlen(type); i++) {
		if (strcmp(btf__name_by_offset(btf, members[i].name_off), name))
			continue;
		*ret = btf_member_bit_offset(type, i) / 8;
		return true;
	}
	return false;
}

static struct error *find_members(const char *root, struct layout *ret)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s" BTF_PATH, root);
	if (access(path, R_OK))
		return error_errno(BTF_PATH);
	_cleanup_(free_btf) struct btf *btf = btf__parse(path, NULL);
	const struct btf_type *image = btf ? find_struct(btf, "kimage") : NULL;
	const struct btf_type *segment = btf ? find_struct(btf, "kexec_segment") : NULL;
	if (!image || !segment || !find_member(btf, image, "nr_segments", &ret->nr_segments) ||
	    !find_member(btf, image, "segment", &ret->segment) ||
	    !find_member(btf, segment, "mem", &ret->mem) ||
	    !find_member(btf, segment, "memsz", &ret->memsz))
		return error_create(ERROR_OTHER, BTF_PATH ": no struct kimage");
	ret->segment_size = segment->size;
	return NULL;
}

static struct error *find_layout(const char *root, struct layout *ret)
{
	struct ksym_wanted wanted = { .name = "kexec_crash_image" };
	_cleanup_fclose_ FILE *file = rooted_open(root, KSYMS_PATH);

	if (!file)
		return error_errno(KSYMS_PATH);
	struct error *err = ksyms_look_up(file, &wanted, 1);
	if (!err && !wanted.address)
		err = error_create(ERROR_OTHER, KSYMS_PATH ": no %s, or it is hidden", wanted.name);
	ret->image = wanted.address;
	return err ? err : find_members(root, ret);
}

static struct error *read_segment(const struct kcore *kcore, const struct layout *layout,
				  uint64_t at, struct segment *ret)
{
	struct error *err = kcore_read(kcore, at + layout->mem, &ret->start, sizeof(ret->start));

	return err ? err : kcore_read(kcore, at + layout->memsz, &ret->size, sizeof(ret->size));
}

static struct error *read_segments(const char *root, const struct kcore *kcore,
				   struct segments *ret)
{
	struct layout layout = { 0 };
	uint64_t image = 0, count = 0;
	struct error *err = find_layout(root, &layout);

	ret->count = 0;
	if (!err)
		err = kcore_read(kcore, layout.image, &image, sizeof(image));
	if (!err && image)
		err = kcore_read(kcore, image + layout.nr_segments, &count, sizeof(count));
	/* It may be replaced at this moment. */
	if (!err && count > MAX_SEGMENTS)
		err = error_create(ERROR_CORRUPT, "a crash kernel of %llu segments",
				   (unsigned long long)count);
	for (; !err && ret->count < count; ret->count++)
		err = read_segment(kcore, &layout,
				   image + layout.segment +
					   ret->count * (uint64_t)layout.segment_size,
				   &ret->list[ret->count]);
	return err;
}

/* Whether all of the file is in memory from @address on. */
static struct error *compare(const struct kcore *kcore, uint64_t address, int fd, bool *ret)
{
	char wanted[CHUNK], found[CHUNK];
	ssize_t n;

	*ret = false;
	for (off_t at = 0; (n = pread(fd, wanted, sizeof(wanted), at)) > 0; at += n) {
		struct error *err = kcore_read_physical(kcore, address + at, found, n);
		if (err || memcmp(wanted, found, n))
			return err;
	}
	*ret = n == 0;
	return n ? error_errno("initramfs") : NULL;
}

static struct error *not_loaded(void)
{
	return error_create(ERROR_NOT_FOUND, "the crash kernel has no such segment");
}

struct error *loaded_image_find(const char *root, int fd, uint64_t *ret)
{
	off_t size = lseek(fd, 0, SEEK_END);
	struct segments segments;
	struct kcore kcore;
	bool same = false;
	struct error *err = kcore_open(root, &kcore);

	lseek(fd, 0, SEEK_SET);
	if (err)
		return err;
	err = read_segments(root, &kcore, &segments);
	for (size_t i = 0; !err && !same && i < segments.count; i++) {
		uint64_t start = segments.list[i].start;
		if (segments.list[i].size < (uint64_t)size)
			continue;
		err = compare(&kcore, start, fd, &same);
		if (same)
			*ret = start;
	}
	kcore_close(&kcore);
	return err || same ? err : not_loaded();
}

static struct error *copy(const struct kcore *kcore, uint64_t address, off_t size, int fd)
{
	char chunk[CHUNK];

	for (off_t at = 0; at < size; at += CHUNK) {
		size_t n = size - at < CHUNK ? (size_t)(size - at) : CHUNK;
		struct error *err = kcore_read_physical(kcore, address + at, chunk, n);
		if (err)
			return err;
		if (write(fd, chunk, n) != (ssize_t)n)
			return error_errno("memfd");
	}
	lseek(fd, 0, SEEK_SET);
	return NULL;
}

static struct error *check_content(const struct kcore *kcore, uint64_t address, off_t size,
				   const char *sha256)
{
	_cleanup_close_ int fd = memfd_create("segment", MFD_CLOEXEC);
	char found[SHA256_HEX_SIZE];

	if (fd < 0)
		return error_errno("memfd");
	struct error *err = copy(kcore, address, size, fd);
	if (!err)
		err = sha256_of(fd, "segment", found);
	return err || !strcmp(found, sha256) ? err : not_loaded();
}

struct error *loaded_image_check(const char *root, uint64_t address, off_t size, const char *sha256)
{
	struct segments segments;
	struct kcore kcore;
	bool there = false;
	struct error *err = kcore_open(root, &kcore);

	if (err)
		return err;
	err = read_segments(root, &kcore, &segments);
	for (size_t i = 0; !err && i < segments.count; i++)
		there |= segments.list[i].start == address &&
			 segments.list[i].size >= (uint64_t)size;
	if (!err)
		err = there ? check_content(&kcore, address, size, sha256) : not_loaded();
	kcore_close(&kcore);
	return err;
}
