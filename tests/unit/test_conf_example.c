/*
 * The example of a deployment: every node of it loads it, its items come in the
 * order that it explains, and each of its expressions does to the files of that
 * site what it says, and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "converge/converge_text.h"
#include "hawatch/conf.h"
#include "hawatch/template.h"

#define EXAMPLE SOURCE_ROOT "/conf/examples/sequent.conf"

static const char memcached_conf[] = "# -d runs it as a daemon\n"
				     "-d\n"
				     "logfile /var/log/memcached.log\n"
				     "-m 64\n"
				     "-p 11211\n"
				     "-u memcache\n"
				     "-l %s\n"
				     "-P /var/run/memcached/memcached.pid\n";

static const char ballot_box_conf[] =
    "application.secret = \"...\"\n"
    "db.default.url=\"jdbc:postgresql://%s:5432/ballot_box\"\n"
    "db.default.driver=\"org.postgresql.Driver\"\n"
    "db.default.user=ballot_box\n"
    "db.default.pass=\"...\"\n"
    "app.datastore.ssl_root=\"https://vote.example.com:14453\"\n"
    "app.eopeers.dir=/etc/eopeers/\n"
    "# memcached\n"
    "ehcacheplugin=disabled\n"
    "memcached.host=\"%s:11211\"\n"
    "logger.memcached=WARN\n"
    "app.cache.expiration_seconds = 5\n";

static const char deploy_py[] = "EMAIL_HOST = 'localhost'\n"
				"DATABASES = {\n"
				"    'default': {\n"
				"        'ENGINE': "
				"'django.db.backends.postgresql',\n"
				"        'NAME': 'iam',\n"
				"        'USER': 'iam',\n"
				"        'PASSWORD': '...',\n"
				"        'HOST': '%s',\n"
				"        'PORT': '5432',\n"
				"    }\n"
				"}\n"
				"ROOT_URLCONF = 'custom_urls'\n";

static struct conf *
load(const char *node)
{
	struct conf_errors errors;
	struct conf *conf = conf_load(EXAMPLE, node, &errors);
	int i;

	for (i = 0; i < errors.count; i++)
		print_error("%s\n", errors.text[i]);
	assert_non_null(conf);
	conf_errors_free(&errors);
	return conf;
}

static int
item_index(const struct conf *conf, const char *name)
{
	int i;

	for (i = 0; i < conf->item_count; i++)
		if (strcmp(conf->item[i].name, name) == 0)
			return i;
	fail_msg("no item %s", name);
	return -1;
}

static const struct conf_item *
item(const struct conf *conf, const char *name)
{
	return &conf->item[item_index(conf, name)];
}

/* Every text of the file through the item; the same again changes nothing. */
static void
renders(const char *node, const char *name, const char *primary,
    const char *from, const char *to)
{
	struct conf *conf = load(node);
	const struct conf_item *it = item(conf, name);
	bool here = strcmp(node, primary) == 0;
	struct text_rule rule = { .match = it->match, .many = it->many };
	struct text_out out, again;
	struct error err;
	char *text;

	assert_int_equal(it->type, ITEM_LINE);
	text = template_expand(conf, here ? it->primary : it->standby,
	    strcmp(primary, "prod-s1") == 0 ? 0 : 1);
	rule.text = text;
	if (text_render(from, strlen(from), &rule, &out, &err) == -1)
		fail_msg("%s: %s", name, err.msg);
	assert_string_equal(out.data, to);
	assert_true(out.changed == (strcmp(from, to) != 0));
	assert_int_equal(
	    text_render(out.data, out.len, &rule, &again, &err), 0);
	assert_false(again.changed);
	assert_string_equal(again.data, to);
	free(again.data);
	free(out.data);
	free(text);
	conf_free(conf);
}

static void
refuses(const char *name, const char *from)
{
	struct conf *conf = load("prod-s1");
	const struct conf_item *it = item(conf, name);
	struct text_rule rule = {
		.match = it->match, .text = it->primary, .many = it->many
	};
	struct text_out out;
	struct error err;

	assert_int_equal(
	    text_render(from, strlen(from), &rule, &out, &err), -1);
	conf_free(conf);
}

static void
test_every_node(void **state)
{
	static const char *const nodes[] = { "prod-s1", "prod-s2", "prod-a1" };
	struct conf *conf;
	node_t n;
	int i;

	for (n = 0; n < 3; n++) {
		conf = load(nodes[n]);
		assert_int_equal(conf->self, n);
		assert_string_equal(conf->node[n].name, nodes[n]);
		for (i = 0; i < conf->item_count; i++)
			assert_true(
			    conf_on(conf, conf->item[i].on, n) == (n < 2));
		conf_free(conf);
	}
}

static void
test_order(void **state)
{
	struct conf *conf = load("prod-s1");
	const struct conf_item *it = item(conf, "pullers");
	int last = conf->item_count - 1;

	assert_int_equal(item_index(conf, "pullers"), 0);
	assert_int_equal(it->when, ITEM_BEFORE);
	assert_true(it->required);
	assert_string_equal(it->primary, "stopped");
	assert_string_equal(it->sweep, "/usr/bin/syncdirs_from_master.sh");
	assert_int_equal(item_index(conf, "iam_celery_beat"), last);
	assert_false(conf->item[last].independent);
	assert_string_equal(conf->item[last].standby, "");
	assert_string_equal(item(conf, "beat-elsewhere")->primary, "");
	assert_string_equal(item(conf, "beat-elsewhere")->standby, "stopped");
	assert_true(item_index(conf, "memcached") < item_index(conf, "cache"));
	assert_true(
	    item_index(conf, "iam_celery") > item_index(conf, "ballot-box"));
	assert_false(item(conf, "iam_celery")->independent);
	assert_true(item(conf, "ballot-box")->independent);
	assert_true(item(conf, "iam")->independent);
	conf_free(conf);
}

/* The text of a file with host in both its places. */
static const char *
with(char *buf, size_t size, const char *text, const char *host,
    const char *other)
{
	const char *at, *put = host;
	size_t len = 0;

	for (at = text; *at != '\0'; at++) {
		if (at[0] == '%' && at[1] == 's') {
			assert_true(len + strlen(put) < size);
			memcpy(buf + len, put, strlen(put));
			len += strlen(put);
			put = other;
			at++;
			continue;
		}
		assert_true(len + 1 < size);
		buf[len++] = *at;
	}
	buf[len] = '\0';
	return buf;
}

struct change {
	const char *item, *text;
	const char *from[2], *to[2];
	const char *node, *primary;
};

static void
test_lines(void **state)
{
	static const struct change changes[] = {
		{ "memcached-listen", memcached_conf, { "127.0.0.1" },
		    { "127.0.0.1,172.31.43.90" }, "prod-s2", "prod-s2" },
		{ "memcached-listen", memcached_conf,
		    { "127.0.0.1,172.31.43.83" }, { "127.0.0.1" }, "prod-s1",
		    "prod-s2" },
		{ "memcached-listen", memcached_conf, { "127.0.0.1" },
		    { "127.0.0.1" }, "prod-s1", "prod-s2" },
		{ "ballot-box-db", ballot_box_conf, { "prod-s1", "prod-s1" },
		    { "localhost", "prod-s1" }, "prod-s2", "prod-s2" },
		{ "ballot-box-db", ballot_box_conf, { "localhost", "x" },
		    { "prod-s2", "x" }, "prod-s1", "prod-s2" },
		{ "ballot-box-memcached", ballot_box_conf,
		    { "prod-s1", "prod-s1" }, { "prod-s1", "127.0.0.1" },
		    "prod-s2", "prod-s2" },
		{ "ballot-box-memcached", ballot_box_conf, { "x", "127.0.0.1" },
		    { "x", "prod-s2" }, "prod-s1", "prod-s2" },
		{ "iam-db", deploy_py, { "prod-s1" }, { "localhost" },
		    "prod-s2", "prod-s2" },
		{ "iam-db", deploy_py, { "localhost" }, { "prod-s2" },
		    "prod-s1", "prod-s2" },
	};
	const struct change *c;
	char from[1000], to[1000];
	size_t i;

	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		c = &changes[i];
		renders(c->node, c->item, c->primary,
		    with(from, sizeof(from), c->text, c->from[0], c->from[1]),
		    with(to, sizeof(to), c->text, c->to[0], c->to[1]));
	}
}

/* What the files might look like besides. */
static void
test_lines_odd(void **state)
{
	/* The playbook's own expression may have added a line. */
	renders("prod-s2", "memcached-listen", "prod-s2",
	    "-m 64\n  -l 10.0.0.1\n-l 127.0.0.1\n-p 11211\n",
	    "-m 64\n-l 127.0.0.1,172.31.43.90\n-p 11211\n");
	/* No port; parameters; the ends of lines of another system. */
	renders("prod-s2", "ballot-box-db", "prod-s1",
	    "db.default.url=\"jdbc:postgresql://localhost/ballot_box\"\n",
	    "db.default.url=\"jdbc:postgresql://prod-s1/ballot_box\"\n");
	renders("prod-s2", "ballot-box-db", "prod-s1",
	    "db.default.url=\"jdbc:postgresql://localhost:5432/b?ssl=true\"\n",
	    "db.default.url=\"jdbc:postgresql://prod-s1:5432/b?ssl=true\"\n");
	renders("prod-s2", "ballot-box-memcached", "prod-s1",
	    "memcached.host=\"localhost:11211\"\r\nx=y\r\n",
	    "memcached.host=\"prod-s1:11211\"\r\nx=y\r\n");
	renders("prod-s2", "iam-db", "prod-s1", "  'HOST':''\n",
	    "  'HOST':'prod-s1'\n");
	/* None, or two: never a guess. */
	refuses(
	    "ballot-box-db", "# db.default.url=\"jdbc:postgresql://a:1/\"\n");
	refuses("ballot-box-memcached",
	    "memcached.host=\"a:1\"\nmemcached.host=\"b:1\"\n");
	refuses("iam-db", "EMAIL_HOST = 'localhost'\n");
	refuses("iam-db", "'HOST': 'a',\n'HOST': 'b',\n");
	refuses("memcached-listen", "-m 64\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_node),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_lines_odd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
