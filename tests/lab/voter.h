/*
 * What the parts of the vote client share: its orders and its log.
 */
#ifndef LAB_VOTER_H
#define LAB_VOTER_H

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

#define VOTER_HOSTS_MAX 4
#define VOTER_CONNS_MAX 16

typedef int64_t nsec_t; /* CLOCK_MONOTONIC */

/* As the auditor reads it; the order is that of voter_outcome_str. */
enum outcome {
	OUT_ACK,	 /* success, nothing else said */
	OUT_ACK_WARNING, /* success with a WARNING: not acknowledged safely */
	OUT_UNKNOWN,	 /* sent, and no answer */
	OUT_REFUSED,	 /* never sent: no connection */
	OUT_ERROR	 /* the server said no; detail is the SQLSTATE */
};

struct voter {
	const char *id;
	const char *host[VOTER_HOSTS_MAX];
	int hosts;
	int port;
	const char *dbname, *user;
	int conns;
	nsec_t interval;
	nsec_t retry;
	nsec_t deadline;  /* of a connect, of an attempt; 0: none */
	bool transaction; /* BEGIN; INSERT; COMMIT instead of one statement */
	int log;
};

/* One attempt: vote number seq of connection conn. */
struct attempt {
	nsec_t start;
	int conn;
	int64_t seq;
	const char *server; /* address that answered or was asked; "-" none */
};

nsec_t voter_now(void);
void voter_log(const struct voter *v, const struct attempt *a, enum outcome out,
    const char *detail);
/* The statement that casts this vote. */
void voter_sql(
    const struct voter *v, const struct attempt *a, char *buf, size_t size);
/* Outcome of a statement's result; detail is set for errors. */
enum outcome voter_outcome(
    const PGresult *res, bool warned, const char **detail);
/* Notice receiver; arg is a bool that a WARNING sets. */
void voter_notice_cb(void *arg, const PGresult *res);

extern volatile int voter_stop; /* set by SIGTERM and SIGINT */

/* Plain synchronous libpq with a multi-host string; returns at the stop. */
int voter_stock(const struct voter *v);

#endif
