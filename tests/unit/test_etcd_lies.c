/*
 * A member of etcd that is none, or has gone mad: half answers, endless ones,
 * none at all, errors, and writes that are confirmed where they were not sent.
 * Nothing of it is believed, and all of it ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "engine/etcd_net.h"
#include "engine/etcd_text.h"
#include "engine/register.h"
#include "etcdtest.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"
#include "scratch.h"

#define CONNS 64
#define HEAD(cluster, revision) \
	"\"header\":{\"cluster_id\":\"" cluster "\",\"revision\":\"" revision \
	"\"}"
#define VIRGIN "{" HEAD("10", "5") "}"

struct conn {
	int fd, member;
	struct watch *watch;
	char in[8192];
	size_t len;
};

static struct {
	struct loop *loop;
	int fd[2], asked;
	struct watch *watch[2];
	struct conn conn[CONNS];
	int conns;
	int status;		     /* of the answer to a range */
	const char *range, *txn;     /* bodies; NULL: no answer */
	const char *range_2, *txn_2; /* of the second member */
	size_t promised;	     /* more than is sent */
	const char *stream;	     /* of the watch, again and again */
	int streamed;
	bool cut;      /* it ends in the middle */
	usec_t txn_at; /* when the last one came */
	const char *token;
	int logins;
} server;

static struct {
	struct conf conf;
	struct http *http;
	void *reg;
	struct timer *limit;
	int values, fails, writes;
	char why[400];
	enum cas_result res;
	struct reg_value value;
	const char *second; /* a member that is not configured at first */
} client;

static void
say(struct conn *c, int status, const char *body, size_t promised)
{
	char *text = xasprintf("HTTP/1.1 %d X\r\nContent-Length: %zu\r\n\r\n%s",
	    status, strlen(body) + promised, body);

	(void)!send(c->fd, text, strlen(text), MSG_NOSIGNAL);
	free(text);
	if (promised > 0)
		shutdown(c->fd, SHUT_WR);
}

static void
stream(struct conn *c)
{
	char head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
	char *text;
	int i;

	(void)!send(c->fd, head, strlen(head), MSG_NOSIGNAL);
	if (server.cut)
		shutdown(c->fd, SHUT_WR);
	if (server.stream == NULL)
		return;
	text = xasprintf("%zx\r\n%s\r\n", strlen(server.stream), server.stream);
	for (i = 0; i < server.streamed; i++)
		(void)!send(
		    c->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
	free(text);
}

static void
login(struct conn *c)
{
	char *text = xasprintf("{\"token\":\"%s\"}", server.token);

	server.logins++;
	say(c, 200, text, 0);
	free(text);
}

static void
ready_cb(void *arg, int what)
{
	struct conn *c = arg;
	ssize_t n = recv(
	    c->fd, c->in + c->len, sizeof(c->in) - c->len - 1, MSG_DONTWAIT);
	const char *body,
	    *range = c->member == 0 ? server.range : server.range_2;
	const char *txn = c->member == 0 ? server.txn : server.txn_2;

	if (n <= 0) {
		watch_free(c->watch);
		c->watch = NULL;
		close(c->fd);
		c->fd = -1;
		return;
	}
	c->len += (size_t)n;
	c->in[c->len] = '\0';
	body = strstr(c->in, "\r\n\r\n");
	if (body == NULL || body[4] == '\0')
		return;
	server.asked++;
	c->len = 0;
	if (strstr(c->in, "/v3/kv/txn") != NULL)
		server.txn_at = clock_now().raw;
	if (strstr(c->in, "/v3/auth/authenticate") != NULL)
		login(c);
	else if (strstr(c->in, "/v3/watch") != NULL)
		stream(c);
	else if (strstr(c->in, "/v3/kv/txn") != NULL && txn != NULL)
		say(c, 200, txn, 0);
	else if (strstr(c->in, "/v3/kv/range") != NULL && range != NULL)
		say(c, server.status, range, server.promised);
}

static void
accept_cb(void *arg, int what)
{
	struct conn *c = &server.conn[server.conns++];

	assert_true(server.conns <= CONNS);
	c->member = arg == NULL ? 0 : 1;
	c->fd = accept(server.fd[c->member], NULL, NULL);
	assert_true(c->fd >= 0);
	c->watch = watch_new(server.loop, c->fd, WATCH_READ, ready_cb, c);
}

static void
value_cb(void *arg, usec_t sent, const struct reg_value *v)
{
	client.value = *v;
	client.values++;
}

static void
failed_cb(void *arg, const char *why)
{
	str_cut(client.why, sizeof(client.why), why);
	client.fails++;
}

static void
written_cb(void *arg, uint64_t id, enum cas_result res, uint64_t revision,
    const char *instance)
{
	client.res = res;
	client.writes++;
}

static void
reported_cb(void *arg, bool ok)
{
}

static void
limit_cb(void *arg)
{
	fail_msg("that does not happen: %s", client.why);
}

static int *awaited, awaited_from;

static void
turn_cb(void *arg, const struct now *now)
{
	if (*awaited > awaited_from)
		loop_stop(server.loop);
}

static void
await(int *counter, int more)
{
	awaited = counter;
	awaited_from = *counter + more - 1;
	timer_arm(client.limit, 5 * USEC_SEC);
	loop_run(server.loop, turn_cb, NULL);
	timer_disarm(client.limit);
}

static void
open_register(void)
{
	const struct register_env env = { .loop = server.loop,
		.conf = &client.conf,
		.http = client.http,
		.known = "",
		.calls = { value_cb, failed_cb, written_cb, reported_cb, NULL,
		    NULL } };
	struct error err;

	client.reg = register_etcd.new(&env, &err);
	assert_non_null(client.reg);
}

static int
setup(void **state)
{
	static char endpoint[2][32];
	struct error err;
	int i;
	struct conf *conf = &client.conf;

	memset(&server, 0, sizeof(server));
	memset(&client, 0, sizeof(client));
	server.loop = loop_new(&err);
	for (i = 0; i < 2; i++) {
		(void)snprintf(endpoint[i], sizeof(endpoint[i]), "127.0.0.1:%d",
		    etcdtest_port(&server.fd[i]));
		server.watch[i] = watch_new(server.loop, server.fd[i],
		    WATCH_READ, accept_cb, i == 0 ? NULL : &server);
	}
	client.second = endpoint[1];
	server.status = 200;
	client.http = http_new(server.loop, NULL, &err);
	conf->cluster = conf->names.cluster = "votes";
	conf->node_count = conf->names.count = 1;
	conf->node[0].name = conf->names.node[0] = "s1";
	conf->ttl = USEC_SEC / 2;
	conf->reg = etcdtest_register(endpoint[0]);
	client.limit = timer_new(server.loop, limit_cb, NULL);
	open_register();
	return 0;
}

static int
teardown(void **state)
{
	int i;

	register_etcd.free(client.reg);
	http_free(client.http);
	timer_free(client.limit);
	for (i = 0; i < server.conns; i++) {
		if (server.conn[i].watch == NULL)
			continue;
		watch_free(server.conn[i].watch);
		close(server.conn[i].fd);
	}
	for (i = 0; i < 2; i++) {
		watch_free(server.watch[i]);
		close(server.fd[i]);
	}
	loop_free(server.loop);
	return 0;
}

/* Each ends the read, says why, and the next good answer is taken. */
static void
test_answers(void **state)
{
	static char endless[70000];
	static const struct {
		int status;
		const char *body, *why;
		size_t promised;
	} rows[] = {
		{ 503, "{\"error\":\"etcdserver: no leader\",\"code\":14}",
		    "503, etcdserver: no leader", 0 },
		{ 404, "404 page not found\n", "404", 0 },
		{ 302, "", "302", 0 },
		{ 200, "{" HEAD("10", "5"), "not JSON", 0 },
		{ 200, VIRGIN, "127.0.0.1", 100 },
		{ 200, endless, "127.0.0.1", 0 },
		{ 200, NULL, "timeout", 0 },
		{ 200, "{" HEAD("0", "5") "}", "no cluster", 0 },
	};
	size_t i;

	memset(endless, ' ', sizeof(endless) - 1);
	register_etcd.start(client.reg);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		server.status = rows[i].status;
		server.range = rows[i].body;
		server.promised = rows[i].promised;
		/* One may have been under way. */
		await(&client.fails, 2);
		if (strstr(client.why, rows[i].why) == NULL)
			fail_msg("%zu: %s", i, client.why);
		server.status = 200;
		server.range = VIRGIN;
		server.promised = 0;
		await(&client.values, 1);
		assert_true(client.value.cold);
		assert_string_equal(client.value.next, "000000000000000a");
	}
}

/* A token is as long as a signature makes it, and one that is over, or of
 * before the last change of etcd's users, is fetched anew. */
static void
test_tokens(void **state)
{
	static const struct {
		int status;
		const char *body;
	} rows[] = {
		{ 401, "{\"error\":\"etcdserver: invalid auth token\"}" },
		{ 400, "{\"error\":\"etcdserver: user name is empty\"}" },
		{ 400,
		    "{\"error\":\"etcdserver: revision of auth store is old\"}" },
		{ 500, "{\"error\":\"auth: revision in header is old\"}" },
	};
	char token[2000];
	size_t i;
	int before;

	memset(token, 't', sizeof(token) - 1);
	token[sizeof(token) - 1] = '\0';
	server.token = token;
	server.range = VIRGIN;
	register_etcd.free(client.reg);
	shell("echo word >password && chmod 0600 password");
	client.conf.reg.user = "hawatch";
	client.conf.reg.password_file = scratch_path("password");
	open_register();
	register_etcd.start(client.reg);
	await(&client.values, 1);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		before = server.logins;
		server.status = rows[i].status;
		server.range = rows[i].body;
		await(&server.logins, 1);
		server.status = 200;
		server.range = VIRGIN;
		await(&client.values, 1);
		assert_true(server.logins <= before + 2);
	}
}

/* A person adopts, which is a write; and only the cluster that was meant can
 * confirm it. */
static void
shown_cb(void *arg, const char *json, const char *why)
{
	assert_null(json);
	client.writes++;
}

static void
test_writes(void **state)
{
	static const char *const rows[] = { NULL, "", "{}", "garbage",
		"{" HEAD("11", "6") ",\"succeeded\":true}",
		"{" HEAD("10", "6") ",\"succeeded\":1}",
		"{" HEAD("10", "6") ",\"responses\":[]}" };
	size_t i;

	server.range = VIRGIN;
	register_etcd.start(client.reg);
	await(&client.values, 1);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		server.txn = rows[i];
		register_etcd.adopt(client.reg, shown_cb, NULL);
		await(&client.writes, 1);
	}
}

static void
adopted_cb(void *arg, const char *json, const char *why)
{
	if (json == NULL)
		fail_msg("%s", why);
	client.writes++;
}

/* Who answers 200 with what is nobody's is left for the next one, which is
 * asked at once: the register is not lost for a moment. */
static void
test_one_mad(void **state)
{
	static const char *const mad[] = { "<html></html>", "{}",
		"{" HEAD("0", "5") "}" };
	size_t i;

	server.range_2 = VIRGIN;
	server.txn_2 = "{" HEAD("10", "6") ",\"succeeded\":true}";
	client.conf.reg.endpoints[1] = client.second;
	for (i = 0; i < sizeof(mad) / sizeof(*mad); i++) {
		register_etcd.free(client.reg);
		open_register();
		server.range = mad[i];
		register_etcd.start(client.reg);
		await(&client.values, 3);
		assert_int_equal(client.fails, 0);
		/* One that goes mad under a write: the next one tells. */
		register_etcd.free(client.reg);
		open_register();
		server.range = VIRGIN;
		server.txn = mad[i];
		register_etcd.start(client.reg);
		await(&client.values, 1);
		register_etcd.adopt(client.reg, adopted_cb, NULL);
		server.range = mad[i];
		await(&client.writes, 1);
	}
}

static void
later_cb(void *arg)
{
	++*(int *)arg;
}

/* An answer to a range: the register, held by the only node. */
static char *
warm(struct record *rec, char *instance)
{
	struct arbiter a = { .value.rec = { .epoch = 1,
				 .seq = 1,
				 .state = REC_HELD,
				 .target = NODE_NONE,
				 .ttl = 2 * USEC_SEC,
				 .nonce = "n5" } };
	unsigned char coded[2048];
	char *text;

	strcpy(instance, "000000000000000a");
	strcpy(a.value.instance, instance);
	*rec = a.value.rec;
	text = etcd_image_str(&a, &client.conf.names);
	assert_true(strlen(text) < sizeof(coded) / 2);
	EVP_EncodeBlock(coded, (unsigned char *)text, (int)strlen(text));
	free(text);
	return xasprintf(
	    "{" HEAD(
		"10", "5") ",\"kvs\":[{\"key\":"
			   "\"L2hhd2F0Y2gvdm90ZXM=\",\"mod_revision\":\"5\","
			   "\"value\":\"%s\"}]}",
	    coded);
}

/* Nothing is sent again when the read before it is old: the cluster may have
 * been put back since. */
static void
test_again(void **state)
{
	struct do_cas cas = { .id = 1, .revision = 5 };
	int later = 0;
	struct timer *timer = timer_new(server.loop, later_cb, &later);
	char *range = warm(&cas.rec, cas.instance);
	usec_t at;

	client.conf.ttl = 2 * USEC_SEC;
	server.range = range;
	server.txn = "garbage";
	register_etcd.start(client.reg);
	await(&client.values, 1);
	assert_false(client.value.cold);
	server.range = NULL;
	at = clock_now().raw;
	timer_arm(timer, 200 * USEC_MSEC);
	await(&later, 1);
	strcpy(cas.nonce, cas.rec.nonce);
	strcpy(cas.rec.nonce, "n6");
	register_etcd.cas(client.reg, &cas);
	await(&client.writes, 1);
	assert_int_equal(client.res, CAS_UNKNOWN);
	assert_true(server.txn_at > at + 200 * USEC_MSEC);
	assert_true(server.txn_at < at + CAS_FRESH + 50 * USEC_MSEC);
	timer_free(timer);
	free(range);
}

/* However mad the watch is, it costs a few reads a second. */
static void
test_watch(void **state)
{
	static char line[20000];
	static const struct {
		const char *text;
		int times;
	} rows[] = {
		{ line, 8 },
		{ "{}\n", 50 },
		{ "{\"error\":{\"message\":\"x\"}}\n", 50 },
		{ "{\"result\":{" HEAD("10", "4") "}}\n", 50 },
	};
	size_t i;
	usec_t at;
	int asked;

	memset(line, 'x', sizeof(line) - 1);
	server.range = VIRGIN;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		server.stream = rows[i].text;
		server.streamed = rows[i].times;
		register_etcd.start(client.reg);
		await(&client.values, 2);
		asked = server.asked;
		at = clock_now().raw;
		await(&client.values, 3);
		assert_true(server.asked - asked <
			    20 + 20 * (clock_now().raw - at) / USEC_SEC);
	}
}

static void
part_cb(void *arg, const char *data, size_t len)
{
}

static void
ended_cb(void *arg, const struct etcd_reply *reply)
{
	assert_false(reply->ok);
	++*(int *)arg;
}

/* A watch that has lived for as long as it may says nothing of its member;
 * one that is cut off does. */
static void
test_life(void **state)
{
	struct etcd_request req = { .member = ETCD_GOOD,
		.path = "/v3/watch",
		.body = "{}",
		.deadline = 100 * USEC_MSEC,
		.part = part_cb };
	struct error err;
	struct etcd_net *net;
	int ended = 0;

	client.conf.reg.endpoints[1] = client.second;
	net = etcd_net_new(server.loop, client.http, &client.conf.reg, &err);
	assert_non_null(net);
	assert_non_null(etcd_net_post(net, &req, ended_cb, &ended));
	await(&ended, 1);
	assert_int_equal(etcd_net_good(net), 0);
	server.cut = true;
	assert_non_null(etcd_net_post(net, &req, ended_cb, &ended));
	await(&ended, 1);
	assert_int_equal(etcd_net_good(net), 1);
	etcd_net_free(net);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tokens, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_mad, setup, teardown),
		cmocka_unit_test_setup_teardown(test_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_watch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
	};

	int rc;

	if (scratch_make() == -1)
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	scratch_free();
	return rc;
}
