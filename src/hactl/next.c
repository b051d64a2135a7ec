/*
 * The command that comes next, as it can be pasted where it is read: with a
 * terminal where it will ask, from this machine where a host is asked from
 * afar, and with the words that were given to the order before it.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/way.h"
#include "hawatch/str.h"

#define NEXT_MAX 900

/* Of this run, as one engine is asked. */
static struct next_who {
	bool away;
	char host[256];	 /* as it is called there; "" whoever answers */
	char given[600]; /* --client and the like, each after a blank */
} next_who;

/* How this host is called in the answers that it gives; "" not known. */
static char next_name[NODE_NAME_MAX];

/* Where in a text a command of hactl is, and whose. */
struct next_at {
	const char *begin, *rest; /* "ssh " or "hactl "; behind "hactl " */
	const char *host;	  /* behind "ssh "; NULL: here */
	size_t host_len;
	bool quoted; /* all of it, for the shell there */
	const struct verb *verb;
};

static void
next_word(
    char *buf, size_t size, size_t *len, const char *option, const char *word)
{
	if (*len < size)
		*len +=
		    (size_t)snprintf(buf + *len, size - *len, " --%s", option);
	verb_quote(buf, size, len, word);
}

void
next_away(const struct call *call)
{
	static const enum hactl_option options[] = { OPT_CLIENT, OPT_CA,
		OPT_CERT, OPT_KEY };
	struct next_who *who = &next_who;
	const char *host;
	size_t i, len = 0;

	memset(who, 0, sizeof(*who));
	if (call == NULL)
		return;
	who->away = true;
	host = call->opt[OPT_HOST];
	(void)snprintf(
	    who->host, sizeof(who->host), "%s", host == NULL ? "" : host);
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (call->opt[options[i]] != NULL)
			next_word(who->given, sizeof(who->given), &len,
			    verb_options[options[i]].name,
			    call->opt[options[i]]);
}

bool
next_is_away(void)
{
	return next_who.away;
}

void
next_self(const char *node)
{
	str_cut(next_name, sizeof(next_name), node);
}

/* "ssh prod-s1 psql -c \"'SHOW x'\"" is "psql -c 'SHOW x'" on prod-s1: without
 * the quotes that the shell here would have taken away. False: it is for
 * another host. */
static bool
next_here(const char *next, char *buf, size_t size)
{
	static const char ssh[] = "ssh ", terminal[] = "-t ";
	size_t name = strlen(next_name), len = 0;
	char quote = '\0';

	if (name == 0 || next_who.away || strncmp(next, ssh, strlen(ssh)) != 0)
		return false;
	next += strlen(ssh);
	if (strncmp(next, terminal, strlen(terminal)) == 0)
		next += strlen(terminal);
	if (strncmp(next, next_name, name) != 0 || next[name] != ' ')
		return false;
	for (next += name + 1; *next != '\0' && len + 1 < size; next++) {
		if (quote == '\0' && (*next == '\'' || *next == '"'))
			quote = *next;
		else if (*next == quote)
			quote = '\0';
		else
			buf[len++] = *next;
	}
	buf[len] = '\0';
	return true;
}

/* The one of the most words. */
static const struct verb *
next_verb(const char *rest)
{
	const struct verb *best = NULL;
	size_t i, len, most = 0;

	for (i = 0; i < verb_count(); i++) {
		len = strlen(verb_table[i].words);
		if (len <= most || strncmp(verb_table[i].words, rest, len) != 0)
			continue;
		if (rest[len] != '\0' && strchr(" ;,'", rest[len]) == NULL)
			continue;
		best = &verb_table[i];
		most = len;
	}
	return best;
}

static bool
next_find(const char *next, struct next_at *at)
{
	static const char hactl[] = "hactl ", ssh[] = "ssh ";
	const char *found = strstr(next, ssh), *name;

	memset(at, 0, sizeof(*at));
	if (found != NULL) {
		name = found + strlen(ssh);
		at->host_len = strcspn(name, " ");
		at->rest = name + at->host_len;
		at->rest += strspn(at->rest, " '");
		at->quoted = at->rest[-1] == '\'';
		at->host = name;
		at->begin = found;
	} else {
		at->begin = at->rest = next;
	}
	if (strncmp(at->rest, hactl, strlen(hactl)) != 0)
		return false;
	at->rest += strlen(hactl);
	at->verb = next_verb(at->rest);
	return strstr(at->rest, "--help") == NULL;
}

/* It asks whoever gives it, and without a terminal nobody can answer. */
static bool
next_asks(const struct next_at *at)
{
	return at->host != NULL && at->verb != NULL &&
	       (at->verb->options & OPT_BIT(YES)) != 0 &&
	       strstr(at->rest, " --yes") == NULL;
}

/* "ssh prod-s1 hactl ack" is "hactl --host prod-s1 ack" there; what ssh got in
 * quotes needs them no more. */
static void
next_from_here(const struct next_at *at, char *buf, size_t size)
{
	const struct next_who *who = &next_who;
	const char *host = at->host == NULL ? who->host : at->host;
	size_t host_len = at->host == NULL ? strlen(who->host) : at->host_len;
	bool named = strstr(at->rest, "--host ") != NULL || host_len == 0;
	bool given = strstr(at->rest, "--client ") != NULL ||
		     strstr(at->rest, "--ca ") != NULL;
	size_t len;

	(void)snprintf(buf, size, "hactl%s%.*s%s %s", named ? "" : " --host ",
	    named ? 0 : (int)host_len, host, given ? "" : who->given, at->rest);
	len = strlen(buf);
	if (at->quoted && buf[len - 1] == '\'')
		buf[len - 1] = '\0';
}

const char *
next_command(const char *next)
{
	static char buf[NEXT_MAX];
	const struct next_who *who = &next_who;
	struct next_at at;
	size_t before;

	if (next_here(next, buf, sizeof(buf)))
		return buf;
	if (!next_find(next, &at))
		return next;
	before = (size_t)(at.begin - next);
	(void)snprintf(buf, sizeof(buf), "%.*s", (int)before, next);
	if (who->away && at.verb != NULL && at.verb->reach == VERB_HERE) {
		/* Another host's files: that is done there. */
		if (at.host != NULL || who->host[0] == '\0')
			return next;
		(void)snprintf(buf + before, sizeof(buf) - before,
		    "ssh %.*s %s", (int)strcspn(who->host, "=:"), who->host,
		    at.begin);
	} else if (who->away && (at.verb != NULL || at.host == NULL)) {
		next_from_here(&at, buf + before, sizeof(buf) - before);
	} else if (next_asks(&at)) {
		(void)snprintf(
		    buf + before, sizeof(buf) - before, "ssh -t %s", at.host);
	} else {
		return next;
	}
	return buf;
}

/* What that option had; the name of the value where it cannot be quoted. */
static void
next_option(char *buf, size_t size, size_t *len, int opt, const char *value,
    bool *quotes)
{
	bool plain = strpbrk(value, " *?<>|&;()!") == NULL;

	if (*len >= size)
		return;
	if (strpbrk(value, "'\"`$\\") != NULL) {
		value = verb_options[opt].value;
		plain = true;
	}
	if (value[0] == '\0')
		*len += (size_t)snprintf(
		    buf + *len, size - *len, " --%s", verb_options[opt].name);
	else
		*len += (size_t)snprintf(buf + *len, size - *len,
		    plain ? " --%s %s" : " --%s \"%s\"", verb_options[opt].name,
		    value);
	*quotes = *quotes || !plain;
}

/* The same order, elsewhere or with one option more. */
static bool
next_is_same(const struct call *call, const char *next, struct next_at *at)
{
	return next_find(next, at) && at->verb == call->verb &&
	       call->verb->reach != VERB_HERE &&
	       (at->host != NULL || strstr(at->rest, " --") != NULL);
}

const char *
next_kept(const struct call *call, const char *next)
{
	static char buf[NEXT_MAX];
	char words[NEXT_MAX] = "", dashed[40];
	bool quotes = false;
	struct next_at at;
	size_t len = 0;
	int i;

	if (!next_is_same(call, next, &at))
		return next;
	for (i = 0; i < OPT_COUNT; i++) {
		(void)snprintf(
		    dashed, sizeof(dashed), " --%s", verb_options[i].name);
		/* Nor does a person agree to a reason of ours. */
		if (call->opt[i] != NULL && i != OPT_JSON &&
		    (i != OPT_YES || strstr(next, "\"WHY\"") == NULL) &&
		    (call->verb->options & OPT_MASK(i)) != 0 &&
		    strstr(next, dashed) == NULL)
			next_option(words, sizeof(words), &len, i, call->opt[i],
			    &quotes);
	}
	if (len == 0)
		return next;
	len = strlen(next);
	if (at.quoted && next[len - 1] == '\'')
		(void)snprintf(
		    buf, sizeof(buf), "%.*s%s'", (int)len - 1, next, words);
	else if (quotes && at.host != NULL)
		(void)snprintf(buf, sizeof(buf), "%.*s 'hactl %s%s'",
		    (int)(at.host + at.host_len - next), next, at.rest, words);
	else
		(void)snprintf(buf, sizeof(buf), "%s%s", next, words);
	return buf;
}
