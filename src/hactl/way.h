/*
 * How a question reaches an engine: over this host's Unix socket, or over TLS
 * from an operator's machine. Both carry a line out and lines back.
 */
#ifndef HAWATCH_HACTL_WAY_H
#define HAWATCH_HACTL_WAY_H

#include <sys/types.h>

#include "hactl/hactl.h"
#include "hawatch/error.h"

struct ssl_st;
struct ssl_ctx_st;

struct way {
	int fd;		    /* -1: none */
	struct ssl_st *ssl; /* NULL: the socket of this host */
	char where[320];    /* for messages */
	char cert[256];	    /* with which it was asked */
};

/* way.c. Waits, at most until then. */
int way_wait(int fd, short what, usec_t until, struct error *err) MUST_CHECK;
int way_send(struct way *w, const char *data, size_t len, usec_t until,
    struct error *err) MUST_CHECK;
/* At least one byte; 0: the end; -1. */
ssize_t way_recv(struct way *w, char *buf, size_t size, usec_t until,
    struct error *err) MUST_CHECK;
void way_close(struct way *w);

/* remote.c: whether another host is meant. */
bool remote_meant(const struct call *call);
/* -1: what is wrong was printed, and *code is how hactl ends. */
int remote_open(const struct call *call, struct way *w, usec_t until,
    enum exitcode *code) MUST_CHECK;
/* remote_file.c: the path of an operator's own file, whether it can be read or
 * not; NULL: there is none. Caller frees. */
char *remote_file(const struct call *call);

/* remote_wrong.c: what is said, and what comes next, when another host cannot
 * be asked. What it said instead of an answer. */
enum exitcode remote_silent(const struct way *w, const struct error *err);
void remote_file_wrong(const struct call *call, const char *why);
struct client;
void remote_keys_wrong(const struct client *client, const struct error *err);
/* No host goes by that name. */
void remote_unknown(const struct call *call, const struct error *err);
struct remote_host;
/* An order, and several hosts. */
void remote_which(
    const struct call *call, const struct remote_host *hosts, int count);

/* remote_host.c: "[NAME=]ADDRESS[:PORT]", an address of IPv6 in brackets if a
 * port follows. */
struct remote_host {
	char name[NODE_NAME_MAX]; /* "": the address is in the certificate */
	char address[256];
	char port[8];
};
int remote_host_parse(
    const char *text, struct remote_host *host, struct error *err) MUST_CHECK;

/* next.c: another host answers, which was asked by these words: what comes
 * next is said as from here. NULL: this one. */
void next_away(const struct call *call);
bool next_is_away(void);
/* The engine of this host answers, which goes by that name: what comes next
 * here is said without ssh. */
void next_self(const char *node);

/* remote_tls.c. NULL: err says why. */
struct ssl_ctx_st *remote_tls(const char *ca, const char *cert, const char *key,
    struct error *err) MUST_CHECK;
void remote_tls_free(struct ssl_ctx_st *ctx);
/* Takes fd. */
int remote_tls_open(struct ssl_ctx_st *ctx, int fd,
    const struct remote_host *host, struct way *w, usec_t until,
    struct error *err) MUST_CHECK;
/* 1 went on, 0 the end, -1 wait for *what, -2 err. */
int remote_tls_send(struct way *w, const char *data, size_t len, short *what,
    struct error *err) MUST_CHECK;
ssize_t remote_tls_recv(struct way *w, char *buf, size_t size, short *what,
    struct error *err) MUST_CHECK;
void remote_tls_close(struct ssl_st *ssl);

#endif
