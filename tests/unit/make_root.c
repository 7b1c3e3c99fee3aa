// SPDX-License-Identifier: GPL-2.0-only
#include "make_root.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

void make_root(struct made_root *root)
{
	strcpy(root->path, "/tmp/lockdump-test-XXXXXX");
	assert_non_null(mkdtemp(root->path));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

void make_root_remove(struct made_root *root)
{
	nftw(root->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int make_root_setup(void **state)
{
	*state = calloc(1, sizeof(struct made_root));
	make_root(*state);
	return 0;
}

int make_root_teardown(void **state)
{
	make_root_remove(*state);
	free(*state);
	return 0;
}

const char *make_root_place(const struct made_root *root, const char *path)
{
	static char place[512];

	snprintf(place, sizeof(place), "%s%s", root->path, path);
	for (char *c = place + strlen(root->path) + 1; (c = strchr(c, '/')); c++) {
		*c = '\0';
		mkdir(place, 0700);
		*c = '/';
	}
	return place;
}

void make_root_write(const struct made_root *root, const char *path, const void *data, size_t size)
{
	FILE *file = fopen(make_root_place(root, path), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

void make_root_text(const struct made_root *root, const char *path, const char *text)
{
	make_root_write(root, path, text, strlen(text));
}

void make_root_unlink(const struct made_root *root, const char *path)
{
	assert_int_equal(unlink(make_root_place(root, path)), 0);
}
