/*
 * The scheduler with the tcp module against real sockets, and the text of
 * synchronous_standby_names.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "hawatch/check.h"
#include "hawatch/emit.h"
#include "hawatch/loop.h"
#include "hawatch/pgsync.h"
#include "pgpair.h"

static int changes;
static char last_change[200];

static void
on_line(void *arg, enum level level, const char *line)
{
	(void)arg;
	(void)level;
	if (strstr(line, "check.change") == NULL)
		return;
	changes++;
	snprintf(last_change, sizeof(last_change), "%s", line);
}

static int
listen_on(int *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons((uint16_t)*port);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(fd, 64), 0);
	getsockname(fd, (struct sockaddr *)&sin, &len);
	*port = ntohs(sin.sin_port);
	return fd;
}

static struct conf_check
check_row(const char *address, int port)
{
	return (struct conf_check){ .name = "web",
		.type = "tcp",
		.interval = 10 * USEC_MSEC,
		.timeout = 100 * USEC_MSEC,
		.window = 4,
		.threshold = 2,
		.address = address,
		.port = port };
}

struct want {
	struct check *check;
	struct checks *checks;
	enum answer up;
	int changed;
};

static bool
is_wanted(void *arg)
{
	struct want *w = arg;
	struct check_state st;

	if (w->checks != NULL)
		checks_state(w->checks, 0, &st);
	else
		check_state(w->check, &st);
	return st.up == w->up;
}

static void
on_changed(void *arg)
{
	((struct want *)arg)->changed++;
}

static void
test_tcp_up_down_up(void **state)
{
	struct error err;
	struct loop *loop = loop_new(&err);
	struct conf conf = { .check_count = 1 };
	struct check_env env = { .loop = loop, .conf = &conf };
	struct want w = { 0 };
	struct check_state st;
	int port = 0, fd = listen_on(&port);

	(void)state;
	changes = 0;
	emit_to(on_line, NULL);
	conf.check[0] = check_row("127.0.0.1", port);
	w.checks = checks_new(&env, on_changed, &w, &err);
	assert_non_null(w.checks);
	w.up = ANS_YES;
	assert_true(pump(loop, is_wanted, &w, 5 * USEC_SEC));
	close(fd);
	w.up = ANS_NO;
	assert_true(pump(loop, is_wanted, &w, 5 * USEC_SEC));
	checks_state(w.checks, 0, &st);
	assert_string_equal(st.reason, "connect-refused");
	assert_non_null(strstr(last_change, "reason=connect-refused"));
	fd = listen_on(&port);
	w.up = ANS_YES;
	assert_true(pump(loop, is_wanted, &w, 5 * USEC_SEC));
	/* A transition is told once, however many probes there were. */
	assert_int_equal(changes, 3);
	assert_int_equal(w.changed, 3);
	close(fd);
	checks_free(w.checks);
	loop_free(loop);
}

struct poked {
	struct check *check;
	int settled, wanted;
};

static void
on_settled(void *arg, struct check *c)
{
	((struct poked *)arg)->settled++;
	check_poke(c);
}

static bool
is_settled(void *arg)
{
	struct poked *p = arg;

	return p->settled >= p->wanted;
}

/* Questions in quick succession, by whoever waits for a yes, are told and do
 * not take the check down; a rhythm of its own would. */
static void
test_poked(void **state)
{
	struct error err;
	struct loop *loop = loop_new(&err);
	struct conf conf = { 0 };
	struct check_env env = { .loop = loop, .conf = &conf };
	struct poked p = { .wanted = 1 };
	struct conf_check row;
	struct check_state st;
	int port = 0, fd = listen_on(&port);

	(void)state;
	row = check_row("127.0.0.1", port);
	row.interval = 30 * USEC_SEC;
	p.check = check_new(&env, checks_type("tcp"), &row, on_settled, &p);
	assert_true(pump(loop, is_settled, &p, 5 * USEC_SEC));
	check_state(p.check, &st);
	assert_int_equal(st.up, ANS_YES);
	close(fd);
	p.wanted = p.settled + 20;
	assert_true(pump(loop, is_settled, &p, 5 * USEC_SEC));
	check_state(p.check, &st);
	assert_int_equal(st.last, ANS_NO);
	assert_int_equal(st.up, ANS_YES);
	check_free(p.check);
	loop_free(loop);
}

/* A full queue of connections answers nothing: the deadline decides. */
static void
test_tcp_deadline(void **state)
{
	struct error err;
	struct loop *loop = loop_new(&err);
	struct conf conf = { 0 };
	struct check_env env = { .loop = loop, .conf = &conf };
	struct conf_check row;
	struct want w = { .up = ANS_NO };
	struct check_state st;
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int port = 0, fd = listen_on(&port), full[4], i;

	(void)state;
	listen(fd, 0);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons((uint16_t)port);
	for (i = 0; i < 4; i++) {
		full[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(full[i], (struct sockaddr *)&sin, sizeof(sin));
	}
	row = check_row("127.0.0.1", port);
	w.check = check_new(&env, checks_type("tcp"), &row, NULL, NULL);
	assert_true(pump(loop, is_wanted, &w, 5 * USEC_SEC));
	check_state(w.check, &st);
	assert_string_equal(st.reason, "timeout");
	assert_in_range(st.took, 100 * USEC_MSEC, 400 * USEC_MSEC);
	for (i = 0; i < 4; i++)
		close(full[i]);
	close(fd);
	check_free(w.check);
	loop_free(loop);
}

static bool
never(void *arg)
{
	(void)arg;
	return false;
}

/* What cannot be asked is unknown, whatever was before. */
static void
test_not_asked(void **state)
{
	struct error err;
	struct loop *loop = loop_new(&err);
	struct conf conf = { 0 };
	struct check_env env = { .loop = loop, .conf = &conf };
	struct conf_check row = check_row("not-an-address", 1);
	struct check_state st;
	struct check *c;

	(void)state;
	c = check_new(&env, checks_type("tcp"), &row, NULL, NULL);
	assert_false(pump(loop, never, NULL, 100 * USEC_MSEC));
	check_state(c, &st);
	assert_int_equal(st.up, ANS_UNKNOWN);
	assert_int_equal(st.last, ANS_UNKNOWN);
	assert_string_equal(st.reason, "not-an-address is no numeric address");
	check_free(c);
	assert_null(checks_type("icmp"));
	loop_free(loop);
}

static const struct names names = {
	.cluster = "c",
	.count = 4,
	.node = { "prod-s1", "prod-s2", "b3", "b4" },
};

static void
test_sync_parse(void **state)
{
	static const struct {
		const char *text;
		nodeset_t nodes;
		bool other;
	} rows[] = {
		{ "", 0, false },
		{ "  ", 0, false },
		{ "FIRST 1 (\"prod-s2\")", 2, false },
		{ "first 1 (\"PROD-S2\")", 2, false },
		{ "1 (\"prod-s2\")", 2, false },
		{ "\"prod-s2\"", 2, false },
		{ "b3", 4, false },
		{ "FIRST 2 (b3, b4)", 12, false },
		{ "FIRST 2 (b3, other)", 4, true },
		{ "FIRST 1 (b3, b4)", 0, true },
		{ "b3, b4", 0, true },
		{ "ANY 1 (b3)", 0, true },
		{ "ANY 1 (b3, b4)", 0, true },
		{ "*", 0, true },
		{ "FIRST 1 (*)", 0, true },
		{ "FIRST 1 (b3", 0, true },
		{ "FIRST 3 (b3)", 0, true },
		{ "FIRST 2 (b3, b3)", 4, true },
		{ "\"b3", 0, true },
		{ "FIRST 1 (b3) x", 0, true },
		{ "FIRST", 0, true },
		{ ",", 0, true },
		{ "()", 0, true },
	};
	nodeset_t nodes;
	bool other;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pgsync_parse(rows[i].text, &names, &nodes, &other);
		if (nodes != rows[i].nodes || other != rows[i].other)
			fail_msg("%s: nodes %u other %d", rows[i].text, nodes,
			    other);
	}
}

static void
test_sync_render(void **state)
{
	char buf[PGSYNC_MAX];
	nodeset_t set, back;
	bool other;

	(void)state;
	assert_int_equal(pgsync_render(buf, sizeof(buf), 2, &names), 0);
	assert_string_equal(buf, "FIRST 1 (\"prod-s2\")");
	for (set = 0; set < 16; set++) {
		assert_int_equal(
		    pgsync_render(buf, sizeof(buf), set, &names), 0);
		pgsync_parse(buf, &names, &back, &other);
		assert_int_equal(back, set);
		assert_false(other);
	}
	assert_int_equal(pgsync_render(buf, 12, 2, &names), -1);
	assert_int_equal(pgsync_render(buf, sizeof(buf), 16, &names), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp_up_down_up),
		cmocka_unit_test(test_poked),
		cmocka_unit_test(test_tcp_deadline),
		cmocka_unit_test(test_not_asked),
		cmocka_unit_test(test_sync_parse),
		cmocka_unit_test(test_sync_render),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
