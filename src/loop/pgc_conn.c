/*
 * The connection under a pgc: made, watched, written to, read from, closed.
 *
 * libpq's blocking calls are not used: neither PQcancel, which waits for a
 * frozen server for minutes, nor anything that resolves a name. libpq may
 * close its socket and open another under the same number within one
 * PQconnectPoll; therefore the watch is taken down before that call and made
 * anew after it.
 */
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "loop/pgc_conn.h"

/* A file that is not there: the operator's ~/.pgpass is no configuration. */
#define PGC_NO_PASSFILE "/nonexistent/pgpass"
#define PGC_PARAMS_MAX 16

static void pgc_params(const struct pgc *c, const char **key, const char **val);
static int pgc_flush(struct pgc *c);
static void pgc_watch_cb(void *arg, int what);
static void pgc_on_connecting(struct pgc *c);
static void pgc_on_asked(struct pgc *c, int what);
static bool pgc_read(struct pgc *c);
static void pgc_on_idle(struct pgc *c);
static bool pgc_take(struct pgc *c, PGresult *res);
static void pgc_notice(void *arg, const PGresult *res);

void
pgc_connect(struct pgc *c)
{
	const char *key[PGC_PARAMS_MAX], *val[PGC_PARAMS_MAX];

	pgc_params(c, key, val);
	c->state = PGC_CONNECTING;
	c->conn = PQconnectStartParams(key, val, 0);
	if (c->conn == NULL)
		abort();
	/* The only way to learn the SQLSTATE of a refused connection. */
	PQsetErrorVerbosity(c->conn, PQERRORS_VERBOSE);
	PQsetNoticeReceiver(c->conn, pgc_notice, c);
	if (PQstatus(c->conn) == CONNECTION_BAD)
		timer_arm(c->failed, 0);
	else
		c->watch = watch_new(
		    c->loop, PQsocket(c->conn), WATCH_WRITE, pgc_watch_cb, c);
}

static void
pgc_params(const struct pgc *c, const char **key, const char **val)
{
	const struct {
		const char *key, *val;
	} params[] = {
		{ "host", c->host },
		{ "hostaddr", c->hostaddr },
		{ "port", c->port },
		{ "user", c->user },
		{ "dbname", c->dbname },
		{ "password", c->password },
		{ "passfile", PGC_NO_PASSFILE },
		{ "sslmode", c->sslmode },
		/* Kerberos libraries may block. */
		{ "gssencmode", "disable" },
		{ "application_name", c->app },
		{ "options", c->options },
	};
	size_t i;
	int n = 0;

	_Static_assert(sizeof(params) / sizeof(params[0]) < PGC_PARAMS_MAX,
	    "no room for the final NULL");
	for (i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
		if (params[i].val == NULL)
			continue;
		key[n] = params[i].key;
		val[n++] = params[i].val;
	}
	key[n] = val[n] = NULL;
}

/* What fails here is told by the loop, never from within pgc_query. */
void
pgc_send(struct pgc *c)
{
	c->state = PGC_ASKED;
	if (!PQsendQuery(c->conn, c->sql) || pgc_flush(c) == -1)
		timer_arm(c->failed, 0);
}

static int
pgc_flush(struct pgc *c)
{
	int rest = PQflush(c->conn);

	if (rest == -1)
		return -1;
	watch_set(c->watch, rest ? WATCH_READ | WATCH_WRITE : WATCH_READ);
	return 0;
}

static void
pgc_watch_cb(void *arg, int what)
{
	struct pgc *c = arg;

	switch (c->state) {
	case PGC_CONNECTING:
		pgc_on_connecting(c);
		break;
	case PGC_ASKED:
		pgc_on_asked(c, what);
		break;
	case PGC_IDLE:
		pgc_on_idle(c);
		break;
	case PGC_DOWN:
		break;
	}
}

static void
pgc_on_connecting(struct pgc *c)
{
	PostgresPollingStatusType poll;

	watch_free(c->watch);
	c->watch = NULL;
	poll = PQconnectPoll(c->conn);
	if (poll == PGRES_POLLING_FAILED ||
	    (poll == PGRES_POLLING_OK && PQsetnonblocking(c->conn, 1) != 0)) {
		pgc_failed(c);
		return;
	}
	c->watch = watch_new(c->loop, PQsocket(c->conn),
	    poll == PGRES_POLLING_WRITING ? WATCH_WRITE : WATCH_READ,
	    pgc_watch_cb, c);
	if (poll == PGRES_POLLING_OK)
		pgc_send(c);
}

static void
pgc_on_asked(struct pgc *c, int what)
{
	PGresult *res;

	if (((what & WATCH_READ) != 0 && !pgc_read(c)) || pgc_flush(c) == -1) {
		pgc_failed(c);
		return;
	}
	while (!PQisBusy(c->conn)) {
		res = PQgetResult(c->conn);
		if (res == NULL) {
			pgc_answered(c);
			return;
		}
		if (!pgc_take(c, res)) {
			pgc_failed(c);
			return;
		}
	}
	if (PQstatus(c->conn) != CONNECTION_OK)
		pgc_failed(c);
}

static bool
pgc_read(struct pgc *c)
{
	int waiting = 0;

	if (ioctl(PQsocket(c->conn), FIONREAD, &waiting) == 0)
		c->received += (size_t)waiting;
	return c->received <= PGC_ANSWER_MAX && PQconsumeInput(c->conn);
}

/* Nothing was asked: a parameter changed, or this is the end. */
static void
pgc_on_idle(struct pgc *c)
{
	if (pgc_alive(c))
		return;
	pgc_close(c);
	if (c->lost != NULL)
		c->lost(c->lost_arg);
}

/* Reads what came unasked. The last words of a server precede the end of
 * file and are enough. */
bool
pgc_alive(struct pgc *c)
{
	PGnotify *note;

	if (!PQconsumeInput(c->conn))
		return false;
	(void)PQisBusy(c->conn); /* makes libpq understand it */
	while ((note = PQnotifies(c->conn)) != NULL)
		PQfreemem(note);
	return PQstatus(c->conn) == CONNECTION_OK && !c->ending;
}

/* False: the connection is of no use any more. */
static bool
pgc_take(struct pgc *c, PGresult *res)
{
	ExecStatusType was, is = PQresultStatus(res);

	if (is == PGRES_COPY_IN || is == PGRES_COPY_OUT ||
	    is == PGRES_COPY_BOTH) {
		PQclear(res);
		return false;
	}
	if (c->result == NULL) {
		c->result = res;
		return true;
	}
	was = PQresultStatus(c->result);
	if (pgc_is_error(c->result) ||
	    (was == PGRES_TUPLES_OK && is == PGRES_COMMAND_OK)) {
		PQclear(res);
		return true;
	}
	PQclear(c->result);
	c->result = res;
	return true;
}

static void
pgc_notice(void *arg, const PGresult *res)
{
	struct pgc *c = arg;
	const char *severity =
	    PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);

	if (severity == NULL)
		return;
	if (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0)
		c->ending = true;
	if (c->done == NULL || c->warned || strcmp(severity, "WARNING") != 0)
		return;
	c->warned = true;
	pgc_why_result(&c->warning, res);
}

/* The watch goes first: the descriptor is libpq's and ends with PQfinish. */
void
pgc_close(struct pgc *c)
{
	watch_free(c->watch);
	c->watch = NULL;
	if (c->conn != NULL)
		PQfinish(c->conn);
	c->conn = NULL;
	c->ending = false;
	c->state = PGC_DOWN;
}
