/*
 * The way to the register in a real etcd: members that refuse, are deaf, slow
 * or gone, that are of another authority, or do not let us in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "etcdrun.h"
#include "hawatch/file.h"

/* One that refuses and one that is deaf before the one that serves. */
static void
test_members(void **state)
{
	char refused[32], deaf[32];
	struct etcdrun c;
	struct do_cas cas;
	int fd;

	(void)snprintf(
	    refused, sizeof(refused), "127.0.0.1:%d", etcdtest_port(NULL));
	(void)snprintf(deaf, sizeof(deaf), "127.0.0.1:%d", etcdtest_port(&fd));
	er_init(&c, 0);
	c.conf.reg.endpoints[0] = refused;
	c.conf.reg.endpoints[1] = deaf;
	c.conf.reg.endpoints[2] = er_etcd.endpoint;
	er_open(&c);
	er_await(&c, &c.values);
	er_warm(&c);
	cas = er_cas(&c, 0, c.value.rec.seq);
	er_write_sure(&c, &cas);
	assert_int_equal(c.res, CAS_CONFIRMED);
	register_etcd.show(c.reg, er_shown, &c);
	er_await(&c, &c.shows);
	assert_non_null(strstr(c.show, "connect-refused"));
	assert_non_null(strstr(c.show, cas.rec.nonce));
	er_close(&c);
	close(fd);
}

/* A write that is not answered is unknown, within a bound; it may have been
 * applied, and then the identical one has won. Gone is told, and found again.
 */
static void
test_slow_and_gone(void **state)
{
	struct etcdrun c;
	struct do_cas cas;
	usec_t at;

	er_init(&c, 0);
	er_open(&c);
	er_warm(&c);
	cas = er_cas(&c, 0, c.value.rec.seq);
	etcdtest_freeze(&er_etcd);
	at = clock_now().raw;
	register_etcd.cas(c.reg, &cas);
	er_await(&c, &c.writes);
	assert_int_equal(c.res, CAS_UNKNOWN);
	assert_true(clock_now().raw - at < 2 * USEC_SEC);
	etcdtest_thaw(&er_etcd);
	er_write_sure(&c, &cas);
	assert_int_equal(c.res, CAS_CONFIRMED);
	er_read(&c);
	assert_string_equal(c.value.rec.nonce, cas.rec.nonce);
	etcdtest_kill(&er_etcd);
	register_etcd.read(c.reg);
	er_await(&c, &c.fails);
	assert_non_null(strstr(c.why, er_etcd.endpoint));
	cas = er_cas(&c, 0, c.value.rec.seq);
	er_write(&c, &cas);
	assert_int_equal(c.res, CAS_UNKNOWN);
	etcdtest_start(&er_etcd);
	er_await(&c, &c.values);
	er_close(&c);
}

/* A member that lost its disk and was begun anew as a cluster of its own: it is
 * empty, and nothing of it is taken while fewer than most say the same. */
static void
test_stray(void **state)
{
	struct etcdtest stray;
	struct etcdrun c;
	struct do_cas cas;
	char real[ID_MAX];
	int values;

	etcdtest_init(&stray, NULL);
	etcdtest_start(&stray);
	er_init(&c, 0);
	c.conf.reg.endpoints[0] = er_etcd.endpoint;
	c.conf.reg.endpoints[1] = stray.endpoint;
	er_open(&c);
	er_warm(&c);
	(void)snprintf(real, sizeof(real), "%s", c.value.instance);
	etcdtest_freeze(&er_etcd);
	register_etcd.read(c.reg);
	er_await(&c, &c.fails);
	values = c.values;
	while (strstr(c.why, stray.endpoint) == NULL)
		er_await(&c, &c.fails);
	assert_non_null(strstr(c.why, real));
	cas = er_cas(&c, 0, c.value.rec.seq);
	er_write(&c, &cas);
	assert_int_equal(c.res, CAS_UNKNOWN);
	assert_int_equal(c.values, values);
	etcdtest_thaw(&er_etcd);
	er_await(&c, &c.values);
	assert_false(c.value.cold);
	assert_string_equal(c.value.instance, real);
	er_write_sure(&c, &cas);
	assert_int_equal(c.res, CAS_CONFIRMED);
	er_read(&c);
	assert_int_equal(c.strays, 1);
	assert_non_null(strstr(c.stray, stray.endpoint));
	er_close(&c);
	/* Likewise after a start, although the stray is asked first. */
	er_init(&c, 0);
	c.known = real;
	c.conf.reg.endpoints[0] = stray.endpoint;
	c.conf.reg.endpoints[1] = er_etcd.endpoint;
	er_open(&c);
	er_await(&c, &c.values);
	assert_string_equal(c.value.instance, real);
	assert_int_equal(c.strays, 1);
	er_close(&c);
	/* Most say the same: the register is there now. */
	er_init(&c, 0);
	c.known = real;
	c.conf.reg.endpoints[0] = er_etcd.endpoint;
	c.conf.reg.endpoints[1] = c.conf.reg.endpoints[2] = stray.endpoint;
	etcdtest_freeze(&er_etcd);
	er_open(&c);
	er_await(&c, &c.values);
	assert_true(c.value.cold);
	assert_string_not_equal(c.value.next, real);
	assert_int_equal(c.strays, 0);
	etcdtest_thaw(&er_etcd);
	er_close(&c);
	etcdtest_free(&stray);
}

static void
password(char *path, const char *text, mode_t mode)
{
	struct error err;

	(void)snprintf(path, 100, "%s/password", er_etcd.dir);
	assert_int_equal(file_replace(path, text, strlen(text), mode, &err), 0);
}

/* With authentication: a wrong password is said, a right one is enough. */
static void
test_auth(void **state)
{
	struct etcdrun c;
	char path[100];
	struct error err;
	struct register_env env;

	assert_true(etcdtest_ctl(&er_etcd, "user add root:secret"));
	assert_true(etcdtest_ctl(&er_etcd, "user add hawatch:word"));
	assert_true(etcdtest_ctl(&er_etcd, "role add hawatch"));
	assert_true(etcdtest_ctl(
	    &er_etcd, "role grant-permission hawatch readwrite " ER_KEY));
	assert_true(etcdtest_ctl(&er_etcd, "user grant-role hawatch hawatch"));
	assert_true(etcdtest_ctl(&er_etcd, "auth enable"));
	er_init(&c, 0);
	er_open(&c);
	while (strstr(c.why, "user name is empty") == NULL)
		er_await(&c, &c.fails);
	er_close(&c);
	password(path, "wrong\n", 0600);
	er_init(&c, 0);
	c.conf.reg.user = "hawatch";
	c.conf.reg.password_file = path;
	er_open(&c);
	while (strstr(c.why, "invalid user ID or password") == NULL)
		er_await(&c, &c.fails);
	assert_non_null(strstr(c.why, er_etcd.endpoint));
	er_close(&c);
	er_init(&c, 0);
	c.conf.reg.user = "hawatch";
	c.conf.reg.password_file = path;
	password(path, "word\n", 0600);
	er_open(&c);
	er_warm(&c);
	/* The tokens are gone with the server's life, or not: it goes on. */
	etcdtest_freeze(&er_etcd);
	etcdtest_thaw(&er_etcd);
	er_read(&c);
	password(path, "word\n", 0644);
	env = (struct register_env){
		.loop = c.loop, .conf = &c.conf, .http = c.http, .known = ""
	};
	assert_null(register_etcd.new(&env, &err));
	assert_non_null(strstr(err.msg, path));
	assert_non_null(strstr(err.msg, "0600"));
	er_close(&c);
	assert_true(etcdtest_ctl(&er_etcd, "--user root:secret auth disable"));
}

static void
tls_conf(struct etcdrun *c, char paths[3][100], const char *name)
{
	(void)snprintf(paths[0], 100, "%s/ca.crt", er_pki);
	(void)snprintf(paths[1], 100, "%s/%s.crt", er_pki, name);
	(void)snprintf(paths[2], 100, "%s/%s.key", er_pki, name);
	c->conf.reg.ca = paths[0];
	c->conf.reg.cert = paths[1];
	c->conf.reg.key = paths[2];
	c->conf.reg.server_name = "etcd";
}

/* Mutual TLS, and each way in which it is refused. */
static void
test_tls(void **state)
{
	char paths[3][100];
	struct etcdtest plain = er_etcd;
	struct etcdrun c;

	etcdtest_init(&er_etcd, er_pki);
	etcdtest_start(&er_etcd);
	er_init(&c, 0);
	tls_conf(&c, paths, "s1");
	er_open(&c);
	er_warm(&c);
	er_close(&c);
	/* No certificate of its own; one of another authority. */
	er_init(&c, 0);
	tls_conf(&c, paths, "s1");
	c.conf.reg.cert = c.conf.reg.key = "";
	er_open(&c);
	er_await(&c, &c.fails);
	assert_null(strstr(c.why, "connect-refused"));
	er_close(&c);
	er_init(&c, 0);
	tls_conf(&c, paths, "other");
	er_open(&c);
	er_await(&c, &c.fails);
	er_close(&c);
	/* The member is not who it should be. */
	er_init(&c, 0);
	tls_conf(&c, paths, "s1");
	c.conf.reg.server_name = "somebody";
	er_open(&c);
	while (strstr(c.why, "tls-") == NULL)
		er_await(&c, &c.fails);
	er_close(&c);
	/* Its authority is not ours. */
	er_init(&c, 0);
	tls_conf(&c, paths, "s1");
	(void)snprintf(paths[0], 100, "%s/other.crt", er_pki);
	er_open(&c);
	while (strstr(c.why, "tls-") == NULL)
		er_await(&c, &c.fails);
	er_close(&c);
	etcdtest_free(&er_etcd);
	er_etcd = plain;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_slow_and_gone),
		cmocka_unit_test(test_stray),
		cmocka_unit_test(test_auth),
		cmocka_unit_test(test_tls),
	};

	return cmocka_run_group_tests(tests, er_setup, er_teardown);
}
