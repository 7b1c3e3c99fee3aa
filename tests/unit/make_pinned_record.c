// SPDX-License-Identifier: GPL-2.0-only
#include "make_pinned_record.h"

#include "test.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "make_record.h"

int make_pinned_record_setup(void **state)
{
	*state = calloc(1, sizeof(struct made_pinned_record));
	return *state ? 0 : -1;
}

int make_pinned_record_teardown(void **state)
{
	struct made_pinned_record *made = *state;

	if (made->header)
		munmap(made->header, made->size);
	if (*made->bpffs)
		remove_bpffs(made->bpffs);
	free(made);
	return 0;
}

void make_pinned_record_folder(struct made_pinned_record *made)
{
	make_bpffs(made->bpffs);
	snprintf(made->path, sizeof(made->path), "%s/record", made->bpffs);
}

void make_pinned_record(struct made_pinned_record *made, uint32_t nr_cpus)
{
	int fd = make_bpf_map(RECORD_SLOT_SIZE, 1 + nr_cpus);

	made->size = (size_t)RECORD_SLOT_SIZE * (1 + nr_cpus);
	made->header = mmap(NULL, made->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(made->header, MAP_FAILED);
	make_record_header(made->header, nr_cpus);
	make_pinned_record_folder(made);
	assert_int_equal(bpf_obj_pin(fd, made->path), 0);
	close(fd);
}
