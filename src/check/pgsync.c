/*
 * synchronous_standby_names, written and read. PostgreSQL compares the names
 * without regard to case, and so does the reader; it does not try to be
 * PostgreSQL's parser, only to be right about what it claims to know.
 */
#include "hawatch/pgsync.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "hawatch/str.h"

struct pgsync_scan {
	const char *at;
	char word[NODE_NAME_MAX + 1];
	bool quoted;
};

enum pgsync_token { SYNC_END, SYNC_WORD, SYNC_MARK, SYNC_BAD };

int
pgsync_render(char *buf, size_t size, nodeset_t set, const struct names *names)
{
	size_t used;
	node_t node;
	int n;

	if (size == 0)
		return -1;
	buf[0] = '\0';
	if (set == 0)
		return 0;
	n = snprintf(buf, size, "FIRST %d (", __builtin_popcount(set));
	if (n < 0 || (size_t)n >= size)
		return -1;
	used = (size_t)n;
	for (node = 0; node < names->count; node++) {
		if ((set & NODE_BIT(node)) == 0)
			continue;
		set &= ~NODE_BIT(node);
		n = snprintf(buf + used, size - used, "\"%s\"%s",
		    names->node[node], set == 0 ? ")" : ", ");
		if (n < 0 || (size_t)n >= size - used)
			return -1;
		used += (size_t)n;
	}
	return set == 0 ? 0 : -1;
}

/* A name, a number or one character; word holds it. */
static enum pgsync_token
pgsync_next(struct pgsync_scan *s)
{
	size_t len = 0;

	while (isspace((unsigned char)*s->at))
		s->at++;
	s->quoted = *s->at == '"';
	if (*s->at == '\0')
		return SYNC_END;
	if (!s->quoted && strchr("(),*", *s->at) != NULL) {
		s->word[0] = *s->at++;
		s->word[1] = '\0';
		return SYNC_MARK;
	}
	if (s->quoted)
		s->at++;
	for (;; s->at++) {
		if (*s->at == '\0' && s->quoted)
			return SYNC_BAD;
		if (s->quoted && *s->at == '"') {
			s->at++;
			if (*s->at != '"')
				break;
		} else if (!s->quoted &&
			   (*s->at == '\0' ||
			       strchr("(),*\" \t\n\r", *s->at) != NULL))
			break;
		if (len >= sizeof(s->word) - 1)
			return SYNC_BAD;
		s->word[len++] = *s->at;
	}
	s->word[len] = '\0';
	return len > 0 ? SYNC_WORD : SYNC_BAD;
}

static node_t
pgsync_node(const char *word, const struct names *names)
{
	node_t node;

	for (node = 0; node < names->count; node++)
		if (strcasecmp(word, names->node[node]) == 0)
			return node;
	return NODE_NONE;
}

/* The number before the list, and whether a list in brackets follows. -1 when
 * it is not one that makes a commit wait for its first names. */
static int
pgsync_head(struct pgsync_scan *s, bool *bracket)
{
	struct pgsync_scan start = *s;
	int count = 1;

	*bracket = false;
	if (pgsync_next(s) != SYNC_WORD || s->quoted) {
		*s = start;
		return 1;
	}
	if (strcasecmp(s->word, "ANY") == 0)
		return -1;
	if (strcasecmp(s->word, "FIRST") == 0 && pgsync_next(s) != SYNC_WORD)
		return -1;
	if (str_parse_int(s->word, 0, 999, &count) == 0 &&
	    pgsync_next(s) == SYNC_MARK && s->word[0] == '(') {
		*bracket = true;
		return count;
	}
	*s = start;
	return 1;
}

void
pgsync_parse(
    const char *text, const struct names *names, nodeset_t *nodes, bool *other)
{
	struct pgsync_scan s = { .at = text };
	enum pgsync_token token;
	nodeset_t set = 0;
	int count, listed = 0;
	bool bracket, broken, strange = false;
	node_t node;

	*nodes = 0;
	*other = false;
	if (text[strspn(text, " \t\n\r")] == '\0')
		return;
	count = pgsync_head(&s, &bracket);
	do {
		token = pgsync_next(&s);
		node = NODE_NONE;
		if (token == SYNC_WORD)
			node = pgsync_node(s.word, names);
		if (node == NODE_NONE || (set & NODE_BIT(node)) != 0)
			strange = true;
		else
			set |= NODE_BIT(node);
		listed++;
		token = pgsync_next(&s);
	} while (token == SYNC_MARK && s.word[0] == ',');
	broken = !bracket && token != SYNC_END;
	if (bracket && (token != SYNC_MARK || s.word[0] != ')' ||
			   pgsync_next(&s) != SYNC_END))
		broken = true;
	/* Fewer than named: whoever is connected counts, so none is certain. */
	if (count != listed)
		broken = true;
	*other = strange || broken;
	*nodes = broken ? 0 : set;
}
