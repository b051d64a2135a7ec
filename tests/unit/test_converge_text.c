/*
 * Rendering of a line: the lines of a web host as they are there, and what
 * must not be touched, guessed or told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "converge/converge_text.h"
#include "hawatch/mem.h"
#include "hawatch/template.h"

#define LISTEN "^[[:space:]]*-l.*$"
#define CACHE "^memcached\\.host=.*$"
#define DB "^(db\\.default\\.url=\"jdbc:postgresql://)[^:/]+(:.*)$"
#define APP \
	"^([[:space:]]*\"app_host\"[[:space:]]*:[[:space:]]*\")[^\"]*(\".*)$"
#define HOST "^([[:space:]]*'HOST':[[:space:]]*')[^']*(',)"
#define AUTOSTART "^autostart=.*$"

#define MEMCACHED(listen) \
	"# memcached default config file\n-d\nlogfile " \
	"/var/log/memcached.log\n# -v\n-m 64\n-p 11211\n-u memcache\n" listen \
	"-P /var/run/memcached/memcached.pid\n"
#define PLAY(db, cache) \
	"application.secret = \"s3cret\"\n" db \
	"db.default.driver=\"org.postgresql.Driver\"\n" \
	"db.default.pass=\"hunter2\"\n# memcached\nehcacheplugin=disabled\n" cache \
	"logger.memcached=WARN\n"
#define SETTINGS(app) \
	"{\n    \"db_port\": 5432,\n" app "    \"app_port\": 9000,\n" \
	"    \"iam_port\": 10081,\n}\n"
#define DEPLOY(host) \
	"EMAIL_HOST = 'mail'\nDATABASES = {\n    'default': {\n" \
	"        'PASSWORD': 'hunter2',\n" host "        'PORT': '5432',\n" \
	"    }\n}\nROOT_URLCONF = 'custom_urls'\n"

struct row {
	const char *name;
	const char *match, *text;
	enum conf_item_many many;
	const char *in;
	const char *out;   /* NULL: refused */
	const char *wrong; /* part of the reason */
};

/* Both ways of each: what the primary has and what a standby has. */
static const struct row rows[] = {
	{ "D01 to primary", LISTEN, "-l 127.0.0.1,172.31.43.83", MANY_FIRST,
	    MEMCACHED("-l 127.0.0.1\n"),
	    MEMCACHED("-l 127.0.0.1,172.31.43.83\n"), NULL },
	{ "D01 to standby", LISTEN, "-l 127.0.0.1", MANY_FIRST,
	    MEMCACHED("-l 127.0.0.1,172.31.43.83\n"),
	    MEMCACHED("-l 127.0.0.1\n"), NULL },
	{ "D01 keep first", LISTEN, "-l 127.0.0.1", MANY_FIRST,
	    MEMCACHED("-l 10.0.0.1\n") "  -l 10.0.0.2\n-k\n-l x",
	    MEMCACHED("-l 127.0.0.1\n") "-k\n", NULL },
	{ "D02 to primary", CACHE, "memcached.host=\"127.0.0.1:11211\"",
	    MANY_ERROR, PLAY("", "memcached.host=\"prod-s1:11211\"\n"),
	    PLAY("", "memcached.host=\"127.0.0.1:11211\"\n"), NULL },
	{ "D02 to standby", CACHE, "memcached.host=\"prod-s1:11211\"",
	    MANY_ERROR, PLAY("", "memcached.host=\"127.0.0.1:11211\"\n"),
	    PLAY("", "memcached.host=\"prod-s1:11211\"\n"), NULL },
	{ "D03 to primary", DB, "\\1localhost\\2", MANY_ERROR,
	    PLAY("db.default.url=\"jdbc:postgresql://prod-s1:5432/"
		 "ballot_box\"\n",
		""),
	    PLAY("db.default.url=\"jdbc:postgresql://localhost:5432/"
		 "ballot_box\"\n",
		""),
	    NULL },
	{ "D03 to standby", DB, "\\1prod-s1\\2", MANY_ERROR,
	    PLAY("db.default.url=\"jdbc:postgresql://localhost:5432/"
		 "ballot_box\"\n",
		""),
	    PLAY("db.default.url=\"jdbc:postgresql://prod-s1:5432/"
		 "ballot_box\"\n",
		""),
	    NULL },
	{ "D04 to primary", APP, "\\1localhost\\2", MANY_ERROR,
	    SETTINGS("    \"app_host\": \"prod-s1\",\n"),
	    SETTINGS("    \"app_host\": \"localhost\",\n"), NULL },
	{ "D04 to standby", APP, "\\1prod-s1\\2", MANY_ERROR,
	    SETTINGS("    \"app_host\": \"localhost\",\n"),
	    SETTINGS("    \"app_host\": \"prod-s1\",\n"), NULL },
	{ "D05 to primary", HOST, "\\1localhost\\2", MANY_ERROR,
	    DEPLOY("        'HOST': 'prod-s1',\n"),
	    DEPLOY("        'HOST': 'localhost',\n"), NULL },
	{ "D05 to standby", HOST, "\\1prod-s1\\2", MANY_ERROR,
	    DEPLOY("        'HOST': 'localhost',\n"),
	    DEPLOY("        'HOST': 'prod-s1',\n"), NULL },
	{ "D05 two databases", HOST, "\\1localhost\\2", MANY_ERROR,
	    "'HOST': 'a',\n'HOST': 'b',\n", NULL,
	    "2 lines match instead of one (1, 2)" },
	{ "D07", AUTOSTART, "autostart=false", MANY_ERROR,
	    "[program:syncdirs-from-master]\nautostart=true\n"
	    "autorestart=true\n",
	    "[program:syncdirs-from-master]\nautostart=false\n"
	    "autorestart=true\n",
	    NULL },
	{ "already so", CACHE, "memcached.host=\"a\"", MANY_ERROR,
	    "x\nmemcached.host=\"a\"\n", "x\nmemcached.host=\"a\"\n", NULL },
	{ "ends of lines", "^a=.*$", "a=2", MANY_ERROR, "x\r\na=1\r\ny\r\n",
	    "x\r\na=2\r\ny\r\n", NULL },
	{ "mixed ends", "^a=.*$", "a=2", MANY_ERROR, "x\r\na=1\ny\r\n",
	    "x\r\na=2\ny\r\n", NULL },
	{ "lone returns", "^a=.*$", "a=2", MANY_ERROR, "x\ry\na=1\r",
	    "x\ry\na=2", NULL },
	{ "no final newline", "^a=.*$", "a=2", MANY_ERROR, "x\na=1", "x\na=2",
	    NULL },
	{ "empty lines", "^a=.*$", "a=2", MANY_ERROR, "\n\na=1\n\n\n",
	    "\n\na=2\n\n\n", NULL },
	{ "an empty line matches", "^$", "", MANY_ERROR, "a\n\nb\n", "a\n\nb\n",
	    NULL },
	{ "bytes that are no UTF-8", "^a=.*$", "a=2", MANY_ERROR,
	    "\xff\xfe\na=\xe4\xf6\n\x80\n", "\xff\xfe\na=2\n\x80\n", NULL },
	{ "kept in a group", "^(a=.*;).*$", "\\1x", MANY_ERROR,
	    "a=\xe4\xff;old\n", "a=\xe4\xff;x\n", NULL },
	{ "group of none", "^(a)?b=(.*)$", "\\1b=\\2", MANY_ERROR, "b=1\n",
	    "b=1\n", NULL },
	{ "nine groups", "^(.)(.)(.)(.)(.)(.)(.)(.)(.)$",
	    "\\1\\2\\3\\4\\5\\6\\7\\8\\9", MANY_ERROR, "123456789\n",
	    "123456789\n", NULL },
	{ "backslash and dollar", "^a=.*$", "a=\\\\ \\${x} & $HOME", MANY_ERROR,
	    "a=1\n", "a=\\ ${x} & $HOME\n", NULL },
	{ "the end of a line is one", "^a=.*$", "a=2", MANY_ERROR,
	    "ba=1\na=1\n", "ba=1\na=2\n", NULL },
	{ "none", "^a=.*$", "a=2", MANY_ERROR, "b=1\n", NULL,
	    "no line matches" },
	{ "none, first", "^a=.*$", "a=2", MANY_FIRST, "b=1\n", NULL,
	    "no line matches" },
	{ "empty file", "^a=.*$", "a=2", MANY_ERROR, "", NULL,
	    "no line matches" },
	{ "many", "^a=.*$", "a=2", MANY_ERROR, "a=1\nb\na=2\na=\na=\na=\na=\n",
	    NULL, "6 lines match instead of one (1, 3, 4, 5, 6, ...)" },
	{ "not found again", "^a=.*$", "b=1", MANY_ERROR, "x\na=hunter2\n",
	    NULL, "line 2, once changed, would not match any more" },
	{ "grows", "^(a=.*)$", "\\1x", MANY_ERROR, "a=1\n", NULL,
	    "line 1, once changed, would change again" },
	{ "bad expression", "^(a=.*$", "a=2", MANY_ERROR, "a=1\n", NULL,
	    "match: Unmatched ( or \\(" },
};

static void
check_row(const struct row *row)
{
	const struct text_rule rule = { row->match, row->text, row->many };
	struct text_out out = { 0 }, again = { 0 };
	struct error err;

	if (row->out == NULL) {
		if (text_render(row->in, strlen(row->in), &rule, &out, &err) ==
		    0)
			fail_msg("%s: was not refused", row->name);
		if (strstr(err.msg, row->wrong) == NULL)
			fail_msg("%s: %s", row->name, err.msg);
		assert_null(strstr(err.msg, "hunter2"));
		assert_null(out.data);
		return;
	}
	if (text_render(row->in, strlen(row->in), &rule, &out, &err) != 0)
		fail_msg("%s: %s", row->name, err.msg);
	if (strcmp(out.data, row->out) != 0)
		fail_msg("%s: [%s]", row->name, out.data);
	assert_int_equal(out.len, strlen(row->out));
	assert_int_equal(out.changed, strcmp(row->in, row->out) != 0);
	assert_true(out.line > 0);
	/* What was brought about is left alone. */
	assert_int_equal(
	    text_render(out.data, out.len, &rule, &again, &err), 0);
	assert_false(again.changed);
	assert_int_equal(again.line, out.line);
	free(again.data);
	free(out.data);
}

static void
test_rows(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i]);
}

static void
test_no_text(void **state)
{
	const struct text_rule rule = { "^a=.*$", "a=2", MANY_ERROR };
	struct text_out out = { 0 };
	struct error err;
	char *big = xcalloc(1, TEXT_MAX + 2);

	assert_int_equal(text_render("a=1\n\0", 5, &rule, &out, &err), -1);
	assert_non_null(strstr(err.msg, "not a text"));
	memset(big, 'x', TEXT_MAX + 1);
	assert_int_equal(text_render(big, TEXT_MAX + 1, &rule, &out, &err), -1);
	assert_non_null(strstr(err.msg, "longer than 4194304 bytes"));
	/* As long as it may be is well, until it would grow. */
	memcpy(big, "a=1\n", 4);
	assert_int_equal(text_render(big, TEXT_MAX, &rule, &out, &err), 0);
	assert_int_equal(out.len, TEXT_MAX);
	free(out.data);
	memcpy(big, "a=\nx", 4);
	out.data = NULL;
	assert_int_equal(text_render(big, TEXT_MAX, &rule, &out, &err), -1);
	assert_non_null(strstr(err.msg, "would be longer"));
	free(big);
}

/* One line that is long: the expression's own memory is bounded. */
static void
test_long_line(void **state)
{
	const struct text_rule rule = { APP, "\\1b\\2", MANY_ERROR };
	struct text_out out = { 0 };
	struct error err;
	size_t len = 300000;
	char *big = xcalloc(1, len + 1);

	memset(big, 'x', len);
	memcpy(big, "\"app_host\": \"a\"", 15);
	assert_int_equal(text_render(big, len, &rule, &out, &err), 0);
	assert_int_equal(out.len, len);
	assert_memory_equal(out.data, "\"app_host\": \"b\"x", 16);
	free(out.data);
	free(big);
}

static void
check_expand(const char *text, node_t primary, const char *want)
{
	static struct conf conf = { .node_count = 2,
		.node = { { "prod-s1", "10.77.0.1", "172.31.43.83", 0, 0, 0 },
		    { "prod-s2", "10.77.0.2", "172.31.43.90", 0, 0, 0 } } };
	char *got;

	conf.self = 1;
	got = template_expand(&conf, text, primary);
	assert_string_equal(got, want);
	free(got);
}

static void
test_expand(void **state)
{
	check_expand(
	    "-l 127.0.0.1,${self.private_ip}", 0, "-l 127.0.0.1,172.31.43.90");
	check_expand("${self.name} ${self.address}", 0, "prod-s2 10.77.0.2");
	check_expand("\\1${primary.name}\\2 ${primary.address} "
		     "${primary.private_ip}",
	    0, "\\1prod-s1\\2 10.77.0.1 172.31.43.83");
	check_expand("${primary.name}", 1, "prod-s2");
	check_expand("[${primary.name}]", NODE_NONE, "[]");
	check_expand("\\${self.name} $5 $", 0, "\\${self.name} $5 $");
	check_expand("", 0, "");
}

static void
test_pieces(void **state)
{
	static const char text[] = "a\\\\\\$\\9\\0\\x${y}${z\\";
	static const struct {
		enum template_kind kind;
		int number;
	} want[] = { { TEMPLATE_BYTE, 'a' }, { TEMPLATE_BYTE, '\\' },
		{ TEMPLATE_BYTE, '$' }, { TEMPLATE_GROUP, 9 },
		{ TEMPLATE_WRONG, '0' }, { TEMPLATE_WRONG, 'x' },
		{ TEMPLATE_VARIABLE, '$' }, { TEMPLATE_WRONG, '$' },
		{ TEMPLATE_BYTE, 'z' }, { TEMPLATE_WRONG, 0 },
		{ TEMPLATE_END, 0 }, { TEMPLATE_END, 0 } };
	const char *s = text;
	struct template_piece piece;
	size_t i;

	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		piece = template_next(&s);
		assert_int_equal(piece.kind, want[i].kind);
		assert_int_equal(piece.number, want[i].number);
	}
	assert_int_equal(*s, '\0');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_no_text),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
