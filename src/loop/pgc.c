/*
 * One PostgreSQL connection on the loop: connects with the first query, keeps
 * the connection, runs one query at a time. It has no interval, no retry and
 * no opinion about what a loss means.
 *
 * libpq's blocking calls are not used: neither PQcancel, which waits for a
 * frozen server for minutes, nor anything that resolves a name. libpq may
 * close its socket and open another under the same number within one
 * PQconnectPoll; therefore the watch is taken down before that call and made
 * anew after it.
 */
#include <assert.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/pgc.h"
#include "hawatch/str.h"
#include "loop/pgc_reason.h"

/* A file that is not there: the operator's ~/.pgpass is no configuration. */
#define PGC_NO_PASSFILE "/nonexistent/pgpass"
#define PGC_PARAMS_MAX 16

enum pgc_state { PGC_DOWN = 0, PGC_CONNECTING, PGC_IDLE, PGC_ASKED };

struct pgc {
	struct loop *loop;
	char *host, *hostaddr, *user, *dbname, *password, *sslmode, *app;
	char *options;
	char port[12];

	enum pgc_state state;
	PGconn *conn;
	struct watch *watch;
	void (*lost)(void *arg);
	void *lost_arg;

	/* The query; done is NULL when there is none. */
	char *sql;
	void (*done)(void *arg, const struct pgc_result *r);
	void *arg;
	struct timer *deadline;
	struct timer *failed; /* ends on the loop what failed in pgc_query */
	PGresult *result;
	bool ending; /* the server has said that it closes the connection */
	bool warned;
	struct pgc_why warning;
};

static char *pgc_dup(const char *s);
static void pgc_connect(struct pgc *c);
static int pgc_params(const struct pgc *c, const char **key, const char **val);
static void pgc_send(struct pgc *c);
static int pgc_flush(struct pgc *c);
static void pgc_watch_cb(void *arg, int what);
static void pgc_on_connecting(struct pgc *c);
static void pgc_on_asked(struct pgc *c, int what);
static void pgc_on_idle(struct pgc *c);
static bool pgc_alive(struct pgc *c);
static bool pgc_take(struct pgc *c, PGresult *res);
static bool pgc_is_error(const PGresult *res);
static void pgc_why_result(struct pgc_why *why, const PGresult *res);
static void pgc_answered(struct pgc *c);
static void pgc_failed_cb(void *arg);
static void pgc_deadline_cb(void *arg);
static void pgc_notice(void *arg, const PGresult *res);
static void pgc_close(struct pgc *c);
static void pgc_clear(struct pgc *c);
static void pgc_finish(struct pgc *c, const struct pgc_why *why);
static const char *pgc_get(const struct pgc_result *r, int row, int col);

struct pgc *
pgc_new(struct loop *loop, const struct pgc_conf *conf)
{
	struct pgc *c = xcalloc(1, sizeof(*c));

	c->loop = loop;
	c->host = pgc_dup(conf->host);
	c->hostaddr = pgc_dup(conf->hostaddr);
	c->user = pgc_dup(conf->user);
	c->dbname = pgc_dup(conf->dbname);
	c->password = pgc_dup(conf->password);
	c->sslmode = pgc_dup(conf->sslmode);
	c->app = pgc_dup(conf->app);
	c->options = pgc_dup(conf->options);
	snprintf(c->port, sizeof(c->port), "%d", conf->port);
	c->deadline = timer_new(loop, pgc_deadline_cb, c);
	c->failed = timer_new(loop, pgc_failed_cb, c);
	return c;
}

static char *
pgc_dup(const char *s)
{
	return s == NULL ? NULL : xstrdup(s);
}

void
pgc_free(struct pgc *c)
{
	if (c == NULL)
		return;
	pgc_drop(c);
	timer_free(c->deadline);
	timer_free(c->failed);
	free(c->host);
	free(c->hostaddr);
	free(c->user);
	free(c->dbname);
	free(c->password);
	free(c->sslmode);
	free(c->app);
	free(c->options);
	free(c);
}

void
pgc_on_lost(struct pgc *c, void (*lost)(void *arg), void *arg)
{
	c->lost = lost;
	c->lost_arg = arg;
}

bool
pgc_busy(const struct pgc *c)
{
	return c->done != NULL;
}

int
pgc_backend(const struct pgc *c)
{
	return c->state == PGC_IDLE || c->state == PGC_ASKED ?
		   PQbackendPID(c->conn) :
		   0;
}

int
pgc_query(struct pgc *c, const char *sql, usec_t deadline,
    void (*done)(void *arg, const struct pgc_result *r), void *arg,
    struct error *err)
{
	if (pgc_busy(c))
		return error_set(err, ERR_REFUSED, "a query is in flight");
	if (c->hostaddr == NULL && (c->host == NULL || c->host[0] != '/'))
		return error_set(err, ERR_CONFIG,
		    "postgresql: no address; give a numeric one or the "
		    "directory of the Unix socket");
	/* A connection that was closed meanwhile is found out here, before
	 * the query could be lost in it. */
	if (c->state == PGC_IDLE && !pgc_alive(c))
		pgc_close(c);
	c->sql = xstrdup(sql);
	c->done = done;
	c->arg = arg;
	timer_arm(c->deadline, deadline);
	if (c->state == PGC_IDLE)
		pgc_send(c);
	else
		pgc_connect(c);
	return 0;
}

static void
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
		c->watch = watch_new(c->loop, PQsocket(c->conn), WATCH_WRITE,
		    pgc_watch_cb, c);
}

static int
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

	assert(sizeof(params) / sizeof(params[0]) < PGC_PARAMS_MAX);
	for (i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
		if (params[i].val == NULL)
			continue;
		key[n] = params[i].key;
		val[n++] = params[i].val;
	}
	key[n] = val[n] = NULL;
	return n;
}

/* What fails here is told by the loop, never from within pgc_query. */
static void
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
		pgc_failed_cb(c);
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

	if (((what & WATCH_READ) != 0 && !PQconsumeInput(c->conn)) ||
	    pgc_flush(c) == -1) {
		pgc_failed_cb(c);
		return;
	}
	while (!PQisBusy(c->conn)) {
		res = PQgetResult(c->conn);
		if (res == NULL) {
			pgc_answered(c);
			return;
		}
		if (!pgc_take(c, res)) {
			pgc_failed_cb(c);
			return;
		}
	}
	if (PQstatus(c->conn) != CONNECTION_OK)
		pgc_failed_cb(c);
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
static bool
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

static bool
pgc_is_error(const PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);

	return status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK &&
	       status != PGRES_EMPTY_QUERY;
}

static void
pgc_why_result(struct pgc_why *why, const PGresult *res)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

	/* Without a state the words are libpq's own. */
	if (state == NULL)
		pgc_why_lost(why, PQresultErrorMessage(res));
	else
		pgc_why_query(why, state, text == NULL ? "" : text,
		    PQresultErrorField(res, PG_DIAG_MESSAGE_DETAIL));
}

static void
pgc_answered(struct pgc *c)
{
	struct pgc_why why = { .ok = ANS_YES, .reason = REASON_ok };

	if (c->result == NULL || PQstatus(c->conn) != CONNECTION_OK) {
		pgc_failed_cb(c);
		return;
	}
	c->state = PGC_IDLE;
	if (pgc_is_error(c->result))
		pgc_why_result(&why, c->result);
	/* Neither a server that is about to close nor a transaction that can
	 * only be rolled back is of use to the next query. */
	if (why.ok == ANS_UNKNOWN ||
	    PQtransactionStatus(c->conn) == PQTRANS_INERROR)
		pgc_close(c);
	pgc_finish(c, &why);
}

static void
pgc_failed_cb(void *arg)
{
	struct pgc *c = arg;
	struct pgc_why why;

	if (c->result != NULL && pgc_is_error(c->result))
		pgc_why_result(&why, c->result);
	else if (c->state == PGC_CONNECTING)
		pgc_why_connect(&why, PQerrorMessage(c->conn));
	else
		pgc_why_lost(&why, PQerrorMessage(c->conn));
	pgc_close(c);
	pgc_finish(c, &why);
}

static void
pgc_deadline_cb(void *arg)
{
	struct pgc *c = arg;
	struct pgc_why why = { .reason = REASON_timeout };

	if (PQstatus(c->conn) == CONNECTION_STARTED)
		why.reason = REASON_connect_timeout;
	str_cut(why.message, sizeof(why.message), reason_text(why.reason));
	pgc_close(c);
	pgc_finish(c, &why);
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

void
pgc_drop(struct pgc *c)
{
	pgc_close(c);
	pgc_clear(c);
}

/* The watch goes first: the descriptor is libpq's and ends with PQfinish. */
static void
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

static void
pgc_clear(struct pgc *c)
{
	timer_disarm(c->deadline);
	timer_disarm(c->failed);
	free(c->sql);
	c->sql = NULL;
	c->done = NULL;
	c->arg = NULL;
	PQclear(c->result);
	c->result = NULL;
	c->warned = false;
}

/* The only way to the end of a query. c may be gone when done returns. */
static void
pgc_finish(struct pgc *c, const struct pgc_why *why)
{
	void (*done)(void *arg, const struct pgc_result *r) = c->done;
	void *arg = c->arg;
	PGresult *rows = why->ok == ANS_YES ? c->result : NULL;
	struct pgc_why said = *why;
	struct pgc_result r = {
		.ok = why->ok,
		.reason = reason_str(why->reason),
		.warned = c->warned,
		.rows = PQntuples(rows),
		.cols = PQnfields(rows),
		.get = pgc_get,
		.priv = rows,
	};

	if (why->ok == ANS_YES && c->warned)
		said = c->warning;
	r.message = said.message;
	r.sqlstate = said.sqlstate;
	if (rows != NULL)
		c->result = NULL;
	pgc_clear(c);
	done(arg, &r);
	PQclear(rows);
}

static const char *
pgc_get(const struct pgc_result *r, int row, int col)
{
	if (row < 0 || row >= r->rows || col < 0 || col >= r->cols ||
	    PQgetisnull(r->priv, row, col))
		return NULL;
	return PQgetvalue(r->priv, row, col);
}
