/*
 * The order to reload, and the question who differs: what is made of the
 * answers of several hosts. The hosts are the test's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/orders.h"
#include "engine/orders_request.h"
#include "engine/reload.h"
#include "hawatch/emit.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define LIVE \
	"{\"key\":\"mode\",\"old\":\"auto\",\"new\":\"manual\",\"live\":true}"
#define FINE(d) \
	"{\"applied\":false,\"digest\":\"" d "\",\"shared\":\"" d \
	"\",\"changes\":[" LIVE "]}"
#define SAME \
	"{\"applied\":false,\"digest\":\"cc\",\"shared\":\"aa\"," \
	"\"changes\":[]}"
#define BAD \
	"{\"applied\":false,\"errors\":[\"f:3: x; write y\"]," \
	"\"refused\":\"the file is wrong\",\"next\":\"hactl config check\"}"

/* What only a restart changes. */
#define FIXED(d, more) \
	"{\"applied\":false,\"digest\":\"" d "\",\"shared\":\"" d \
	"\",\"restart\":\"lease.slack\",\"changes\":[" LIVE "]," \
	"\"refused\":\"this cannot change\"," \
	"\"next\":\"systemctl restart hawatchd\"" more "}"
#define HOLDS ",\"holder\":true"
#define SAFETY ",\"safety\":true"

static struct {
	const char *look[3], *apply[3]; /* NULL: silent */
	int asked[3], applied[3];
	char digest[3][32];
	json_t *last;
	const char *refused;
	char log[2000];
} fake;

static struct conf conf;
static struct orders orders;
static struct engine eng = { .conf = &conf, .orders = &orders };

static json_t *
fake_say(node_t n, const char *digest)
{
	const char *text = digest[0] == '\0' ? fake.look[n] : fake.apply[n];
	struct error err;

	fake.asked[n]++;
	if (digest[0] != '\0') {
		fake.applied[n]++;
		(void)snprintf(fake.digest[n], 32, "%s", digest);
	}
	return text == NULL ? NULL : json_read(text, strlen(text), &err);
}

void
peers_post(struct peers *p, node_t node, const char *path, char *body,
    usec_t deadline,
    void (*done)(void *arg, node_t node, const char *json, const char *why),
    void *arg)
{
	struct error err;
	json_t *req = json_read(body, strlen(body), &err), *said;
	char digest[32] = "";
	char *text;

	if (strcmp(path, "/v1/reload") == 0)
		assert_int_equal(json_want_string(req, "apply", digest,
				     sizeof(digest), &err),
		    0);
	else
		assert_string_equal(path, "/v1/config");
	json_decref(req);
	free(body);
	said = fake_say(node, digest);
	text = said == NULL ? NULL : json_text(said);
	done(arg, node, text, text == NULL ? "connect-timeout" : NULL);
	json_decref(said);
	free(text);
}

void
reload_start(struct engine *e, const char *digest, reload_fn fn, uint64_t id)
{
	fn(e, id, fake_say(0, digest));
}

void
orders_reply(struct engine *e, uint64_t id, json_t *obj)
{
	json_decref(fake.last);
	fake.last = obj;
}

void
orders_refuse(struct engine *e, uint64_t id, enum exitcode code,
    const char *why, const char *next)
{
	fake.refused = why;
}

void
orders_no(struct engine *e, uint64_t id, enum exitcode code, const char *why,
    const char *next)
{
	orders_refuse(e, id, code, why, next);
}

void
orders_taken(struct engine *e, uint64_t id, const char *verb)
{
}

void
orders_wake_by(struct engine *e, usec_t after)
{
}

static void
sink(void *arg, enum level level, const char *line)
{
	size_t len = strlen(fake.log);

	(void)snprintf(fake.log + len, sizeof(fake.log) - len, "%s\n", line);
}

static int
setup(void **state)
{
	static const char *const names[] = { "s1", "s2", "a1" };
	int i;

	json_decref(fake.last);
	memset(&fake, 0, sizeof(fake));
	memset(&conf, 0, sizeof(conf));
	conf.node_count = 3;
	conf.path = "/etc/x.conf";
	for (i = 0; i < 3; i++)
		conf.node[i].name = names[i];
	conf.node[2].role = ROLE_WITNESS;
	return 0;
}

static int
teardown(void **state)
{
	orders_reload_free(&orders);
	orders_config_free(&orders);
	json_decref(fake.last);
	fake.last = NULL;
	return 0;
}

static long long
reload(bool apply, const char *seen)
{
	struct order_request req = { .id = 7, .apply = apply };

	str_cut(req.seen, sizeof(req.seen), seen);
	orders_reload(&eng, &req);
	orders_reload_turn(&eng);
	orders_reload_turn(&eng);
	assert_null(orders.reload);
	return json_integer_value(json_object_get(fake.last, "exit"));
}

static void
config_diff(uint64_t id)
{
	const struct order_request req = { .id = id };

	orders_config(&eng, &req);
}

static const char *
said(const char *key)
{
	const char *s = json_string_value(json_object_get(fake.last, key));

	return s == NULL ? "" : s;
}

/* Looked at on all; taken over on those that have something new, each the very
 * file that was seen. */
static void
test_all(void **state)
{
	char *text;

	fake.look[0] = FINE("aa");
	fake.look[1] = FINE("bb");
	fake.look[2] = SAME;
	fake.apply[0] = fake.apply[1] = "{\"applied\":true,\"changes\":[]}";
	assert_int_equal(reload(false, ""), EXITCODE_DONE);
	assert_string_equal(said("seen"), "s1=aa s2=bb ");
	assert_string_equal(said("path"), "/etc/x.conf");
	text = json_text(json_object_get(fake.last, "differ"));
	assert_string_equal(text, "[\"s2\"]");
	free(text);
	assert_int_equal(fake.applied[0] + fake.applied[1], 0);
	assert_int_equal(reload(true, "s1=aa s2=bb "), EXITCODE_DONE);
	assert_string_equal(fake.digest[0], "aa");
	assert_string_equal(fake.digest[1], "bb");
	assert_int_equal(fake.applied[2], 0);
	assert_true(json_is_true(json_object_get(fake.last, "applied")));
}

/* One that has something against it: nobody takes anything over. */
static void
test_one_refuses(void **state)
{
	fake.look[0] = FINE("aa");
	fake.look[1] = BAD;
	fake.look[2] = SAME;
	assert_int_equal(reload(true, "s1=aa "), EXITCODE_REFUSED);
	assert_string_equal(said("refused"),
	    "s2: the file is wrong; nothing was changed on any host");
	assert_string_equal(said("next"), "ssh s2 hactl config check");
	fake.look[1] = "{\"refused\":\"x\",\"next\":"
		       "\"systemctl restart hawatchd\"}";
	assert_int_equal(reload(false, ""), EXITCODE_REFUSED);
	assert_string_equal(said("next"), "ssh s2 systemctl restart hawatchd");
	assert_int_equal(fake.applied[0], 0);
}

static void
copies(const char *from, const char *to)
{
	const json_t *copy = json_object_get(fake.last, "copy");
	char *text = json_text(json_object_get(copy, "to"));

	assert_string_equal(
	    json_string_value(json_object_get(copy, "from")), from);
	assert_string_equal(text, to);
	free(text);
}

/* One host has a file that needs a restart, and the others do not have it: it
 * is copied first, wherever this is asked. */
static void
test_restart_alone(void **state)
{
	fake.look[0] = FIXED("ff", HOLDS SAFETY);
	fake.look[1] = fake.look[2] = SAME;
	assert_int_equal(reload(true, "s1=ff "), EXITCODE_REFUSED);
	assert_non_null(strstr(said("refused"),
	    "s1: lease.slack changes by a restart alone, and the file of "
	    "s2, a1 is another one: restarted now, s1 would differ from them in "
	    "what matters for safety"));
	assert_non_null(strstr(said("refused"), "nothing was changed"));
	assert_string_equal(said("next"),
	    "scp /etc/x.conf s2:/etc/x.conf && scp /etc/x.conf a1:/etc/x.conf "
	    "&& hactl reload");
	copies("s1", "[\"s2\",\"a1\"]");
	fake.look[0] = SAME;
	fake.look[1] = FIXED("ff", "");
	assert_int_equal(reload(true, "s2=ff "), EXITCODE_REFUSED);
	assert_null(strstr(said("refused"), "safety"));
	assert_string_equal(said("next"),
	    "scp s2:/etc/x.conf /etc/x.conf && scp s2:/etc/x.conf "
	    "a1:/etc/x.conf && hactl reload");
	copies("s2", "[\"s1\",\"a1\"]");
	/* Whose file nobody knows is said, and not copied to. */
	fake.look[2] = NULL;
	assert_int_equal(reload(false, ""), EXITCODE_REFUSED);
	assert_non_null(strstr(said("refused"), "a1 does not answer"));
	copies("s2", "[\"s1\"]");
	assert_int_equal(fake.applied[0] + fake.applied[1], 0);
}

/* The same file everywhere: the holder is restarted last, and those that run
 * by it already are not named. */
static void
test_restart_order(void **state)
{
	fake.look[0] = FIXED("aa", HOLDS);
	fake.look[1] = fake.look[2] = FIXED("aa", "");
	assert_int_equal(reload(true, ""), EXITCODE_REFUSED);
	assert_non_null(strstr(said("refused"),
	    "lease.slack changes by a restart alone, and the file is the same "
	    "on all hosts: restart hawatchd on a1, s2, s1, in this order"));
	assert_string_equal(said("next"), "ssh a1 systemctl restart hawatchd");
	assert_null(json_object_get(fake.last, "copy"));
	fake.look[2] = SAME;
	assert_int_equal(reload(true, ""), EXITCODE_REFUSED);
	assert_string_equal(said("next"), "ssh s2 systemctl restart hawatchd");
	fake.look[1] = SAME;
	assert_int_equal(reload(true, ""), EXITCODE_REFUSED);
	assert_non_null(strstr(said("refused"), "restart hawatchd on s1"));
	assert_string_equal(said("next"), "ssh s1 systemctl restart hawatchd");
	/* What else is in the way comes first. */
	fake.look[1] = BAD;
	assert_int_equal(reload(true, ""), EXITCODE_REFUSED);
	assert_string_equal(said("next"), "ssh s2 hactl config check");
}

/* A host that is down is said, and holds up nobody. */
static void
test_silent(void **state)
{
	const json_t *node;

	fake.look[0] = FINE("aa");
	fake.look[2] = SAME;
	fake.apply[0] = "{\"applied\":true,\"changes\":[]}";
	assert_int_equal(reload(true, "s1=aa "), EXITCODE_DONE);
	node = json_array_get(json_object_get(fake.last, "nodes"), 1);
	assert_string_equal(json_string_value(json_object_get(node, "silent")),
	    "connect-timeout");
	assert_int_equal(fake.applied[0], 1);
}

/* A file that changed since it was shown; and one host that does not do what
 * it said. */
static void
test_changed_since(void **state)
{
	fake.look[0] = fake.look[1] = FINE("aa");
	fake.look[2] = SAME;
	assert_int_equal(reload(true, "s1=aa s2=00 "), EXITCODE_REFUSED);
	assert_int_equal(fake.applied[0] + fake.applied[1], 0);
	fake.apply[0] = "{\"applied\":true,\"changes\":[]}";
	fake.apply[1] = "{\"applied\":false,\"refused\":\"a plan runs\","
			"\"next\":\"hactl status\"}";
	assert_int_equal(reload(true, "s1=aa s2=aa "), EXITCODE_UNKNOWN);
	assert_string_equal(said("refused"), "s2: a plan runs");
	assert_string_equal(said("next"), "ssh s2 hactl status");
}

static void
test_diff(void **state)
{
	static const struct conf_setting own[] = {
		{ .key = "mode", .text = "auto", .live = true },
		{ .key = "lease.slack", .text = "20ms", .vital = true },
		{ .key = "node", .text = "s1", .own = true },
	};
	const json_t *nodes, *keys;
	char *text;

	conf.setting = own;
	conf.setting_count = 3;
	fake.look[1] = "{\"settings\":{\"mode\":\"manual\",\"new.key\":\"1\","
		       "\"converge[x].primary\":\"0011223344556677\"}}";
	config_diff(8);
	orders_config_turn(&eng);
	assert_null(orders.config);
	assert_int_equal(json_integer_value(json_object_get(fake.last, "exit")),
	    EXITCODE_REFUSED);
	nodes = json_object_get(fake.last, "nodes");
	keys = json_object_get(json_array_get(nodes, 0), "keys");
	text = json_text(keys);
	assert_string_equal(text,
	    "[{\"key\":\"mode\",\"here\":\"auto\",\"there\":\"manual\","
	    "\"safety\":false},{\"key\":\"lease.slack\",\"here\":\"20ms\","
	    "\"there\":\"50ms, the default\",\"safety\":true},"
	    "{\"key\":\"new.key\",\"here\":\"not given\",\"there\":\"1\","
	    "\"safety\":false},{\"key\":\"converge[x].primary\","
	    "\"here\":\"not given\",\"there\":\"not shown\","
	    "\"safety\":false}]");
	free(text);
	assert_string_equal(json_string_value(json_object_get(
				json_array_get(nodes, 1), "silent")),
	    "connect-timeout");
	config_diff(8);
	config_diff(9);
	assert_non_null(fake.refused);
}

static void
by_signal(void)
{
	int i;

	memset(fake.applied, 0, sizeof(fake.applied));
	fake.log[0] = '\0';
	orders_reload_signal(&eng);
	for (i = 0; i < 3 && orders.reload != NULL; i++)
		orders_reload_turn(&eng);
	assert_null(orders.reload);
}

/* By a signal, too, all files are looked at first; what this host changes is
 * shown, and changed here alone. */
static void
test_signal(void **state)
{
	emit_to(sink, NULL);
	fake.look[0] = FINE("aa");
	fake.look[1] = BAD;
	by_signal();
	assert_int_equal(fake.applied[0], 0);
	assert_non_null(strstr(fake.log, "ev=config.refused"));
	assert_non_null(strstr(fake.log, "s2: f:3: x; write y"));
	assert_non_null(strstr(fake.log, "ssh s2 hactl config check"));
	fake.look[1] = FINE("bb");
	fake.apply[0] = "{\"applied\":true,\"changes\":[]}";
	by_signal();
	assert_int_equal(fake.applied[0], 1);
	assert_int_equal(fake.applied[1], 0);
	assert_string_equal(fake.digest[0], "aa");
	assert_non_null(strstr(fake.log, "key=mode old=auto new=manual"));
	assert_null(strstr(fake.log, "ev=config.refused"));
	fake.apply[0] = "{\"applied\":false,\"refused\":\"a plan runs\","
			"\"next\":\"hactl status\"}";
	by_signal();
	assert_non_null(strstr(fake.log, "a plan runs"));
	/* Who restarts this host alone might differ: the order says more. */
	fake.look[0] = FIXED("ff", SAFETY);
	by_signal();
	assert_non_null(strstr(fake.log, "s1: this cannot change"));
	assert_non_null(strstr(fake.log, "next=\"hactl reload\""));
	/* Nothing new; and another host that is down holds up nobody. */
	fake.look[0] = SAME;
	by_signal();
	assert_int_equal(fake.applied[0], 0);
	assert_non_null(strstr(fake.log, "ev=config.reloaded"));
	fake.look[0] = fake.look[1] = BAD;
	by_signal();
	assert_int_equal(fake.applied[0], 0);
	assert_non_null(strstr(fake.log, "s1: f:3: x; write y"));
	emit_to(sink_stderr, NULL);
}

/* One at a time. */
static void
test_twice(void **state)
{
	struct order_request req = { .id = 8 };
	struct order_reload *r = (struct order_reload *)&fake;

	orders.reload = r;
	orders_reload(&eng, &req);
	assert_non_null(
	    strstr(fake.refused, "the configuration is being read already"));
	assert_ptr_equal(orders.reload, r);
	orders.reload = NULL;
	orders.config = (struct order_config *)&fake;
	config_diff(9);
	assert_non_null(strstr(fake.refused, "somebody else asks the same"));
	orders.config = NULL;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { T(test_all), T(test_one_refuses),
		T(test_restart_alone), T(test_restart_order), T(test_silent),
		T(test_changed_since), T(test_diff), T(test_signal),
		T(test_twice) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
