/*
 * Memory that is there or the process is not: running out of it aborts. What
 * the daemon keeps is on disk and in the register, so a restart is a normal
 * case and no caller needs a branch that nobody can test.
 */
#ifndef HAWATCH_MEM_H
#define HAWATCH_MEM_H

#include <stddef.h>

#include "hawatch/types.h"

/* Caller frees all of these with free(). xcalloc zeroes. */
void *xcalloc(size_t n, size_t size) MUST_CHECK;
void *xrealloc(void *old, size_t n, size_t size) MUST_CHECK;
char *xstrdup(const char *s) MUST_CHECK;
char *xstrndup(const char *s, size_t max) MUST_CHECK;
void *xmemdup(const void *data, size_t len) MUST_CHECK;
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2) MUST_CHECK;

#endif
