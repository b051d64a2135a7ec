/*
 * What the files of the client share: the client, one call of it, and the
 * handles of libcurl that go from call to call.
 */
#ifndef HAWATCH_HTTP_CALL_H
#define HAWATCH_HTTP_CALL_H

#include <curl/curl.h>

#include "hawatch/http.h"
#include "hawatch/queue.h"

#define HTTP_IDLE_MAX 8
#define HTTP_PEM_MAX ((size_t)256 * 1024)

/* Whose settings a handle has; it never serves the other kind. */
enum http_kind { HTTP_PEER, HTTP_WAY, HTTP_KINDS };

struct http {
	struct loop *loop;
	CURLM *multi;
	struct timer *timer;
	char *ca, *cert, *key;	 /* PEM; a disk that hangs is not read again */
	struct curl_slist *json; /* headers */
	CURL *idle[HTTP_KINDS][HTTP_IDLE_MAX];
	int idle_count[HTTP_KINDS];
	bool freed;
	LIST_HEAD(http_calls, http_call) calls;
	LIST_HEAD(http_trusts, http_trust) trusts;
};

struct http_call {
	LIST_ENTRY(http_call) entry;
	struct http *http;
	enum http_kind kind;
	CURL *easy;
	struct curl_slist *headers, *address;
	bool sent, ending;
	bool whole; /* it ended well, and its handle serves again */
	char *body;
	size_t len, max, header_len;
	char message[CURL_ERROR_SIZE];
	char *untrusted; /* why there are no authorities; or NULL */
	void (*done)(void *arg, const struct http_answer *ans);
	void (*part)(void *arg, const char *data, size_t len);
	void *arg;
};

/* A call that is set up and in the client's list, not yet with libcurl. */
struct http_call *http_call_new(struct http *h, const struct http_request *req,
    struct error *err) MUST_CHECK;
void http_call_free(struct http_call *call);
int http_sends_cb(void *arg, char *to, char *from, int to_port, int from_port);
size_t http_header_cb(char *data, size_t size, size_t n, void *arg);
size_t http_body_cb(char *data, size_t size, size_t n, void *arg);

/* A handle with all that does not change from call to call; NULL when libcurl
 * lacks something. */
CURL *http_easy_take(struct http *h, enum http_kind kind) MUST_CHECK;
/* Takes it back; again: its last call ended well. */
void http_easy_give(struct http *h, enum http_kind kind, CURL *e, bool again);
/* What this call wants of its handle. */
int http_easy_call(
    struct http_call *call, const struct http_request *req) MUST_CHECK;

/* What is trusted by that file; NULL and why: nothing is. */
const char *http_trust_pem(
    struct http *h, const char *file, const char **why) MUST_CHECK;
void http_trust_free(struct http *h);

#endif
