/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Errors are values. A function that can fail returns NULL or an error that
 * the caller owns; the verb prints it once, at the top.
 */
#ifndef LOCKDUMP_ERROR_H
#define LOCKDUMP_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum error_class {
	ERROR_OTHER,
	ERROR_NO_MEMORY,
	ERROR_SYSTEM, /* a system call; the message has strerror() */
	ERROR_NOT_FOUND,
	/* Why an address of a dump cannot be read; error.address is that address. */
	ERROR_EXCLUDED, /* makedumpfile was told to leave the page out */
	ERROR_MISSING, /* the dump is incomplete: it ends before the page */
	ERROR_UNMAPPED, /* no page table entry, or no such memory */
	ERROR_CORRUPT, /* the bytes contradict themselves */
};

struct error {
	enum error_class class;
	uint64_t address;
	char *message;
};

/* Out of memory: a static object, so that it can always be returned. */
extern struct error error_no_memory;

struct error *error_create(enum error_class class, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* An error of one of the four classes that concern an address. */
struct error *error_fault(enum error_class class, uint64_t address, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

struct error *error_vfault(enum error_class class, uint64_t address, const char *format,
			   va_list args) __attribute__((format(printf, 3, 0)));

/* The message, then ": " and strerror(errno). Class ERROR_SYSTEM. */
struct error *error_errno(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Another error of the same class, address and message; NULL for NULL. */
struct error *error_copy(const struct error *err);

/* Puts "WHAT: " before the message of @err, and returns @err. */
struct error *error_prefix(struct error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void error_destroy(struct error *err);

/* Whether it is one of the four classes that concern an address. */
bool error_is_fault(enum error_class class);

/* "excluded", "missing", "unmapped", "corrupt" or "other", as in a report's source.notes. */
const char *error_class_name(enum error_class class);

/* Prints "lockdump: MESSAGE" as one line on stderr, frees @err, and returns 1, a verb's status. */
int error_report(struct error *err);

#endif
