/*
 * Reading the configuration again on one host: real files, read by the worker;
 * what would take them over is the test's.
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

#include "engine/engine.h"
#include "engine/parts.h"
#include "engine/reload.h"
#include "hawatch/emit.h"
#include "hawatch/file.h"
#include "hawatch/files.h"
#include "hawatch/json.h"
#include "hawatch/worker.h"

#define BASE \
	"cluster = \"c\"; nodes = (\n" \
	" { name = \"s1\"; address = \"10.0.0.1\"; repmgr_id = 1; },\n" \
	" { name = \"s2\"; address = \"10.0.0.2\"; repmgr_id = 2; },\n" \
	" { name = \"a1\"; address = \"10.0.0.3\"; role = \"witness\"; } );\n" \
	"register = { node = \"a1\"; };\n" \
	"postgres = { data_directory = \"/d\"; socket_directory = \"/s\";\n" \
	" backend = \"argv\"; start = [ \"/bin/start\" ]; };\n"
#define AUTO "mode = \"auto\"; "
#define MANUAL "mode = \"manual\"; "

static struct {
	const char *busy, *never, *plan;
	enum relation rel;
	node_t pulls, shooting;
	int renewed, tried;
	bool till_tried;
	json_t *said;
	usec_t asked;
	char log[1000];
} fake;

static char path[] = "/dev/shm/hawatch-reload-XXXXXX";
static struct engine eng;

/* What the engine's other parts would be. */

const char *
parts_renew(struct engine *e, struct conf *next, const bool part[CONF_PARTS])
{
	assert_true(part[CONF_REST]);
	fake.tried++;
	if (fake.busy != NULL)
		return fake.busy;
	fake.renewed++;
	conf_free(e->conf);
	e->conf = next;
	return NULL;
}

const char *
parts_may_renew(const struct engine *e, const struct conf *next, bool *waits)
{
	*waits = fake.never == NULL && fake.busy != NULL;
	return fake.never == NULL ? fake.busy : fake.never;
}

void
core_status(const struct core *c, const struct now *now, struct core_status *st)
{
	memset(st, 0, sizeof(*st));
	st->plan = fake.plan;
	st->rel = fake.rel;
	st->shooting = fake.shooting;
}

node_t
files_pulls(const struct files *f)
{
	return fake.pulls;
}

static void
file(const char *text)
{
	struct error err;

	assert_int_equal(file_replace(path, text, strlen(text), 0600, &err), 0);
}

static void
done(struct engine *e, uint64_t id, json_t *said)
{
	assert_int_equal(id, 7);
	assert_null(fake.said);
	fake.said = said;
}

static void
turn(void *arg, const struct now *now)
{
	reload_turn(&eng, now);
	if ((fake.till_tried && fake.tried > 0) || fake.said != NULL ||
	    fake.log[0] != '\0' || now->raw - fake.asked > 20 * USEC_SEC)
		loop_stop(eng.loop);
}

static const char *
said(const char *key)
{
	const char *s = json_string_value(json_object_get(fake.said, key));

	return s == NULL ? "" : s;
}

/* "" digest: look. */
static void
reload(const char *digest)
{
	json_decref(fake.said);
	fake.said = NULL;
	fake.log[0] = '\0';
	fake.asked = clock_now().raw;
	reload_start(&eng, digest, done, 7);
	loop_run(eng.loop, turn, NULL);
	assert_non_null(fake.said);
}

static void
refused(const char *why, const char *next)
{
	assert_non_null(strstr(said("refused"), why));
	assert_string_equal(said("next"), next);
	assert_false(json_is_true(json_object_get(fake.said, "applied")));
	assert_int_equal(fake.renewed, 0);
}

static void
sink(void *arg, enum level level, const char *line)
{
	size_t len = strlen(fake.log);

	if (strstr(line, "ev=config.") != NULL)
		(void)snprintf(
		    fake.log + len, sizeof(fake.log) - len, "%s\n", line);
}

static int
setup(void **state)
{
	struct conf_errors errors;
	struct error err;
	int fd;

	memset(&fake, 0, sizeof(fake));
	fake.pulls = fake.shooting = NODE_NONE;
	(void)snprintf(path, sizeof(path), "/dev/shm/hawatch-reload-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	file(AUTO BASE);
	memset(&eng, 0, sizeof(eng));
	eng.conf = conf_load(path, "s1", &errors);
	assert_non_null(eng.conf);
	eng.loop = loop_new(&err);
	assert_non_null(eng.loop);
	eng.worker = worker_new(eng.loop);
	eng.core = (struct core *)&fake;
	eng.files = (struct files *)&fake;
	eng.reload = reload_new(&eng);
	emit_to(sink, NULL);
	return 0;
}

static int
teardown(void **state)
{
	emit_to(sink_stderr, NULL);
	worker_free(eng.worker);
	reload_free(eng.reload);
	loop_free(eng.loop);
	conf_free(eng.conf);
	json_decref(fake.said);
	unlink(path);
	return 0;
}

/* What was looked at is taken over, and nothing else. */
static void
test_taken(void **state)
{
	char digest[CONF_DIGEST_MAX];
	const json_t *list;

	reload("");
	assert_int_equal(
	    json_array_size(json_object_get(fake.said, "changes")), 0);
	file(MANUAL BASE);
	reload("");
	list = json_object_get(fake.said, "changes");
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(said("refused"), "");
	(void)snprintf(digest, sizeof(digest), "%s", said("digest"));
	assert_int_equal(fake.renewed, 0);
	file(MANUAL "max_loss = \"1MB\"; durability = \"bounded\"; " BASE);
	reload(digest);
	refused("this cannot change while hawatchd runs",
	    "systemctl restart hawatchd");
	assert_non_null(strstr(said("refused"), "one host after another"));
	assert_non_null(strstr(said("refused"), "max_loss"));
	/* For the asker, who says what is restarted when. */
	assert_non_null(strstr(said("restart"), "max_loss"));
	assert_true(json_is_true(json_object_get(fake.said, "safety")));
	assert_false(json_is_true(json_object_get(fake.said, "holder")));
	fake.rel = REL_HELD;
	file(AUTO "repl = 3; lease = { ttl = \"7s\"; }; " BASE);
	reload("");
	assert_null(json_object_get(fake.said, "restart"));
	file(AUTO "lease = { ttl = \"7s\"; }; " BASE);
	reload("");
	assert_string_equal(said("restart"), "lease.ttl");
	assert_false(json_is_true(json_object_get(fake.said, "safety")));
	assert_true(json_is_true(json_object_get(fake.said, "holder")));
	fake.rel = REL_OTHER;
	file(MANUAL "rejoin = \"rewind\"; " BASE);
	reload(digest);
	refused("the file changed since it was looked at", "hactl reload");
	file(MANUAL BASE);
	reload(digest);
	assert_int_equal(fake.renewed, 1);
	assert_true(json_is_true(json_object_get(fake.said, "applied")));
	assert_int_equal(eng.conf->mode, MODE_MANUAL);
	assert_non_null(strstr(fake.log, "ev=config.reloaded"));
}

static void
test_bad(void **state)
{
	file(MANUAL "modes = 3; " BASE);
	reload("");
	refused("its file has 1 error, and what runs goes on",
	    "hactl config check");
	assert_int_equal(
	    json_array_size(json_object_get(fake.said, "errors")), 1);
	unlink(path);
	reload("");
	refused("and what runs goes on", "hactl config check");
	file("");
	reload("");
	refused("errors, and what runs goes on", "hactl config check");
	assert_int_equal(eng.conf->mode, MODE_AUTO);
}

/* Of any kind, and on the host that a switchover only copies files to. */
static void
test_plan(void **state)
{
	static const char *const plans[] = { "takeover", "switchover",
		"rejoin" };
	size_t i;

	file(MANUAL BASE);
	for (i = 0; i < sizeof(plans) / sizeof(*plans); i++) {
		fake.plan = plans[i];
		reload("");
		refused("a plan runs: reload when it is over", "hactl status");
	}
	fake.plan = NULL;
	fake.rel = REL_CLAIMED;
	reload("");
	refused("a plan runs: reload when it is over", "hactl status");
	fake.rel = REL_OTHER;
	fake.pulls = 1;
	reload("");
	refused("a plan runs: reload when it is over", "hactl status");
	fake.pulls = NODE_NONE;
	fake.shooting = 0;
	reload("");
	refused("a plan runs: reload when it is over", "hactl status");
	fake.shooting = NODE_NONE;
	reload("");
	assert_string_equal(said("refused"), "");
	/* Who has nothing new stands in nobody's way. */
	fake.plan = "rejoin";
	file(AUTO BASE);
	reload("");
	assert_string_equal(said("refused"), "");
}

/* What would be refused when it is to be taken over is refused before any host
 * has taken anything over: at once where waiting helps nobody. */
static void
test_looked(void **state)
{
	usec_t at = clock_now().raw;

	file(MANUAL BASE);
	fake.never = "not in this mode\nhactl config check";
	reload("");
	refused("not in this mode", "hactl config check");
	assert_true(clock_now().raw - at < USEC_SEC);
	fake.never = NULL;
	fake.busy = "it is busy\nhactl drift";
	at = clock_now().raw;
	reload("");
	refused("it is busy", "hactl drift");
	assert_true(clock_now().raw - at >= USEC_SEC);
	fake.busy = NULL;
	reload("");
	assert_string_equal(said("refused"), "");
	assert_string_not_equal(said("shared"), "");
}

/* It is waited for, for some seconds. */
static void
test_busy(void **state)
{
	char digest[CONF_DIGEST_MAX];
	usec_t at;

	file(MANUAL BASE);
	reload("");
	(void)snprintf(digest, sizeof(digest), "%s", said("digest"));
	fake.busy = "it is busy\nhactl drift";
	at = clock_now().raw;
	reload(digest);
	refused("it is busy", "hactl drift");
	assert_true(clock_now().raw - at >= 3 * USEC_SEC);
}

static void
dropped(struct engine *e, uint64_t id, json_t *said)
{
	json_decref(said);
}

/* While it waits, somebody reads a file that says something else. */
static void
test_overtaken(void **state)
{
	char digest[CONF_DIGEST_MAX];

	file(MANUAL BASE);
	reload("");
	(void)snprintf(digest, sizeof(digest), "%s", said("digest"));
	json_decref(fake.said);
	fake.said = NULL;
	fake.busy = "it is busy\nhactl drift";
	fake.till_tried = true;
	fake.asked = clock_now().raw;
	reload_start(&eng, digest, done, 7);
	loop_run(eng.loop, turn, NULL);
	assert_true(fake.tried > 0);
	fake.till_tried = false;
	file(AUTO "rejoin = \"clone\"; " BASE);
	reload_start(&eng, "", dropped, 8);
	loop_run(eng.loop, turn, NULL);
	refused("another reload came in between", "hactl reload");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = { T(test_taken), T(test_bad),
		T(test_plan), T(test_looked), T(test_busy), T(test_overtaken) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
