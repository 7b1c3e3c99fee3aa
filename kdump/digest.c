// SPDX-License-Identifier: GPL-2.0-only
/* By libcrypto: libkmod needs it anyway, so it is in the initramfs already; and it uses the CPU's instructions. */
#include "kdump/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

static void free_context(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}

struct error *sha256_of(int fd, const char *name, char ret[static SHA256_HEX_SIZE])
{
	static unsigned char buffer[256 * 1024];
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int size;
	ssize_t n;

	__attribute__((cleanup(free_context))) EVP_MD_CTX *context = EVP_MD_CTX_new();
	if (!context || !EVP_DigestInit_ex(context, EVP_sha256(), NULL))
		return error_create(ERROR_OTHER, "%s: SHA-256 is not to be had", name);
	while ((n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno("%s", name);
		EVP_DigestUpdate(context, buffer, n);
	}
	if (!EVP_DigestFinal_ex(context, digest, &size))
		return error_create(ERROR_OTHER, "%s: SHA-256 failed", name);
	for (unsigned int i = 0; i < size && i < 32; i++)
		sprintf(ret + 2 * i, "%02x", digest[i]);
	return NULL;
}
