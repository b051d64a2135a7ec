/*
 * Rules for expressions that are looked for in what others write: files of
 * applications, answers of web servers.
 */
#include <ctype.h>
#include <regex.h>

#include "conf/cross_i.h"

/* They are compiled by recursion, later on a small stack. */
#define REGEX_PARTS_MAX 32

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

bool
cross_regex(struct conf_draft *d, const char *path, const char *what,
    const char *text, regex_t *re)
{
	char why[160];
	int rc;

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
