/*
 * HTTP client of the engine: libcurl's multi interface on the loop. Used to
 * speak to the peers' API over mutual TLS 1.3. Addresses only: the URL's name
 * is the node's (verified against its certificate), the address is given
 * beside it, so no resolver ever runs. Connections are kept alive.
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

struct http *http_new(struct loop *loop, const struct http_tls *tls,
	struct error *err);
void http_free(struct http *h);

struct http_request {
	const char *name;    /* host name to verify, e.g. prod-s2 */
	const char *address; /* numeric */
	int port;
	const char *path;    /* "/v1/cas" */
	const char *body;    /* JSON; POST; copied */
	size_t body_len;
	usec_t deadline;     /* after now; covers everything */
	size_t answer_max;   /* bytes; a longer answer is an error */
};

struct http_answer {
	int status;         /* HTTP status; 0: no answer, see reason */
	const char *reason; /* stable token: connect-refused, timeout, tls, ... */
	bool sent;          /* false only if the request provably never left */
	const char *body;
	size_t len;         /* body is followed by a 0 that is not counted */
};

/* done is called once, never from within http_post, unless cancelled. */
struct http_call *http_post(struct http *h, const struct http_request *req,
	void (*done)(void *arg, const struct http_answer *ans), void *arg,
	struct error *err) MUST_CHECK;
void http_cancel(struct http_call *call);

#endif
