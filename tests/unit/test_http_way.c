/*
 * Calls that do not go to peers: plain HTTP, a Unix socket, TLS by an
 * authority of one's own or the system's, and what each may fail of.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "hawatch/http.h"
#include "hawatch/loop.h"
#include "httptest.h"

struct fixture {
	struct loop *loop;
	struct http *http;
	struct httptest *server;
	char socket[100], ca[100];
	int done, status, os_errno;
	char reason[64], message[300], body[4096], header[100];
	bool sent;
};

static char pki[64];

static const struct http_way plain = { 0 };

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err;

	f->loop = loop_new(&err);
	f->http = http_new(f->loop, NULL, &err);
	assert_non_null(f->http);
	snprintf(f->socket, sizeof(f->socket), "%s/way.sock", pki);
	snprintf(f->ca, sizeof(f->ca), "%s/ca.crt", pki);
	http_trust(f->http, f->ca);
	*state = f;
	return 0;
}

static void
on_stop(void *arg)
{
	loop_stop(arg);
}

/* A round of the loop, in which the server's connections are closed. */
static void
end_server(struct fixture *f)
{
	struct timer *timer = timer_new(f->loop, on_stop, f->loop);

	httptest_free(f->server);
	f->server = NULL;
	timer_arm(timer, 0);
	loop_run(f->loop, NULL, NULL);
	timer_free(timer);
}

static void
stop_server(struct fixture *f)
{
	end_server(f);
	unlink(f->socket);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	stop_server(f);
	http_free(f->http);
	loop_free(f->loop);
	free(f);
	return 0;
}

static int
group_setup(void **state)
{
	httptest_pki(pki, (const char *const[]){ "prod-s2", NULL });
	return 0;
}

static int
group_teardown(void **state)
{
	httptest_pki_free(pki);
	return 0;
}

static void
on_done(void *arg, const struct http_answer *ans)
{
	struct fixture *f = arg;
	const char *header = NULL;

	if (ans->status != 0)
		header = http_header(ans, "x-test");
	snprintf(f->header, sizeof(f->header), "%s",
	    header == NULL ? "(none)" : header);
	f->done++;
	f->status = ans->status;
	f->os_errno = ans->os_errno;
	f->sent = ans->sent;
	snprintf(f->reason, sizeof(f->reason), "%s", ans->reason);
	snprintf(f->message, sizeof(f->message), "%s", ans->message);
	snprintf(f->body, sizeof(f->body), "%s", ans->body);
	loop_stop(f->loop);
}

static struct http_request
request(struct fixture *f, const struct http_way *way, const char *path)
{
	return (struct http_request){ .way = way,
		.name = "prod-s2",
		.address = way->socket != NULL ? NULL : "127.0.0.1",
		.port = f->server == NULL ? 1 : httptest_port(f->server),
		.path = path,
		.deadline = 10 * USEC_SEC,
		.answer_max = 4000 };
}

static void
ask(struct fixture *f, const struct http_request *req)
{
	struct error err;

	f->done = 0;
	if (http_post(f->http, req, on_done, f, &err) == NULL)
		fail_msg("%s", err.msg);
	loop_run(f->loop, NULL, NULL);
	assert_int_equal(f->done, 1);
}

static void
ask_path(struct fixture *f, const struct http_way *way, const char *path)
{
	struct http_request req = request(f, way, path);

	ask(f, &req);
}

static void
expect_failure(struct fixture *f, const char *reason, int os_errno)
{
	assert_int_equal(f->status, 0);
	assert_string_equal(f->reason, reason);
	assert_int_equal(f->os_errno, os_errno);
	assert_false(f->sent);
}

static void
test_plain(void **state)
{
	struct fixture *f = *state;
	struct http_request req;

	f->server = httptest_plain(f->loop, NULL);
	ask_path(f, &plain, "/seen");
	assert_int_equal(f->status, 200);
	assert_string_equal(f->header, "yes");
	assert_non_null(strstr(f->body, "GET /seen HTTP/1.1\r\nHost: prod-s2"));
	assert_null(strstr(f->body, "Content-Type"));
	assert_null(strstr(f->body, "Authorization"));
	req = request(f, &plain, "/echo");
	req.body = "posted";
	req.body_len = 6;
	ask(f, &req);
	assert_string_equal(f->body, "posted");
	/* A handle that has posted gets again. */
	ask_path(f, &plain, "/404");
	assert_int_equal(f->status, 404);
	ask_path(f, &plain, "/seen");
	assert_non_null(strstr(f->body, "GET /seen"));
	assert_null(strstr(f->body, "Content-"));
	assert_int_equal(httptest_accepted(f->server), 1);
}

static void
test_redirect_is_an_answer(void **state)
{
	struct fixture *f = *state;

	f->server = httptest_plain(f->loop, NULL);
	ask_path(f, &plain, "/moved");
	assert_int_equal(f->status, 302);
	assert_int_equal(httptest_requests(f->server), 1);
}

static void
test_type_and_user(void **state)
{
	struct fixture *f = *state;
	struct http_way way = {
		.type = "text/xml", .user = "u", .password = "p"
	};
	struct http_request req;

	f->server = httptest_plain(f->loop, NULL);
	req = request(f, &way, "/seen");
	req.body = "<a/>";
	req.body_len = 4;
	ask(f, &req);
	assert_non_null(strstr(f->body, "Content-Type: text/xml\r\n"));
	assert_non_null(strstr(f->body, "Authorization: Basic dTpw\r\n"));
	/* Nothing of it stays with the handle. */
	req.way = &plain;
	ask(f, &req);
	assert_non_null(strstr(f->body, "Content-Type: application/json\r\n"));
	assert_null(strstr(f->body, "Authorization"));
}

static void
test_unix_socket(void **state)
{
	struct fixture *f = *state;
	struct http_way way = { .socket = f->socket };

	f->server = httptest_plain(f->loop, f->socket);
	ask_path(f, &way, "/seen");
	assert_int_equal(f->status, 200);
	assert_non_null(strstr(f->body, "Host: prod-s2\r\n"));
	ask_path(f, &way, "/seen");
	assert_int_equal(httptest_accepted(f->server), 1);
	/* The same client, to a port: the socket is not remembered. */
	stop_server(f);
	f->server = httptest_plain(f->loop, NULL);
	ask_path(f, &plain, "/seen");
	assert_int_equal(f->status, 200);
	assert_int_equal(httptest_accepted(f->server), 1);
}

/* For libcurl all three are "couldn't connect". */
static void
test_sockets_that_fail(void **state)
{
	struct fixture *f = *state;
	struct http_way way = { .socket = f->socket };

	ask_path(f, &way, "/seen");
	expect_failure(f, "no-socket", ENOENT);
	f->server = httptest_plain(f->loop, f->socket);
	ask_path(f, &way, "/seen");
	assert_int_equal(f->status, 200);
	assert_int_equal(f->os_errno, 0);
	/* The name stays when its server is gone. */
	end_server(f);
	ask_path(f, &way, "/seen");
	expect_failure(f, "connect-refused", ECONNREFUSED);
	ask_path(f, &plain, "/seen");
	expect_failure(f, "connect-refused", ECONNREFUSED);
}

/* In a process of its own: root gives up being root. */
static void
test_socket_forbidden(void **state)
{
	struct fixture *f = *state;
	struct http_way way = { .socket = f->socket };
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	f->server = httptest_plain(f->loop, f->socket);
	assert_int_equal(chmod(pki, 0755), 0);
	assert_int_equal(chmod(f->socket, 0700), 0);
	pid = fork();
	if (pid == 0) {
		struct error err;

		if (setresuid(65534, 65534, 65534) != 0)
			_exit(1);
		f->loop = loop_new(&err);
		f->http = http_new(f->loop, NULL, &err);
		ask_path(f, &way, "/seen");
		_exit(f->os_errno == EACCES &&
			      strcmp(f->reason, "no-permission") == 0 ?
			  0 :
			  2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
test_own_authority(void **state)
{
	struct fixture *f = *state;
	struct http_way way = { .tls = true, .ca = f->ca };
	struct http_request req;

	f->server = httptest_public(f->loop, pki, "prod-s2");
	ask_path(f, &way, "/seen");
	assert_int_equal(f->status, 200);
	ask_path(f, &way, "/seen");
	assert_int_equal(httptest_accepted(f->server), 1);
	req = request(f, &way, "/seen");
	req.name = "prod-s3";
	ask(f, &req);
	expect_failure(f, "tls-name", 0);
	/* TLS 1.2 is enough for other people's servers. */
	stop_server(f);
	f->server = httptest_public(f->loop, pki, "prod-s2");
	httptest_old_tls(f->server);
	ask_path(f, &way, "/seen");
	assert_int_equal(f->status, 200);
	/* Theirs by another authority. */
	stop_server(f);
	f->server = httptest_public(f->loop, pki, "other");
	ask_path(f, &way, "/seen");
	expect_failure(f, "tls-name", 0);
}

static void
test_system_authorities(void **state)
{
	struct fixture *f = *state;
	struct http_way own = { .tls = true, .ca = f->ca };
	struct http_way system = { .tls = true, .ca = "" };
	struct http_way none = { .tls = true, .ca = "/no/such/ca.pem" };

	f->server = httptest_public(f->loop, pki, "prod-s2");
	ask_path(f, &system, "/seen");
	expect_failure(f, "tls-name", 0);
	/* The kept connection of one trust is not lent to the other. */
	ask_path(f, &own, "/seen");
	assert_int_equal(f->status, 200);
	ask_path(f, &system, "/seen");
	expect_failure(f, "tls-name", 0);
	ask_path(f, &none, "/seen");
	expect_failure(f, "tls-failed", 0);
	assert_non_null(strstr(f->message, "not been read"));
	http_trust(f->http, none.ca);
	ask_path(f, &none, "/seen");
	expect_failure(f, "tls-failed", 0);
	assert_non_null(strstr(f->message, "/no/such/ca.pem"));
	ask_path(f, &own, "/seen");
	assert_int_equal(f->status, 200);
}

static void
copy(const char *from, const char *to)
{
	char command[500];

	snprintf(command, sizeof(command), "cp %s %s.new && mv %s.new %s", from,
	    to, to, to);
	assert_int_equal(system(command), 0);
}

/* What is renewed is trusted after a while; what goes away stays trusted, and
 * calls go on. */
static void
test_renewed_authority(void **state)
{
	struct fixture *f = *state;
	char file[100];
	struct http_way way = { .tls = true, .ca = file };
	usec_t end = clock_now().raw + 20 * USEC_SEC;

	snprintf(file, sizeof(file), "%s/renewed.crt", pki);
	f->server = httptest_public(f->loop, pki, "prod-s2");
	http_trust(f->http, file);
	ask_path(f, &way, "/seen");
	expect_failure(f, "tls-failed", 0);
	copy(f->ca, file);
	do {
		assert_true(clock_now().raw < end);
		ask_path(f, &way, "/seen");
	} while (f->status != 200);
	unlink(file);
	end = clock_now().raw + 6 * USEC_SEC;
	do {
		ask_path(f, &way, "/seen");
		assert_int_equal(f->status, 200);
	} while (clock_now().raw < end);
}

static void
test_plain_is_not_tls(void **state)
{
	struct fixture *f = *state;
	struct http_way tls = { .tls = true, .ca = f->ca };
	struct http_request req;

	f->server = httptest_plain(f->loop, NULL);
	/* It waits for the rest of what it takes for a request. */
	req = request(f, &tls, "/seen");
	req.deadline = 150 * USEC_MSEC;
	ask(f, &req);
	expect_failure(f, "connect-timeout", 0);
	stop_server(f);
	f->server = httptest_public(f->loop, pki, "prod-s2");
	ask_path(f, &plain, "/seen");
	assert_int_equal(f->status, 0);
	assert_int_equal(httptest_requests(f->server), 0);
}

static void
test_bad_arguments(void **state)
{
	struct fixture *f = *state;
	struct http_request req = request(f, &plain, "/seen");
	struct error err;

	req.address = "localhost";
	assert_null(http_post(f->http, &req, on_done, f, &err));
	req.address = NULL;
	assert_null(http_post(f->http, &req, on_done, f, &err));
	assert_int_equal(err.code, ERR_CONFIG);
	/* Without a certificate there is no way to a peer. */
	req = request(f, &plain, "/seen");
	req.way = NULL;
	assert_null(http_post(f->http, &req, on_done, f, &err));
	assert_int_equal(err.code, ERR_REFUSED);
	assert_non_null(strstr(err.msg, "certificate"));
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_plain),
		TEST(test_redirect_is_an_answer),
		TEST(test_type_and_user),
		TEST(test_unix_socket),
		TEST(test_sockets_that_fail),
		TEST(test_socket_forbidden),
		TEST(test_own_authority),
		TEST(test_system_authorities),
		TEST(test_renewed_authority),
		TEST(test_plain_is_not_tls),
		TEST(test_bad_arguments),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
