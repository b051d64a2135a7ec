/*
 * What http.c and http_call.c share: the client and one call of it.
 */
#ifndef HAWATCH_HTTP_CALL_H
#define HAWATCH_HTTP_CALL_H

#include <curl/curl.h>

#include "hawatch/http.h"
#include "hawatch/queue.h"

struct http {
	struct loop *loop;
	CURLM *multi;
	struct timer *timer;
	char *ca, *cert, *key; /* PEM; a disk that hangs is not read again */
	bool freed;
	LIST_HEAD(http_calls, http_call) calls;
};

struct http_call {
	LIST_ENTRY(http_call) entry;
	struct http *http;
	CURL *easy;
	struct curl_slist *headers, *address;
	bool sent, ending;
	char *body;
	size_t len, max, header_len;
	char message[CURL_ERROR_SIZE];
	void (*done)(void *arg, const struct http_answer *ans);
	void *arg;
};

/* A call that is set up and in the client's list, not yet with libcurl. */
struct http_call *http_call_new(struct http *h, const struct http_request *req,
    struct error *err) MUST_CHECK;
void http_call_free(struct http_call *call);

#endif
