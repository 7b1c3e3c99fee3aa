/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * manifest.json as it is read: by whoever wants to know of an incident, and by whoever changes it later. The store may be
 * another machine's, so nothing in it is believed but what has the right type; the rest counts as unknown.
 */
#ifndef LOCKDUMP_MANIFEST_READ_H
#define LOCKDUMP_MANIFEST_READ_H

#include "kdump/json_file.h"
#include "kdump/manifest.h"

/* The whole of it; the caller puts *@ret. ERROR_NOT_FOUND: there is none. ERROR_CORRUPT: it is none of a manifest's kind. */
struct error *manifest_load(const struct incident *incident, struct json_object **ret);

/* What is in @json. @files may be NULL; else its names cannot lead out of the incident, and manifest_files_deinit() ends it. */
struct error *manifest_parse(struct json_object *json, struct manifest *ret,
			     struct manifest_files *files);

/* Both. */
struct error *manifest_read(const struct incident *incident, struct manifest *ret,
			    struct manifest_files *files);

#endif
