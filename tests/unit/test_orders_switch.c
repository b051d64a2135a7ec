/*
 * The order of a switchover: to whom, what stands against it before the core is
 * told, each with its next command, and the ways in which it ends. Around these
 * two files everything says what the test wants.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "engine/orders.h"
#include "engine/status.h"
#include "engine/switchover_look.h"
#include "hawatch/json.h"
#include "hawatch/pgwatch.h"

#define A 0 /* this host, the primary */
#define B 1 /* a candidate */
#define C 2 /* another data node */
#define W 3 /* witness */

static struct {
	struct core_status st;
	struct pg_view view;
	bool primary;
	const char *core; /* refuses so */
	node_t asked, ordered;
	unsigned accept;
	int exit;
	char why[400], next[200], done[400];
	lsn_t end, flushed;
	int steps;
} fake;

static struct engine eng;
static struct conf conf;
static struct orders orders;
static char bin[] = "/tmp/hawatch-switch-XXXXXX", program[64];
static struct now at;

void
core_status(const struct core *c, const struct now *now, struct core_status *st)
{
	*st = fake.st;
}

const char *
core_order_switchover(struct core *c, const struct now *now, node_t to)
{
	fake.ordered = to;
	return fake.core;
}

size_t
core_plan_doc(const struct plan_doc **rows)
{
	return 0;
}

bool
status_is_primary(const struct core_status *st, const struct now *now)
{
	return fake.primary;
}

const char *
status_progress(const struct engine *e, const char *row)
{
	return "";
}

const char *
status_block_text(const char *token)
{
	return token;
}

const struct pg_view *
pgwatch_view(const struct pgwatch *w)
{
	return &fake.view;
}

void
switchover_look(struct engine *e, uint64_t id, node_t to, unsigned accept)
{
	fake.asked = to;
	fake.accept = accept;
}

void
orders_wake_by(struct engine *e, usec_t after)
{
}

void
orders_taken(struct engine *e, uint64_t id, const char *verb)
{
	assert_string_equal(verb, "switchover");
}

void
orders_taken_why(
    struct engine *e, uint64_t id, const char *verb, const char *why)
{
	orders_taken(e, id, verb);
}

void
orders_reply(struct engine *e, uint64_t id, json_t *obj)
{
	const char *done = json_string_value(json_object_get(obj, "done"));

	if (json_has(obj, "exit"))
		fake.exit =
		    (int)json_integer_value(json_object_get(obj, "exit"));
	else
		fake.steps++;
	(void)snprintf(
	    fake.done, sizeof(fake.done), "%s", done == NULL ? "" : done);
	json_decref(obj);
}

void
orders_refuse(struct engine *e, uint64_t id, enum exitcode code,
    const char *why, const char *next)
{
	fake.exit = (int)code;
	(void)snprintf(fake.why, sizeof(fake.why), "%s", why);
	(void)snprintf(fake.next, sizeof(fake.next), "%s", next);
}

void
orders_refuse_core(struct engine *e, uint64_t id, const char *text)
{
	orders_refuse(e, id, EXITCODE_REFUSED, text, "the core's");
}

static int
setup(void **state)
{
	memset(&fake, 0, sizeof(fake));
	memset(&eng, 0, sizeof(eng));
	memset(&conf, 0, sizeof(conf));
	memset(&orders, 0, sizeof(orders));
	TAILQ_INIT(&orders.waits);
	eng.conf = &conf;
	eng.core = (struct core *)&fake; /* not a witness; asked nothing */
	eng.orders = &orders;
	conf.self = A;
	conf.pg.bin_directory = bin;
	conf.node_count = 4;
	conf.ttl = 2 * USEC_SEC;
	conf.names = (struct names){ "lab", 4, { "n-a", "n-b", "n-c", "n-w" } };
	conf.node[W].role = ROLE_WITNESS;
	fake.exit = fake.asked = fake.ordered = -1;
	fake.primary = true;
	fake.st.rel = REL_HELD;
	fake.st.pg = PGS_PRIMARY;
	fake.st.waits_for = fake.st.claim_block = "";
	fake.st.rec.state = REC_HELD;
	fake.st.rec.epoch = 5;
	fake.st.rec.holder = A;
	fake.st.rec.candidates = NODE_BIT(B);
	fake.view.conninfo = ANS_YES;
	fake.view.wal_end = 0x30000000;
	fake.view.sender[B].streaming = true;
	fake.view.sender[B].replay = 0x2FFFFF00;
	at = clock_now();
	return 0;
}

static int
teardown(void **state)
{
	struct order_wait *w;

	while ((w = TAILQ_FIRST(&orders.waits)) != NULL) {
		TAILQ_REMOVE(&orders.waits, w, entry);
		free(w);
	}
	return 0;
}

void
orders_look_over(struct engine *e, uint64_t id, const char *refused)
{
	assert_null(refused);
	fake.exit = EXITCODE_DONE;
}

static void
refused(int code, const char *word, const char *next)
{
	assert_int_equal(fake.exit, code);
	if (strstr(fake.why, word) == NULL || strcmp(fake.next, next) != 0)
		fail_msg("\"%s\", next \"%s\"", fake.why, fake.next);
	fake.exit = -1;
}

static void
test_who_is_meant(void **state)
{
	fake.asked = -1;
	orders_switchover_may(&eng, 1, NODE_NONE);
	assert_int_equal(fake.exit, EXITCODE_DONE);
	assert_int_equal(fake.asked, -1);
	orders_switchover_ask(&eng, 1, NODE_NONE, ACCEPT_SLOTS);
	assert_int_equal(fake.asked, B);
	assert_int_equal(fake.accept, ACCEPT_SLOTS);
	fake.st.rec.candidates |= NODE_BIT(C);
	orders_switchover_ask(&eng, 1, NODE_NONE, 0);
	refused(1, "which one? The candidates are n-b, n-c",
	    "hactl switchover n-c");
	fake.st.rec.candidates = 0;
	orders_switchover_ask(&eng, 1, NODE_NONE, 0);
	refused(1, "no candidate", "hactl status");
	orders_switchover_ask(&eng, 1, A, 0);
	refused(1, "primary already", "hactl status");
	orders_switchover_ask(&eng, 1, W, 0);
	refused(1, "witness", "hactl status");
	orders_switchover_ask(&eng, 1, C, 0);
	refused(1, "no candidate", "hactl plan promote n-c");
	assert_true(orders_switchover_meant(&eng, B));
	assert_false(orders_switchover_meant(&eng, A));
	eng.core = NULL; /* on a witness */
	assert_false(orders_switchover_meant(&eng, B));
	eng.core = (struct core *)&fake;
	/* On another host than the primary's. */
	fake.st.rel = REL_OTHER;
	fake.st.rec.holder = B;
	assert_false(orders_switchover_meant(&eng, B));
	orders_switchover_ask(&eng, 1, NODE_NONE, 0);
	refused(1, "only the primary", "ssh n-b hactl switchover n-a");
	orders_switchover_ask(&eng, 1, C, 0);
	refused(1, "only the primary", "ssh n-b hactl switchover n-c");
	orders_switchover_may(&eng, 1, C);
	refused(1, "only the primary", "ssh n-b hactl switchover n-c");
	orders_switchover_ask(&eng, 1, B, 0);
	refused(1, "n-b is the primary already", "hactl status");
	fake.st.rec.state = REC_NONE;
	orders_switchover_ask(&eng, 1, C, 0);
	refused(1, "no primary", "hactl status");
}

static void
test_what_is_seen(void **state)
{
	fake.view.sender[B].replay = 0x20000000;
	orders_switchover_ask(&eng, 1, B, 0);
	refused(1, "to replay", "hactl status");
	fake.view.sender[B].streaming = false;
	orders_switchover_ask(&eng, 1, B, 0);
	refused(1, "does not stream", "ssh n-b hactl status");
	fake.view.conninfo = ANS_UNKNOWN;
	orders_switchover_ask(&eng, 1, B, 0);
	refused(1, "cannot be read", "GRANT pg_read_all_settings TO hawatch");
	fake.view.conninfo = ANS_NO;
	orders_switchover_ask(&eng, 1, B, 0);
	refused(1, "primary_conninfo is empty",
	    "ALTER SYSTEM SET primary_conninfo = 'host=... user=... "
	    "application_name=...'; SELECT pg_reload_conf()");
	conf.pg.bin_directory = "/nonexistent";
	orders_switchover_ask(&eng, 1, B, 0);
	refused(1, "no pg_controldata", "hactl config check");
	assert_int_equal(fake.asked, -1);
}

#define SOUND \
	"\"mode\":\"auto\",\"durable\":{\"latch\":false}," \
	"\"register\":{\"read\":true,\"cold\":false,\"amnesiac\":false}," \
	"\"fence\":{\"armed\":\"yes\"}," \
	"\"postgres\":{\"no_room\":\"\",\"paused\":false}"

/* Of two members of one name the last counts. */
static void
says(const char *more)
{
	char text[600];
	struct error err;
	json_t *obj;

	(void)snprintf(text, sizeof(text), "{" SOUND "}");
	obj = json_loads(text, 0, NULL);
	assert_non_null(obj);
	if (more[0] != '\0') {
		json_t *part = json_read(more, strlen(more), &err);

		assert_non_null(part);
		assert_int_equal(json_object_update(obj, part), 0);
		json_decref(part);
	}
	orders_switchover(&eng, 1, B, obj);
	json_decref(obj);
}

static void
test_what_it_says(void **state)
{
	static const struct {
		const char *more, *why, *next;
	} rows[] = {
		{ "{\"silent\":\"timeout\"}", "does not answer",
		    "ssh n-b hactl ping" },
		{ "{\"mode\":\"manual\"}", "mode", "ssh n-b hactl status" },
		{ "{\"durable\":{\"latch\":true}}", "latched",
		    "ssh n-b hactl status" },
		{ "{\"register\":{}}", "does not read the register",
		    "ssh n-b hactl register show" },
		{ "{\"register\":{\"read\":true,\"cold\":true}}", "cold",
		    "hactl register show" },
		{ "{\"register\":{\"read\":true,\"amnesiac\":true}}", "less",
		    "hactl register show" },
		{ "{\"fence\":{\"armed\":\"no\"}}", "not armed",
		    "ssh n-b hactl plan promote n-b" },
		{ "{\"fence\":7}", "not armed",
		    "ssh n-b hactl plan promote n-b" },
		{ "{\"postgres\":{\"no_room\":\"disk-full\"}}", "no room",
		    "ssh n-b hactl status" },
		{ "{\"drift\":{\"items\":[{\"name\":\"a\",\"holds\":\"no\","
		  "\"required\":false},{\"name\":\"pullers\",\"holds\":\"no\","
		  "\"required\":true}]}}",
		    "a required item does not hold", "ssh n-b hactl drift" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		says(rows[i].more);
		refused(1, rows[i].why, rows[i].next);
	}
	orders_switchover(&eng, 1, B, NULL);
	refused(1, "does not answer", "ssh n-b hactl ping");
	assert_int_equal(fake.ordered, -1);
	fake.core = "a plan runs";
	says("");
	refused(1, "a plan runs", "the core's");
	assert_true(TAILQ_EMPTY(&orders.waits));
}

static void
turn(const char *plan, const char *row)
{
	fake.st.plan = plan;
	fake.st.row = row;
	at.raw += 10 * USEC_MSEC;
	orders_wait_turn(&eng, &at);
}

static void
test_done(void **state)
{
	says("");
	assert_int_equal(fake.ordered, B);
	turn("switchover", "heir");
	turn("switchover", "stopped");
	fake.primary = false;
	fake.st.pg = PGS_GONE;
	fake.st.hand_end = 0x30000072;
	turn("switchover", "flushed");
	fake.st.hand_flushed = 0x30000078;
	turn("switchover", "release");
	assert_int_equal(fake.steps, 4);
	fake.st.hand_end = fake.st.hand_flushed = 0;
	fake.st.rel = REL_RELEASED;
	fake.st.rec.state = REC_RELEASED;
	turn(NULL, NULL);
	fake.st.rel = REL_OTHER;
	fake.st.rec.state = REC_CLAIMED;
	fake.st.rec.holder = B;
	fake.st.rec.epoch = 6;
	turn(NULL, NULL);
	assert_int_equal(fake.exit, -1);
	/* What it does as a standby is no step of the handover. */
	turn("follow", "signal");
	turn("follow", "start");
	assert_int_equal(fake.steps, 4);
	fake.st.rec.state = REC_HELD;
	turn(NULL, NULL);
	assert_int_equal(fake.exit, 0);
	assert_non_null(strstr(fake.done, "n-b has taken over, in epoch 6"));
	assert_non_null(strstr(fake.done, "flushed 0/30000078"));
	assert_non_null(strstr(fake.done, "ended at 0/30000072"));
	assert_true(TAILQ_EMPTY(&orders.waits));
}

static void
test_taken_back(void **state)
{
	says("");
	turn("switchover", "stopped");
	fake.primary = false;
	turn("switchover", "flushed");
	turn("restart", "start");
	assert_int_equal(fake.exit, -1);
	fake.primary = true;
	turn(NULL, NULL);
	refused(8, "taken back at step \"flushed\"", "hactl status");
	assert_true(TAILQ_EMPTY(&orders.waits));
}

static void
test_given_up(void **state)
{
	says("");
	turn("switchover", "near");
	turn(NULL, NULL);
	refused(1, "given up at step near: PostgreSQL", "hactl status");
	/* With what was said against it. */
	says("");
	turn("switchover", "files");
	eng.act_no_at = at.raw + 1;
	(void)snprintf(eng.act_no, sizeof(eng.act_no), "/srv differs");
	turn(NULL, NULL);
	refused(1, "at step files: /srv differs: PostgreSQL was not stopped",
	    "hactl status");
	eng.act_no_at = 0;
	/* The core thought better of it before it began. */
	says("");
	turn(NULL, NULL);
	assert_int_equal(fake.exit, -1);
	at.raw += 3 * USEC_SEC;
	turn(NULL, NULL);
	refused(1, "given up: PostgreSQL was not stopped", "hactl status");
}

static void
test_another_and_late(void **state)
{
	says("");
	turn("switchover", "release");
	fake.primary = false;
	fake.st.rel = REL_OTHER;
	fake.st.rec.holder = C;
	fake.st.rec.epoch = 6;
	turn(NULL, NULL);
	refused(4, "another node took over", "hactl status");
	fake.st.rec.state = REC_RELEASED;
	fake.st.rec.epoch = 6;
	fake.st.rel = REL_RELEASED;
	says("");
	at.raw += 500 * USEC_SEC;
	turn(NULL, NULL);
	refused(4, "and not given up: the plan goes on", "hactl status");
}

/* The target holds, and had not flushed what this one ended with. */
static void
test_not_by_this_plan(void **state)
{
	says("");
	turn("switchover", "near");
	fake.primary = false;
	fake.st.rel = REL_OTHER;
	fake.st.rec.holder = B;
	fake.st.rec.epoch = 6;
	turn(NULL, NULL);
	refused(
	    4, "the target took over, but not by this plan", "hactl status");
}

/* Of the other order that waits for a plan. */
static void
test_takeover_is_abandoned(void **state)
{
	fake.primary = false;
	fake.st.rel = REL_CLAIMED;
	orders_wait(&eng, 1, LONG_PROMOTE, NODE_NONE);
	turn("takeover", "claim");
	fake.st.rel = REL_RELEASED;
	turn(NULL, NULL);
	at.raw += 3 * USEC_SEC;
	turn(NULL, NULL);
	refused(4, "the plan was abandoned", "hactl status");
}

/* At which step, and who said no there; or that it was late. */
static void
test_where_it_was_abandoned(void **state)
{
	bool late;

	for (late = false;; late = true) {
		fake.primary = false;
		fake.st.rel = REL_CLAIMED;
		fake.st.over_plan = NULL;
		orders_wait(&eng, 1, LONG_PROMOTE, NODE_NONE);
		turn("takeover", "claim");
		fake.st.rel = REL_RELEASED;
		fake.st.over_plan = "takeover";
		fake.st.over_row = "names";
		fake.st.over_late = late;
		fake.st.over_why = "";
		turn(NULL, NULL);
		at.raw += 3 * USEC_SEC;
		turn(NULL, NULL);
		refused(4,
		    late ? "): not so in time" :
			   "abandoned at names (): it is not so",
		    "hactl status");
		if (late)
			break;
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_who_is_meant),
		T(test_what_is_seen),
		T(test_what_it_says),
		T(test_done),
		T(test_taken_back),
		T(test_given_up),
		T(test_another_and_late),
		T(test_not_by_this_plan),
		T(test_takeover_is_abandoned),
		T(test_where_it_was_abandoned),
	};

	int failed, fd;

	if (mkdtemp(bin) == NULL)
		return 1;
	(void)snprintf(program, sizeof(program), "%s/pg_controldata", bin);
	fd = open(program, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
	if (fd == -1)
		return 1;
	close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(program);
	rmdir(bin);
	return failed;
}
