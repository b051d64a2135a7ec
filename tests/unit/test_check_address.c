/*
 * A check of the primary follows the record: it asks whoever holds the cluster
 * at that moment, and nobody while that is not known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hawatch/check.h"
#include "hawatch/loop.h"
#include "pgpair.h"

struct fixture {
	struct loop *loop;
	struct conf conf;
	struct check *check;
	node_t primary;
	enum answer want;
	const char *reason;
};

static int
listen_on(const char *address, int *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(inet_pton(AF_INET, address, &sin.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

static node_t
primary_cb(void *arg)
{
	return ((struct fixture *)arg)->primary;
}

static bool
is_wanted(void *arg)
{
	const struct fixture *f = arg;
	struct check_state st;

	check_state(f->check, &st);
	return st.last == f->want && strcmp(st.reason, f->reason) == 0;
}

static void
expect(struct fixture *f, node_t primary, enum answer want, const char *reason)
{
	f->primary = primary;
	f->want = want;
	f->reason = reason;
	assert_true(pump(f->loop, is_wanted, f, 5 * USEC_SEC));
}

static void
test_follows_the_primary(void **state)
{
	struct error err;
	struct fixture f = { .loop = loop_new(&err),
		.conf = { .self = 0,
		    .node_count = 3,
		    .node = {
			{ .address = "10.255.0.1", .private_ip = "127.0.0.2" },
			{ .address = "10.255.0.2", .private_ip = "127.0.0.3" },
			{ .role = ROLE_WITNESS } } } };
	struct check_env env = { .loop = f.loop,
		.conf = &f.conf,
		.primary = primary_cb,
		.arg = &f };
	struct conf_check conf = { .name = "primary",
		.type = "tcp",
		.interval = 50 * USEC_MSEC,
		.timeout = 40 * USEC_MSEC,
		.window = 1,
		.threshold = 1,
		.address = "${primary.private_ip}" };
	int fd = listen_on("127.0.0.3", &conf.port);

	f.primary = NODE_NONE;
	f.check = check_new(&env, checks_type("tcp"), &conf, NULL, NULL);
	expect(&f, NODE_NONE, ANS_UNKNOWN, "primary-unknown");
	expect(&f, 1, ANS_YES, "");
	expect(&f, 0, ANS_NO, "connect-refused");
	expect(&f, 1, ANS_YES, "");
	expect(&f, NODE_NONE, ANS_UNKNOWN, "primary-unknown");
	check_free(f.check);
	close(fd);
	/* Where nobody knows, as in a part of the engine that asks one node. */
	env.primary = NULL;
	f.check = check_new(&env, checks_type("tcp"), &conf, NULL, NULL);
	expect(&f, 1, ANS_UNKNOWN, "primary-unknown");
	check_free(f.check);
	loop_free(f.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_follows_the_primary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
