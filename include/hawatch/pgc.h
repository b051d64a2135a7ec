/*
 * Asynchronous libpq: one connection, one query at a time, one deadline over
 * all of it. Never blocks: addresses only (hostaddr or a Unix socket), no
 * PQcancel, no PQexec. Only this file's .c and hawatch.conf's checks know
 * libpq.
 */
#ifndef HAWATCH_PGC_H
#define HAWATCH_PGC_H

#include "hawatch/error.h"
#include "hawatch/types.h"

struct loop;
struct pgc;

struct pgc_conf {
	const char *host;     /* Unix socket directory, or NULL */
	const char *hostaddr; /* numeric address, or NULL */
	int port;
	const char *user;
	const char *dbname;
	const char *password; /* NULL: none */
	const char *sslmode;  /* NULL: prefer for TCP */
	const char *app;      /* application_name */
	const char *options;  /* e.g. "-c synchronous_commit=local", or NULL */
};

struct pgc_result {
	enum answer ok;      /* yes: rows; no: server said no; unknown: lost */
	const char *reason;  /* stable token: connect-refused, timeout, ... */
	const char *message; /* server's or libpq's words, one line */
	const char *sqlstate;
	bool warned;         /* a WARNING came with it */
	int rows, cols;
	const char *(*get)(const struct pgc_result *r, int row, int col);
	void *priv;          /* valid during the callback only */
};

/* The connection is made by the first query and kept; a lost one is made anew
 * by the next. Strings of conf are copied. */
struct pgc *pgc_new(struct loop *loop, const struct pgc_conf *conf);
void pgc_free(struct pgc *c);
/* done is called once, never from within pgc_query; -1 when busy. The
 * deadline covers connect, query and answer; past it the connection is
 * dropped and done says unknown, "timeout". */
int pgc_query(struct pgc *c, const char *sql, usec_t deadline,
	void (*done)(void *arg, const struct pgc_result *r), void *arg,
	struct error *err) MUST_CHECK;
/* Drops the connection and the query in flight; no done. */
void pgc_drop(struct pgc *c);
bool pgc_busy(const struct pgc *c);
/* Backend's process id, 0 when not connected. */
int pgc_backend(const struct pgc *c);

#endif
