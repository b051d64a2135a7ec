/*
 * The world of two hosts that report to each other: time, network and probes.
 */
#include "reportstest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/peers.h"
#include "hawatch/converge.h"
#include "hawatch/json.h"
#include "hawatch/traffic.h"

struct reportstest rt;

int
rt_dice(int n)
{
	rt.seed = rt.seed * 1664525 + 1013904223;
	return (int)((rt.seed >> 8) % (unsigned)n);
}

static int
who(const void *engine)
{
	int i;

	for (i = 0; i < 3; i++)
		if (engine == (const void *)&rt.host[i].e)
			return i;
	abort();
}

int
checks_count(const struct checks *checks)
{
	return CHECKS;
}

void
checks_state(const struct checks *checks, int i, struct check_state *out)
{
	*out = rt.host[who(checks)].check[i];
}

void
checks_poke(struct checks *checks, int i)
{
	if (i == QUIET) {
		rt.host[who(checks)].check[i].seen_at = rt.at.raw;
		return;
	}
	assert_int_equal(i, SHARED);
	if (rt.host[who(checks)].end == 0)
		rt.host[who(checks)].next = rt.at.raw;
}

void
core_status(const struct core *c, const struct now *now, struct core_status *st)
{
	memset(st, 0, sizeof(*st));
	st->pg = rt.host[who(c)].pg;
	st->full = rt.host[who(c)].full;
	st->site.epoch = (uint64_t)who(c) + 7;
	st->site.role = rt.host[who(c)].role;
	st->rec.epoch = rt.host[who(c)].record;
}

void
core_on_site(struct core *c, const struct now *now, node_t from,
    const struct site_report *report)
{
	rt.host[who(c)].heard++;
	rt.host[who(c)].heard_epoch = report->site_epoch;
	rt.host[who(c)].said = report->config;
	rt.host[who(c)].room = report->room;
}

int
converge_drift(const struct converge *c)
{
	return 3;
}

bool
converge_stale(const struct converge *c)
{
	return rt.host[who(c)].stale;
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

	for (i = 0; i < FLIGHTS && rt.flight[i].at != 0; i++)
		continue;
	assert_true(i < FLIGHTS);
	rt.flight[i] = (struct flight){ .from = from,
		.to = to,
		.at = rt.at.raw + 1 + rt_dice((int)rt.delay_max),
		.asked = asked,
		.answer = answer,
		.host = obj };
}

void
peers_host(struct peers *p, node_t node, json_t *report)
{
	rt.host[who(p)].sent++;
	fly(who(p), node, report, false, rt.at.raw);
}

bool
conf_on(const struct conf *c, const char *const *on, node_t node)
{
	return true;
}

int
rt_setup(void **state)
{
	static const char *const names[CHECKS] = { "shared", "own", "quiet" };
	int i, c;

	memset(&rt, 0, sizeof(rt));
	rt.conf.node_count = 3;
	rt.conf.node[A].name = "n-a";
	rt.conf.node[B].name = "n-b";
	rt.conf.node[W].name = "n-w";
	rt.conf.node[W].role = ROLE_WITNESS;
	rt.conf.check_count = CHECKS;
	rt.at = (struct now){ .raw = 100 * USEC_SEC };
	rt.seed = 1;
	rt.delay_max = 2 * USEC_MSEC;
	for (c = 0; c < CHECKS; c++) {
		rt.conf.check[c].name = names[c];
		rt.conf.check[c].type = "tcp";
	}
	for (i = 0; i < 3; i++) {
		rt.host[i].e.conf = &rt.conf;
		rt.host[i].e.peers = (struct peers *)(void *)&rt.host[i].e;
		rt.host[i].e.checks = (struct checks *)(void *)&rt.host[i].e;
		rt.host[i].e.converge =
		    (struct converge *)(void *)&rt.host[i].e;
		rt.host[i].e.traffic = (struct traffic *)(void *)&rt.host[i].e;
		if (i != W)
			rt.host[i].e.core =
			    (struct core *)(void *)&rt.host[i].e;
		rt.host[i].pg = PGS_STANDBY;
		rt.host[i].e.health = calloc(1, sizeof(struct health));
		rt.host[i].e.reports = reports_new(&rt.host[i].e);
		for (c = 0; c < CHECKS; c++)
			rt.host[i].check[c] =
			    (struct check_state){ .name = names[c],
				    .up = ANS_YES,
				    .last = ANS_YES,
				    .health = c != QUIET,
				    .shared = c == SHARED };
	}
	return 0;
}

int
rt_teardown(void **state)
{
	int i;

	for (i = 0; i < FLIGHTS; i++)
		if (rt.flight[i].at != 0)
			json_decref(rt.flight[i].host);
	for (i = 0; i < 3; i++) {
		reports_free(rt.host[i].e.reports);
		free(rt.host[i].e.health);
	}
	return 0;
}

/* These are fields of one struct: who thinks is put there. */
static void
be(int i)
{
	rt.conf.self = i;
	memcpy(rt.conf.digest, rt.host[i].digest, sizeof(rt.conf.digest));
	memcpy(rt.conf.vital, rt.host[i].vital, sizeof(rt.conf.vital));
}

static void
turn(int i)
{
	be(i);
	health_look_now(&rt.host[i].e, &rt.at);
	(void)reports_turn(rt.host[i].e.reports, &rt.at);
}

static void
arrive(struct flight *f)
{
	json_t *obj = f->host;
	struct engine *e = &rt.host[f->to].e;

	f->at = 0;
	if (rt.cut) {
		json_decref(obj);
		return;
	}
	be(f->to);
	reports_take(
	    e->reports, f->from, obj, f->answer ? f->asked : 0, &rt.at);
	json_decref(obj);
	if (!f->answer)
		fly(f->to, f->from, reports_answer(e->reports, f->from, &rt.at),
		    true, f->asked);
}

void
rt_set(int i, int c, enum answer up)
{
	if (rt.host[i].check[c].up == up)
		return;
	rt.host[i].check[c].up = up;
	rt.host[i].check[c].last = up;
	rt.host[i].check[c].since = rt.at.raw;
}

/* Every half second, each at its own phase, for up to 100 ms, down after one
 * or two that failed. */
static void
probe(int i)
{
	struct check_state *cs = &rt.host[i].check[SHARED];

	if (rt.fault == 0) {
		cs->seen_at = rt.at.raw; /* as a test has set it */
		return;
	}
	if (rt.host[i].end == 0 && rt.at.raw >= rt.host[i].next) {
		rt.host[i].start = rt.at.raw;
		rt.host[i].end = rt.at.raw + rt_dice(100) * USEC_MSEC + 1;
		rt.host[i].next = rt.at.raw + 500 * USEC_MSEC;
	}
	if (rt.host[i].end == 0 || rt.at.raw < rt.host[i].end)
		return;
	rt.host[i].end = 0;
	cs->seen_at = rt.host[i].start;
	cs->last = rt.host[i].start < rt.fault ? ANS_YES : ANS_NO;
	rt.host[i].failed = cs->last == ANS_YES ? 0 : rt.host[i].failed + 1;
	if (rt.host[i].failed == rt.host[i].threshold) {
		cs->up = ANS_NO;
		cs->since = rt.at.raw;
	}
}

void
rt_step(void)
{
	int i;

	rt.at.raw += USEC_MSEC;
	for (i = 0; i < FLIGHTS; i++)
		if (rt.flight[i].at != 0 && rt.flight[i].at <= rt.at.raw)
			arrive(&rt.flight[i]);
	probe(A);
	probe(B);
	turn(A);
	turn(B);
	turn(W);
}

void
rt_steps(int ms)
{
	while (ms-- > 0)
		rt_step();
}
