/*
 * What pgc.c and pgc_conn.c share: a connection and the query in it.
 */
#ifndef HAWATCH_PGC_CONN_H
#define HAWATCH_PGC_CONN_H

#include <libpq-fe.h>

#include "hawatch/loop.h"
#include "hawatch/pgc.h"
#include "loop/pgc_reason.h"

/* Nothing that is asked here has an answer near this size; libpq would take
 * whatever comes. */
#define PGC_ANSWER_MAX ((size_t)16 * 1024 * 1024)

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
	size_t received; /* bytes, about */
	bool ending;	 /* the server has said that it closes the connection */
	bool warned;
	struct pgc_why warning;
};

/* pgc_conn.c. What goes wrong in these two ends the query from the loop. */
void pgc_connect(struct pgc *c);
void pgc_send(struct pgc *c);
/* Whether an idle connection can take a query. */
bool pgc_alive(struct pgc *c);
void pgc_close(struct pgc *c);

/* pgc.c: the ends of a query. c may be gone when they return. */
void pgc_answered(struct pgc *c);
void pgc_failed(struct pgc *c);
bool pgc_is_error(const PGresult *res);
void pgc_why_result(struct pgc_why *why, const PGresult *res);

#endif
