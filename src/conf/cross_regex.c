/*
 * Rules for expressions that are looked for in what others write: files of
 * applications, answers of web servers.
 */
#include <ctype.h>
#include <regex.h>
#include <stdlib.h>

#include "conf/cross_i.h"

/* They are compiled by recursion, later on a small stack. */
#define REGEX_PARTS_MAX 32
/* What is repeated is copied: twice for each +, and m times for {m}. */
#define REGEX_COPIES_MAX 4096

/* With \1 in it, who writes the text chooses how many hours a search takes. */
static bool
regex_refers_back(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text != '\\')
			continue;
		text++;
		if (isdigit((unsigned char)*text))
			return true;
		if (*text == '\0')
			return false;
	}
	return false;
}

/* The end of a set in brackets that begins here. */
static const char *
regex_set_end(const char *text)
{
	text += text[1] == '^' ? 2 : 1;
	if (*text == ']')
		text++;
	while (*text != '\0' && *text != ']')
		text++;
	return text;
}

/* The greater number of {m}, {m,} or {m,n}; one at least. */
static unsigned long
regex_times(const char *text)
{
	unsigned long least, most = 0;
	char *end;

	least = strtoul(text, &end, 10);
	if (least >= REGEX_COPIES_MAX)
		return least;
	if (*end == ',')
		most = strtoul(end + 1, NULL, 10);
	if (most < least + 1)
		most = least + 1;
	return most;
}

/* How many copies of a part there may be, if each repetition is of all that
 * was repeated before it. */
static bool
regex_copies(const char *text)
{
	unsigned long copies = 1, times;

	for (; *text != '\0'; text++) {
		if (*text == '\\' && text[1] != '\0') {
			text++;
		} else if (*text == '[') {
			text = regex_set_end(text);
			if (*text == '\0')
				break;
		} else if (*text == '+') {
			copies *= 2;
		} else if (*text == '{') {
			times = regex_times(text + 1);
			copies *=
			    times > REGEX_COPIES_MAX ? REGEX_COPIES_MAX : times;
		}
		if (copies > REGEX_COPIES_MAX)
			return false;
	}
	return true;
}

bool
cross_regex(struct conf_draft *d, const char *path, const char *what,
    const char *text, regex_t *re)
{
	char why[160];
	int rc;

	if (!regex_copies(text)) {
		draft_fault_at(d, path,
		    "%s repeats what is repeated too often, which takes "
		    "memory without end; write at most 12 of +, and smaller "
		    "numbers in {}",
		    what);
		return false;
	}
	rc = regcomp(re, text, REG_EXTENDED);
	if (rc != 0) {
		(void)regerror(rc, re, why, sizeof(why));
		draft_fault_at(d, path,
		    "%s is no extended regular expression: %s; try it with "
		    "grep -E",
		    what, why);
		return false;
	}
	if (re->re_nsub > REGEX_PARTS_MAX)
		draft_fault_at(d, path,
		    "%s has %zu parts in parentheses; write at most %d", what,
		    re->re_nsub, REGEX_PARTS_MAX);
	else if (regex_refers_back(text))
		draft_fault_at(d, path,
		    "%s refers back to a part of itself, which may take hours "
		    "to find; write it without \\\\1 to \\\\9",
		    what);
	else
		return true;
	regfree(re);
	return false;
}
