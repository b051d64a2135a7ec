/*
 * The head of one HTTP/1 request, strictly: what is unusual is refused. Pure;
 * it reads a buffer and points into it.
 */
#ifndef FRONT_HTTP1_H
#define FRONT_HTTP1_H

#include <stddef.h>

#include "hawatch/types.h"

#define HTTP1_HEAD_MAX 4096
#define HTTP1_FIELDS_MAX 64

struct http1 {
	const char *method, *path, *query; /* query NULL: there is no "?" */
	size_t method_len, path_len, query_len;
	size_t head;	 /* bytes of the head, its empty line included */
	uint64_t length; /* of the body */
	bool has_length;
	bool keep; /* the connection lives on after the answer */
};

/* 1 with *req, 0 when bytes are missing, -1 with the *status to answer. */
int http1_parse(
    const char *buf, size_t len, struct http1 *req, int *status) MUST_CHECK;
bool http1_method(const struct http1 *req, const char *method);

/* A whole response, rendered once and sent many times. */
struct response {
	char *buf;
	size_t head; /* bytes of the head, its empty line included */
	size_t len;  /* of head and body */
	int status;
	char reason[64]; /* cut, for people */
};

struct response_spec {
	int status;
	const char *reason; /* becomes X-Hawatch-Reason */
	const char *type;   /* NULL: text/plain */
	const char *allow;  /* NULL: no Allow */
	const char *body;   /* NULL: the reason and a newline */
};

/* Replaces what a held. */
void response_make(struct response *a, const struct response_spec *spec);
void response_fini(struct response *a);

#endif
