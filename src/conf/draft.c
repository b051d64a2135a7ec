/*
 * Collecting what is wrong with a configuration, with the line that a person
 * has to look at, and owning the strings of what is right.
 */
#include "conf/draft.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/memory.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

static void draft_one_line(char *s);
static const config_setting_t *draft_find(
    const struct conf_draft *d, const char *path);
static void draft_add(struct conf_draft *d, const config_setting_t *at,
    const char *fmt, va_list ap) PRINTF_LIKE(3, 0);

char *
draft_string(struct conf_draft *d, const char *s)
{
	struct conf_memory *m = d->conf.memory;

	m->text = xrealloc(m->text, m->count + 1, sizeof(*m->text));
	m->text[m->count] = xstrdup(s);
	return m->text[m->count++];
}

void
draft_fault(
    struct conf_draft *d, const config_setting_t *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	draft_add(d, at, fmt, ap);
	va_end(ap);
}

void
draft_fault_at(struct conf_draft *d, const char *path, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	draft_add(d, draft_find(d, path), fmt, ap);
	va_end(ap);
}

bool
draft_given(const struct conf_draft *d, const char *path)
{
	return config_lookup(&d->file, path) != NULL;
}

/* The setting of that path, else the nearest group around it, else NULL. */
static const config_setting_t *
draft_find(const struct conf_draft *d, const char *path)
{
	const config_setting_t *at;
	char *copy = xstrdup(path);
	char *dot;

	while ((at = config_lookup(&d->file, copy)) == NULL) {
		dot = strrchr(copy, '.');
		if (dot == NULL)
			break;
		*dot = '\0';
	}
	free(copy);
	return at;
}

static void
draft_add(struct conf_draft *d, const config_setting_t *at, const char *fmt,
    va_list ap)
{
	struct conf_fault *fault;
	struct error err;

	(void)vsnprintf(err.msg, sizeof(err.msg), fmt, ap);
	draft_one_line(err.msg);
	d->faults =
	    xrealloc(d->faults, (size_t)d->fault_count + 1, sizeof(*fault));
	fault = &d->faults[d->fault_count];
	fault->seq = d->fault_count++;
	fault->text = xstrdup(err.msg);
	fault->file = at == NULL ? NULL : config_setting_source_file(at);
	fault->line = at == NULL ? 0 : (int)config_setting_source_line(at);
	if (fault->line == 0)
		fault->line = d->last_line;
}

/* A message quotes the file; what is no plain text must not end its line. */
static void
draft_one_line(char *s)
{
	size_t len;

	for (; *s != '\0'; s += len) {
		len = str_utf8(s);
		if (len == 0) {
			*s = '?';
			len = 1;
		}
	}
}
