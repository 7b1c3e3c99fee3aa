/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What 'arm' built and loaded, kept for those who ask afterwards, and for the next 'arm': the initramfs, and beside it
 * armed.json ("lockdump.armed/1"), both in the state folder. While what is loaded is being changed there is a mark, too:
 * what stands here may then be of another.
 */
#ifndef LOCKDUMP_ARMED_H
#define LOCKDUMP_ARMED_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/vector.h"
#include "kdump/digest.h"
#include "kdump/machine.h"
#include "kdump/store.h"
#include "kdump/strings.h"

#define ARMED_INITRAMFS "initramfs"
/* Beside them: what 'capture' is to do in somebody else's environment, and that it is to do it. */
#define ARMED_CONFIG	"capture.conf"
/* And, for a kernel whose dumps lack them, its symbols in this boot. */
#define ARMED_SYMBOLS	"kallsyms"

/* A file that the initramfs was made of, or the kernel. */
struct armed_input {
	char *file;
	char sha256[SHA256_HEX_SIZE];
};

struct armed {
	double time_s; /* since 1970 */
	char with[16]; /* who saves the crash, as 'arm --with' has it */
	struct machine machine; /* as it was then */
	unsigned long reserved_kb;

	char kernel_file[PATH_MAX]; /* the capture kernel */
	char kernel_release[72]; /* its */
	char parameters[2048]; /* that it was loaded with */
	char loaded_by[32];
	uint64_t loaded_at; /* the initramfs's physical address; 0: not known */

	char initramfs_file[PATH_MAX]; /* somebody else's; empty: the one in the state folder */
	off_t initramfs_size;
	char initramfs_sha256[SHA256_HEX_SIZE];
	char content[SHA256_HEX_SIZE]; /* of all that is in it */
	VECTOR(struct armed_input) inputs;
	char makedumpfile[32]; /* its version */
	char recipients[PATH_MAX]; /* whom the vmcore is encrypted to: a file; empty: it is not */

	char store[PATH_MAX];
	char store_uuid[64]; /* of its file system */
	char store_device[64];
};

/* The initramfs's file, on the rig. */
const char *armed_initramfs(const struct armed *armed);

/* Adds the file to the inputs. */
struct error *armed_add_input(struct armed *armed, const char *file, const char *sha256);

/* The same, as it is now. */
struct error *armed_add_file(struct armed *armed, const char *file);

/* Sets the mark, takes it away. */
struct error *armed_mark(const struct incident *folder);
void armed_unmark(const struct incident *folder);

/* Writes armed.json: whole, or what was there stays. */
struct error *armed_write(const struct incident *folder, const struct armed *armed);

/* Takes armed.json away, and the mark. */
void armed_remove(const struct incident *folder);

/* All that there is in the folder under @root. */
void armed_forget(const char *root);

/* Reads armed.json. ERROR_NOT_FOUND if nothing was armed; another error, too, while there is the mark. */
struct error *armed_read(const struct incident *folder, struct armed *ret);

/* The same, in spite of the mark: for who looks into the folder himself. */
struct error *armed_read_marked(const struct incident *folder, struct armed *ret);

/* Whether the same was armed: of the same files, with the same parameters, for the same boot of the same machine. */
bool armed_is_same(const struct armed *a, const struct armed *b);

void armed_deinit(struct armed *armed);

/* Whether the file of an input is there (else errno is why), and as it was. */
bool armed_input_holds(const char *root, const struct armed_input *input);

#endif
