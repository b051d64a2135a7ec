/*
 * The command line as it was given, for a refusal whose next command is the
 * same with something more.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"

/* As it was given; of this process, as argv is. */
static char verb_given[512];

/* Quoted where a shell would read something else. */
void
verb_keep(int argc, char **argv)
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "_./:=,@%+-";
	size_t len = (size_t)snprintf(verb_given, sizeof(verb_given), "hactl");
	bool quoted;
	int i;

	for (i = 1; i < argc && len < sizeof(verb_given); i++) {
		quoted = argv[i][strspn(argv[i], plain)] != '\0';
		/* None with a quote of its own: that one is left to people. */
		if (quoted && strchr(argv[i], '\'') != NULL)
			quoted = false;
		len +=
		    (size_t)snprintf(verb_given + len, sizeof(verb_given) - len,
			quoted ? " '%s'" : " %s", argv[i]);
	}
}

const char *
verb_again(const char *before, const char *after)
{
	static char again[sizeof(verb_given) + 32];

	(void)snprintf(
	    again, sizeof(again), "%s%s%s", before, verb_given, after);
	return again;
}
