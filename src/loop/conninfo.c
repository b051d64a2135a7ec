/*
 * Connection strings by libpq's own parser, so that what is read here is what
 * the walreceiver will read: keywords, quotes, URIs. The parser's error texts
 * quote what they could not read, a password perhaps, and are dropped.
 */
#include "hawatch/conninfo.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hawatch/mem.h"
#include "hawatch/str.h"

#define CONNINFO_PORT "5432" /* libpq's own default */
#define CONNINFO_WORDS 4     /* that conninfo_point sets */

static PQconninfoOption *
conninfo_parse(const char *text, struct error *err)
{
	PQconninfoOption *options;
	char *why = NULL;

	options = PQconninfoParse(text, &why);
	PQfreemem(why);
	if (options == NULL)
		error_set(err, ERR_PROTOCOL,
		    "libpq does not understand the connection string");
	return options;
}

static const char *
conninfo_value(const PQconninfoOption *options, const char *keyword)
{
	const PQconninfoOption *o;

	for (o = options; o->keyword != NULL; o++)
		if (strcmp(o->keyword, keyword) == 0 && o->val != NULL)
			return o->val;
	return "";
}

int
conninfo_read(const char *text, struct conninfo *out, struct error *err)
{
	PQconninfoOption *options;
	const char *host, *hostaddr, *port;
	int result = 0;

	memset(out, 0, sizeof(*out));
	options = conninfo_parse(text, err);
	if (options == NULL)
		return -1;
	host = conninfo_value(options, "host");
	hostaddr = conninfo_value(options, "hostaddr");
	port = conninfo_value(options, "port");
	out->several = strchr(host, ',') != NULL ||
		       strchr(hostaddr, ',') != NULL ||
		       strchr(port, ',') != NULL;
	out->password = conninfo_value(options, "password")[0] != '\0';
	str_cut(out->app, sizeof(out->app),
	    conninfo_value(options, "application_name"));
	if (port[0] == '\0')
		port = CONNINFO_PORT;
	if (!out->several &&
	    (str_parse_int(port, 1, 65535, &out->port) == -1 ||
		str_copy(out->host, sizeof(out->host), host) == -1 ||
		str_copy(out->hostaddr, sizeof(out->hostaddr), hostaddr) == -1))
		result = error_set(err, ERR_PROTOCOL,
		    "a host or a port of the connection string is not valid");
	PQconninfoFree(options);
	return result;
}

/* Appends keyword='value' to text, which it may move. */
static char *
conninfo_add(char *text, const char *keyword, const char *value)
{
	size_t n = strlen(text);
	const char *s;

	text = xrealloc(text, n + strlen(keyword) + 2 * strlen(value) + 5, 1);
	n += (size_t)sprintf(text + n, "%s%s='", n == 0 ? "" : " ", keyword);
	for (s = value; *s != '\0'; s++) {
		if (*s == '\'' || *s == '\\')
			text[n++] = '\\';
		text[n++] = *s;
	}
	text[n++] = '\'';
	text[n] = '\0';
	return text;
}

char *
conninfo_point(const char *text, const struct conninfo *to, struct error *err)
{
	PQconninfoOption *options;
	const PQconninfoOption *o;
	char port[12], *result;
	const char *const set[CONNINFO_WORDS][2] = {
		{ "host", to->host },
		{ "hostaddr", to->hostaddr },
		{ "port", port },
		{ "application_name", to->app },
	};
	size_t i;

	snprintf(port, sizeof(port), "%d", to->port);
	options = conninfo_parse(text, err);
	if (options == NULL)
		return NULL;
	result = xstrdup("");
	for (i = 0; i < CONNINFO_WORDS; i++)
		if (set[i][1][0] != '\0')
			result = conninfo_add(result, set[i][0], set[i][1]);
	for (o = options; o->keyword != NULL; o++) {
		for (i = 0; i < CONNINFO_WORDS; i++)
			if (strcmp(o->keyword, set[i][0]) == 0)
				break;
		if (i == CONNINFO_WORDS && o->val != NULL)
			result = conninfo_add(result, o->keyword, o->val);
	}
	PQconninfoFree(options);
	return result;
}

char *
conninfo_bare(const char *text, char **password, struct error *err)
{
	PQconninfoOption *options = conninfo_parse(text, err);
	const PQconninfoOption *o;
	const char *value;
	char *result;

	*password = NULL;
	if (options == NULL)
		return NULL;
	value = conninfo_value(options, "password");
	if (value[0] != '\0')
		*password = xstrdup(value);
	result = xstrdup("");
	for (o = options; o->keyword != NULL; o++)
		if (o->val != NULL && strcmp(o->keyword, "password") != 0)
			result = conninfo_add(result, o->keyword, o->val);
	PQconninfoFree(options);
	return result;
}
