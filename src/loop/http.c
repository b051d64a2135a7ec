/*
 * Calls to the peers: libcurl's multi interface on the loop. Who is called
 * when, and what an answer means, is not decided here.
 *
 * libcurl calls back for its sockets and its one timer; those two callbacks
 * only set watches and the timer. All that may end a call happens in
 * http_drain, after libcurl has returned, so that a done may start, cancel
 * and free what it likes.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hawatch/file.h"
#include "hawatch/http.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/queue.h"
#include "loop/http_reason.h"

#define HTTP_PEM_MAX ((size_t)256 * 1024)
#define HTTP_HEADERS_MAX ((size_t)16 * 1024)
/* Kept connections, all peers together, and for how many seconds idle. */
#define HTTP_KEPT_MAX 32L
#define HTTP_KEPT_SEC 30L
#define HTTP_BUFFER 16384L

struct http {
	struct loop *loop;
	CURLM *multi;
	struct timer *timer;
	char *ca, *cert, *key; /* PEM; a disk that hangs is not read again */
	bool freed;
	LIST_HEAD(, http_call) calls;
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

static CURLM *http_multi(struct http *h);
static void http_release(void *arg);
static int http_call_vet(const struct http_request *req, struct error *err);
static int http_call_where(
    struct http_call *call, const struct http_request *req, struct error *err);
static int http_call_set(
    struct http_call *call, const struct http_request *req);
static int http_call_tls(struct http_call *call);
static int http_blob(CURL *easy, CURLoption option, char *pem);
static void http_call_free(struct http_call *call);
static int http_socket_cb(
    CURL *easy, curl_socket_t fd, int what, void *arg, void *watch);
static int http_timer_cb(CURLM *multi, long ms, void *arg);
static void http_due_cb(void *arg);
static void http_drain(struct http *h);
static void http_finish(struct http_call *call, CURLcode code);
static int http_sends_cb(
    void *arg, char *to, char *from, int to_port, int from_port);
static size_t http_header_cb(char *data, size_t size, size_t n, void *arg);
static size_t http_body_cb(char *data, size_t size, size_t n, void *arg);

/* A watch of libcurl's, with what the callback needs beside the event. */
struct http_socket {
	struct http *http;
	curl_socket_t fd;
	struct watch *watch;
};

static void http_ready_cb(void *arg, int what);

struct http *
http_new(struct loop *loop, const struct http_tls *tls, struct error *err)
{
	struct http *h = xcalloc(1, sizeof(*h));

	h->loop = loop;
	LIST_INIT(&h->calls);
	h->timer = timer_new(loop, http_due_cb, h);
	/* Reference counted by libcurl; the first takes some 50 ms. */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
	h->multi = http_multi(h);
	h->ca = file_read(tls->ca, HTTP_PEM_MAX, NULL, err);
	if (h->ca != NULL)
		h->cert = file_read(tls->cert, HTTP_PEM_MAX, NULL, err);
	if (h->cert != NULL)
		h->key = file_read(tls->key, HTTP_PEM_MAX, NULL, err);
	if (h->key == NULL) {
		http_release(h);
		return NULL;
	}
	return h;
}

static CURLM *
http_multi(struct http *h)
{
	CURLM *multi = curl_multi_init();

	if (multi == NULL ||
	    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, http_socket_cb) !=
		CURLM_OK ||
	    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, h) != CURLM_OK ||
	    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, http_timer_cb) !=
		CURLM_OK ||
	    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, h) != CURLM_OK ||
	    curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING) !=
		CURLM_OK ||
	    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, HTTP_KEPT_MAX) !=
		CURLM_OK)
		abort();
	return multi;
}

void
http_free(struct http *h)
{
	struct http_call *call, *next;

	if (h == NULL || h->freed)
		return;
	h->freed = true;
	LIST_FOREACH_SAFE(call, &h->calls, entry, next)
		http_cancel(call);
	timer_disarm(h->timer);
	loop_reap(h->loop, http_release, h);
}

static void
http_release(void *arg)
{
	struct http *h = arg;

	curl_multi_cleanup(h->multi);
	curl_global_cleanup();
	timer_free(h->timer);
	free(h->ca);
	free(h->cert);
	if (h->key != NULL)
		explicit_bzero(h->key, strlen(h->key));
	free(h->key);
	free(h);
}

struct http_call *
http_post(struct http *h, const struct http_request *req,
    void (*done)(void *arg, const struct http_answer *ans), void *arg,
    struct error *err)
{
	struct http_call *call;

	if (http_call_vet(req, err) == -1)
		return NULL;
	call = xcalloc(1, sizeof(*call));
	call->http = h;
	call->done = done;
	call->arg = arg;
	call->max = req->answer_max;
	call->easy = curl_easy_init();
	if (call->easy == NULL)
		abort();
	LIST_INSERT_HEAD(&h->calls, call, entry);
	if (http_call_where(call, req, err) == -1)
		goto fail;
	if (http_call_set(call, req) == -1 || http_call_tls(call) == -1 ||
	    curl_multi_add_handle(h->multi, call->easy) != CURLM_OK) {
		error_set(err, ERR_PROTOCOL,
		    "http: libcurl %s refuses the settings of a call",
		    curl_version_info(CURLVERSION_NOW)->version);
		goto fail;
	}
	return call;
fail:
	http_call_free(call);
	return NULL;
}

static int
http_call_vet(const struct http_request *req, struct error *err)
{
	unsigned char buf[sizeof(struct in6_addr)];

	if (req->body == NULL && req->body_len != 0)
		return error_set(
		    err, ERR_PROTOCOL, "%s%s: no body", req->name, req->path);
	if (inet_pton(AF_INET, req->address, buf) != 1 &&
	    inet_pton(AF_INET6, req->address, buf) != 1)
		return error_set(err, ERR_CONFIG,
		    "address of %s: \"%s\" is not numeric", req->name,
		    req->address);
	if (req->deadline <= 0 || req->deadline == USEC_NEVER)
		return error_set(
		    err, ERR_CONFIG, "%s%s: no deadline", req->name, req->path);
	if (req->answer_max == 0 || req->path[0] != '/')
		return error_set(err, ERR_CONFIG,
		    "%s%s: no path or no limit of the answer", req->name,
		    req->path);
	return 0;
}

/* The name is for the certificate, the address for the socket. */
static int
http_call_where(
    struct http_call *call, const struct http_request *req, struct error *err)
{
	bool v6 = strchr(req->address, ':') != NULL;
	char *url, *to;
	CURLcode code;

	url = xasprintf("https://%s:%d%s", req->name, req->port, req->path);
	code = curl_easy_setopt(call->easy, CURLOPT_URL, url);
	free(url);
	to = xasprintf("::%s%s%s:%d", v6 ? "[" : "", req->address,
	    v6 ? "]" : "", req->port);
	call->address = curl_slist_append(NULL, to);
	free(to);
	if (code != CURLE_OK || call->address == NULL ||
	    curl_easy_setopt(call->easy, CURLOPT_CONNECT_TO, call->address) !=
		CURLE_OK)
		return error_set(
		    err, ERR_CONFIG, "%s%s: not a URL", req->name, req->path);
	return 0;
}

/* Stops at the first option that fails: none may silently stay unset. */
#define SET(option, value) \
	do { \
		if (curl_easy_setopt(e, (option), (value)) != CURLE_OK) \
			return -1; \
	} while (0)

static int
http_call_set(struct http_call *call, const struct http_request *req)
{
	CURL *e = call->easy;
	long ms = (long)((req->deadline + USEC_MSEC - 1) / USEC_MSEC);

	call->headers =
	    curl_slist_append(NULL, "Content-Type: application/json");
	/* No waiting for "100 Continue". */
	call->headers = curl_slist_append(call->headers, "Expect:");
	SET(CURLOPT_HTTPHEADER, call->headers);
	SET(CURLOPT_POST, 1L);
	SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body_len);
	SET(CURLOPT_COPYPOSTFIELDS, req->body == NULL ? "" : req->body);
	SET(CURLOPT_PRIVATE, call);
	SET(CURLOPT_ERRORBUFFER, call->message);
	SET(CURLOPT_WRITEFUNCTION, http_body_cb);
	SET(CURLOPT_WRITEDATA, call);
	SET(CURLOPT_HEADERFUNCTION, http_header_cb);
	SET(CURLOPT_HEADERDATA, call);
	SET(CURLOPT_PREREQFUNCTION, http_sends_cb);
	SET(CURLOPT_PREREQDATA, call);
	SET(CURLOPT_TIMEOUT_MS, ms);
	SET(CURLOPT_CONNECTTIMEOUT_MS, ms);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_PROTOCOLS_STR, "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	/* Whatever the environment says. */
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_TCP_NODELAY, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_TCP_KEEPIDLE, 5L);
	SET(CURLOPT_TCP_KEEPINTVL, 1L);
	SET(CURLOPT_MAXAGE_CONN, HTTP_KEPT_SEC);
	SET(CURLOPT_BUFFERSIZE, HTTP_BUFFER);
	SET(CURLOPT_UPLOAD_BUFFERSIZE, HTTP_BUFFER);
	return 0;
}

static int
http_call_tls(struct http_call *call)
{
	CURL *e = call->easy;

	SET(CURLOPT_SSLVERSION,
	    (long)CURL_SSLVERSION_TLSv1_3 | (long)CURL_SSLVERSION_MAX_TLSv1_3);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	/* By default every authority of the system would do as well. */
	SET(CURLOPT_CAPATH, NULL);
	SET(CURLOPT_CAINFO, NULL);
	if (http_blob(e, CURLOPT_CAINFO_BLOB, call->http->ca) == -1 ||
	    http_blob(e, CURLOPT_SSLCERT_BLOB, call->http->cert) == -1)
		return -1;
	return http_blob(e, CURLOPT_SSLKEY_BLOB, call->http->key);
}

#undef SET

static int
http_blob(CURL *easy, CURLoption option, char *pem)
{
	struct curl_blob blob = {
		.data = pem, .len = strlen(pem), .flags = CURL_BLOB_NOCOPY
	};

	return curl_easy_setopt(easy, option, &blob) == CURLE_OK ? 0 : -1;
}

void
http_cancel(struct http_call *call)
{
	if (call == NULL || call->ending)
		return;
	curl_multi_remove_handle(call->http->multi, call->easy);
	http_call_free(call);
}

static void
http_call_free(struct http_call *call)
{
	LIST_REMOVE(call, entry);
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	curl_slist_free_all(call->address);
	free(call->body);
	free(call);
}

/* The descriptor may be another one under the same number: a new watch. */
static int
http_socket_cb(CURL *easy, curl_socket_t fd, int what, void *arg, void *data)
{
	struct http *h = arg;
	struct http_socket *s = data;

	if (s != NULL) {
		watch_free(s->watch);
		s->watch = NULL;
	}
	if (what == CURL_POLL_REMOVE) {
		curl_multi_assign(h->multi, fd, NULL);
		free(s);
		return 0;
	}
	if (s == NULL) {
		s = xcalloc(1, sizeof(*s));
		s->http = h;
		s->fd = fd;
		curl_multi_assign(h->multi, fd, s);
	}
	s->watch = watch_new(h->loop, fd,
	    ((what & CURL_POLL_IN) != 0 ? WATCH_READ : 0) |
		((what & CURL_POLL_OUT) != 0 ? WATCH_WRITE : 0),
	    http_ready_cb, s);
	return 0;
}

static void
http_ready_cb(void *arg, int what)
{
	struct http_socket *s = arg;
	struct http *h = s->http;
	int running;

	curl_multi_socket_action(h->multi, s->fd,
	    ((what & WATCH_READ) != 0 ? CURL_CSELECT_IN : 0) |
		((what & WATCH_WRITE) != 0 ? CURL_CSELECT_OUT : 0),
	    &running);
	http_drain(h);
}

static int
http_timer_cb(CURLM *multi, long ms, void *arg)
{
	struct http *h = arg;

	if (ms < 0)
		timer_disarm(h->timer);
	else
		timer_arm(h->timer, (usec_t)ms * USEC_MSEC);
	return 0;
}

static void
http_due_cb(void *arg)
{
	struct http *h = arg;
	int running;

	curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	http_drain(h);
}

static void
http_drain(struct http *h)
{
	struct http_call *call;
	CURLMsg *msg;
	CURLcode code;
	int left;

	while (!h->freed &&
	       (msg = curl_multi_info_read(h->multi, &left)) != NULL) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		/* msg is gone once the handle is removed. */
		code = msg->data.result;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &call);
		curl_multi_remove_handle(h->multi, call->easy);
		http_finish(call, code);
	}
}

/* The only way to the end of a call. */
static void
http_finish(struct http_call *call, CURLcode code)
{
	struct http_answer ans = { .sent = call->sent || code == CURLE_OK,
		.body = "" };
	long status = 0, sys = 0;

	call->ending = true;
	curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &sys);
	ans.reason =
	    reason_str(http_reason(code, sys, ans.sent, call->message));
	ans.message =
	    call->message[0] != '\0' ? call->message : curl_easy_strerror(code);
	if (code == CURLE_OK) {
		curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
		ans.status = (int)status;
		ans.message = "";
		ans.len = call->len;
		if (call->body != NULL)
			ans.body = call->body;
	}
	call->done(call->arg, &ans);
	http_call_free(call);
}

/* libcurl calls this when it has a connection, TLS included, and right before
 * it writes the first byte of the request, new connection or kept one. */
static int
http_sends_cb(void *arg, char *to, char *from, int to_port, int from_port)
{
	struct http_call *call = arg;

	call->sent = true;
	return CURL_PREREQFUNC_OK;
}

static size_t
http_header_cb(char *data, size_t size, size_t n, void *arg)
{
	struct http_call *call = arg;

	call->header_len += size * n;
	return call->header_len > HTTP_HEADERS_MAX ? 0 : size * n;
}

static size_t
http_body_cb(char *data, size_t size, size_t n, void *arg)
{
	struct http_call *call = arg;
	size_t len = size * n;

	if (len > call->max - call->len)
		return 0;
	call->body = xrealloc(call->body, call->len + len + 1, 1);
	memcpy(call->body + call->len, data, len);
	call->len += len;
	call->body[call->len] = '\0';
	return len;
}
