/*
 * Rules for the lines of converge: expressions that compile, texts whose parts
 * mean something, no two items that undo each other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/cross_i.h"
#include "hawatch/template.h"

/* One that is missing is told as such. */
static bool
cross_line_compile(struct conf_draft *d, int i, regex_t *re)
{
	const struct conf_item *item = &d->conf.item[i];
	char path[CROSS_PATH_MAX], what[CROSS_WHAT_MAX];

	if (item->match[0] == '\0')
		return false;
	cross_path(path, "converge", i, "match");
	(void)snprintf(what, sizeof(what), "item %s: match", item->name);
	return cross_regex(d, path, what, item->match, re);
}

/* False: the piece is wrong, and was told. */
static bool
cross_line_piece(struct conf_draft *d, int i, const char *role,
    const struct template_piece *piece, size_t groups)
{
	const struct conf_item *item = &d->conf.item[i];
	char path[CROSS_PATH_MAX];
	int len = piece->len > 60 ? 60 : (int)piece->len;

	cross_path(path, "converge", i, role);
	if (piece->kind == TEMPLATE_WRONG) {
		draft_fault_at(d, path,
		    "item %s: %s has %.*s, which means nothing; write \\\\1 "
		    "to \\\\9 for parts of the match, ${...} for a variable, "
		    "\\\\\\\\ for a backslash, \\\\$ for a dollar sign",
		    item->name, role, len, piece->from);
		return false;
	}
	if (piece->kind == TEMPLATE_GROUP && (size_t)piece->number > groups) {
		draft_fault_at(d, path,
		    "item %s: %s has \\%d, but match has only %zu parts in "
		    "parentheses; write at most \\\\%zu, or put the part into "
		    "parentheses",
		    item->name, role, piece->number, groups, groups);
		return false;
	}
	if (piece->kind == TEMPLATE_VARIABLE &&
	    template_value(&d->conf, piece, 0) == NULL &&
	    d->conf.self != NODE_NONE) {
		draft_fault_at(d, path,
		    "item %s: %s has %.*s, which is not known; write one of "
		    "%s",
		    item->name, role, len, piece->from, template_variables());
		return false;
	}
	return true;
}

/* A text without parts of the match is what the line will read: it must be
 * found again. */
static void
cross_line_found(struct conf_draft *d, int i, const char *role,
    const char *text, const regex_t *re)
{
	char path[CROSS_PATH_MAX];
	struct template_piece piece;
	char *line, *to;
	const char *from;

	line = template_expand(&d->conf, text, d->conf.self);
	from = to = line;
	for (;;) {
		piece = template_next(&from);
		if (piece.kind == TEMPLATE_END)
			break;
		*to++ = (char)piece.number;
	}
	*to = '\0';
	cross_path(path, "converge", i, role);
	if (regexec(re, line, 0, NULL, 0) != 0)
		draft_fault_at(d, path,
		    "item %s: match does not match what %s writes, so the line "
		    "would be found once and never again; write a match for "
		    "both",
		    d->conf.item[i].name, role);
	free(line);
}

static void
cross_line_text(struct conf_draft *d, int i, const char *role, const char *text,
    const regex_t *re)
{
	const char *s = text;
	struct template_piece piece;
	bool parts = false;

	if (text[0] == '\0')
		return;
	for (;;) {
		piece = template_next(&s);
		if (piece.kind == TEMPLATE_END)
			break;
		if (!cross_line_piece(d, i, role, &piece, re->re_nsub))
			return;
		parts = parts || piece.kind == TEMPLATE_GROUP;
	}
	if (!parts && d->conf.self != NODE_NONE)
		cross_line_found(d, i, role, text, re);
}

static bool
cross_line_same_host(const struct conf *conf, const struct conf_item *a,
    const struct conf_item *b)
{
	node_t n;

	for (n = 0; n < conf->node_count; n++)
		if (conf_on(conf, a->on, n) && conf_on(conf, b->on, n))
			return true;
	return false;
}

static void
cross_line_pair(struct conf_draft *d, int j, int i)
{
	const struct conf_item *a = &d->conf.item[j], *b = &d->conf.item[i];
	char path[CROSS_PATH_MAX];

	if (a->type != ITEM_LINE || b->file[0] == '\0' ||
	    strcmp(a->file, b->file) != 0 ||
	    !cross_line_same_host(&d->conf, a, b))
		return;
	cross_path(path, "converge", i, "match");
	if (strcmp(a->match, b->match) == 0)
		draft_fault_at(d, path,
		    "items %s and %s are about the same lines of %s; write "
		    "one of them only, or another match",
		    a->name, b->name, b->file);
	cross_path(path, "converge", i, "when");
	if (a->when != b->when)
		draft_fault_at(d, path,
		    "items %s and %s write %s before and after a promotion; "
		    "write the same when for both",
		    a->name, b->name, b->file);
}

void
cross_line(struct conf_draft *d, int i)
{
	const struct conf_item *item = &d->conf.item[i];
	regex_t re;
	int j;

	for (j = 0; j < i; j++)
		cross_line_pair(d, j, i);
	if (!cross_line_compile(d, i, &re))
		return;
	cross_line_text(d, i, "primary", item->primary, &re);
	cross_line_text(d, i, "standby", item->standby, &re);
	regfree(&re);
}
