/*
 * The orders of maintenance on the host that carries them out: who is said to
 * have given them, and when they are over. Around these two files everything
 * says what the test wants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "engine/orders.h"
#include "engine/orders_request.h"
#include "engine/status.h"
#include "hawatch/json.h"
#include "hawatch/str.h"

#define A 0 /* this host */
#define B 1

static struct {
	struct core_status st;
	struct durable dur;
	const char *core; /* refuses so */
	bool asker;
	char by[128], why[256];
	usec_t until;
	int resumed;
	int exit;
	char said[400], next[200], waits[80], taken[200], note[200];
} fake;

static struct engine eng;
static struct conf conf;
static struct orders orders;
static struct now at;

void
core_status(const struct core *c, const struct now *now, struct core_status *st)
{
	*st = fake.st;
	st->durable = &fake.dur;
}

const char *
core_order_pause(struct core *c, const struct now *now, usec_t until,
    const char *why, const char *by)
{
	fake.until = until - now->wall;
	str_cut(fake.why, sizeof(fake.why), why);
	str_cut(fake.by, sizeof(fake.by), by);
	return fake.core;
}

const char *
core_order_resume(struct core *c, const struct now *now)
{
	fake.resumed++;
	return fake.core;
}

const char *
core_order_fence(struct core *c, const struct now *now, const char *why)
{
	str_cut(fake.why, sizeof(fake.why), why);
	return fake.core;
}

bool
status_is_primary(const struct core_status *st, const struct now *now)
{
	return false;
}

bool
orders_switchover_over(struct engine *e, struct order_wait *w,
    const struct core_status *st, const struct now *now)
{
	abort();
}

/* The operator of another host who asks, or NULL. */
static const char *remote_name;
static bool remote_orders;

const char *
control_operator(const struct control *c, uint64_t id, bool *may_order)
{
	*may_order = remote_name == NULL || remote_orders;
	return remote_name;
}

bool
control_asker(const struct control *c, uint64_t id, uid_t *uid, pid_t *pid)
{
	*uid = 7;
	return fake.asker;
}

void
orders_taken(struct engine *e, uint64_t id, const char *verb)
{
	orders_taken_why(e, id, verb, "");
}

void
orders_taken_why(
    struct engine *e, uint64_t id, const char *verb, const char *why)
{
	(void)snprintf(fake.taken, sizeof(fake.taken), "%s: %s", verb, why);
}

void
orders_reply(struct engine *e, uint64_t id, json_t *obj)
{
	const char *text = json_string_value(json_object_get(obj, "done"));
	const char *waits = json_string_value(json_object_get(obj, "waits"));
	const char *note = json_string_value(json_object_get(obj, "note"));

	if (json_has(obj, "exit"))
		fake.exit =
		    (int)json_integer_value(json_object_get(obj, "exit"));
	str_cut(fake.said, sizeof(fake.said), text == NULL ? "" : text);
	if (note != NULL)
		str_cut(fake.note, sizeof(fake.note), note);
	if (waits != NULL)
		str_cut(fake.waits, sizeof(fake.waits), waits);
	json_decref(obj);
}

void
orders_refuse(struct engine *e, uint64_t id, enum exitcode code,
    const char *why, const char *next)
{
	fake.exit = (int)code;
	str_cut(fake.said, sizeof(fake.said), why);
	str_cut(fake.next, sizeof(fake.next), next);
}

void
orders_refuse_holder(struct engine *e, uint64_t id, node_t holder,
    const char *what, const char *command)
{
	char next[120];

	(void)snprintf(next, sizeof(next), "ssh %s %s",
	    e->conf->names.node[holder], command);
	orders_refuse(e, id, EXITCODE_REFUSED, what, next);
}

void
orders_refuse_core(struct engine *e, uint64_t id, const char *text)
{
	orders_refuse(e, id, EXITCODE_REFUSED, text, "");
}

static bool looked; /* nothing stands against it */

void
orders_look_over(struct engine *e, uint64_t id, const char *refused)
{
	assert_null(refused);
	looked = true;
}

static int
setup(void **state)
{
	memset(&fake, 0, sizeof(fake));
	looked = false;
	memset(&eng, 0, sizeof(eng));
	memset(&conf, 0, sizeof(conf));
	TAILQ_INIT(&orders.waits);
	conf.names = (struct names){ "lab", 2, { "n-a", "n-b" } };
	conf.node_count = 2;
	conf.ttl = 2 * USEC_SEC;
	eng.conf = &conf;
	eng.orders = &orders;
	fake.exit = -1;
	fake.asker = true;
	fake.st.rel = REL_HELD;
	fake.st.pg = PGS_PRIMARY;
	fake.st.rec.state = REC_HELD;
	fake.st.rec.holder = A;
	fake.st.waits_for = fake.st.claim_block = "";
	fake.st.register_ok = true;
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

static void
later(usec_t us)
{
	at.raw += us;
	orders_wait_turn(&eng, &at);
}

static void
over(int exit, const char *words)
{
	assert_int_equal(fake.exit, exit);
	if (strstr(fake.said, words) == NULL)
		fail_msg("\"%s\"", fake.said);
	assert_true(TAILQ_EMPTY(&orders.waits));
}

static const struct order_request pause = { .id = 1,
	.node = NODE_NONE,
	.pause_for = 90 * USEC_SEC,
	.why = "disks",
	.by = "amy" };

static void
test_pause(void **state)
{
	orders_pause(&eng, &pause);
	assert_string_equal(fake.by, "amy (uid 7)");
	assert_string_equal(fake.why, "disks");
	assert_string_equal(fake.taken, "pause: disks");
	fake.taken[0] = '\0';
	orders_pause_may(&eng, &pause);
	assert_true(looked);
	assert_string_equal(fake.taken, "");
	assert_true(fake.until == 90 * USEC_SEC);
	later(0);
	assert_int_equal(fake.exit, -1);
	fake.st.paused_until = at.wall + USEC_SEC;
	later(USEC_SEC);
	assert_int_equal(fake.exit, -1);
	fake.st.paused_written = true;
	later(USEC_SEC);
	over(EXITCODE_DONE, "paused: nobody takes over");
}

/* The core has dropped an order that is not this node's to write any more. */
static void
test_no_holder_any_more(void **state)
{
	orders_pause(&eng, &pause);
	later(USEC_SEC);
	assert_int_equal(fake.exit, -1);
	fake.st.rel = REL_RELEASED;
	later(0);
	over(EXITCODE_UNKNOWN, "it was not written: this node holds the record "
			       "no more");
	assert_string_equal(fake.next, "hactl status");
	fake.st.rel = REL_HELD;
	fake.st.rec.paused_until = 5;
	orders_resume(&eng, &pause);
	fake.st.rel = REL_RELEASED;
	later(0);
	over(EXITCODE_UNKNOWN, "it was not written");
	/* It was, just before. */
	fake.st.rel = REL_HELD;
	orders_pause(&eng, &pause);
	fake.st.rel = REL_RELEASED;
	fake.st.paused_written = true;
	later(0);
	over(EXITCODE_DONE, "paused");
}

/* Who took over wrote a record without it. */
static void
test_another_took_over(void **state)
{
	orders_pause(&eng, &pause);
	fake.st.rel = REL_OTHER;
	fake.st.rec.holder = B;
	fake.st.rec.epoch++;
	later(0);
	over(EXITCODE_UNKNOWN, "another node took over");
}

static void
test_who(void **state)
{
	struct order_request req = pause;

	req.by[0] = '\0';
	orders_pause(&eng, &req);
	assert_string_equal(fake.by, "uid 7");
	fake.asker = false;
	orders_pause(&eng, &pause);
	assert_string_equal(fake.by, "amy");
	orders_pause(&eng, &req);
	assert_string_equal(fake.by, "somebody");
}

/* It stands, and is written once there is a register. */
static void
test_without_the_register(void **state)
{
	fake.st.register_ok = false;
	orders_pause(&eng, &pause);
	later(USEC_SEC);
	assert_string_equal(fake.waits, "register-down");
	later(20 * USEC_SEC);
	over(EXITCODE_UNKNOWN, "not given up: register-down");
	assert_string_equal(fake.next, "hactl status");
}

static void
test_refused(void **state)
{
	fake.core = "the mode is not auto";
	orders_pause(&eng, &pause);
	over(EXITCODE_REFUSED, "the mode is not auto");
	orders_resume(&eng, &pause);
	over(EXITCODE_REFUSED, "the mode is not auto");
	orders_fence(&eng, &pause);
	over(EXITCODE_REFUSED, "the mode is not auto");
	fake.st.rel = REL_CLAIMED;
	orders_pause(&eng, &pause);
	over(EXITCODE_REFUSED, "taking the record over");
	fake.exit = -1;
	orders_pause_may(&eng, &pause);
	over(EXITCODE_REFUSED, "taking the record over");
	assert_false(looked);
	assert_string_equal(fake.next, "hactl status");
	fake.st.rel = REL_OTHER;
	fake.st.rec.holder = B;
	orders_resume(&eng, &pause);
	over(EXITCODE_REFUSED, "only the holder");
	assert_string_equal(fake.next, "ssh n-b hactl resume");
}

static void
test_resume(void **state)
{
	fake.st.rec.paused_until = 5;
	orders_resume(&eng, &pause);
	assert_int_equal(fake.resumed, 1);
	later(USEC_SEC);
	assert_int_equal(fake.exit, -1);
	fake.st.rec.paused_until = 0;
	later(0);
	over(EXITCODE_DONE, "no longer paused");
}

/* Over when it is stopped and the record is not its own. */
static void
test_fence(void **state)
{
	fake.dur.latch = true;
	fake.st.plan = fake.st.row = "stepdown";
	orders_fence(&eng, &pause);
	assert_string_equal(fake.why, "fenced by amy (uid 7): disks");
	assert_string_equal(fake.taken, "fence: disks");
	later(0);
	fake.st.pg = PGS_GONE;
	later(0);
	fake.st.plan = fake.st.row = NULL;
	later(0);
	assert_int_equal(fake.exit, -1);
	fake.st.rel = REL_RELEASED;
	later(0);
	over(EXITCODE_DONE, "wait until hactl status no longer lists it as a "
			    "candidate");
	orders_fence(&eng, &pause);
	fake.dur.latch = false;
	later(0);
	over(EXITCODE_UNKNOWN, "abandoned");
}

/* A standby: what it waits for then is that nobody counts on it. */
static void
test_fence_off_the_list(void **state)
{
	conf.self = B;
	fake.dur.latch = true;
	fake.st.rel = REL_OTHER;
	fake.st.pg = PGS_GONE;
	fake.st.rec.candidates = 1u << B;
	orders_fence(&eng, &pause);
	later(0);
	assert_int_equal(fake.exit, -1);
	assert_string_equal(fake.note,
	    "PostgreSQL is stopped; the primary takes this host off its "
	    "candidates");
	fake.note[0] = '\0';
	later(2 * USEC_SEC);
	assert_int_equal(fake.exit, -1);
	assert_string_equal(fake.note, "");
	fake.st.rec.candidates = 0;
	later(0);
	over(EXITCODE_DONE,
	    "stays so until hactl unfence. It is no candidate any more, and "
	    "commits do not wait for it");
	/* Not for ever, nor where nobody can tell. */
	fake.exit = -1;
	fake.st.rec.candidates = 1u << B;
	orders_fence(&eng, &pause);
	later(0);
	later(9 * USEC_SEC);
	assert_int_equal(fake.exit, -1);
	later(USEC_SEC);
	over(EXITCODE_DONE, "Before you switch this host off, wait until");
	fake.exit = -1;
	orders_fence(&eng, &pause);
	fake.st.register_ok = false;
	later(0);
	over(EXITCODE_DONE, "Before you switch this host off, wait until");
}

/* The primary: who takes over lists it first, and takes it off then. */
static void
test_fence_of_the_primary(void **state)
{
	fake.dur.latch = true;
	fake.st.rel = REL_RELEASED;
	fake.st.pg = PGS_GONE;
	fake.st.rec.state = REC_RELEASED;
	fake.st.rec.candidates = 1u << B;
	orders_fence(&eng, &pause);
	later(0);
	fake.st.rel = REL_OTHER;
	fake.st.rec.holder = B;
	fake.st.rec.state = REC_CLAIMED;
	fake.st.rec.candidates = 1u << A;
	later(USEC_SEC);
	fake.st.rec.state = REC_HELD;
	later(USEC_SEC);
	assert_int_equal(fake.exit, -1);
	fake.st.rec.candidates = 0;
	later(USEC_SEC);
	over(EXITCODE_DONE, "It is no candidate any more");
	/* It stopped late: it is done before it would be called unfinished. */
	fake.exit = -1;
	fake.st.rec.candidates = 1u << A;
	fake.st.pg = PGS_PRIMARY;
	at = clock_now();
	orders_fence(&eng, &pause);
	later(36 * USEC_SEC);
	fake.st.pg = PGS_GONE;
	later(0);
	assert_int_equal(fake.exit, -1);
	later(3 * USEC_SEC / 2);
	over(EXITCODE_DONE, "wait until hactl status");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_pause),
		T(test_no_holder_any_more),
		T(test_another_took_over),
		T(test_who),
		T(test_without_the_register),
		T(test_refused),
		T(test_resume),
		T(test_fence),
		T(test_fence_off_the_list),
		T(test_fence_of_the_primary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
