// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/rig_id.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "kdump/json_file.h"
#include "kdump/manifest.h"

#define MACHINE_ID "/etc/machine-id"
#define SALT	   "lockdump rig "

void rig_id_read(char ret[static RIG_ID_SIZE])
{
	_cleanup_fclose_ FILE *file = fopen(MACHINE_ID, "re");
	char text[sizeof(SALT) + 32] = SALT;
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int size;

	*ret = '\0';
	if (!file || fread(text + strlen(SALT), 1, 32, file) != 32 ||
	    !EVP_Digest(text, strlen(SALT) + 32, digest, &size, EVP_sha256(), NULL))
		return;
	for (int i = 0; i < 16; i++)
		sprintf(ret + 2 * (size_t)i, "%02x", digest[i]);
}

/* As the file @name says; empty if it does not. */
static void read_file(const struct incident *incident, const char *name,
		      char ret[static RIG_ID_SIZE])
{
	static const char *const keys[] = { "rig", NULL };
	struct json_object *json = json_file_head(incident->dirfd, name, keys);

	json_copy_text(json, "rig", ret, RIG_ID_SIZE);
	json_object_put(json);
}

/* Empty if nothing tells. */
static void read_rig(const struct incident *incident, char ret[static RIG_ID_SIZE])
{
	read_file(incident, MANIFEST_NAME, ret);
	if (!*ret)
		read_file(incident, "rig.json", ret);
}

bool rig_id_is_named(const char *rig, const struct incident *incident)
{
	char its[RIG_ID_SIZE];

	read_rig(incident, its);
	return *its && !strcmp(its, rig);
}

bool rig_id_is_others(const char *rig, const struct incident *incident)
{
	char its[RIG_ID_SIZE];

	read_rig(incident, its);
	return *rig && *its && strcmp(its, rig);
}

bool rig_id_owns(const char *rig, const struct incident *incident)
{
	return !store_is_shared(incident->dirfd) || rig_id_is_named(rig, incident);
}
