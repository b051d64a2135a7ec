/*
 * Allocation that aborts when there is no memory. See mem.h for why.
 */
#include "hawatch/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *mem_check(void *p);

void *
xcalloc(size_t n, size_t size)
{
	return mem_check(calloc(n == 0 ? 1 : n, size == 0 ? 1 : size));
}

void *
xrealloc(void *old, size_t n, size_t size)
{
	return mem_check(
	    reallocarray(old, n == 0 ? 1 : n, size == 0 ? 1 : size));
}

char *
xstrdup(const char *s)
{
	return mem_check(strdup(s));
}

char *
xstrndup(const char *s, size_t max)
{
	return mem_check(strndup(s, max));
}

void *
xmemdup(const void *data, size_t len)
{
	void *copy = xcalloc(1, len);

	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

char *
xasprintf(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) == -1)
		text = NULL;
	va_end(ap);
	return mem_check(text);
}

/* stdio may allocate, so the last words go straight to the descriptor. */
static void *
mem_check(void *p)
{
	static const char words[] = "hawatch: out of memory\n";

	if (p != NULL)
		return p;
	if (write(STDERR_FILENO, words, sizeof(words) - 1) == -1)
		abort();
	abort();
}
