/*
 * Text of the configuration that is filled in on each host: variables such as
 * ${primary.name}, and \1 to \9 for parts of what an expression matched. A
 * backslash and a dollar sign that are meant as such are written \\ and \$.
 */
#ifndef HAWATCH_TEMPLATE_H
#define HAWATCH_TEMPLATE_H

#include <stddef.h>

#include "hawatch/types.h"

struct conf;

enum template_kind {
	TEMPLATE_END,
	TEMPLATE_BYTE,	   /* number is the byte */
	TEMPLATE_GROUP,	   /* number is 1 to 9 */
	TEMPLATE_VARIABLE, /* whole, from ${ to } */
	TEMPLATE_WRONG	   /* a backslash or ${ that means nothing */
};

struct template_piece {
	enum template_kind kind;
	int number;
	const char *from; /* in the text */
	size_t len;
};

/* The piece at *text, which moves past it. */
struct template_piece template_next(const char **text);
/* NULL for a variable that is not known, and for the primary's while nobody
 * knows the primary. Borrowed from conf. */
const char *template_value(const struct conf *conf,
    const struct template_piece *variable, node_t primary);
/* The text with its variables replaced and all else as it is; caller frees. */
char *template_expand(
    const struct conf *conf, const char *text, node_t primary) MUST_CHECK;
/* For messages: "${self.name}, ...". */
const char *template_variables(void);

#endif
