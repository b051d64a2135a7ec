/*
 * The command line as it was given, for a refusal whose next command is the
 * same with something more.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"

/* As it was given; of this process, as argv is. */
static char verb_given[1024];

static void
quote_add(char *buf, size_t size, size_t *len, const char *text, size_t n)
{
	if (*len < size)
		*len += (size_t)snprintf(
		    buf + *len, size - *len, "%.*s", (int)n, text);
}

/* Quoted where a shell would read something else. */
void
verb_quote(char *buf, size_t size, size_t *len, const char *word)
{
	static const char plain[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "_./:=,@%+-";
	const char *at = word;
	size_t n;

	quote_add(buf, size, len, " ", 1);
	if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
		quote_add(buf, size, len, word, strlen(word));
		return;
	}
	quote_add(buf, size, len, "'", 1);
	for (;;) {
		n = strcspn(at, "'");
		quote_add(buf, size, len, at, n);
		if (at[n] == '\0')
			break;
		quote_add(buf, size, len, "'\\''", 4);
		at += n + 1;
	}
	quote_add(buf, size, len, "'", 1);
}

void
verb_keep(int argc, char **argv)
{
	size_t len = (size_t)snprintf(verb_given, sizeof(verb_given), "hactl");
	int i;

	for (i = 1; i < argc; i++)
		verb_quote(verb_given, sizeof(verb_given), &len, argv[i]);
}

static bool
again_ends(char c, bool quoted)
{
	return c == '=' || c == (quoted ? '\'' : ' ') || (!quoted && c == '\0');
}

/* Whole, as it was given, or behind its option's '='; not a part of another
 * word, nor one of a sentence in quotes. NULL: it is not there. */
static const char *
again_find(const char *word)
{
	size_t len = strlen(word);
	bool quoted = false;
	const char *at;

	for (at = verb_given; *at != '\0'; at++) {
		if (at > verb_given && strncmp(at, word, len) == 0 &&
		    again_ends(at[-1], quoted) && again_ends(at[len], quoted))
			return at;
		if (*at == '\'')
			quoted = !quoted;
		else if (*at == '\\' && !quoted && at[1] != '\0')
			at++;
	}
	return NULL;
}

const char *
verb_again_with(const char *word, const char *other)
{
	static char again[sizeof(verb_given) + 64];
	const char *at = again_find(word);

	if (at == NULL)
		return "hactl --help";
	(void)snprintf(again, sizeof(again), "%.*s%s%s", (int)(at - verb_given),
	    verb_given, other, at + strlen(word));
	return again;
}

const char *
verb_again(const char *before, const char *after)
{
	static char again[sizeof(verb_given) + 32];

	(void)snprintf(
	    again, sizeof(again), "%s%s%s", before, verb_given, after);
	return again;
}
