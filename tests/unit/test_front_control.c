/*
 * The real hawatch-front, its peer port, operators: who is let in and for
 * what, how an answer comes line by line, and that those who ask too much or
 * read too slowly cost the nodes nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fronttest.h"

#define OF_ONE 8
#define OPERATORS 16

static int
setup(void **state)
{
	char cmd[900];

	(void)fh_group_setup(state);
	/* Of the right authority, and of yesterday. */
	(void)snprintf(cmd, sizeof(cmd),
	    "cd %s && mkdir old && cp ann.key old/ann.key && "
	    "openssl req -new -key ann.key -subj /CN=ann -out old/ann.csr && "
	    "touch old/index && echo 01 > old/serial && "
	    "printf '[ca]\\ndefault_ca=x\\n[x]\\ndatabase=old/index\\n"
	    "serial=old/serial\\nnew_certs_dir=old\\ndefault_md=sha256\\n"
	    "policy=p\\n[p]\\ncommonName=supplied\\n' > old/cnf && "
	    "openssl ca -batch -config old/cnf -cert ca.pem -keyfile ca.key "
	    "-startdate 20200101000000Z -enddate 20200102000000Z "
	    "-in old/ann.csr -out old/ann.pem -notext 2>/dev/null",
	    fh.dir);
	return system(cmd);
}

static void
line(uint64_t id, const char *text, bool last)
{
	fh_send(&fh, json_pack("{s:I,s:s,s:b}", "line", (json_int_t)id, "text",
			 text, "last", (int)last));
}

/* To its end; the length. */
static size_t
all(struct ssl_st *ssl, char *buf, size_t size)
{
	size_t len = 0;
	int n;

	while (len + 1 < size &&
	       (n = SSL_read(ssl, buf + len, (int)(size - len - 1))) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	return len;
}

static struct ssl_st *
operator_of(const char *name)
{
	struct ssl_st *a = fh_tls(&fh, fh.dir, name, 0);

	assert_non_null(a);
	return a;
}

static struct ssl_st *
operator(void)
{
	return operator_of("ann");
}

static void
crowded(const char *name, bool told)
{
	struct ssl_st *last = operator_of(name);
	char buf[4096];

	(void)fh_tls_post(last, "/v1/control", "{}", 2);
	assert_int_equal(fh_tls_answer(last, buf, sizeof(buf)), 503);
	assert_true(fh_has(buf, "too-many-operators"));
	/* Not each time: one who comes again and again fills no log. */
	if (told)
		fh_log("operators", name);
	fh_tls_close(last);
}

static void
test_lines(void **state)
{
	struct ssl_st *a = operator(), *b = operator();
	uint64_t first, second;
	char buf[4096];

	assert_true(fh_tls_post(a, "/v1/control", "{\"verb\":\"x\"}", 12));
	first = fh_request("ann", "/v1/control", NULL);
	assert_true(fh_tls_post(b, "/v1/control", "{}", 2));
	second = fh_request("ann", "/v1/control", NULL);
	line(second, "{\"step\":2}\n", false);
	line(first, "{\"step\":1}\n", false);
	line(second, "{\"exit\":1}\n", true);
	line(first, "{\"ex", false);
	line(first, "it\":0}\n", true);
	line(first, "{\"late\":1}\n", true);
	line(1, "{\"never asked\":1}\n", true);
	(void)all(a, buf, sizeof(buf));
	assert_true(fh_has(buf, "HTTP/1.1 200 OK\r\n"));
	assert_true(fh_has(buf, "Cache-Control: no-store\r\n"));
	assert_string_equal(
	    strstr(buf, "\r\n\r\n"), "\r\n\r\n{\"step\":1}\n{\"exit\":0}\n");
	(void)all(b, buf, sizeof(buf));
	assert_string_equal(
	    strstr(buf, "\r\n\r\n"), "\r\n\r\n{\"step\":2}\n{\"exit\":1}\n");
	fh_tls_close(a);
	fh_tls_close(b);
	/* Whose asker is gone finds nobody. */
	a = operator();
	assert_true(fh_tls_post(a, "/v1/control", "{}", 2));
	first = fh_request("ann", "/v1/control", NULL);
	fh_tls_close(a);
	line(first, "{\"exit\":0}\n", true);
	assert_int_equal(
	    fh_get(fh.health_port, "/live", buf, sizeof(buf)), 503);
}

static void
refused(struct ssl_st *a, const char *path, const char *why, const char *log)
{
	char buf[4096];

	assert_non_null(a);
	assert_true(fh_tls_post(a, path, "{}", 2));
	assert_int_equal(fh_tls_answer(a, buf, sizeof(buf)), 403);
	assert_true(fh_has(buf, why));
	fh_log("role", log);
	assert_null(fh_next(&fh, 50));
	fh_tls_close(a);
}

static void
test_node_gives_no_orders(void **state)
{
	refused(
	    fh_tls(&fh, fh.dir, "s1", 0), "/v1/control", "no-operator", "s1");
}

static void
test_operator_is_no_node(void **state)
{
	refused(operator(), "/v1/cas", "no-node", "ann");
}

static void
unknown(const char *dir, const char *cert, const char *what, const char *why)
{
	char path[128], buf[4096];
	struct ssl_st *a;

	(void)snprintf(path, sizeof(path), "%s%s", fh.dir, dir);
	a = fh_tls(&fh, path, cert, 0);
	if (a != NULL) {
		(void)fh_tls_post(a, "/v1/control", "{}", 2);
		assert_int_equal(fh_tls_answer(a, buf, sizeof(buf)), 0);
		fh_tls_close(a);
	}
	fh_log(what, why);
	assert_null(fh_next(&fh, 50));
}

/* Who it says that he is, is in the log. */
static void
test_unknown_operator(void **state)
{
	unknown("", "eve", "name", "no operator: eve");
}

static void
test_expired(void **state)
{
	unknown("/old", "ann", "tls", "expired: ann");
}

static void
test_other_authority(void **state)
{
	unknown("/other", "ann", "tls", ": ann");
}

/* Their places are their own, and nobody's alone. */
static void
test_too_many_operators(void **state)
{
	struct ssl_st *many[OPERATORS], *last, *node;
	const char *name;
	char buf[4096];
	int i;

	for (i = 0; i < OPERATORS; i++) {
		name = i < OF_ONE ? "ann" : "bob";
		if (i == OF_ONE)
			crowded("ann", true);
		many[i] = operator_of(name);
		assert_true(fh_tls_post(many[i], "/v1/control", "{}", 2));
		(void)fh_request(name, "/v1/control", NULL);
	}
	crowded("bob", false);
	node = fh_tls(&fh, fh.dir, "s2", 0);
	assert_non_null(node);
	assert_true(fh_tls_post(node, "/v1/cas", "{}", 2));
	fh_reply(&fh, fh_request("s2", "/v1/cas", NULL), "{}");
	assert_int_equal(fh_tls_answer(node, buf, sizeof(buf)), 200);
	fh_tls_close(node);
	for (i = 0; i < OPERATORS; i++)
		fh_tls_close(many[i]);
	/* And they come back. */
	last = operator();
	assert_true(fh_tls_post(last, "/v1/control", "{}", 2));
	(void)fh_request("ann", "/v1/control", NULL);
	fh_tls_close(last);
}

/* One who does not read is dropped, and nobody waits for him. */
static void
test_slow_reader(void **state)
{
	struct ssl_st *a = operator(), *node;
	char *part = malloc(FRAME_PART_MAX + 1), buf[4096];
	uint64_t id;
	int i;

	memset(part, 'x', FRAME_PART_MAX);
	part[FRAME_PART_MAX] = '\0';
	assert_true(fh_tls_post(a, "/v1/control", "{}", 2));
	id = fh_request("ann", "/v1/control", NULL);
	for (i = 0; i < 1024; i++)
		line(id, part, false);
	fh_log("slow", "reader");
	node = fh_tls(&fh, fh.dir, "s2", 0);
	assert_non_null(node);
	assert_true(fh_tls_post(node, "/v1/cas", "{}", 2));
	fh_reply(&fh, fh_request("s2", "/v1/cas", NULL), "{}");
	assert_int_equal(fh_tls_answer(node, buf, sizeof(buf)), 200);
	fh_tls_close(node);
	fh_tls_close(a);
	free(part);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fh_test_start, fh_test_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lines),
		TEST(test_node_gives_no_orders),
		TEST(test_operator_is_no_node),
		TEST(test_unknown_operator),
		TEST(test_expired),
		TEST(test_other_authority),
		TEST(test_too_many_operators),
		TEST(test_slow_reader),
	};

	return cmocka_run_group_tests(tests, setup, fh_group_teardown);
}
