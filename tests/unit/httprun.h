/*
 * A client of peers before the server of httptest.h, and how its last call
 * ended.
 */
#ifndef HTTPRUN_H
#define HTTPRUN_H

#include "hawatch/http.h"
#include "hawatch/loop.h"
#include "httptest.h"

struct httprun {
	struct loop *loop;
	struct http *http;
	struct httptest *server;
	struct timer *timer;
	struct http_call *call, *other;
	int done, stop_after, rounds, status;
	char reason[64], message[300], body[4096];
	size_t len;
	bool sent, free_in_done, again_in_done, cancel_in_done;
	usec_t took_at;
	int listener;
};

extern char hr_pki[64]; /* of httptest_pki: prod-s1, prod-s2, prod-a1 */

/* For cmocka. The client is prod-s1, the server prod-s2. */
int hr_group_setup(void **state);
int hr_group_teardown(void **state);
int hr_setup(void **state);
int hr_teardown(void **state);

/* One with that certificate. */
struct http *hr_client(struct httprun *f, const char *cert);
/* What is posted to the server by default. */
struct http_request hr_request(struct httprun *f, const char *path);
/* Records it, and stops the loop after as many as were said; arg is the
 * httprun. */
void hr_on_done(void *arg, const struct http_answer *ans);
/* Begins a call. */
struct http_call *hr_post(struct httprun *f, const char *path, usec_t deadline);
/* One call and its answer. */
void hr_ask(struct httprun *f, const struct http_request *req);
void hr_ask_path(struct httprun *f, const char *path);
/* How that ended; sent: the request may have left. */
void hr_expect_failure(struct httprun *f, const char *reason, bool sent);

void hr_run_for(struct httprun *f, usec_t t);
/* Lets the loop run until the server's count is that. */
void hr_wait_count(
    struct httprun *f, int (*count)(const struct httptest *t), int n);

#endif
