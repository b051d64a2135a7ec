/*
 * What hosts tell each other about themselves, and the answer of /health that
 * rests on it: two hosts with the real code, a network of any delay between
 * them, and a fault that both share.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "engine/health.h"
#include "engine/peers.h"
#include "engine/reports.h"
#include "hawatch/check.h"
#include "hawatch/converge.h"
#include "hawatch/json.h"
#include "hawatch/traffic.h"

#define A 0
#define B 1
#define W 2
#define FLIGHTS 4096

enum { SHARED, OWN, QUIET, CHECKS }; /* the checks of the configuration */

struct flight {
	int to, from;
	usec_t at;    /* it arrives then; 0: free */
	usec_t asked; /* an answer: when its question left */
	bool answer;  /* a question is answered at once */
	json_t *host;
};

static struct {
	struct engine e;
	struct check_state check[CHECKS];
	usec_t next, start, end; /* of the probe of the shared check */
	uint64_t record;	 /* its epoch */
	enum site_role role;
	int failed, threshold; /* of its last probes */
	enum pg_state pg;
	bool stale;
	uint64_t heard_epoch;
	int heard, sent;
} host[3];

static struct conf conf;
static struct flight flights[FLIGHTS];
static usec_t delay_max;
static unsigned seed;
static struct now at;
static bool cut;     /* nothing arrives */
static usec_t fault; /* what both use is gone from then on; 0: not so */

static int
dice(int n)
{
	seed = seed * 1664525 + 1013904223;
	return (int)((seed >> 8) % (unsigned)n);
}

static int
who(const void *engine)
{
	int i;

	for (i = 0; i < 3; i++)
		if (engine == (const void *)&host[i].e)
			return i;
	abort();
}

/* What the engine's other parts would be. */

int
checks_count(const struct checks *checks)
{
	return CHECKS;
}

void
checks_state(const struct checks *checks, int i, struct check_state *out)
{
	*out = host[who(checks)].check[i];
}

void
checks_poke(struct checks *checks, int i)
{
	if (i == QUIET) {
		host[who(checks)].check[i].seen_at = at.raw;
		return;
	}
	assert_int_equal(i, SHARED);
	if (host[who(checks)].end == 0)
		host[who(checks)].next = at.raw;
}

void
core_status(const struct core *c, const struct now *now, struct core_status *st)
{
	memset(st, 0, sizeof(*st));
	st->pg = host[who(c)].pg;
	st->site.epoch = (uint64_t)who(c) + 7;
	st->site.role = host[who(c)].role;
	st->rec.epoch = host[who(c)].record;
}

void
core_on_site(struct core *c, const struct now *now, node_t from,
    const struct site_report *report)
{
	host[who(c)].heard++;
	host[who(c)].heard_epoch = report->site_epoch;
}

int
converge_drift(const struct converge *c)
{
	return 3;
}

bool
converge_stale(const struct converge *c)
{
	return host[who(c)].stale;
}

int
traffic_count(const struct traffic *t)
{
	return 1;
}

void
traffic_state(const struct traffic *t, int i, struct traffic_state *out)
{
	memset(out, 0, sizeof(*out));
	out->ok = ANS_NO;
}

static void
fly(int from, int to, json_t *obj, bool answer, usec_t asked)
{
	int i;

	for (i = 0; i < FLIGHTS && flights[i].at != 0; i++)
		continue;
	assert_true(i < FLIGHTS);
	flights[i] = (struct flight){ .from = from,
		.to = to,
		.at = at.raw + 1 + dice((int)delay_max),
		.asked = asked,
		.answer = answer,
		.host = obj };
}

void
peers_host(struct peers *p, node_t node, json_t *report)
{
	host[who(p)].sent++;
	fly(who(p), node, report, false, at.raw);
}

bool
conf_on(const struct conf *c, const char *const *on, node_t node)
{
	return true;
}

static int
setup(void **state)
{
	static const char *const names[CHECKS] = { "shared", "own", "quiet" };
	int i, c;

	memset(host, 0, sizeof(host));
	memset(&conf, 0, sizeof(conf));
	memset(flights, 0, sizeof(flights));
	conf.node_count = 3;
	conf.node[A].name = "n-a";
	conf.node[B].name = "n-b";
	conf.node[W].name = "n-w";
	conf.node[W].role = ROLE_WITNESS;
	conf.check_count = CHECKS;
	at = (struct now){ .raw = 100 * USEC_SEC };
	seed = 1;
	delay_max = 2 * USEC_MSEC;
	cut = false;
	fault = 0;
	for (c = 0; c < CHECKS; c++) {
		conf.check[c].name = names[c];
		conf.check[c].type = "tcp";
	}
	for (i = 0; i < 3; i++) {
		host[i].e.conf = &conf;
		host[i].e.peers = (struct peers *)(void *)&host[i].e;
		host[i].e.checks = (struct checks *)(void *)&host[i].e;
		host[i].e.converge = (struct converge *)(void *)&host[i].e;
		host[i].e.traffic = (struct traffic *)(void *)&host[i].e;
		if (i != W)
			host[i].e.core = (struct core *)(void *)&host[i].e;
		host[i].pg = PGS_STANDBY;
		host[i].e.health = calloc(1, sizeof(struct health));
		host[i].e.reports = reports_new(&host[i].e);
		for (c = 0; c < CHECKS; c++)
			host[i].check[c] =
			    (struct check_state){ .name = names[c],
				    .up = ANS_YES,
				    .last = ANS_YES,
				    .health = c != QUIET,
				    .shared = c == SHARED };
	}
	return 0;
}

static int
teardown(void **state)
{
	int i;

	for (i = 0; i < FLIGHTS; i++)
		if (flights[i].at != 0)
			json_decref(flights[i].host);
	for (i = 0; i < 3; i++) {
		reports_free(host[i].e.reports);
		free(host[i].e.health);
	}
	return 0;
}

/* conf.self is one field of one struct: who thinks is put there. */
static void
turn(int i)
{
	conf.self = i;
	health_look_now(&host[i].e, &at);
	(void)reports_turn(host[i].e.reports, &at);
}

static void
arrive(struct flight *f)
{
	json_t *obj = f->host;
	struct engine *e = &host[f->to].e;

	f->at = 0;
	if (cut) {
		json_decref(obj);
		return;
	}
	conf.self = f->to;
	reports_take(e->reports, f->from, obj, f->answer ? f->asked : 0, &at);
	json_decref(obj);
	if (!f->answer)
		fly(f->to, f->from, reports_answer(e->reports, f->from, &at),
		    true, f->asked);
}

static void
set(int i, int c, enum answer up)
{
	if (host[i].check[c].up == up)
		return;
	host[i].check[c].up = up;
	host[i].check[c].last = up;
	host[i].check[c].since = at.raw;
}

/* Every half second, each at its own phase, for up to 100 ms, down after one
 * or two that failed. */
static void
probe(int i)
{
	struct check_state *cs = &host[i].check[SHARED];

	if (fault == 0) {
		cs->seen_at = at.raw; /* as a test has set it */
		return;
	}
	if (host[i].end == 0 && at.raw >= host[i].next) {
		host[i].start = at.raw;
		host[i].end = at.raw + dice(100) * USEC_MSEC + 1;
		host[i].next = at.raw + 500 * USEC_MSEC;
	}
	if (host[i].end == 0 || at.raw < host[i].end)
		return;
	host[i].end = 0;
	cs->seen_at = host[i].start;
	cs->last = host[i].start < fault ? ANS_YES : ANS_NO;
	host[i].failed = cs->last == ANS_YES ? 0 : host[i].failed + 1;
	if (host[i].failed == host[i].threshold) {
		cs->up = ANS_NO;
		cs->since = at.raw;
	}
}

/* One millisecond of the world. */
static void
step(void)
{
	int i;

	at.raw += USEC_MSEC;
	for (i = 0; i < FLIGHTS; i++)
		if (flights[i].at != 0 && flights[i].at <= at.raw)
			arrive(&flights[i]);
	probe(A);
	probe(B);
	turn(A);
	turn(B);
	turn(W);
}

static void
steps(int ms)
{
	while (ms-- > 0)
		step();
}

static void
test_everybody_hears(void **state)
{
	const struct host_report *rep;

	set(B, OWN, ANS_NO);
	steps(50);
	conf.self = A;
	rep = reports_of(host[A].e.reports, B, &at);
	assert_non_null(rep);
	assert_false(rep->healthy);
	assert_int_equal(rep->fails, CHECK_BIT(OWN));
	assert_int_equal(rep->passes, CHECK_BIT(SHARED));
	assert_int_equal(rep->drift, 3);
	assert_int_equal(rep->traffic, ANS_NO);
	assert_int_equal(rep->site_epoch, 8);
	assert_int_equal(host[A].heard_epoch, 8);
	assert_non_null(reports_of(host[W].e.reports, A, &at));
	assert_null(reports_of(host[A].e.reports, W, &at));
	assert_int_equal(host[W].sent, 0);
	cut = true;
	steps(3100);
	assert_null(reports_of(host[A].e.reports, B, &at));
}

/* Once a second to a data node, every five seconds to the witness, at once
 * when something changed, and not beside a message that carries it. */
static void
test_it_is_sent_seldom(void **state)
{
	json_t *obj;
	int n, i;

	steps(500);
	n = host[A].sent;
	steps(10000);
	assert_in_range(host[A].sent - n, 10, 14);
	set(A, OWN, ANS_NO);
	n = host[A].sent;
	steps(110);
	assert_in_range(host[A].sent - n, 2, 3);
	n = host[A].sent;
	for (i = 0; i < 25; i++) {
		obj = reports_along(host[A].e.reports, B, &at);
		json_decref(obj);
		steps(400);
	}
	assert_in_range(host[A].sent - n, 2, 3);
}

static void
test_own_and_shared(void **state)
{
	steps(20);
	assert_true(host[A].e.health->ok);
	set(A, QUIET, ANS_NO);
	steps(20);
	assert_true(host[A].e.health->ok);
	set(A, OWN, ANS_NO);
	steps(20);
	assert_false(host[A].e.health->ok);
	assert_string_equal(host[A].e.health->reasons, "own");
	set(A, OWN, ANS_YES);
	/* The other host passes it: then it is this host. */
	set(A, SHARED, ANS_NO);
	steps(400);
	assert_string_equal(host[A].e.health->reasons, "shared");
	/* No, it does not: then it is neither. */
	set(B, SHARED, ANS_NO);
	steps(120);
	assert_true(host[A].e.health->ok);
	assert_true(host[B].e.health->ok);
	assert_int_equal(host[A].e.health->spared, CHECK_BIT(SHARED));
	set(B, SHARED, ANS_YES);
	steps(400);
	assert_false(host[A].e.health->ok);
	/* Nobody is heard of: the host stays in. */
	cut = true;
	steps(3100);
	assert_true(host[A].e.health->ok);
}

/* Who is out for something of its own, or not yet brought to its role, is no
 * reason for another to go, too. */
static void
test_nobody_is_better(void **state)
{
	conf.check[OWN].health = true;
	set(A, SHARED, ANS_NO);
	steps(400);
	assert_false(host[A].e.health->ok);
	set(B, OWN, ANS_NO);
	steps(200);
	assert_true(host[A].e.health->ok);
	assert_int_equal(host[A].e.health->spared, CHECK_BIT(SHARED));
	assert_false(host[B].e.health->ok);
	set(B, OWN, ANS_YES);
	steps(200);
	assert_false(host[A].e.health->ok);
	/* Its epoch is 8. */
	host[A].record = 9;
	steps(200);
	assert_true(host[A].e.health->ok);
	host[A].record = 8;
	steps(200);
	assert_false(host[A].e.health->ok);
}

/* Each fails what the other passes: the holder stays. */
static void
test_the_holder_stays(void **state)
{
	int i;

	conf.check[SHARED].health = conf.check[SHARED].shared = true;
	conf.check[QUIET].health = conf.check[QUIET].shared = true;
	for (i = A; i <= B; i++) {
		host[i].check[QUIET].health = true;
		host[i].check[QUIET].shared = true;
		host[i].role = i == A ? SITE_PRIMARY : SITE_STANDBY;
	}
	set(A, SHARED, ANS_NO);
	steps(400);
	assert_false(host[A].e.health->ok);
	assert_true(host[B].e.health->ok);
	set(B, QUIET, ANS_NO);
	steps(400);
	assert_true(host[A].e.health->ok);
	assert_false(host[B].e.health->ok);
}

/* Applications that are not as the host's role demands: it goes, but only for
 * a host without any fault. */
static void
test_stale(void **state)
{
	conf.check[OWN].health = conf.check[SHARED].health = true;
	conf.check[SHARED].shared = true;
	steps(20);
	host[A].stale = true;
	steps(450);
	assert_string_equal(host[A].e.health->reasons, "converge");
	conf.self = B;
	assert_true(reports_of(host[B].e.reports, A, &at)->stale);
	assert_false(reports_of(host[B].e.reports, A, &at)->healthy);
	/* So is the other: both stay. */
	host[B].stale = true;
	steps(250);
	assert_true(host[A].e.health->ok);
	assert_true(host[B].e.health->ok);
	/* But of two such hosts the one goes that fails a check, too. */
	set(A, SHARED, ANS_NO);
	steps(450);
	assert_string_equal(host[A].e.health->reasons, "shared");
	assert_true(host[B].e.health->ok);
	set(A, SHARED, ANS_YES);
	steps(250);
	assert_true(host[A].e.health->ok);
	assert_true(host[B].e.health->ok);
	host[B].stale = false;
	steps(450);
	assert_false(host[A].e.health->ok);
	/* The other has a fault of its own. */
	set(B, OWN, ANS_NO);
	steps(250);
	assert_true(host[A].e.health->ok);
	assert_false(host[B].e.health->ok);
	set(B, OWN, ANS_YES);
	steps(400);
	assert_false(host[A].e.health->ok);
	/* A shared check fails there; this host is no better for voters. */
	set(B, SHARED, ANS_NO);
	steps(400);
	assert_true(host[A].e.health->ok);
	assert_true(host[B].e.health->ok);
	set(B, SHARED, ANS_YES);
	steps(400);
	assert_false(host[A].e.health->ok);
	/* The other is not brought to its role: its epoch is 8. */
	host[A].record = 9;
	steps(20);
	assert_true(host[A].e.health->ok);
	host[A].record = 8;
	steps(20);
	assert_false(host[A].e.health->ok);
	/* It is silent. */
	cut = true;
	steps(3100);
	assert_true(host[A].e.health->ok);
	cut = false;
	steps(1500);
	assert_false(host[A].e.health->ok);
	host[A].stale = false;
	step();
	assert_true(host[A].e.health->ok);
}

/* A new engine of such a host does not let voters in for a moment, nor keep
 * them out when the others are no better, or there are none. */
static void
test_stale_from_the_start(void **state)
{
	int ms;

	host[A].stale = true;
	host[A].e.started_at = at.raw;
	delay_max = 200 * USEC_MSEC;
	for (ms = 0; ms < 3000; ms++) {
		step();
		assert_string_equal(host[A].e.health->reasons, "converge");
	}
	(void)teardown(NULL);
	(void)setup(NULL);
	host[A].stale = host[B].stale = true;
	host[A].e.started_at = at.raw;
	steps(300);
	assert_true(host[A].e.health->ok);
	(void)teardown(NULL);
	(void)setup(NULL);
	host[A].stale = cut = true;
	host[A].e.started_at = at.raw;
	steps(1990);
	assert_false(host[A].e.health->ok);
	steps(20);
	assert_true(host[A].e.health->ok);
}

static void
test_postgres(void **state)
{
	host[A].pg = PGS_GONE;
	steps(20);
	assert_string_equal(host[A].e.health->reasons, "postgres");
	conf.check[OWN].type = "http";
	steps(20);
	assert_string_equal(host[A].e.health->reasons, "postgres");
	conf.check[OWN].health = true;
	steps(20);
	assert_true(host[A].e.health->ok);
}

/* One fault, seen by both hosts at moments of their own, through a network of
 * any delay: at no instant do both say 503. */
static void
test_never_both(void **state)
{
	int round, i, ms, alone = 0;

	for (round = 0; round < 150; round++) {
		(void)teardown(NULL);
		(void)setup(NULL);
		seed = (unsigned)round * 7919 + 1;
		delay_max = round % 3 == 0 ? 2 * USEC_MSEC :
			    round % 3 == 1 ? 80 * USEC_MSEC :
					     1500 * USEC_MSEC;
		steps(100 + dice(1000));
		for (ms = 0; ms < 4000; ms++) {
			/* Each finds it within two seconds, for good. */
			for (i = A; i <= B; i++)
				if (ms > 2000 || dice(700) == 0)
					set(i, SHARED, ANS_NO);
			step();
			alone += !host[A].e.health->ok || !host[B].e.health->ok;
			if (!host[A].e.health->ok && !host[B].e.health->ok)
				fail_msg("round %d: both say 503", round);
		}
		steps(3000);
		assert_true(host[A].e.health->ok && host[B].e.health->ok);
	}
	assert_true(alone > 1000); /* the test has teeth */
}

/* Both become stale, or one fails a shared check as well, at moments of their
 * own: at no instant do both say 503. */
static void
test_never_both_stale(void **state)
{
	int round, i, ms, alone = 0;

	for (round = 0; round < 150; round++) {
		(void)teardown(NULL);
		(void)setup(NULL);
		conf.check[SHARED].health = conf.check[SHARED].shared = true;
		seed = (unsigned)round * 7919 + 1;
		delay_max = round % 3 == 0 ? 2 * USEC_MSEC :
			    round % 3 == 1 ? 80 * USEC_MSEC :
					     1500 * USEC_MSEC;
		steps(100 + dice(1000));
		for (ms = 0; ms < 4000; ms++) {
			for (i = A; i <= B; i++) {
				if (ms <= 2000 && dice(700) != 0)
					continue;
				if (i == A || round % 2 == 0)
					host[i].stale = true;
				if (i == B && round % 4 != 0)
					set(i, SHARED, ANS_NO);
			}
			step();
			alone += !host[A].e.health->ok || !host[B].e.health->ok;
			if (!host[A].e.health->ok && !host[B].e.health->ok)
				fail_msg("round %d: both say 503", round);
		}
		steps(3000);
		assert_true(host[A].e.health->ok);
		/* Of two such hosts the one goes that fails a check, too. */
		assert_int_equal(host[B].e.health->ok, round % 4 != 2);
	}
	assert_true(alone > 1000); /* the test has teeth */
}

/* What both use is gone at one instant: nobody says 503, at no time. */
static void
test_shared_fault(void **state)
{
	int round, ms;

	for (round = 0; round < 100; round++) {
		(void)teardown(NULL);
		(void)setup(NULL);
		seed = (unsigned)round * 7919 + 1;
		delay_max = round % 2 == 0 ? 3 * USEC_MSEC : 900 * USEC_MSEC;
		fault = at.raw + (1000 + dice(1000)) * USEC_MSEC;
		host[A].next = at.raw + dice(500) * USEC_MSEC;
		host[B].next = at.raw + dice(500) * USEC_MSEC;
		host[A].threshold = 1 + dice(2);
		host[B].threshold = 1 + dice(2);
		for (ms = 0; ms < 5000; ms++) {
			step();
			if (!host[A].e.health->ok || !host[B].e.health->ok)
				fail_msg("round %d: 503", round);
		}
		assert_int_equal(host[A].e.health->spared, CHECK_BIT(SHARED));
		assert_int_equal(host[B].e.health->spared, CHECK_BIT(SHARED));
	}
}

static void
test_foreign(void **state)
{
	static const char *const bad[] = { "{}", "[]", "7",
		"{\"seq\":1,\"site_epoch\":-1,\"healthy\":true,\"drift\":0,"
		"\"traffic\":1,\"passes\":{},\"fails\":[]}",
		"{\"seq\":1,\"site_epoch\":1,\"healthy\":1,\"drift\":0,"
		"\"traffic\":1,\"passes\":{},\"fails\":[]}",
		"{\"seq\":1,\"site_epoch\":1,\"healthy\":true,\"drift\":-1,"
		"\"traffic\":1,\"passes\":{},\"fails\":[]}",
		"{\"seq\":1,\"site_epoch\":1,\"healthy\":true,\"drift\":0,"
		"\"traffic\":9,\"passes\":{},\"fails\":[]}",
		"{\"seq\":1,\"site_epoch\":1,\"healthy\":true,\"drift\":0,"
		"\"traffic\":1,\"passes\":{\"own\":-1},\"fails\":[]}",
		"{\"seq\":1,\"site_epoch\":1,\"healthy\":true,\"drift\":0,"
		"\"traffic\":1,\"passes\":[],\"fails\":[]}" };
	struct host_report rep;
	struct error err;
	json_t *obj, *many;
	char name[16];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		obj = json_loads(bad[i], JSON_DECODE_ANY, NULL);
		assert_non_null(obj);
		assert_int_equal(report_parse(&rep, obj, &conf, &err), -1);
		json_decref(obj);
	}
	/* Unknown members and names are passed over; too many are not. */
	obj = json_loads("{\"seq\":5,\"site_epoch\":1,\"healthy\":true,"
			 "\"drift\":0,\"traffic\":1,\"new\":{},"
			 "\"passes\":{\"shared\":7,\"nobody\":1},\"fails\":[]}",
	    0, NULL);
	assert_int_equal(report_parse(&rep, obj, &conf, &err), 0);
	assert_int_equal(rep.passes, CHECK_BIT(SHARED));
	conf.self = A;
	reports_take(host[A].e.reports, B, obj, 0, &at);
	assert_false(rep.stale);
	json_object_set_new(obj, "stale", json_integer(1));
	assert_int_equal(report_parse(&rep, obj, &conf, &err), -1);
	json_object_set_new(obj, "stale", json_true());
	assert_int_equal(report_parse(&rep, obj, &conf, &err), 0);
	assert_true(rep.stale);
	/* An older one that comes late changes nothing. */
	json_object_set_new(obj, "seq", json_integer(4));
	json_object_set_new(obj, "drift", json_integer(9));
	reports_take(host[A].e.reports, B, obj, 0, &at);
	assert_int_equal(reports_of(host[A].e.reports, B, &at)->drift, 0);
	/* A witness has nothing to say, nor has anybody about this host. */
	reports_take(host[A].e.reports, W, obj, 0, &at);
	assert_null(reports_of(host[A].e.reports, W, &at));
	reports_take(host[A].e.reports, A, obj, 0, &at);
	assert_null(reports_of(host[A].e.reports, A, &at));
	many = json_object();
	for (i = 0; i < 33; i++) {
		(void)snprintf(name, sizeof(name), "x%zu", i);
		json_object_set_new(many, name, json_integer(1));
	}
	json_object_set_new(obj, "passes", many);
	assert_int_equal(report_parse(&rep, obj, &conf, &err), -1);
	json_decref(obj);
}

/* Spoilt bytes are refused, or read as something; ASan looks on. */
static void
test_spoilt(void **state)
{
	struct host_report rep = { .seq = 9,
		.site_epoch = 3,
		.passes = CHECK_BIT(SHARED) | CHECK_BIT(QUIET),
		.fails = CHECK_BIT(OWN),
		.healthy = true };
	json_t *obj = report_json(&rep, &conf);
	char *text = json_text(obj), *bad;
	size_t len = strlen(text);
	struct error err;
	int i, read = 0;

	json_decref(obj);
	for (i = 0; i < 30000; i++) {
		bad = strdup(text);
		bad[dice((int)len)] = (char)dice(256);
		if (dice(4) == 0)
			bad[dice((int)len)] = (char)dice(256);
		obj = json_read(bad, strlen(bad), &err);
		if (obj != NULL)
			read += report_parse(&rep, obj, &conf, &err) == 0;
		json_decref(obj);
		free(bad);
	}
	assert_in_range(read, 1, 20000);
	free(text);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_everybody_hears),
		T(test_it_is_sent_seldom),
		T(test_own_and_shared),
		T(test_nobody_is_better),
		T(test_the_holder_stays),
		T(test_stale),
		T(test_stale_from_the_start),
		T(test_postgres),
		T(test_never_both),
		T(test_never_both_stale),
		T(test_shared_fault),
		T(test_foreign),
		T(test_spoilt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
