/*
 * The real hawatch-front under floods and slow clients.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fronttest.h"

#define FLOOD 1100
#define FLOOD_MAX 1024
/* Of those that cost memory. */
#define FEW 70
#define FEW_MAX 64

static int flood[FLOOD];

static int
setup(void **state)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) == -1)
		return -1;
	if (lim.rlim_cur < 4096 && lim.rlim_max >= 4096) {
		lim.rlim_cur = 4096;
		(void)setrlimit(RLIMIT_NOFILE, &lim);
	}
	(void)fh_group_setup(state);
	return 0;
}

static int
start(void **state)
{
	const struct fh_snap s = { .fresh = 600 * USEC_SEC };

	fh_start(&fh, FLOOD_MAX, 60 * USEC_SEC);
	fh_snap(&fh, &s);
	return 0;
}

static int
few_start(void **state)
{
	const struct fh_snap s = { .fresh = 600 * USEC_SEC };

	fh_start(&fh, FEW_MAX, 60 * USEC_SEC);
	fh_snap(&fh, &s);
	return 0;
}

static int
descriptors(void)
{
	char path[64];
	DIR *dir;
	int n = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)fh.pid);
	dir = opendir(path);
	if (dir == NULL)
		return 0;
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n - 2;
}

static void
flood_open(int port, const char *from, const char *text)
{
	int i;

	for (i = 0; i < FLOOD; i++) {
		flood[i] = fh_connect(port, from);
		if (text != NULL)
			(void)fh_write(flood[i], text);
	}
}

static void
flood_close(void)
{
	int i;

	for (i = 0; i < FLOOD; i++)
		close(flood[i]);
}

static void
peer_round_trip(void)
{
	struct ssl_st *ssl = fh_tls(&fh, fh.dir, "s1", 0);
	char buf[4096];
	json_t *req;

	assert_non_null(ssl);
	assert_true(fh_tls_post(ssl, "/v1/renew", "{}", 2));
	req = fh_want(&fh, "req", 5000);
	assert_non_null(req);
	fh_reply(&fh, (uint64_t)json_integer_value(json_object_get(req, "req")),
	    "{}");
	json_decref(req);
	assert_int_equal(fh_tls_answer(ssl, buf, sizeof(buf)), 200);
	fh_tls_close(ssl);
}

/* Silent connections: the oldest gives way, nobody else notices. */
static void
test_flood_of_the_health_port(void **state)
{
	char buf[4096];
	int i;

	flood_open(fh.health_port, NULL, NULL);
	for (i = 0; i < 20; i++)
		assert_int_equal(
		    fh_get(fh.health_port, "/health", buf, sizeof(buf)), 200);
	peer_round_trip();
	assert_in_range(descriptors(), FLOOD_MAX - 16, FLOOD_MAX + 32);
	/* The first of the flood has been closed, the last has not. */
	assert_int_equal(recv(flood[0], buf, 1, 0), 0);
	assert_int_equal(recv(flood[FLOOD - 1], buf, 1, MSG_DONTWAIT), -1);
	flood_close();
}

/* Half a request each: not idle, so they give way only when they are slow. */
static void
test_flood_of_half_requests(void **state)
{
	char buf[4096];
	usec_t end = fh_now() + 2 * USEC_SEC;

	flood_open(fh.health_port, NULL, "GET /health HTTP/1.1\r\nX: ");
	peer_round_trip();
	while (fh_get(fh.health_port, "/health", buf, sizeof(buf)) != 200)
		assert_true(fh_now() < end);
	flood_close();
}

/* Nor does who has only just come give way before them. */
static void
test_newcomer_among_half_requests(void **state)
{
	int i, first, second;
	char buf[4096];

	for (i = 0; i < FEW_MAX; i++) {
		flood[i] = fh_connect(fh.health_port, NULL);
		assert_true(fh_write(flood[i], "GET /health HTTP/1.1\r\nX: "));
	}
	/* The first ones are slow by then. */
	assert_int_equal(poll(NULL, 0, 400), 0);
	first = fh_connect(fh.health_port, NULL);
	second = fh_connect(fh.health_port, NULL);
	assert_true(fh_write(first, "GET /health HTTP/1.1\r\n\r\n"));
	assert_true(fh_write(second, "GET /health HTTP/1.1\r\n\r\n"));
	assert_int_equal(fh_answer(first, buf, sizeof(buf)), 200);
	assert_int_equal(fh_answer(second, buf, sizeof(buf)), 200);
	close(first);
	close(second);
	for (i = 0; i < FEW_MAX; i++)
		close(flood[i]);
}

/* Strangers that never begin a handshake, from an address of no node. */
static void
test_flood_of_the_peer_port(void **state)
{
	char buf[4096];
	int slow = fh_connect(fh.peer_port, NULL);

	flood_open(fh.peer_port, "127.0.0.99", NULL);
	assert_int_equal(
	    fh_get(fh.health_port, "/health", buf, sizeof(buf)), 200);
	peer_round_trip();
	assert_in_range(descriptors(), 1, 100);
	/* A node that is slow with its handshake did not give way. */
	assert_int_equal(recv(slow, buf, 1, MSG_DONTWAIT), -1);
	close(slow);
	flood_close();
	flood_open(fh.peer_port, "127.0.0.99", "\x16\x03\x01\x7f");
	peer_round_trip();
	flood_close();
}

/* One byte now and then never adds up to more time. */
static void
test_dripped_head(void **state)
{
	int fd = fh_connect(fh.health_port, NULL);
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	usec_t began = fh_now(), took;
	char buf[4096];

	assert_true(fh_write(fd, "GET /health HTTP/1.1\r\nX: "));
	do {
		assert_true(fh_now() - began < 8 * USEC_SEC);
		assert_true(fh_write(fd, "x"));
		assert_int_equal(
		    fh_get(fh.health_port, "/health", buf, sizeof(buf)), 200);
	} while (poll(&pfd, 1, 50) == 0);
	took = fh_now() - began;
	assert_int_equal(fh_answer(fd, buf, sizeof(buf)), 408);
	assert_in_range(took / USEC_MSEC, 2900, 4500);
	close(fd);
}

static void
long_status(void)
{
	static char text[200001];
	const struct fh_snap s = { .fresh = 600 * USEC_SEC, .status = text };

	memset(text, '1', sizeof(text) - 1);
	fh_snap(&fh, &s);
}

/* Asks for more than the system takes, and reads none of it. */
static int
slow_reader(void)
{
	static const char request[] = "GET /status HTTP/1.1\r\n\r\n";
	struct pollfd pfd = { .events = POLLIN };
	int small = 4096, i;

	pfd.fd = fh_connect(fh.health_port, NULL);
	(void)setsockopt(pfd.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (i = 0; i < 100; i++)
		if (send(pfd.fd, request, sizeof(request) - 1,
			MSG_DONTWAIT | MSG_NOSIGNAL) <= 0)
			break;
	/* It has been answered, or sent away. */
	assert_int_equal(poll(&pfd, 1, 5000), 1);
	return pfd.fd;
}

/* A reader that does not read holds neither memory nor place for ever. */
static void
test_slow_reader(void **state)
{
	usec_t end = fh_now() + 12 * USEC_SEC;
	struct pollfd pfd = { .events = POLLRDHUP };
	char buf[4096];

	long_status();
	pfd.fd = slow_reader();
	/* Its own end is not seen here before all is read, a reset is. */
	while (poll(&pfd, 1, 100) == 0)
		assert_true(fh_now() < end);
	assert_true((pfd.revents & POLLERR) != 0);
	assert_int_equal(
	    fh_get(fh.health_port, "/health", buf, sizeof(buf)), 200);
	close(pfd.fd);
}

/* Nor do many of them keep the balancer out until the first is late. */
static void
test_flood_of_slow_readers(void **state)
{
	char buf[4096];
	usec_t end;
	int i;

	long_status();
	for (i = 0; i < FEW; i++)
		flood[i] = slow_reader();
	end = fh_now() + USEC_SEC;
	while (fh_get(fh.health_port, "/health", buf, sizeof(buf)) != 200)
		assert_true(fh_now() < end);
	for (i = 0; i < FEW; i++)
		close(flood[i]);
}

static int
idle_start(void **state)
{
	fh_start(&fh, FLOOD_MAX, 300 * USEC_MSEC);
	return 0;
}

static void
test_idle_ends(void **state)
{
	int fd = fh_connect(fh.health_port, NULL);
	usec_t began = fh_now();
	char c;

	assert_int_equal(recv(fd, &c, 1, 0), 0);
	assert_in_range((fh_now() - began) / USEC_MSEC, 290, 2000);
	close(fd);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, start, fh_test_stop)
	const struct CMUnitTest tests[] = {
		T(test_flood_of_the_health_port),
		T(test_flood_of_half_requests),
		cmocka_unit_test_setup_teardown(
		    test_newcomer_among_half_requests, few_start, fh_test_stop),
		T(test_flood_of_the_peer_port),
		T(test_dripped_head),
		T(test_slow_reader),
		cmocka_unit_test_setup_teardown(
		    test_flood_of_slow_readers, few_start, fh_test_stop),
		cmocka_unit_test_setup_teardown(
		    test_idle_ends, idle_start, fh_test_stop),
	};

	return cmocka_run_group_tests(tests, setup, fh_group_teardown);
}
