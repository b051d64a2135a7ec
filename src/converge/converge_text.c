/*
 * Rendering: content, expression and text in, content out. Knows no file and
 * no role; variables have been filled in before. What it says names lines by
 * their number only, since files that are rewritten hold passwords.
 */
#include "converge/converge_text.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hawatch/mem.h"
#include "hawatch/template.h"

#define TEXT_GROUPS 10
#define TEXT_TOLD 5 /* lines that a message names */

struct text_buf {
	char *data;
	size_t len, size;
};

struct text_pass {
	const struct text_rule *rule;
	const regex_t *re;
	struct text_buf buf;
	int failed; /* regexec's reason to give up; 0 none */
	int matches;
	int line[TEXT_TOLD];
};

static void
text_put(struct text_buf *buf, const char *from, size_t len)
{
	if (buf->len + len >= buf->size) {
		buf->size = 2 * (buf->len + len) + 64;
		buf->data = xrealloc(buf->data, buf->size, 1);
	}
	memcpy(buf->data + buf->len, from, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

/* The line as it is to read; a group that took no part is empty. */
static void
text_line(struct text_pass *p, const char *line, const regmatch_t *m)
{
	const char *text = p->rule->text;
	struct template_piece piece;
	char byte;

	for (;;) {
		piece = template_next(&text);
		switch (piece.kind) {
		case TEMPLATE_END:
			return;
		case TEMPLATE_BYTE:
			byte = (char)piece.number;
			text_put(&p->buf, &byte, 1);
			break;
		case TEMPLATE_GROUP:
			if (m[piece.number].rm_so >= 0)
				text_put(&p->buf, line + m[piece.number].rm_so,
				    (size_t)(m[piece.number].rm_eo -
					     m[piece.number].rm_so));
			break;
		case TEMPLATE_VARIABLE:
		case TEMPLATE_WRONG:
			text_put(&p->buf, piece.from, piece.len);
			break;
		}
	}
}

/* len is without the end of the line, whole with it. */
static void
text_take(
    struct text_pass *p, const char *line, size_t len, size_t whole, int number)
{
	regmatch_t m[TEXT_GROUPS] = { { .rm_so = 0, .rm_eo = (regoff_t)len } };

	int rc = regexec(p->re, line, TEXT_GROUPS, m, REG_STARTEND);

	if (rc != 0) {
		if (rc != REG_NOMATCH)
			p->failed = rc;
		text_put(&p->buf, line, whole);
		return;
	}
	if (p->matches < TEXT_TOLD)
		p->line[p->matches] = number;
	if (p->matches++ > 0)
		return;
	text_line(p, line, m);
	text_put(&p->buf, line + len, whole - len);
}

static void
text_pass(struct text_pass *p, const char *data, size_t len)
{
	const char *end = data + len;
	const char *line, *next;
	size_t cut;
	int number = 0;

	text_put(&p->buf, "", 0);
	for (line = data; line < end; line = next) {
		next = memchr(line, '\n', (size_t)(end - line));
		cut = (size_t)((next == NULL ? end : next) - line);
		next = next == NULL ? end : next + 1;
		if (next > line + cut && cut > 0 && line[cut - 1] == '\r')
			cut--;
		text_take(p, line, cut, (size_t)(next - line), ++number);
	}
}

static int
text_many(const struct text_pass *p, struct error *err)
{
	char list[TEXT_TOLD * 12 + 4] = "";
	size_t len = 0;
	int i;

	for (i = 0; i < p->matches && i < TEXT_TOLD; i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%d",
		    i == 0 ? "" : ", ", p->line[i]);
	return error_set(err, ERR_REFUSED,
	    "%d lines match instead of one (%s%s)", p->matches, list,
	    p->matches > TEXT_TOLD ? ", ..." : "");
}

static int
text_check(const struct text_pass *p, struct error *err)
{
	if (p->failed != 0)
		return error_set(
		    err, ERR_LIMIT, "the expression needs too much memory");
	if (p->matches == 0)
		return error_set(err, ERR_REFUSED, "no line matches");
	if (p->matches > 1 && p->rule->many == MANY_ERROR)
		return text_many(p, err);
	if (p->buf.len > TEXT_MAX)
		return error_set(err, ERR_LIMIT,
		    "it would be longer than %zu bytes", TEXT_MAX);
	return 0;
}

/* What is written must be found and left alone the next time: else a line that
 * grows with every look, or one that is never found again. */
static int
text_stable(const struct text_pass *p, struct error *err)
{
	struct text_pass again = { .rule = p->rule, .re = p->re };
	bool same;

	text_pass(&again, p->buf.data, p->buf.len);
	same = again.failed == 0 && again.matches == 1 &&
	       again.buf.len == p->buf.len &&
	       memcmp(again.buf.data, p->buf.data, p->buf.len) == 0;
	free(again.buf.data);
	if (same)
		return 0;
	return error_set(err, ERR_REFUSED, "line %d, once changed, would %s",
	    p->line[0],
	    again.matches == 0 ? "not match any more" : "change again");
}

int
text_render(const char *data, size_t len, const struct text_rule *rule,
    struct text_out *out, struct error *err)
{
	struct text_pass p = { .rule = rule };
	regex_t re;
	char why[160];
	int rc;

	if (len > TEXT_MAX)
		return error_set(
		    err, ERR_LIMIT, "it is longer than %zu bytes", TEXT_MAX);
	if (memchr(data, '\0', len) != NULL)
		return error_set(err, ERR_REFUSED, "it is not a text");
	rc = regcomp(&re, rule->match, REG_EXTENDED);
	if (rc != 0) {
		(void)regerror(rc, &re, why, sizeof(why));
		return error_set(err, ERR_CONFIG, "match: %s", why);
	}
	p.re = &re;
	text_pass(&p, data, len);
	rc = text_check(&p, err) == 0 && text_stable(&p, err) == 0 ? 0 : -1;
	regfree(&re);
	if (rc == -1) {
		free(p.buf.data);
		return -1;
	}
	out->data = p.buf.data;
	out->len = p.buf.len;
	out->line = p.line[0];
	out->changed = out->len != len || memcmp(out->data, data, len) != 0;
	return 0;
}
