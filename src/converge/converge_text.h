/*
 * One line of a text: found by an expression, made to read as demanded. Pure.
 */
#ifndef CONVERGE_TEXT_H
#define CONVERGE_TEXT_H

#include <stddef.h>

#include "hawatch/conf.h"
#include "hawatch/error.h"

#define TEXT_MAX ((size_t)4 * 1024 * 1024)

struct text_rule {
	const char *match; /* POSIX extended expression, for one line */
	const char *text;  /* the whole line without its end; \1 to \9 */
	enum conf_item_many many;
};

struct text_out {
	char *data; /* followed by a 0 that is not counted; caller frees */
	size_t len;
	bool changed;
	int line; /* the first that matched, from 1 */
};

/* All bytes outside of the lines that match stay as they are, ends of lines
 * included. The result gives itself when it is rendered again; where it would
 * not, that is an error. On -1 out is untouched and err says why, without any
 * content. */
int text_render(const char *data, size_t len, const struct text_rule *rule,
    struct text_out *out, struct error *err) MUST_CHECK;

#endif
