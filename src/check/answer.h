/*
 * Whether an HTTP answer is what a check asks for.
 */
#ifndef CHECK_ANSWER_H
#define CHECK_ANSWER_H

#include <stddef.h>

#include "hawatch/types.h"

struct http_answer;

/* want: "X-Cache-Status: MISS"; the field's name in any case. */
bool answer_header(const char *want, const struct http_answer *ans);
/* want: an extended regular expression. */
bool answer_body(const char *want, const char *body);
/* want: "events.id=1": the field events, of it the field id; a number is an
 * array's element, from 0. Of strings the text, of others what JSON writes. */
bool answer_json(const char *want, const char *body, size_t len);

#endif
