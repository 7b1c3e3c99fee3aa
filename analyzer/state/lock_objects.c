// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a lock that has no name belongs to: the address space of a process, a
 * file, a mounted file system, a block of a disk. An object is believed only if
 * another one leads back to it: a task to its mm_struct, an inode's
 * address_space to the inode, a superblock's root to the superblock.
 */
#include <stdio.h>
#include <string.h>

#include "state/lock_finder.h"

#define MAX_DEPTH     64 /* of a file's folder */
#define MAPPING_FLAGS 0x3 /* PAGE_MAPPING_FLAGS: what else than a file a page belongs to */
#define MINOR_BITS    20 /* include/linux/kdev_t.h */
#define FL_POSIX      0x1 /* include/linux/filelock.h; up to 6.2, fs.h */
#define FL_FLOCK      0x2
/* wait_var_event() on inode.i_state has the bit's number in its address (6.12: 2ed634c96ed1). */
#define STATE_BITS    8

struct layout {
	struct member mmap_lock; /* of a mm_struct */
	struct member data, data_host, mapping, rwsem, state, number, superblock, device, aliases;
	struct member host, invalidate_lock; /* of an address_space */
	struct member type_name, type, id, umount, root; /* of a superblock */
	struct member parent, name, alias, inode, of_superblock; /* of a dentry */
	struct member page_mapping, page_index;
	struct member block, buffer_device, bdev_number, bdev_name;
	struct member wait, blocker, pid, flags, file; /* of a file lock */
	struct member file_inode;
};

static void resolve(struct layout *l, const struct types *types)
{
	const struct member_wanted wanted[] = {
		{ "mm_struct", "mmap_lock", &l->mmap_lock, true },
		{ "inode", "i_data", &l->data, true },
		{ "inode", "i_data.host", &l->data_host, true },
		{ "inode", "i_mapping", &l->mapping, true },
		{ "inode", "i_rwsem", &l->rwsem, true },
		{ "inode", "i_state", &l->state, true },
		{ "inode", "i_ino", &l->number, true },
		{ "inode", "i_sb", &l->superblock, true },
		{ "inode", "i_rdev", &l->device, true },
		{ "inode", "i_dentry.first", &l->aliases, true },
		{ "address_space", "host", &l->host, true },
		{ "address_space", "invalidate_lock", &l->invalidate_lock, true },
		{ "file_system_type", "name", &l->type_name, true },
		{ "super_block", "s_type", &l->type, true },
		{ "super_block", "s_id", &l->id, true },
		{ "super_block", "s_umount", &l->umount, true },
		{ "super_block", "s_root", &l->root, true },
		{ "dentry", "d_parent", &l->parent, true },
		{ "dentry", "d_name.name", &l->name, true },
		{ "dentry", "d_u.d_alias|d_alias", &l->alias, true },
		{ "dentry", "d_inode", &l->inode, true },
		{ "dentry", "d_sb", &l->of_superblock, true },
		{ "folio", "mapping", &l->page_mapping, true },
		{ "folio", "index", &l->page_index, true },
		{ "buffer_head", "b_blocknr", &l->block, true },
		{ "buffer_head", "b_bdev", &l->buffer_device, true },
		/* In a struct of its own since 6.9 (a69ce85ec9af). */
		{ "file_lock", "c.flc_wait|fl_wait", &l->wait, true },
		{ "file_lock", "c.flc_blocker|fl_blocker", &l->blocker, true },
		{ "file_lock", "c.flc_pid|fl_pid", &l->pid, true },
		{ "file_lock", "c.flc_flags|fl_flags", &l->flags, true },
		{ "file_lock", "c.flc_file|fl_file", &l->file, true },
		{ "file", "f_inode", &l->file_inode, true },
		{ "block_device", "bd_dev", &l->bdev_number, true },
		{ "block_device", "bd_device.kobj.name", &l->bdev_name, true },
	};

	types_resolve(types, wanted, sizeof(wanted) / sizeof(wanted[0]));
	/* Folios are from 5.16 on (7b230db3b8d3). */
	if (!l->page_mapping.size) {
		types_member(types, "page", "mapping", &l->page_mapping);
		types_member(types, "page", "index", &l->page_index);
	}
}

/* A string at @address; an empty one if there is none. */
static void read_name(struct lock_finder *finder, uint64_t address, char *ret, size_t size)
{
	*ret = '\0';
	if (!lock_plausible(address))
		return;
	struct error *err = memory_read_string(finder->memory, address, ret, size);
	if (err)
		*ret = '\0';
	error_destroy(err);
}

/* "FILESYSTEM on DEVICE", or the name of one that has no device. */
static void describe_superblock(struct lock_finder *finder, const struct layout *l,
				uint64_t superblock, char *ret, size_t size)
{
	uint64_t type = lock_read(finder, superblock, &l->type);
	char name[32], id[32];

	read_name(finder, lock_read(finder, type, &l->type_name), name, sizeof(name));
	read_name(finder, superblock + l->id.offset, id, sizeof(id));
	snprintf(ret, size, "%s%s%s", name[0] ? name : "a file system",
		 id[0] && strcmp(id, name) ? " on " : "", strcmp(id, name) ? id : "");
}

/* The file's path within its file system, by the first of its names; empty if it has none. */
static void read_path(struct lock_finder *finder, const struct layout *l, uint64_t inode, char *ret,
		      size_t size)
{
	uint64_t alias = lock_read(finder, inode, &l->aliases);
	uint64_t dentry = alias - l->alias.offset;
	size_t at = size - 1;
	char name[256];

	*ret = '\0';
	if (!lock_plausible(alias) || !l->name.size || !l->parent.size ||
	    lock_read(finder, dentry, &l->inode) != inode)
		return;
	ret[at] = '\0';
	for (int depth = 0; depth < MAX_DEPTH; depth++) {
		uint64_t parent = lock_read(finder, dentry, &l->parent);
		if (!lock_plausible(parent) || (parent == dentry && depth))
			break;
		read_name(finder, lock_read(finder, dentry, &l->name), name, sizeof(name));
		size_t len = strlen(name);
		if (len + 1 > at)
			break;
		at -= len;
		memcpy(ret + at, name, len);
		/* One without a folder is the root itself, or of a file that is in none. */
		if (parent == dentry)
			break;
		ret[--at] = '/';
		dentry = parent;
	}
	memmove(ret, ret + at, size - at);
}

/* "inode 12 of ext4 on vda, /a/b". False: @inode is none. */
static bool describe_inode(struct lock_finder *finder, const struct layout *l, uint64_t inode,
			   char *ret, size_t size)
{
	char where[80], path[256];

	if (!l->data_host.size || !l->superblock.size || !lock_plausible(inode) || inode % 8 ||
	    lock_read(finder, inode, &l->data_host) != inode)
		return false;
	uint64_t device = lock_read(finder, inode, &l->device);
	describe_superblock(finder, l, lock_read(finder, inode, &l->superblock), where,
			    sizeof(where));
	if (!strcmp(where, "bdev")) {
		snprintf(ret, size, "block device %llu:%llu",
			 (unsigned long long)device >> MINOR_BITS,
			 (unsigned long long)device & ((1u << MINOR_BITS) - 1));
		return true;
	}
	read_path(finder, l, inode, path, sizeof(path));
	snprintf(ret, size, "inode %llu of %s%s%s",
		 (unsigned long long)lock_read(finder, inode, &l->number), where,
		 path[0] ? ", " : "", path);
	return true;
}

static void explain_page(struct lock_finder *finder, const struct layout *l, uint32_t place)
{
	const struct lock *lock = &finder->locks->list.data[place];
	uint64_t mapping = lock_read(finder, lock->address, &l->page_mapping);
	uint64_t index = lock_read(finder, lock->address, &l->page_index);
	char inode[400];

	if (!lock_plausible(mapping) || !l->host.size)
		return;
	if (mapping & MAPPING_FLAGS) {
		lock_set_detail(finder, place, "%s, of anonymous memory", lock->detail);
		return;
	}
	uint64_t host = lock_read(finder, mapping, &l->host);
	if (describe_inode(finder, l, host, inode, sizeof(inode)) &&
	    lock_read(finder, host, &l->mapping) == mapping)
		lock_set_detail(finder, place, "%s, page %llu of %s", lock->detail,
				(unsigned long long)index, inode);
}

static bool explain_mmap_lock(struct lock_finder *finder, const struct layout *l, uint32_t place)
{
	uint64_t mm = finder->locks->list.data[place].address - l->mmap_lock.offset;

	for (size_t i = 0; l->mmap_lock.size && i < finder->tasks->list.count; i++) {
		const struct task *task = &finder->tasks->list.data[i];
		if (task->mm != mm || task->kernel_thread)
			continue;
		lock_set_detail(finder, place, "mmap_lock of %s, process %u", task->comm,
				task->tgid);
		return true;
	}
	return false;
}

static void explain_rwsem(struct lock_finder *finder, const struct layout *l, uint32_t place)
{
	uint64_t address = finder->locks->list.data[place].address;
	uint64_t superblock = address - l->umount.offset;
	uint64_t inode = address - l->rwsem.offset;
	char what[400];

	if (explain_mmap_lock(finder, l, place))
		return;
	if (l->rwsem.size && describe_inode(finder, l, inode, what, sizeof(what))) {
		lock_set_detail(finder, place, "i_rwsem of %s", what);
		return;
	}
	inode = lock_read(finder, address - l->invalidate_lock.offset, &l->host);
	if (l->invalidate_lock.size && describe_inode(finder, l, inode, what, sizeof(what)) &&
	    lock_read(finder, inode, &l->mapping) + l->invalidate_lock.offset == address) {
		lock_set_detail(finder, place, "invalidate_lock of %s", what);
		return;
	}
	uint64_t root = lock_read(finder, superblock, &l->root);
	if (!l->umount.size || !lock_plausible(root) ||
	    lock_read(finder, root, &l->of_superblock) != superblock)
		return;
	describe_superblock(finder, l, superblock, what, sizeof(what));
	lock_set_detail(finder, place, "s_umount of %s", what);
}

/* A bit of inode.i_state, or of buffer_head.b_state, which is its first member. */
static void explain_word(struct lock_finder *finder, const struct layout *l, uint32_t place)
{
	const struct lock *lock = &finder->locks->list.data[place];
	uint64_t inode = lock->address - l->state.offset, bit = inode % 8;
	char what[400];

	if (l->state.size && bit < STATE_BITS &&
	    describe_inode(finder, l, inode - bit, what, sizeof(what))) {
		lock_set_detail(finder, place, "%s, i_state of %s", lock->detail, what);
		return;
	}
	uint64_t device = lock_read(finder, lock->address, &l->buffer_device);
	if (!lock_plausible(device) || (!lock_is_asked_by(finder, place, "__wait_on_buffer") &&
					!lock_is_asked_by(finder, place, "__lock_buffer")))
		return;
	uint64_t number = lock_read(finder, device, &l->bdev_number);
	read_name(finder, lock_read(finder, device, &l->bdev_name), what, sizeof(what));
	lock_set_detail(finder, place, "%s, buffer of block %llu of %s (%llu:%llu)", lock->detail,
			(unsigned long long)lock_read(finder, lock->address, &l->block),
			what[0] ? what : "a device", (unsigned long long)number >> MINOR_BITS,
			(unsigned long long)number & ((1u << MINOR_BITS) - 1));
}

/*
 * Who waits for another's file lock (fs/locks.c) sleeps on its own request, which has what it is blocked by. That of
 * fcntl() is a process's; that of flock() goes with the open file, wherever that goes.
 */
static void explain_file_lock(struct lock_finder *finder, const struct layout *l, uint32_t place)
{
	uint64_t request = finder->locks->list.data[place].address - l->wait.offset;
	uint64_t blocker = lock_read(finder, request, &l->blocker);
	char what[400];

	if (!l->wait.size || !l->flags.size || !lock_plausible(blocker))
		return;
	uint64_t own = lock_read(finder, request, &l->file);
	uint64_t file = lock_read(finder, blocker, &l->file);
	uint64_t flags = lock_read(finder, blocker, &l->flags);
	uint64_t pid = lock_read(finder, blocker, &l->pid);
	if (!(flags & (FL_POSIX | FL_FLOCK)) || !lock_plausible(file) || !lock_plausible(own))
		return;
	uint64_t inode = lock_read(finder, file, &l->file_inode);
	if (lock_read(finder, own, &l->file_inode) != inode ||
	    !describe_inode(finder, l, inode, what, sizeof(what)))
		return;
	lock_set_detail(finder, place, "%s lock of %s", flags & FL_POSIX ? "POSIX" : "flock", what);
	for (size_t i = 0; i < finder->tasks->list.count; i++) {
		const struct task *task = &finder->tasks->list.data[i];
		if (task->pid && task->pid == pid)
			lock_add_holder(finder, place, task->address,
					flags & FL_POSIX ? NULL : "it took the lock");
	}
}

void lock_explain_objects(struct lock_finder *finder)
{
	struct layout layout = {};
	bool resolved = false;

	for (uint32_t i = 0; i < finder->locks->list.count; i++) {
		const struct lock *lock = &finder->locks->list.data[i];
		if (lock->name || (lock->type != LOCK_PAGE && lock->type != LOCK_RWSEM &&
				   lock->type != LOCK_OTHER))
			continue;
		if (!resolved)
			resolve(&layout, finder->kernel->symbols.types);
		resolved = true;
		if (lock->type == LOCK_PAGE)
			explain_page(finder, &layout, i);
		else if (lock->type == LOCK_RWSEM)
			explain_rwsem(finder, &layout, i);
		else if (lock->word)
			explain_word(finder, &layout, i);
		else
			explain_file_lock(finder, &layout, i);
	}
}
