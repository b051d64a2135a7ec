/*
 * Calls to the peers and to what is checked: libcurl's multi interface on the
 * loop. Who is called when, and what an answer means, is not decided here.
 *
 * libcurl calls back for its sockets and its one timer; those two callbacks
 * only set watches and the timer. All that may end a call happens in
 * http_drain, after libcurl has returned, so that a done may start, cancel
 * and free what it likes.
 */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "hawatch/file.h"
#include "hawatch/http.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/queue.h"
#include "loop/http_call.h"
#include "loop/http_reason.h"

/* Kept connections, all peers together. */
#define HTTP_KEPT_MAX 32L

static CURLM *http_multi(struct http *h);
static void http_release(void *arg);
static void http_begin(struct http *h);
static int http_socket_cb(
    CURL *easy, curl_socket_t fd, int what, void *arg, void *data);
static int http_timer_cb(CURLM *multi, long ms, void *arg);
static void http_due_cb(void *arg);
static void http_drain(struct http *h);
static void http_finish(struct http_call *call, CURLcode code);

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
	LIST_INIT(&h->trusts);
	h->timer = timer_new(loop, http_due_cb, h);
	/* Reference counted by libcurl; the first takes some 50 ms. */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
	h->multi = http_multi(h);
	h->json = curl_slist_append(NULL, "Content-Type: application/json");
	if (h->json == NULL)
		abort();
	if (tls == NULL)
		return h;
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
	int k;

	for (k = 0; k < HTTP_KINDS; k++)
		while (h->idle_count[k] > 0)
			curl_easy_cleanup(h->idle[k][--h->idle_count[k]]);
	http_trust_free(h);
	curl_slist_free_all(h->json);
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
	struct http_call *call = http_call_new(h, req, err);

	if (call == NULL)
		return NULL;
	call->done = done;
	call->part = req->part;
	call->arg = arg;
	if (curl_multi_add_handle(h->multi, call->easy) != CURLM_OK)
		abort();
	http_begin(h);
	return call;
}

/* The request leaves at once, not a round of the loop later: at one call a
 * second and peer, rounds are what an idle daemon spends. A call that fails
 * here is told of in the next round. */
static void
http_begin(struct http *h)
{
	struct http_call *call;
	int running, under_way = 0;

	curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	LIST_FOREACH(call, &h->calls, entry)
		under_way += !call->ending;
	if (running < under_way)
		timer_arm(h->timer, 0);
}

void
http_cancel(struct http_call *call)
{
	if (call == NULL || call->ending)
		return;
	curl_multi_remove_handle(call->http->multi, call->easy);
	http_call_free(call);
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
	struct http_answer ans = {
		.sent = call->sent || code == CURLE_OK, .body = "", .call = call
	};
	long status = 0, sys = 0;

	call->ending = true;
	call->whole = code == CURLE_OK;
	if (code == CURLE_COULDNT_CONNECT)
		curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &sys);
	ans.os_errno = (int)sys;
	ans.reason =
	    reason_str(http_reason(code, sys, ans.sent, call->message));
	ans.message =
	    call->message[0] != '\0' ? call->message : curl_easy_strerror(code);
	if (code != CURLE_OK && call->untrusted != NULL)
		ans.message = call->untrusted;
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

const char *
http_header(const struct http_answer *ans, const char *name)
{
	struct curl_header *found;

	if (curl_easy_header(ans->call->easy, name, 0, CURLH_HEADER, -1,
		&found) != CURLHE_OK)
		return NULL;
	return found->value;
}
