/*
 * Hosts and their register in a real etcd.
 */
#include "etcdrun.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hawatch/emit.h"
#include "hawatch/http.h"
#include "hawatch/str.h"
#include "httptest.h"

#define LIMIT (20 * USEC_SEC)

struct etcdtest er_etcd;
char er_pki[64];
uint64_t er_ids;

static void
value_cb(void *arg, usec_t sent, const struct reg_value *v)
{
	struct etcdrun *c = arg;

	assert_true(sent > 0 && sent <= clock_now().raw);
	c->value = *v;
	c->values++;
}

static void
failed_cb(void *arg, const char *why)
{
	struct etcdrun *c = arg;

	str_cut(c->why, sizeof(c->why), why);
	c->fails++;
}

static void
written_cb(void *arg, uint64_t id, enum cas_result res, uint64_t revision,
    const char *instance)
{
	struct etcdrun *c = arg;

	assert_true(id == er_ids);
	c->res = res;
	c->revision = revision;
	str_cut(c->instance, sizeof(c->instance), instance);
	c->writes++;
}

static void
reported_cb(void *arg, bool ok)
{
	struct etcdrun *c = arg;

	c->reported = ok;
	c->reports++;
}

void
er_shown(void *arg, const char *json, const char *why)
{
	struct etcdrun *c = arg;

	str_cut(c->show, sizeof(c->show), json == NULL ? why : json);
	c->shows++;
}

static void
emit_cb(void *arg, enum level level, const char *line)
{
	struct etcdrun *c = arg;

	if (strstr(line, "register.stray") == NULL)
		return;
	str_cut(c->stray, sizeof(c->stray), line);
	c->strays++;
}

static void
limit_cb(void *arg)
{
	struct etcdrun *c = arg;

	fail_msg("that does not happen: %s; fails %d values %d cold %d seq %d",
	    c->why, c->fails, c->values, c->value.cold, (int)c->value.rec.seq);
}

void
er_init(struct etcdrun *c, node_t self)
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
	c->conf.reg = etcdtest_register(er_etcd.endpoint);
	c->limit = timer_new(c->loop, limit_cb, c);
}

void
er_open(struct etcdrun *c)
{
	const struct register_env env = { .loop = c->loop,
		.conf = &c->conf,
		.http = c->http,
		.known = c->known == NULL ? "" : c->known,
		.calls = {
		    value_cb, failed_cb, written_cb, reported_cb, NULL, c } };
	struct error err;

	c->reg = register_etcd.new(&env, &err);
	if (c->reg == NULL)
		fail_msg("%s", err.msg);
	emit_to(emit_cb, c);
	register_etcd.start(c->reg);
}

void
er_close(struct etcdrun *c)
{
	emit_to(sink_stderr, NULL);
	register_etcd.free(c->reg);
	http_free(c->http);
	timer_free(c->limit);
	loop_free(c->loop);
}

static int *awaited, awaited_from;
static struct etcdrun *awaiting;

static void
turn_cb(void *arg, const struct now *now)
{
	if (*awaited != awaited_from)
		loop_stop(awaiting->loop);
}

void
er_await(struct etcdrun *c, int *counter)
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

void
er_pass(struct etcdrun *c, usec_t us)
{
	struct timer *t = timer_new(c->loop, stop_cb, c->loop);

	timer_arm(t, us);
	loop_run(c->loop, NULL, NULL);
	timer_free(t);
}

void
er_read(struct etcdrun *c)
{
	register_etcd.read(c->reg);
	er_await(c, &c->values);
}

struct do_cas
er_cas(const struct etcdrun *c, node_t holder, uint64_t seq)
{
	const struct reg_value *v = &c->value;
	struct do_cas cas = { .id = ++er_ids, .revision = v->revision };

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

void
er_write(struct etcdrun *c, const struct do_cas *cas)
{
	int before = c->writes;

	register_etcd.cas(c->reg, cas);
	if (c->writes == before)
		er_await(c, &c->writes);
}

void
er_write_sure(struct etcdrun *c, const struct do_cas *cas)
{
	int i;

	er_write(c, cas);
	for (i = 0; i < 50 && c->res == CAS_UNKNOWN; i++) {
		er_pass(c, 100 * USEC_MSEC);
		er_write(c, cas);
	}
}

static void
er_report(struct etcdrun *c, uint64_t epoch, uint64_t seq)
{
	int before = c->reports;

	register_etcd.report(c->reg, c->value.next, epoch, seq);
	if (c->reports == before)
		er_await(c, &c->reports);
}

void
er_report_sure(struct etcdrun *c, uint64_t epoch, uint64_t seq)
{
	int i;

	for (i = 0; i < 50 && c->value.cold &&
		    !(c->value.reported & NODE_BIT(c->conf.self));
	     i++) {
		er_report(c, epoch, seq);
		er_read(c);
	}
}

void
er_warm(struct etcdrun *c)
{
	struct do_cas cas;

	if (c->values == 0)
		er_await(c, &c->values);
	if (c->value.cold) {
		c->conf.self = 0;
		er_report_sure(c, 0, 0);
		c->conf.self = 1;
		er_report_sure(c, 0, 0);
		assert_false(c->value.cold);
	}
	cas = er_cas(c, 0, c->value.rec.seq + 1);
	er_write_sure(c, &cas);
	assert_int_equal(c->res, CAS_CONFIRMED);
	er_read(c);
}

int
er_setup(void **state)
{
	static const char *const names[] = { "etcd", "s1", NULL };

	httptest_pki(er_pki, names);
	etcdtest_init(&er_etcd, NULL);
	etcdtest_start(&er_etcd);
	return 0;
}

int
er_teardown(void **state)
{
	etcdtest_free(&er_etcd);
	httptest_pki_free(er_pki);
	return 0;
}
