/*
 * One PostgreSQL connection on the loop, seen from the query: its deadline,
 * its result, its one end. The connection itself is in pgc_conn.c. There is no
 * interval here, no retry and no opinion about what a loss means.
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

#include "hawatch/mem.h"
#include "loop/pgc_conn.h"

static char *pgc_dup(const char *s);
static void pgc_failed_cb(void *arg);
static void pgc_deadline_cb(void *arg);
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

bool
pgc_is_error(const PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);

	return status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK &&
	       status != PGRES_EMPTY_QUERY;
}

void
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

void
pgc_answered(struct pgc *c)
{
	struct pgc_why why = { .ok = ANS_YES, .reason = REASON_ok };

	if (c->result == NULL || PQstatus(c->conn) != CONNECTION_OK) {
		pgc_failed(c);
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
	pgc_failed(arg);
}

void
pgc_failed(struct pgc *c)
{
	struct pgc_why why;

	if (c->received > PGC_ANSWER_MAX)
		pgc_why_reason(&why, REASON_too_long);
	else if (c->result != NULL && pgc_is_error(c->result))
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
	struct pgc_why why;

	pgc_why_reason(&why, PQstatus(c->conn) == CONNECTION_STARTED ?
				 REASON_connect_timeout :
				 REASON_timeout);
	pgc_close(c);
	pgc_finish(c, &why);
}

void
pgc_drop(struct pgc *c)
{
	pgc_close(c);
	pgc_clear(c);
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
	c->received = 0;
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
