/*
 * HTTP client of the engine: libcurl's multi interface on the loop. Used to
 * speak to the peers' API over mutual TLS 1.3, to the applications that are
 * checked, and to supervisord on its Unix socket. Addresses only: the URL's
 * name is the node's (verified against its certificate), the address is given
 * beside it, so no resolver ever runs. Connections are kept alive, as many to
 * one host as there are calls at once: a long poll delays nobody.
 *
 * A request may reach the peer twice: when a kept connection turns out to be
 * closed before any answer came, it is sent again on a new one, within the
 * same deadline.
 */
#ifndef HAWATCH_HTTP_H
#define HAWATCH_HTTP_H

#include <stddef.h>

#include "hawatch/error.h"
#include "hawatch/types.h"

struct loop;
struct http;
struct http_call;

struct http_tls {
	const char *ca, *cert, *key; /* files */
};

/* Reads the files now and not again; a new certificate needs a new http. tls
 * NULL: for everything but peers; every request then says how it goes, and one
 * without a way is refused. */
struct http *http_new(struct loop *loop, const struct http_tls *tls,
    struct error *err) MUST_CHECK;
/* Cancels the calls in flight. May be called from within a done. */
void http_free(struct http *h);

/* A way that is not the peers': NULL in a request means the peers'. Borrowed
 * until the call ends. */
struct http_way {
	const char *socket; /* Unix socket instead of address and port */
	bool tls;	    /* else plain HTTP */
	const char *ca;	    /* PEM file of the only authorities, known by
			       http_trust; "": the system's */
	const char *type;   /* Content-Type of the body; NULL: JSON */
	const char *user, *password; /* Basic; NULL: none */
	const char *cert, *key;	     /* of this client, as PEM; NULL: none */
	const char *const *headers;  /* lines; NULL-terminated; NULL: none */
};

/* Reads a file of authorities: at the start, not on the loop. One that cannot
 * be read fails the calls that need it. While it is used it is read again now
 * and then, aside; until that is done, what was read last holds. */
void http_trust(struct http *h, const char *file);

struct http_request {
	const struct http_way *way;
	const char *name;    /* host name to verify, e.g. prod-s2 */
	const char *address; /* numeric; not with a socket, nor the port */
	int port;
	const char *path; /* "/v1/cas" */
	const char *body; /* POST; copied. NULL: GET */
	size_t body_len;
	usec_t deadline;   /* after now; covers everything */
	size_t answer_max; /* bytes; a longer answer is an error */
	/* An answer without an end is not kept, but given away as it comes, to
	 * the arg of done. It may call no function of this file. */
	void (*part)(void *arg, const char *data, size_t len);
};

struct http_answer {
	int status;	     /* HTTP status; 0: no whole answer, see reason */
	const char *reason;  /* token of reasons.def; "ok" with any status */
	const char *message; /* curl's words, for people; never NULL */
	bool sent;	     /* false only if the request provably never left */
	const char *body;
	size_t len;   /* body is followed by a 0 that is not counted */
	int os_errno; /* of a connection that failed; 0 */
	struct http_call *call; /* for http_header */
};

/* done is called once, never from within http_post, unless cancelled. It may
 * call any function of this file. */
struct http_call *http_post(struct http *h, const struct http_request *req,
    void (*done)(void *arg, const struct http_answer *ans), void *arg,
    struct error *err) MUST_CHECK;
/* No done any more. NULL: there is none. */
void http_cancel(struct http_call *call);
/* The value of the first header of that name, in done only; NULL: none. */
const char *http_header(const struct http_answer *ans, const char *name);

#endif
