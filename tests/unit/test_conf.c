/*
 * The configuration: what good files become, what broken ones are told. Each
 * file of tests/conf/broken begins with "# expect: " lines; every one of them
 * must be part of one error, and there may be no further error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hawatch/conf.h"
#include "hawatch/file.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define SAMPLE SOURCE_ROOT "/conf/hawatch.conf"
#define MINIMAL SOURCE_ROOT "/tests/conf/minimal.conf"
#define BROKEN SOURCE_ROOT "/tests/conf/broken"

static struct conf *
load_good(const char *path, const char *node)
{
	struct conf_errors errors;
	struct conf *conf = conf_load(path, node, &errors);
	int i;

	for (i = 0; i < errors.count; i++)
		print_error("%s\n", errors.text[i]);
	assert_non_null(conf);
	assert_int_equal(errors.count, 0);
	conf_errors_free(&errors);
	return conf;
}

static void
test_sample_items(const struct conf *conf)
{
	const struct conf_item *item = conf->item;

	assert_int_equal(conf->item_count, 7);
	assert_int_equal(item[0].type, ITEM_SERVICE);
	assert_int_equal(item[0].when, ITEM_BEFORE);
	assert_true(item[0].required);
	assert_false(item[0].independent);
	assert_true(item[0].timeout == 8 * USEC_SEC);
	assert_true(conf_on(conf, item[0].on, 0));
	assert_false(conf_on(conf, item[0].on, 2));
	assert_int_equal(item[1].type, ITEM_LINE);
	assert_int_equal(item[1].when, ITEM_AFTER);
	assert_int_equal(item[1].many, MANY_FIRST);
	assert_string_equal(item[1].primary, "-l 127.0.0.1,${self.private_ip}");
	assert_string_equal(item[2].restart_on[0], "memcached-listen");
	assert_null(item[2].restart_on[1]);
	assert_string_equal(item[2].restart[2], "restart");
	assert_string_equal(item[3].standby, "");
	assert_string_equal(item[4].primary, "\\1localhost\\2");
	assert_string_equal(item[5].socket, "/run/supervisor.sock");
	assert_int_equal(item[6].type, ITEM_COMMAND);
	assert_int_equal(conf->traffic_count, 2);
	assert_int_equal(conf->traffic[0].from, FROM_HOLDER);
	assert_string_equal(conf->traffic[0].server, "${node}");
	assert_int_equal(conf->traffic[1].from, FROM_EVERY);
	assert_int_equal(conf->traffic[1].port, 5432);
}

static void
test_sample(void **state)
{
	struct conf *conf = load_good(SAMPLE, "prod-s2");

	assert_string_equal(conf->path, SAMPLE);
	assert_string_equal(conf->cluster, "votes");
	assert_int_equal(conf->mode, MODE_AUTO);
	assert_string_equal(conf_mode_str(conf->mode), "auto");
	assert_int_equal(conf->self, 1);
	assert_int_equal(conf->node_count, 3);
	assert_int_equal(conf->names.count, 3);
	assert_string_equal(conf->names.cluster, "votes");
	assert_string_equal(conf->names.node[2], "prod-a1");
	assert_int_equal(conf_data_nodes(conf), 3);
	assert_int_equal(conf->arbiter, 2);
	assert_int_equal(conf->node[1].repmgr_id, 2);
	assert_int_equal(conf->node[2].role, ROLE_WITNESS);
	assert_int_equal(conf->durability, DURABILITY_STRICT);
	assert_int_equal(conf->max_loss, 0);
	assert_true(conf->ttl == 5 * USEC_SEC);
	assert_true(conf->slack == 50 * USEC_MSEC);
	assert_true(conf->min_interval == 600 * USEC_SEC);
	assert_int_equal(conf->clock_ppm, 1000);
	assert_int_equal(conf->pg.backend, BACKEND_PG_CTLCLUSTER);
	assert_string_equal(conf->pg.cluster, "15/main");
	assert_null(conf->pg.start[0]);
	assert_true(conf->repmgr.enabled);
	assert_string_equal(conf->cert, "/etc/hawatch/pki/prod-s2.pem");
	assert_string_equal(conf->key, "/etc/hawatch/pki/prod-s2.key");
	assert_string_equal(conf->health_address, "");
	assert_int_equal(conf->health_port, 8008);
	assert_string_equal(conf->ping_body, "Web services are UP");
	assert_string_equal(conf->node[0].private_ip, "10.77.0.1");
	assert_int_equal(conf->check_count, 9);
	assert_string_equal(conf->check[2].type, "tcp");
	assert_int_equal(conf->check[2].port, 80);
	assert_true(conf->check[2].health);
	assert_true(conf->check[2].line > conf->check[1].line);
	assert_null(conf->check[2].on[0]);
	assert_string_equal(conf->check[4].address, "${primary.private_ip}");
	assert_true(conf->check[4].shared);
	assert_string_equal(conf->check[7].on[1], "prod-s2");
	assert_string_equal(conf->check[7].command[3], "-26 hours");
	test_sample_items(conf);
	conf_free(conf);
}

static void
test_minimal(void **state)
{
	struct conf *conf = load_good(MINIMAL, NULL);

	assert_string_equal(conf->node[conf->self].name, "b");
	assert_int_equal(conf->mode, MODE_MANUAL);
	assert_int_equal(conf->node[0].role, ROLE_DATA);
	assert_int_equal(conf->node[0].priority, 100);
	assert_true(conf->ttl == 5 * USEC_SEC);
	assert_int_equal(conf->pg.port, 5432);
	assert_int_equal(conf->pg.backend, BACKEND_ARGV);
	assert_string_equal(conf->pg.start[0], "/bin/true");
	assert_string_equal(conf->pg.start[1], "a b");
	assert_null(conf->pg.start[2]);
	assert_null(conf->pg.stop[0]);
	assert_string_equal(conf->pg.cluster, "");
	assert_string_equal(conf->pg.gate, "");
	assert_string_equal(conf->pg.data_directory, "/data");
	assert_true(conf->pg.start_timeout == 300 * USEC_SEC);
	assert_true(conf->pg.standby_timeout == USEC_SEC / 2);
	assert_string_equal(conf->cert, "/etc/hawatch/pki/b.pem");
	assert_string_equal(conf->state_dir, "/var/lib/hawatch");
	assert_string_equal(conf->run_dir, "/run/hawatch");
	assert_int_equal(conf->connections_max, 1024);
	assert_true(conf->idle_timeout == 10 * USEC_SEC);
	assert_int_equal(conf->check_count, 0);
	assert_int_equal(conf->item_count, 0);
	assert_int_equal(conf->traffic_count, 0);
	conf_free(conf);
	conf_free(NULL);
}

/* Amounts of bytes, in the units of PostgreSQL. */
static void
test_bounded(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} rows[] = { { "64kB", 65536 }, { "16MB", 16777216 },
		{ "0003GB", 3221225472 }, { "1TB", 1099511627776 },
		{ "1025GB", 0 }, { "2TB", 0 }, { "1MB ", 0 }, { "-1MB", 0 },
		{ "1.5MB", 0 }, { "MB", 0 }, { "", 0 },
		{ "99999999999999999999TB", 0 },
		{ "00000000000000000000000000000001MB", 0 } };
	char path[] = "/tmp/hawatch-conf-XXXXXX", *text, *all;
	struct conf_errors errors;
	struct error err;
	struct conf *conf;
	int fd = mkstemp(path);
	size_t i;

	assert_true(fd >= 0);
	close(fd);
	text = file_read(MINIMAL, 10000, NULL, &err);
	assert_non_null(text);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		all = xasprintf("%s\ndurability = \"bounded\";\n"
				"max_loss = \"%s\";\n",
		    text, rows[i].text);
		assert_int_equal(
		    file_replace(path, all, strlen(all), 0600, &err), 0);
		conf = conf_load(path, NULL, &errors);
		if ((conf != NULL) != (rows[i].bytes != 0))
			fail_msg("%s", rows[i].text);
		if (conf != NULL) {
			assert_int_equal(conf->durability, DURABILITY_BOUNDED);
			assert_true(conf->max_loss == rows[i].bytes);
		}
		conf_free(conf);
		conf_errors_free(&errors);
		free(all);
	}
	free(text);
	unlink(path);
}

/* Without node = the host's name decides. */
static void
test_self(void **state)
{
	struct conf_errors errors;
	char host[256] = "";
	struct error err;
	char path[] = "/tmp/hawatch-conf-XXXXXX";
	char *text, *name;
	struct conf *conf;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
	text = file_read(MINIMAL, 10000, NULL, &err);
	assert_non_null(text);
	name = strstr(text, "node = \"b\"");
	assert_non_null(name);
	memcpy(name, "#", 1);
	assert_int_equal(file_replace(path, text, strlen(text), 0600, &err), 0);
	conf = conf_load(path, NULL, &errors);
	assert_null(conf);
	assert_int_equal(errors.count, 1);
	assert_non_null(strstr(errors.text[0], host));
	assert_non_null(strstr(errors.text[0], "not in nodes"));
	conf_errors_free(&errors);
	free(text);
	text =
	    xasprintf("cluster = \"x\"; mode = \"observe\"; nodes = ("
		      "{ name = \"%s\"; address = \"10.0.0.1\"; repmgr_id = "
		      "1; },\n{ name = \"w\"; address = \"10.0.0.2\"; role = "
		      "\"witness\"; }); register = { node = \"w\"; };\n"
		      "postgres = { data_directory = \"/d\"; "
		      "socket_directory = \"/s\"; backend = \"argv\"; start "
		      "= [ \"/bin/true\" ]; };",
		host);
	assert_int_equal(file_replace(path, text, strlen(text), 0600, &err), 0);
	conf = load_good(path, NULL);
	assert_int_equal(conf->self, 0);
	conf_free(conf);
	conf = load_good(path, "w");
	assert_int_equal(conf->self, 1);
	conf_free(conf);
	free(text);
	unlink(path);
}

static void
expect_one(const char *path, const char *fragment)
{
	struct conf_errors errors;

	assert_null(conf_load(path, "prod-s1", &errors));
	assert_int_equal(errors.count, 1);
	if (strstr(errors.text[0], fragment) == NULL)
		fail_msg("%s\ndoes not say: %s", errors.text[0], fragment);
	conf_errors_free(&errors);
}

static void
test_odd_files(void **state)
{
	char dir[] = "/tmp/hawatch-conf-XXXXXX";
	char *path, *big;
	struct error err;

	assert_non_null(mkdtemp(dir));
	path = xasprintf("%s/x", dir);
	expect_one(path, "No such file or directory; write the configuration");
	expect_one(dir, "is a directory, not a regular file;");
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_one(path, "not a regular file;");
	unlink(path);
	assert_int_equal(
	    file_replace(path, "cluster = \0 \"x\";", 15, 0600, &err), 0);
	expect_one(path, "has a byte 0 at offset 10;");
	big = xcalloc(1, 2 * 1024 * 1024);
	memset(big, '\n', 2 * 1024 * 1024);
	assert_int_equal(
	    file_replace(path, big, 2 * 1024 * 1024, 0600, &err), 0);
	expect_one(path, "is longer than 1048576 bytes;");
	free(big);
	assert_int_equal(file_replace(path, "", 0, 0666, &err), 0);
	expect_one(path, "may be written by everybody");
	unlink(path);
	free(path);
	rmdir(dir);
}

/* An empty file is told everything that must be there. */
static void
test_empty(void **state)
{
	static const char *const keys[] = { "cluster", "mode", "nodes",
		"postgres.data_directory", "postgres.socket_directory",
		"postgres.backend", "register.node" };
	char path[] = "/tmp/hawatch-conf-XXXXXX";
	struct conf_errors errors;
	int fd = mkstemp(path);
	char *want;
	size_t i;

	assert_true(fd >= 0);
	close(fd);
	assert_null(conf_load(path, NULL, &errors));
	assert_int_equal(errors.count, sizeof(keys) / sizeof(keys[0]));
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		want = xasprintf("%s:1: %s is missing; write ", path, keys[i]);
		assert_true(str_starts(errors.text[i], want));
		free(want);
	}
	conf_errors_free(&errors);
	unlink(path);
}

/* The "# expect: " lines of a broken file. */
static int
read_expected(const char *path, char *text, const char **expected, int max)
{
	static const char mark[] = "# expect: ";
	char *line, *rest = NULL;
	int n = 0;

	for (line = strtok_r(text, "\n", &rest);
	     line != NULL && str_starts(line, mark);
	     line = strtok_r(NULL, "\n", &rest)) {
		assert_true(n < max);
		expected[n++] = line + sizeof(mark) - 1;
	}
	if (n == 0)
		fail_msg("%s expects nothing", path);
	return n;
}

static void
check_broken(const char *path)
{
	struct conf_errors errors;
	struct error err;
	const char *expected[64];
	bool used[64] = { false };
	char *text = file_read(path, 100000, NULL, &err);
	char *name;
	int i, j, n, line, before = 0;

	assert_non_null(text);
	n = read_expected(path, text, expected, 64);
	assert_null(conf_load(path, NULL, &errors));
	name = xasprintf("%s:", path);
	for (i = 0; i < errors.count; i++) {
		assert_true(str_starts(errors.text[i], name));
		assert_non_null(strstr(errors.text[i], "; "));
		line = atoi(errors.text[i] + strlen(name));
		assert_true(line >= before);
		before = line;
		for (j = 0; j < n; j++)
			if (!used[j] &&
			    strstr(errors.text[i] + strlen(path), expected[j]))
				break;
		if (j == n)
			fail_msg("not expected: %s", errors.text[i]);
		used[j] = true;
	}
	for (j = 0; j < n; j++)
		if (!used[j])
			fail_msg("%s: nobody said: %s", path, expected[j]);
	conf_errors_free(&errors);
	free(name);
	free(text);
}

static void
test_broken(void **state)
{
	struct dirent *entry;
	DIR *dir = opendir(BROKEN);
	char *path;
	int n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (strstr(entry->d_name, ".conf") == NULL)
			continue;
		path = xasprintf("%s/%s", BROKEN, entry->d_name);
		check_broken(path);
		free(path);
		n++;
	}
	closedir(dir);
	assert_true(n >= 20);
}

/* The example of a cluster whose register is in etcd. */
static void
test_etcd(void **state)
{
	struct conf *conf =
	    load_good(SOURCE_ROOT "/conf/examples/etcd.conf", "prod-s2");

	assert_int_equal(conf->reg.type, REGISTER_ETCD);
	assert_int_equal(conf->arbiter, NODE_NONE);
	assert_string_equal(conf->reg.endpoints[2], "10.77.0.3:2379");
	assert_null(conf->reg.endpoints[3]);
	assert_string_equal(conf->reg.key, "/etc/hawatch/etcd/prod-s2.key");
	assert_string_equal(conf->reg.prefix, "/hawatch/");
	assert_string_equal(conf->reg.user, "");
	conf_free(conf);
}

/* Two lone hosts: nobody's silence is a proof. */
static void
test_none(void **state)
{
	struct conf *conf =
	    load_good(SOURCE_ROOT "/conf/examples/two-hosts.conf", "prod-s2");

	assert_int_equal(conf->reg.type, REGISTER_NONE);
	assert_int_equal(conf->arbiter, NODE_NONE);
	assert_false(conf->proof_lease);
	assert_false(conf->proof_agent);
	conf_free(conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_minimal),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_self),
		cmocka_unit_test(test_odd_files),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_etcd),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
