/*
 * Log, clock and the reading of results for the vote client. One line an
 * attempt, written by one write(2), so that a killed client loses none:
 *   start-ns end-ns client.connection vote server outcome detail
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "voter.h"

volatile int voter_stop;

nsec_t
voter_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (nsec_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void
voter_log(const struct voter *v, const struct attempt *a, enum outcome out,
    const char *detail)
{
	static const char *const name[] = {
		[OUT_ACK] = "ack",
		[OUT_ACK_WARNING] = "ack-warning",
		[OUT_UNKNOWN] = "unknown",
		[OUT_REFUSED] = "refused",
		[OUT_ERROR] = "error",
	};
	char line[256];
	int n;

	n = snprintf(line, sizeof line,
	    "%" PRId64 " %" PRId64 " %s.%d %" PRId64 " %s %s %s\n", a->start,
	    voter_now(), v->id, a->conn, a->seq, a->server, name[out],
	    detail == NULL || *detail == '\0' ? "-" : detail);
	if (n < 0 || (size_t)n >= sizeof line ||
	    write(v->log, line, (size_t)n) != n)
		err(1, "log");
}

void
voter_sql(
    const struct voter *v, const struct attempt *a, char *buf, size_t size)
{
	snprintf(buf, size,
	    "%sINSERT INTO vote(client, n, at) VALUES "
	    "('%s.%d', %" PRId64 ", clock_timestamp())%s",
	    v->transaction ? "BEGIN; " : "", v->id, a->conn, a->seq,
	    v->transaction ? "; COMMIT" : "");
}

/* A result without SQLSTATE is libpq's own: the connection broke. */
enum outcome
voter_outcome(const PGresult *res, bool warned, const char **detail)
{
	*detail = NULL;
	if (PQresultStatus(res) == PGRES_COMMAND_OK)
		return warned ? OUT_ACK_WARNING : OUT_ACK;
	*detail = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	if (*detail == NULL) {
		*detail = "connection";
		return OUT_UNKNOWN;
	}
	/* 57P01..57P03: the session was ended; a commit may have happened. */
	if (strncmp(*detail, "57P0", 4) == 0)
		return OUT_UNKNOWN;
	return OUT_ERROR;
}

void
voter_notice_cb(void *arg, const PGresult *res)
{
	bool *warned = arg;
	const char *s;

	s = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);
	if (s != NULL && strcmp(s, "WARNING") == 0)
		*warned = true;
}
