/*
 * The register in a real etcd: what is read, written, reported and adopted
 * there, and what becomes of it when etcd is gone, slow, put back, of another
 * authority, or does not let us in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/etcd_text.h"
#include "engine/register.h"
#include "etcdtest.h"
#include "hawatch/file.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"
#include "httptest.h"

#define KEY "/hawatch/votes"
#define LIMIT (20 * USEC_SEC)

/* One node's view of the register. */
struct client {
	struct loop *loop;
	struct http *http;
	struct conf conf;
	void *reg;
	struct timer *limit;
	struct reg_value value;
	int values, fails, writes, reports, shows;
	char why[400], show[4096];
	enum cas_result res;
	uint64_t revision;
	char instance[ID_MAX];
	bool reported;
};

static struct etcdtest etcd;
static char pki[64];
static uint64_t ids;

static void
value_cb(void *arg, usec_t sent, const struct reg_value *v)
{
	struct client *c = arg;

	assert_true(sent > 0 && sent <= clock_now().raw);
	c->value = *v;
	c->values++;
}

static void
failed_cb(void *arg, const char *why)
{
	struct client *c = arg;

	str_cut(c->why, sizeof(c->why), why);
	c->fails++;
}

static void
written_cb(void *arg, uint64_t id, enum cas_result res, uint64_t revision,
    const char *instance)
{
	struct client *c = arg;

	assert_true(id == ids);
	c->res = res;
	c->revision = revision;
	str_cut(c->instance, sizeof(c->instance), instance);
	c->writes++;
}

static void
reported_cb(void *arg, bool ok)
{
	struct client *c = arg;

	c->reported = ok;
	c->reports++;
}

static void
show_cb(void *arg, const char *json, const char *why)
{
	struct client *c = arg;

	str_cut(c->show, sizeof(c->show), json == NULL ? why : json);
	c->shows++;
}

static void
limit_cb(void *arg)
{
	struct client *c = arg;

	fail_msg("that does not happen: %s; fails %d values %d cold %d seq %d",
	    c->why, c->fails, c->values, c->value.cold, (int)c->value.rec.seq);
}

/* T is so long that a poll comes after the test has failed. */
static void
client_init(struct client *c, node_t self)
{
	struct error err;

	memset(c, 0, sizeof(*c));
	c->loop = loop_new(&err);
	c->http = http_new(c->loop, NULL, &err);
	c->conf.cluster = "votes";
	c->conf.self = self;
	c->conf.arbiter = NODE_NONE;
	c->conf.node_count = 2;
	c->conf.node[0].name = c->conf.names.node[0] = "s1";
	c->conf.node[1].name = c->conf.names.node[1] = "s2";
	c->conf.names.cluster = "votes";
	c->conf.names.count = 2;
	c->conf.ttl = 100 * USEC_SEC;
	c->conf.reg = (struct conf_register){ .type = REGISTER_ETCD,
		.endpoints = { etcd.endpoint },
		.prefix = "/hawatch/",
		.server_name = "",
		.ca = "",
		.cert = "",
		.key = "",
		.user = "",
		.password_file = "" };
	c->limit = timer_new(c->loop, limit_cb, c);
}

static void
client_open(struct client *c)
{
	const struct register_env env = { .loop = c->loop,
		.conf = &c->conf,
		.http = c->http,
		.calls = {
		    value_cb, failed_cb, written_cb, reported_cb, NULL, c } };
	struct error err;

	c->reg = register_etcd.new(&env, &err);
	if (c->reg == NULL)
		fail_msg("%s", err.msg);
	register_etcd.start(c->reg);
}

static void
client_close(struct client *c)
{
	register_etcd.free(c->reg);
	http_free(c->http);
	timer_free(c->limit);
	loop_free(c->loop);
}

static int *awaited, awaited_from;
static struct client *awaiting;

static void
turn_cb(void *arg, const struct now *now)
{
	if (*awaited != awaited_from)
		loop_stop(awaiting->loop);
}

/* Until that counter moves. */
static void
await(struct client *c, int *counter)
{
	awaiting = c;
	awaited = counter;
	awaited_from = *counter;
	timer_arm(c->limit, LIMIT);
	loop_run(c->loop, turn_cb, NULL);
	timer_disarm(c->limit);
}

static void
stop_cb(void *arg)
{
	loop_stop(arg);
}

static void
pass(struct client *c, usec_t us)
{
	struct timer *t = timer_new(c->loop, stop_cb, c->loop);

	timer_arm(t, us);
	loop_run(c->loop, NULL, NULL);
	timer_free(t);
}

static void
read_again(struct client *c)
{
	register_etcd.read(c->reg);
	await(c, &c->values);
}

/* What a holder writes next, from what it has seen. */
static struct do_cas
next_cas(const struct client *c, node_t holder, uint64_t seq)
{
	const struct reg_value *v = &c->value;
	struct do_cas cas = { .id = ++ids, .revision = v->revision };

	str_cut(cas.instance, sizeof(cas.instance), v->instance);
	str_cut(cas.nonce, sizeof(cas.nonce), v->rec.nonce);
	cas.rec =
	    (struct record){ .epoch = v->rec.epoch == 0 ? 1 : v->rec.epoch,
		    .seq = seq,
		    .state = REC_HELD,
		    .holder = holder,
		    .target = NODE_NONE,
		    .ttl = 2 * USEC_SEC,
		    .written_by = holder };
	(void)snprintf(
	    cas.rec.nonce, sizeof(cas.rec.nonce), "n%ju", (uintmax_t)cas.id);
	return cas;
}

static void
write_out(struct client *c, const struct do_cas *cas)
{
	int before = c->writes;

	register_etcd.cas(c->reg, cas);
	if (c->writes == before)
		await(c, &c->writes);
}

/* The machine may be busy: the identical one again, while nobody knows. */
static void
write_sure(struct client *c, const struct do_cas *cas)
{
	int i;

	write_out(c, cas);
	for (i = 0; i < 50 && c->res == CAS_UNKNOWN; i++) {
		pass(c, 100 * USEC_MSEC);
		write_out(c, cas);
	}
}

static void
report(struct client *c, uint64_t epoch, uint64_t seq)
{
	int before = c->reports;

	register_etcd.report(c->reg, c->value.next, epoch, seq);
	if (c->reports == before)
		await(c, &c->reports);
}

/* By what was read last; another's report, or a busy machine, may come between.
 */
static void
report_sure(struct client *c, uint64_t epoch, uint64_t seq)
{
	int i;

	for (i = 0; i < 50 && c->value.cold &&
		    !(c->value.reported & NODE_BIT(c->conf.self));
	     i++) {
		report(c, epoch, seq);
		read_again(c);
	}
}

/* Warm and with a record; how it got there is test_first's. */
static void
client_warm(struct client *c)
{
	struct do_cas cas;

	if (c->values == 0)
		await(c, &c->values);
	if (c->value.cold) {
		c->conf.self = 0;
		report_sure(c, 0, 0);
		c->conf.self = 1;
		report_sure(c, 0, 0);
		assert_false(c->value.cold);
	}
	cas = next_cas(c, 0, c->value.rec.seq + 1);
	write_sure(c, &cas);
	assert_int_equal(c->res, CAS_CONFIRMED);
	read_again(c);
}

/* Empty: cold, until both have reported; then one of two writes wins. */
static void
test_first(void **state)
{
	struct client a, b;
	struct do_cas cas, again;

	client_init(&a, 0);
	client_init(&b, 1);
	client_open(&a);
	client_open(&b);
	await(&a, &a.values);
	await(&b, &b.values);
	assert_true(a.value.cold);
	assert_int_equal(a.value.revision, 0);
	assert_int_equal(strlen(a.value.next), 16);
	report_sure(&a, 0, 0);
	assert_int_equal(a.value.reported, NODE_BIT(0));
	report_sure(&b, 0, 0);
	/* By the watch alone. */
	while (a.value.cold)
		await(&a, &a.values);
	assert_string_equal(a.value.instance, b.value.instance);
	assert_int_equal(a.value.rec.state, REC_NONE);
	read_again(&b);
	cas = next_cas(&a, 0, 1);
	again = next_cas(&b, 1, 1);
	ids--;
	write_sure(&a, &cas);
	assert_int_equal(a.res, CAS_CONFIRMED);
	assert_string_equal(a.instance, a.value.instance);
	ids++;
	write_sure(&b, &again);
	assert_int_equal(b.res, CAS_CONFLICT);
	read_again(&b);
	assert_int_equal(b.value.revision, a.revision);
	assert_string_equal(b.value.rec.nonce, cas.rec.nonce);
	assert_true(b.value.head >= b.value.revision);
	client_close(&a);
	client_close(&b);
}

/* Exactly what was seen is replaced, and the identical write again has won. */
static void
test_cas(void **state)
{
	struct do_cas cas, other;
	struct client c;

	client_init(&c, 0);
	client_open(&c);
	client_warm(&c);
	cas = next_cas(&c, 0, c.value.rec.seq);
	write_sure(&c, &cas);
	assert_int_equal(c.res, CAS_CONFIRMED);
	write_sure(&c, &cas);
	assert_int_equal(c.res, CAS_CONFIRMED);
	other = cas;
	other.id = ++ids;
	strcpy(other.rec.nonce, "other");
	write_sure(&c, &other);
	assert_int_equal(c.res, CAS_CONFLICT);
	other.revision = c.revision;
	read_again(&c);
	other.revision = c.value.revision;
	strcpy(other.nonce, "not what is there");
	other.id = ++ids;
	write_sure(&c, &other);
	assert_int_equal(c.res, CAS_CONFLICT);
	other = next_cas(&c, 0, c.value.rec.seq);
	strcpy(other.instance, "0000000000000001");
	write_sure(&c, &other);
	assert_int_equal(c.res, CAS_CONFLICT);
	client_close(&c);
}

/* The watch tells of every change, a compaction does not end it, and what is
 * not ours under the key is the register's loss. */
static void
test_watch_and_nonsense(void **state)
{
	struct client c;
	int i;

	client_init(&c, 0);
	client_open(&c);
	client_warm(&c);
	pass(&c, 100 * USEC_MSEC);
	for (i = 0; i < 2; i++) {
		assert_true(etcdtest_ctl(&etcd, "put " KEY " nonsense"));
		while (strstr(c.why, "what is under the key") == NULL)
			await(&c, &c.fails);
		c.why[0] = '\0';
		assert_true(etcdtest_ctl(&etcd, "del " KEY));
		await(&c, &c.values);
		assert_true(c.value.cold);
		assert_int_equal(c.value.revision, 0);
		assert_true(etcdtest_ctl(&etcd, "compaction %ju --physical",
		    (uintmax_t)c.value.head));
	}
	assert_true(etcdtest_ctl(&etcd,
	    "put " KEY " -- \"$(head -c 70000 /dev/zero | tr '\\0' x)\""));
	await(&c, &c.fails);
	assert_true(etcdtest_ctl(&etcd, "del " KEY));
	await(&c, &c.values);
	client_close(&c);
}

/* One that refuses and one that is deaf before the one that serves. */
static void
test_members(void **state)
{
	char refused[32], deaf[32];
	struct client c;
	struct do_cas cas;
	int fd;

	(void)snprintf(
	    refused, sizeof(refused), "127.0.0.1:%d", etcdtest_port(NULL));
	(void)snprintf(deaf, sizeof(deaf), "127.0.0.1:%d", etcdtest_port(&fd));
	client_init(&c, 0);
	c.conf.reg.endpoints[0] = refused;
	c.conf.reg.endpoints[1] = deaf;
	c.conf.reg.endpoints[2] = etcd.endpoint;
	client_open(&c);
	await(&c, &c.values);
	client_warm(&c);
	cas = next_cas(&c, 0, c.value.rec.seq);
	write_sure(&c, &cas);
	assert_int_equal(c.res, CAS_CONFIRMED);
	register_etcd.show(c.reg, show_cb, &c);
	await(&c, &c.shows);
	assert_non_null(strstr(c.show, "connect-refused"));
	assert_non_null(strstr(c.show, cas.rec.nonce));
	client_close(&c);
	close(fd);
}

/* A write that is not answered is unknown, within a bound; it may have been
 * applied, and then the identical one has won. Gone is told, and found again.
 */
static void
test_slow_and_gone(void **state)
{
	struct client c;
	struct do_cas cas;
	usec_t at;

	client_init(&c, 0);
	client_open(&c);
	client_warm(&c);
	cas = next_cas(&c, 0, c.value.rec.seq);
	etcdtest_freeze(&etcd);
	at = clock_now().raw;
	register_etcd.cas(c.reg, &cas);
	await(&c, &c.writes);
	assert_int_equal(c.res, CAS_UNKNOWN);
	assert_true(clock_now().raw - at < 2 * USEC_SEC);
	etcdtest_thaw(&etcd);
	write_sure(&c, &cas);
	assert_int_equal(c.res, CAS_CONFIRMED);
	read_again(&c);
	assert_string_equal(c.value.rec.nonce, cas.rec.nonce);
	etcdtest_kill(&etcd);
	register_etcd.read(c.reg);
	await(&c, &c.fails);
	assert_non_null(strstr(c.why, etcd.endpoint));
	cas = next_cas(&c, 0, c.value.rec.seq);
	write_out(&c, &cas);
	assert_int_equal(c.res, CAS_UNKNOWN);
	etcdtest_start(&etcd);
	await(&c, &c.values);
	client_close(&c);
}

/* A snapshot as another cluster is cold and takes nothing meant for the one
 * before; as the same one it counts fewer writes. */
static void
test_put_back(void **state)
{
	struct client c;
	struct do_cas cas;
	uint64_t head;
	char before[ID_MAX];
	struct reg_value seen;

	client_init(&c, 0);
	client_open(&c);
	client_warm(&c);
	assert_true(etcdtest_ctl(&etcd, "snapshot save snap"));
	cas = next_cas(&c, 0, c.value.rec.seq + 1);
	write_sure(&c, &cas);
	read_again(&c);
	head = c.value.head;
	seen = c.value;
	str_cut(before, sizeof(before), c.value.instance);
	etcdtest_put_back(&etcd, "snap", "etcd-cluster");
	await(&c, &c.values);
	assert_string_equal(c.value.instance, before);
	assert_true(c.value.head < head);
	assert_int_equal(c.value.rec.seq, seen.rec.seq - 1);
	etcdtest_put_back(&etcd, "snap", "another");
	while (!c.value.cold)
		await(&c, &c.values);
	assert_string_equal(c.value.instance, before);
	assert_string_not_equal(c.value.next, before);
	cas = next_cas(&c, 0, 99);
	write_out(&c, &cas);
	assert_int_equal(c.res, CAS_REFUSED);
	register_etcd.adopt(c.reg, show_cb, &c);
	if (c.shows == 0)
		await(&c, &c.shows);
	read_again(&c);
	assert_false(c.value.cold);
	assert_int_equal(c.value.rec.epoch, 2);
	register_etcd.adopt(c.reg, show_cb, &c);
	assert_non_null(strstr(c.show, "nothing to adopt"));
	client_close(&c);
}

/* A living holder's new record on a register that was put back. */
static void
test_reseed(void **state)
{
	struct client c;
	struct do_cas cas;

	client_init(&c, 0);
	client_open(&c);
	await(&c, &c.values);
	assert_true(etcdtest_ctl(&etcd, "snapshot save snap"));
	etcdtest_put_back(&etcd, "snap", "a-third");
	while (!c.value.cold)
		await(&c, &c.values);
	report_sure(&c, 7, 1);
	assert_true(c.value.cold);
	cas = next_cas(&c, 0, 1);
	cas.rec.epoch = 8;
	cas.reseed = true;
	str_cut(cas.instance, sizeof(cas.instance), c.value.next);
	write_sure(&c, &cas);
	assert_int_equal(c.res, CAS_CONFIRMED);
	assert_string_equal(c.instance, cas.instance);
	read_again(&c);
	assert_false(c.value.cold);
	assert_int_equal(c.value.rec.epoch, 8);
	client_close(&c);
}

static void
password(char *path, const char *text, mode_t mode)
{
	struct error err;

	(void)snprintf(path, 100, "%s/password", etcd.dir);
	assert_int_equal(file_replace(path, text, strlen(text), mode, &err), 0);
}

/* With authentication: a wrong password is said, a right one is enough. */
static void
test_auth(void **state)
{
	struct client c;
	char path[100];
	struct error err;
	struct register_env env;

	assert_true(etcdtest_ctl(&etcd, "user add root:secret"));
	assert_true(etcdtest_ctl(&etcd, "user add hawatch:word"));
	assert_true(etcdtest_ctl(&etcd, "role add hawatch"));
	assert_true(etcdtest_ctl(
	    &etcd, "role grant-permission hawatch readwrite " KEY));
	assert_true(etcdtest_ctl(&etcd, "user grant-role hawatch hawatch"));
	assert_true(etcdtest_ctl(&etcd, "auth enable"));
	client_init(&c, 0);
	client_open(&c);
	while (strstr(c.why, "user name is empty") == NULL)
		await(&c, &c.fails);
	client_close(&c);
	password(path, "wrong\n", 0600);
	client_init(&c, 0);
	c.conf.reg.user = "hawatch";
	c.conf.reg.password_file = path;
	client_open(&c);
	while (strstr(c.why, "invalid user ID or password") == NULL)
		await(&c, &c.fails);
	assert_non_null(strstr(c.why, etcd.endpoint));
	client_close(&c);
	client_init(&c, 0);
	c.conf.reg.user = "hawatch";
	c.conf.reg.password_file = path;
	password(path, "word\n", 0600);
	client_open(&c);
	client_warm(&c);
	/* The tokens are gone with the server's life, or not: it goes on. */
	etcdtest_freeze(&etcd);
	etcdtest_thaw(&etcd);
	read_again(&c);
	password(path, "word\n", 0644);
	env = (struct register_env){ c.loop, &c.conf, c.http, NULL, { 0 } };
	assert_null(register_etcd.new(&env, &err));
	assert_non_null(strstr(err.msg, path));
	assert_non_null(strstr(err.msg, "0600"));
	client_close(&c);
	assert_true(etcdtest_ctl(&etcd, "--user root:secret auth disable"));
}

static void
tls_conf(struct client *c, char paths[3][100], const char *name)
{
	(void)snprintf(paths[0], 100, "%s/ca.crt", pki);
	(void)snprintf(paths[1], 100, "%s/%s.crt", pki, name);
	(void)snprintf(paths[2], 100, "%s/%s.key", pki, name);
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
	struct etcdtest plain = etcd;
	struct client c;

	etcdtest_init(&etcd, pki);
	etcdtest_start(&etcd);
	client_init(&c, 0);
	tls_conf(&c, paths, "s1");
	client_open(&c);
	client_warm(&c);
	client_close(&c);
	/* No certificate of its own; one of another authority. */
	client_init(&c, 0);
	tls_conf(&c, paths, "s1");
	c.conf.reg.cert = c.conf.reg.key = "";
	client_open(&c);
	await(&c, &c.fails);
	assert_null(strstr(c.why, "connect-refused"));
	client_close(&c);
	client_init(&c, 0);
	tls_conf(&c, paths, "other");
	client_open(&c);
	await(&c, &c.fails);
	client_close(&c);
	/* The member is not who it should be. */
	client_init(&c, 0);
	tls_conf(&c, paths, "s1");
	c.conf.reg.server_name = "somebody";
	client_open(&c);
	while (strstr(c.why, "tls-") == NULL)
		await(&c, &c.fails);
	client_close(&c);
	/* Its authority is not ours. */
	client_init(&c, 0);
	tls_conf(&c, paths, "s1");
	(void)snprintf(paths[0], 100, "%s/other.crt", pki);
	client_open(&c);
	while (strstr(c.why, "tls-") == NULL)
		await(&c, &c.fails);
	client_close(&c);
	etcdtest_free(&etcd);
	etcd = plain;
}

static int
setup(void **state)
{
	static const char *const names[] = { "etcd", "s1", NULL };

	httptest_pki(pki, names);
	etcdtest_init(&etcd, NULL);
	etcdtest_start(&etcd);
	return 0;
}

static int
teardown(void **state)
{
	etcdtest_free(&etcd);
	httptest_pki_free(pki);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_cas),
		cmocka_unit_test(test_watch_and_nonsense),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_slow_and_gone),
		cmocka_unit_test(test_auth),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_put_back),
		cmocka_unit_test(test_reseed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
