/*
 * Asynchronous libpq: one connection, one query at a time, one deadline over
 * all of it. Never blocks: addresses only (hostaddr or a Unix socket), no
 * PQcancel, no PQexec. Only the files behind this header know libpq.
 */
#ifndef HAWATCH_PGC_H
#define HAWATCH_PGC_H

#include "hawatch/error.h"
#include "hawatch/types.h"

struct loop;
struct pgc;

struct pgc_conf {
	const char *host;     /* Unix socket directory; beside hostaddr: the
				 name in the certificate; or NULL */
	const char *hostaddr; /* numeric address, or NULL */
	int port;
	const char *user;
	const char *dbname;
	const char *password; /* NULL: none */
	const char *sslmode;  /* NULL: prefer for TCP */
	const char *app;      /* application_name */
	const char *options;  /* e.g. "-c synchronous_commit=local", or NULL */
};

/*
 * ok is yes: the server has done it all. No: it answered with an error, to the
 * connection or to the query, and nothing of the last transaction stays.
 * Unknown: lost, late, or ended by a shutdown; a commit may have happened.
 * The strings are never NULL. Of several statements the last rows count.
 */
struct pgc_result {
	enum answer ok;
	const char *reason;   /* token of reasons.def */
	const char *message;  /* server's or libpq's words, one line */
	const char *sqlstate; /* of the error, else of the first warning */
	bool warned;	      /* a WARNING came with it; its text is the message
				 unless there is an error */
	int rows, cols;
	/* NULL for SQL's NULL and outside of the rows. */
	const char *(*get)(const struct pgc_result *r, int row, int col);
	void *priv; /* valid during the callback only */
};

/* The connection is made by the first query and kept; a lost one is made anew
 * by the next. Strings of conf are copied. */
struct pgc *pgc_new(struct loop *loop, const struct pgc_conf *conf);
void pgc_free(struct pgc *c);
/* done is called once, never from within pgc_query, and may call any function
 * of this file, pgc_free included; -1 when busy. The deadline covers connect,
 * query and answer; past it the connection is dropped and done says unknown,
 * "timeout" or "connect-timeout". */
int pgc_query(struct pgc *c, const char *sql, usec_t deadline,
    void (*done)(void *arg, const struct pgc_result *r), void *arg,
    struct error *err) MUST_CHECK;
/* lost is called when the other side closes an idle connection. It may call
 * any function of this file. */
void pgc_on_lost(struct pgc *c, void (*lost)(void *arg), void *arg);
/* Drops the connection and the query in flight; no done. */
void pgc_drop(struct pgc *c);
bool pgc_busy(const struct pgc *c);
/* Backend's process id, 0 when not connected. */
int pgc_backend(const struct pgc *c);

#endif
