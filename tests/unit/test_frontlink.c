/*
 * The engine's end of the link on the real loop with the real hawatch-front:
 * started, fed, asked through, killed, stopped, replaced.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "front_harness.h"
#include "hawatch/conf.h"
#include "hawatch/emit.h"
#include "hawatch/frontlink.h"
#include "hawatch/loop.h"

/* What is freed stays with the sanitizer for a while. */
#if defined(__SANITIZE_ADDRESS__)
#define GROWTH_MAX (512L * 1024 * 1024)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GROWTH_MAX (512L * 1024 * 1024)
#endif
#endif
#ifndef GROWTH_MAX
#define GROWTH_MAX (8L * 1024 * 1024)
#endif

static struct front_harness h;
static struct conf conf;
static struct loop *loop;
static struct frontlink *front;
static struct timer *tick;
static bool (*until)(void);
static usec_t give_up;
static char events[16384];
static char ca[128], cert[128], key[128], program[512];
static uint64_t asked;
static char asked_by[64], asked_path[64];
static bool answer_at_once;

static void
sink(void *arg, enum level level, const char *line)
{
	size_t len = strlen(events);

	(void)snprintf(events + len, sizeof(events) - len, "%s\n", line);
}

static int
count(const char *text)
{
	const char *p = events;
	int n = 0;

	while ((p = strstr(p, text)) != NULL) {
		n++;
		p++;
	}
	return n;
}

static void
tick_cb(void *arg)
{
	timer_arm(tick, 5 * USEC_MSEC);
}

static void
turn(void *arg, const struct now *now)
{
	if (until() || now->raw > give_up)
		loop_stop(loop);
}

/* Runs the loop until cond holds; fails when it does not in time. */
static void
run(bool (*cond)(void), usec_t limit)
{
	until = cond;
	give_up = fh_now() + limit;
	timer_arm(tick, 0);
	loop_run(loop, turn, NULL);
	if (!cond())
		fail_msg("not in time; events so far:\n%s", events);
}

/* Longer than many parts, with characters that none may end in. */
static char long_line[200 * 1024];

static void
request_cb(void *arg, const struct front_request *req)
{
	asked = req->id;
	(void)snprintf(asked_by, sizeof(asked_by), "%s", req->peer);
	(void)snprintf(asked_path, sizeof(asked_path), "%s", req->path);
	if (strcmp(req->path, "/v1/control") == 0) {
		frontlink_line(front, req->id, long_line, false);
		frontlink_line(front, req->id, "{\"exit\":0}", true);
		frontlink_line(front, req->id, "{\"late\":0}", true);
	} else if (answer_at_once)
		frontlink_reply(front, req->id, 200, "{\"ok\":true}");
}

static int
group_setup(void **state)
{
	const struct passwd *pw = getpwuid(65534);
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 64);

	if (n <= 0 || pw == NULL)
		return -1;
	program[n] = '\0';
	strcpy(strrchr(program, '/'), "/../../src/front/hawatch-front");
	fh_pki(&h);
	(void)snprintf(ca, sizeof(ca), "%s/ca.pem", h.dir);
	(void)snprintf(cert, sizeof(cert), "%s/s1.pem", h.dir);
	(void)snprintf(key, sizeof(key), "%s/s1.key", h.dir);
	conf = (struct conf){ .cluster = "test",
		.self = 0,
		.node_count = 2,
		.node = { { .name = "s1", .address = "127.0.0.1" },
		    { .name = "s2", .address = "127.0.0.2" } },
		.operator_count = 1,
		.operator= { { .name = "ann" } },
		.ca = ca,
		.cert = cert,
		.key = key,
		.user = strdup(pw->pw_name),
		.health_address = "127.0.0.1",
		.ping_body = "up",
		.connections_max = 256,
		.idle_timeout = 60 * USEC_SEC };
	emit_to(sink, NULL);
	return 0;
}

static int
group_teardown(void **state)
{
	fh_clean(&h);
	return 0;
}

static bool
ready(void)
{
	return count("ev=front.start") > 0;
}

static int
start(void **state)
{
	struct error err;

	events[0] = '\0';
	asked = 0;
	answer_at_once = true;
	h.health_port = conf.health_port = fh_free_port();
	h.peer_port = conf.peer_port = fh_free_port();
	loop = loop_new(&err);
	tick = timer_new(loop, tick_cb, NULL);
	front = frontlink_new(loop, &conf, program, request_cb, NULL, &err);
	if (front == NULL) {
		fprintf(stderr, "%s\n", err.msg);
		return -1;
	}
	return 0;
}

static int
stop(void **state)
{
	frontlink_free(front);
	timer_free(tick);
	loop_free(loop);
	return 0;
}

static void
publish(const char *status)
{
	const struct snapshot snap = { .fresh_until = fh_now() + 600 * USEC_SEC,
		.primary_until = USEC_NEVER,
		.lag = UINT64_MAX,
		.healthy = true,
		.reasons = "",
		.status = status };

	frontlink_publish(front, &snap);
}

static bool
healthy(void)
{
	char buf[4096];

	return fh_get(h.health_port, "/primary", buf, sizeof(buf)) == 200;
}

static void
test_publishes_and_answers(void **state)
{
	pid_t child;
	int status;
	struct ssl_st *ssl;
	char buf[4096];

	publish("{}");
	run(ready, 10 * USEC_SEC);
	run(healthy, 5 * USEC_SEC);
	child = fork();
	if (child == 0) {
		/* The asker; the loop of this process answers it. */
		ssl = fh_tls(&h, h.dir, "s2", 0);
		_exit(ssl != NULL && fh_tls_post(ssl, "/v1/cas", "{}", 2) &&
			      fh_tls_answer(ssl, buf, sizeof(buf)) == 200 &&
			      fh_has(buf, "{\"ok\":true}") ?
			  0 :
			  1);
	}
	until = NULL;
	while (waitpid(child, &status, WNOHANG) == 0) {
		give_up = 0;
		until = ready;
		loop_run(loop, turn, NULL);
	}
	assert_int_equal(status, 0);
	assert_string_equal(asked_by, "s2");
	assert_string_equal(asked_path, "/v1/cas");
	/* Of nobody. */
	frontlink_reply(front, asked, 200, "{}");
	frontlink_reply(front, asked + 1, 200, "{}");
	frontlink_reply(front, 1, 200, "{}");
	run(healthy, 5 * USEC_SEC);
	assert_int_equal(count("ev=front.gone"), 0);
}

/* As the client of an operator sees it. */
static bool
lines_are_whole(void)
{
	struct ssl_st *ssl = fh_tls(&h, h.dir, "ann", 0);
	static char buf[sizeof(long_line) + 4096];
	const char *body;
	size_t len = 0;
	int n;

	if (ssl == NULL || !fh_tls_post(ssl, "/v1/control", "{}", 2))
		return false;
	while (len + 1 < sizeof(buf) &&
	       (n = SSL_read(ssl, buf + len, (int)(sizeof(buf) - len - 1))) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	body = strstr(buf, "\r\n\r\n");
	n = (int)strlen(long_line);
	return body != NULL && strncmp(body + 4, long_line, (size_t)n) == 0 &&
	       strcmp(body + 4 + n, "\n{\"exit\":0}\n") == 0;
}

/* An operator's answer comes in parts, and nobody but an operator is let in
 * with the path of one. */
static void
test_lines_to_an_operator(void **state)
{
	int status;
	pid_t child;
	size_t i;

	strcpy(long_line, "{\"a\":\"");
	for (i = 6; i + 8 < sizeof(long_line); i += 3)
		memcpy(long_line + i, "\xe2\x82\xac", 3);
	memcpy(long_line + i, "\"}", 3);
	publish("{}");
	run(ready, 10 * USEC_SEC);
	child = fork();
	if (child == 0)
		_exit(lines_are_whole() ? 0 : 1);
	while (waitpid(child, &status, WNOHANG) == 0) {
		give_up = 0;
		until = ready;
		loop_run(loop, turn, NULL);
	}
	assert_int_equal(status, 0);
	assert_string_equal(asked_by, "ann");
	assert_int_equal(count("ev=front.gone"), 0);
}

static int pid_before;

static bool
replaced(void)
{
	return frontlink_pid(front) != 0 &&
	       frontlink_pid(front) != pid_before &&
	       count("ev=front.start") > 1;
}

static void
test_killed_and_started_again(void **state)
{
	int i;

	publish("{}");
	run(ready, 10 * USEC_SEC);
	for (i = 0; i < 3; i++) {
		pid_before = frontlink_pid(front);
		assert_int_equal(kill(pid_before, SIGKILL), 0);
		run(replaced, 5 * USEC_SEC);
		/* It knows what was published before it was born. */
		run(healthy, 5 * USEC_SEC);
	}
	assert_true(count("reason=\"signal 9\"") >= 1);
}

static long
resident(void)
{
	long pages = 0, all = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld %ld", &all, &pages), 2);
	fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

static usec_t stopped_at;
static char *document;

static bool
replaced_while_publishing(void)
{
	usec_t before = fh_now();

	publish(document);
	assert_true(fh_now() - before < 200 * USEC_MSEC);
	return replaced();
}

/* A front that does not read costs nothing but its life. */
static void
test_stopped_front(void **state)
{
	long before;

	document = calloc(1, 50001);
	memset(document, '1', 50000);
	publish("{}");
	run(ready, 10 * USEC_SEC);
	pid_before = frontlink_pid(front);
	before = resident();
	stopped_at = fh_now();
	assert_int_equal(kill(pid_before, SIGSTOP), 0);
	run(replaced_while_publishing, 10 * USEC_SEC);
	assert_in_range((fh_now() - stopped_at) / USEC_MSEC, 1900, 5000);
	assert_int_equal(count("reason=stalled"), 1);
	assert_true(resident() - before < GROWTH_MAX);
	run(healthy, 5 * USEC_SEC);
	free(document);
}

static bool
gone(void)
{
	return count("ev=front.gone") > 0;
}

static usec_t wait_end;

static bool
waited(void)
{
	return fh_now() >= wait_end;
}

/* Said once, tried until it works. */
static void
test_port_taken_for_a_while(void **state)
{
	struct front_harness first = h;
	json_t *frame;

	/* The first front holds the ports, the engine's cannot have them. */
	(void)stop(NULL);
	first.health_port = fh_free_port();
	first.peer_port = fh_free_port();
	fh_spawn(&first, 16, USEC_SEC);
	frame = fh_want(&first, "ready", 10000);
	assert_non_null(frame);
	json_decref(frame);
	assert_int_equal(start(NULL), 0);
	frontlink_free(front);
	h.health_port = conf.health_port = first.health_port;
	h.peer_port = conf.peer_port = first.peer_port;
	front = frontlink_new(
	    loop, &conf, program, request_cb, NULL, &(struct error){ 0 });
	assert_non_null(front);
	run(gone, 10 * USEC_SEC);
	wait_end = fh_now() + 1500 * USEC_MSEC;
	run(waited, 5 * USEC_SEC);
	assert_int_equal(count("ev=front.gone"), 1);
	assert_true(count("Address already in use") == 1);
	assert_int_equal(fh_stop(&first), 0);
	run(ready, 5 * USEC_SEC);
	publish("{}");
	run(healthy, 5 * USEC_SEC);
}

static void
test_end_of_the_engine(void **state)
{
	int pid;

	run(ready, 10 * USEC_SEC);
	pid = frontlink_pid(front);
	frontlink_free(front);
	front = NULL;
	assert_int_equal(kill(pid, 0), -1);
}

static void
test_program_missing(void **state)
{
	struct error err;

	assert_null(frontlink_new(
	    loop, &conf, "/nowhere/hawatch-front", request_cb, NULL, &err));
	assert_non_null(strstr(err.msg, "/nowhere/hawatch-front"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_publishes_and_answers),
		TEST(test_lines_to_an_operator),
		TEST(test_killed_and_started_again),
		TEST(test_stopped_front),
		TEST(test_port_taken_for_a_while),
		TEST(test_end_of_the_engine),
		TEST(test_program_missing),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
