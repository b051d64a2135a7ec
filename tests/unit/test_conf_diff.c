/*
 * Settings, their digests, and what differs between two configurations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hawatch/conf.h"
#include "hawatch/file.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define NODES "cluster = \"c\"; mode = \"auto\"; " HOSTS
#define HOSTS \
	"nodes = ( { name = \"s1\"; address = \"10.0.0.1\"; repmgr_id = 1; },\n" \
	" { name = \"s2\"; address = \"10.0.0.2\"; repmgr_id = 2; },\n" \
	" { name = \"a1\"; address = \"10.0.0.3\"; role = \"witness\"; } );\n" \
	"postgres = { data_directory = \"/d\"; socket_directory = \"/s\";\n" \
	" backend = \"argv\"; start = [ \"/bin/start\", \"hunter2\" ]; };\n"
#define BASE_MODE(mode) "cluster = \"c\"; " mode REGISTER HOSTS
#define BASE BASE_MODE("mode = \"auto\"; ")
#define ETCD "register = { type = \"etcd\"; endpoints = [ \"10.0.0.8:2379\" "
#define REGISTER "register = { node = \"a1\"; };\n"
#define CHECKS \
	"checks = ( { name = \"pg\"; type = \"postgres\"; },\n" \
	" { name = \"web\"; type = \"http\"; address = \"127.0.0.1\";\n" \
	"   port = 80; path = \"/?key=hunter2\"; } );\n"

static struct conf *
load(const char *text)
{
	char path[] = "/dev/shm/hawatch-diff-XXXXXX";
	struct conf_errors errors;
	struct error err;
	struct conf *conf;
	int i, fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(file_replace(path, text, strlen(text), 0600, &err), 0);
	conf = conf_load(path, "s1", &errors);
	for (i = 0; i < errors.count; i++)
		print_error("%s\n", errors.text[i]);
	conf_errors_free(&errors);
	unlink(path);
	assert_non_null(conf);
	return conf;
}

struct said {
	char text[2000];
	int vital, fixed;
};

static void
say(void *arg, const struct conf_change *c)
{
	struct said *s = arg;
	size_t len = strlen(s->text);

	(void)snprintf(s->text + len, sizeof(s->text) - len, "%s: %s -> %s\n",
	    c->key, c->old, c->new);
	s->vital += c->vital;
	s->fixed += !c->live;
}

static struct said
diff(const struct conf *a, const struct conf *b)
{
	struct said s = { "", 0, 0 };

	conf_diff(a->setting, a->setting_count, b->setting, b->setting_count,
	    say, &s);
	assert_null(strstr(s.text, "hunter2"));
	return s;
}

/* The same said otherwise is the same; a default that is written out, too. */
static void
test_same(void **state)
{
	struct conf *a = load(BASE CHECKS);
	struct conf *b = load("lease = { ttl = \"5000ms\"; slack = \"50ms\"; };"
			      "node = \"s1\";\n" BASE CHECKS);
	struct said s = diff(a, b);

	assert_string_equal(s.text, "node: not given -> s1\n");
	assert_string_equal(a->digest, b->digest);
	assert_string_equal(a->vital, b->vital);
	assert_string_not_equal(a->whole, b->whole);
	assert_int_equal(strlen(a->digest), 16);
	conf_free(a);
	conf_free(b);
}

static void
test_differs(void **state)
{
	struct conf *a = load(BASE CHECKS);
	struct conf *b = load(BASE
	    "lease = { ttl = \"2s\"; slack = \"20ms\"; };\n"
	    "checks = ( { name = \"pg\"; type = \"postgres\"; window = 8; },\n"
	    " { name = \"new\"; type = \"tcp\"; address = \"127.0.0.1\";\n"
	    "   port = 81; } );\n");
	struct said s = diff(a, b);

	assert_string_equal(s.text,
	    "checks: pg, web -> pg, new\n"
	    "lease.ttl: 5s, the default -> 2s\n"
	    "lease.slack: 50ms, the default -> 20ms\n"
	    "checks[pg].window: 5, the default -> 8\n"
	    "checks[new].name: not there -> new\n"
	    "checks[new].type: not there -> tcp\n"
	    "checks[new].address: not there -> 127.0.0.1\n"
	    "checks[new].port: not there -> 81\n");
	assert_int_equal(s.vital, 1);
	assert_int_equal(s.fixed, 2);
	assert_string_not_equal(a->digest, b->digest);
	assert_string_not_equal(a->vital, b->vital);
	conf_free(a);
	conf_free(b);
}

/* Where the register is, is for all the same; how one gets there, and what
 * each makes of its own data, is not. */
static void
test_vital(void **state)
{
	static const struct {
		const char *key, *more;
		int vital, fixed;
	} rows[] = { { "register.endpoints", "\"10.0.0.9:2379\" ]; ", 1, 1 },
		{ "register.prefix", "]; prefix = \"/x/\"; ", 1, 1 },
		{ "register.user", "]; user = \"u\"; password_file = \"/p\"; ",
		    0, 2 },
		{ "rejoin", "]; }; rejoin = \"clone\"; lease = { ", 0, 0 },
		{ "durability",
		    "]; }; durability = \"bounded\"; max_loss = \"1MB\"; "
		    "lease = { ",
		    2, 2 },
		{ "files.paths",
		    "]; }; files = { paths = [ \"/d\" ]; pull = [ \"/p\" ]; "
		    "}; lease = { ",
		    0, 2 },
		{ "proofs",
		    "]; }; proofs = [ \"released\", \"agent\" ]; "
		    "agents = ( { name = \"x\"; node = \"s1\"; "
		    "agent = \"/a\"; timeout = \"9s\"; } ); lease = { ",
		    5, 6 } };
	struct conf *a = load(ETCD "]; };" NODES), *b;
	struct said s;
	char text[2000];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		(void)snprintf(text, sizeof(text), "%s%s%s };%s", ETCD,
		    i == 0 ? ", " : "", rows[i].more, NODES);
		b = load(text);
		s = diff(a, b);
		assert_non_null(strstr(s.text, rows[i].key));
		assert_int_equal(s.vital, rows[i].vital);
		assert_int_equal(s.fixed, rows[i].fixed);
		assert_string_not_equal(a->digest, b->digest);
		assert_int_equal(
		    strcmp(a->vital, b->vital) != 0, rows[i].vital > 0);
		conf_free(b);
	}
	s = diff(a, (b = load(BASE)));
	assert_non_null(strstr(s.text, "register.type: etcd -> "));
	assert_string_not_equal(a->vital, b->vital);
	conf_free(a);
	conf_free(b);
}

/* What may hold a secret is compared, and not shown. */
static void
test_secret(void **state)
{
	struct conf *a = load(BASE CHECKS), *b;
	char *text = xstrdup(BASE CHECKS);
	struct said s;
	int i;

	memcpy(strstr(text, "key=hunter2"), "key=swordfi", 11);
	b = load(text);
	free(text);
	s = diff(a, b);
	assert_string_equal(
	    s.text, "checks[web].path: not shown -> not shown\n");
	assert_string_not_equal(a->digest, b->digest);
	assert_string_equal(a->vital, b->vital);
	for (i = 0; i < a->setting_count; i++)
		assert_null(strstr(a->setting[i].text, "hunter2"));
	conf_free(a);
	conf_free(b);
}

/* The parts that may change go over; the others stay, and so do strings. */
static void
test_swap(void **state)
{
	struct conf *a = load(BASE CHECKS), *c;

	c = load("lease = { min_interval = \"1min\"; ttl = \"2s\"; };"
		 "rejoin = \"clone\"; mode = \"manual\";" BASE_MODE(""));
	conf_swap(a, c, CONF_CHECKS);
	assert_true(a->min_interval == 600 * USEC_SEC);
	conf_swap(a, c, conf_part("lease.min_interval"));
	assert_int_equal(a->check_count, 0);
	assert_int_equal(c->check_count, 2);
	assert_string_equal(c->check[1].name, "web");
	assert_true(a->min_interval == 60 * USEC_SEC);
	assert_int_equal(a->rejoin, CONF_REJOIN_CLONE);
	assert_int_equal(a->mode, MODE_MANUAL);
	assert_true(a->ttl == 5 * USEC_SEC);
	conf_swap(a, c, conf_part("checks[pg].name"));
	assert_int_equal(a->check_count, 2);
	assert_string_equal(a->check[1].name, "web");
	conf_free(c);
	assert_string_equal(a->check[1].name, "web");
	conf_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_same),
		cmocka_unit_test(test_differs), cmocka_unit_test(test_vital),
		cmocka_unit_test(test_secret), cmocka_unit_test(test_swap) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
