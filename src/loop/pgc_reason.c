/*
 * From PostgreSQL's and libpq's words to reasons. No connection is touched
 * here.
 *
 * libpq has no accessor for the SQLSTATE of a connection that was refused, and
 * none for the errno of one that failed. The first is read from the text,
 * where PQERRORS_VERBOSE puts it; the second is found by strerror's words.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hawatch/str.h"
#include "loop/pgc_reason.h"

static const struct {
	const char *sqlstate; /* or its first two characters, the class */
	enum answer ok;
	enum reason reason;
} pgc_states[] = {
	{ "57P03", ANS_NO, REASON_starting_up },
	{ "57P01", ANS_UNKNOWN, REASON_shutting_down },
	{ "57P02", ANS_UNKNOWN, REASON_crashed },
	{ "57014", ANS_NO, REASON_cancelled },
	{ "57", ANS_UNKNOWN, REASON_server_closed },
	{ "40003", ANS_UNKNOWN, REASON_sql_error },
	{ "08", ANS_UNKNOWN, REASON_garbage },
	{ "28", ANS_NO, REASON_auth_failed },
	{ "3D", ANS_NO, REASON_no_database },
	{ "53300", ANS_NO, REASON_too_many_connections },
};

static const struct {
	int sys;
	enum reason reason;
} pgc_errnos[] = {
	{ ECONNREFUSED, REASON_connect_refused },
	{ ENOENT, REASON_no_socket },
	{ EACCES, REASON_no_permission },
	{ EPERM, REASON_no_permission },
	{ ETIMEDOUT, REASON_connect_timeout },
	{ EHOSTUNREACH, REASON_unreachable },
	{ ENETUNREACH, REASON_unreachable },
	{ ECONNRESET, REASON_server_closed },
	{ EPIPE, REASON_server_closed },
	/* A Unix socket whose backlog is full is never connected. */
	{ ENOTCONN, REASON_connect_full },
	{ EAGAIN, REASON_connect_full },
};

static const struct {
	const char *words;
	enum reason reason;
} pgc_words[] = {
	{ "server closed the connection", REASON_server_closed },
	{ "EOF detected", REASON_server_closed },
	{ "expected authentication request", REASON_garbage },
	{ "invalid response", REASON_garbage },
	{ "lost synchronization", REASON_garbage },
	{ "unrecognized", REASON_garbage },
	{ "unexpected", REASON_garbage },
	{ "without prior", REASON_garbage },
	{ "insufficient data", REASON_garbage },
	{ "protocol", REASON_garbage },
	{ "password", REASON_auth_failed },
	{ "authentication", REASON_auth_failed },
	{ "certificate", REASON_tls_name },
	{ "SSL", REASON_tls_failed },
};

static void pgc_why_state(struct pgc_why *why);
static bool pgc_find_state(
    const char *text, char *sqlstate, char *rest, size_t size);
static enum reason pgc_why_words(const char *text, enum reason otherwise);

void
pgc_why_connect(struct pgc_why *why, const char *text)
{
	char rest[sizeof(why->message)];

	*why = (struct pgc_why){ 0 };
	if (!pgc_find_state(text, why->sqlstate, rest, sizeof(rest))) {
		why->reason = pgc_why_words(text, REASON_connect_failed);
		pgc_line(why->message, sizeof(why->message), text);
		return;
	}
	pgc_line(why->message, sizeof(why->message), rest);
	pgc_why_state(why);
	/* What ended the attempt to connect, ended no transaction. */
	why->ok = ANS_NO;
	/* One SQLSTATE covers both, and only the words, which may be another
	 * language's, tell them apart. */
	if (why->reason == REASON_starting_up &&
	    strstr(rest, "shutting down") != NULL)
		why->reason = REASON_shutting_down;
}

void
pgc_why_lost(struct pgc_why *why, const char *text)
{
	*why = (struct pgc_why){ 0 };
	why->reason = pgc_why_words(text, REASON_server_closed);
	pgc_line(why->message, sizeof(why->message), text);
}

void
pgc_why_query(struct pgc_why *why, const char *sqlstate, const char *message,
    const char *detail)
{
	char text[sizeof(why->message)];

	*why = (struct pgc_why){ 0 };
	str_cut(why->sqlstate, sizeof(why->sqlstate), sqlstate);
	pgc_why_state(why);
	pgc_line(why->message, sizeof(why->message), message);
	if (detail == NULL)
		return;
	str_cut(text, sizeof(text), why->message);
	snprintf(why->message, sizeof(why->message), "%.300s; ", text);
	pgc_line(why->message + strlen(why->message),
	    sizeof(why->message) - strlen(why->message), detail);
}

void
pgc_why_reason(struct pgc_why *why, enum reason reason)
{
	*why = (struct pgc_why){ .reason = reason };
	str_cut(why->message, sizeof(why->message), reason_text(reason));
}

static void
pgc_why_state(struct pgc_why *why)
{
	size_t i;

	why->ok = ANS_NO;
	why->reason = REASON_sql_error;
	for (i = 0; i < sizeof(pgc_states) / sizeof(pgc_states[0]); i++) {
		if (!str_starts(why->sqlstate, pgc_states[i].sqlstate))
			continue;
		why->ok = pgc_states[i].ok;
		why->reason = pgc_states[i].reason;
		return;
	}
}

/*
 * "... failed: FATAL:  57P03: the database system ..." has its state between
 * two blanks and a colon; the severity before it may be any language's. rest
 * gets the text without the state.
 */
static bool
pgc_find_state(const char *text, char *sqlstate, char *rest, size_t size)
{
	const char *p = text;
	size_t i;

	while ((p = strstr(p, ":  ")) != NULL) {
		p += 3;
		for (i = 0; i < PGC_SQLSTATE_MAX - 1; i++)
			if (!isdigit((unsigned char)p[i]) &&
			    !isupper((unsigned char)p[i]))
				break;
		if (i < PGC_SQLSTATE_MAX - 1 || p[i] != ':' || p[i + 1] != ' ')
			continue;
		memcpy(sqlstate, p, i);
		sqlstate[i] = '\0';
		snprintf(rest, size, "%.*s %s", (int)(p - text - 2), text,
		    p + i + 2);
		return true;
	}
	return false;
}

static enum reason
pgc_why_words(const char *text, enum reason otherwise)
{
	size_t i;

	for (i = 0; i < sizeof(pgc_errnos) / sizeof(pgc_errnos[0]); i++)
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): only the loop asks */
		if (strstr(text, strerror(pgc_errnos[i].sys)) != NULL)
			return pgc_errnos[i].reason;
	for (i = 0; i < sizeof(pgc_words) / sizeof(pgc_words[0]); i++)
		if (strstr(text, pgc_words[i].words) != NULL)
			return pgc_words[i].reason;
	return otherwise;
}

void
pgc_line(char *dst, size_t size, const char *text)
{
	size_t len;

	text += strspn(text, " \t\r\n");
	len = strcspn(text, "\r\n");
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	snprintf(dst, size, "%.*s", (int)len, text);
}
