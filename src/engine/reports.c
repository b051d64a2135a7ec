/*
 * Sending this host's report and keeping the others'. Most reports travel with
 * the questions and answers of the lease, which flow several times a second
 * between a holder and its candidate; what is said here by a request of its
 * own is for the nodes that are left.
 *
 * "One shared fault takes no host out" needs more than recent reports: the
 * fault is there from one instant on, and each host finds it when it probes
 * next. So a pass of another host counts only when the probe that passed began
 * after the check had failed here. For a fault that both hosts share there is
 * no such probe; and of two hosts, each cannot have probed later than the
 * other. When a probe began is told as an age, and is counted from when the
 * request left that the report answers, so that no clock is compared and no
 * delay makes a probe look later than it was. The same with two hosts whose
 * applications are not as their roles demand: each goes only for another that
 * was not so after it was so itself.
 */
#include "engine/reports.h"

#include <stdlib.h>

#include "engine/engine.h"
#include "engine/health.h"
#include "engine/peers.h"
#include "hawatch/check.h"
#include "hawatch/converge.h"
#include "hawatch/emit.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/traffic.h"

#define REPORT_EVERY USEC_SEC
#define REPORT_WITNESS (5 * USEC_SEC) /* it only shows them */
#define REPORT_GAP (100 * USEC_MSEC)  /* between two, whatever changes */
#define REPORT_ALONG (REPORT_EVERY / 2)
#define REPORT_GOOD (3 * USEC_SEC)
#define REPORT_PRESS (250 * USEC_MSEC) /* is it this host? */
#define REPORT_PRESS_FOR (5 * USEC_SEC)
#define REPORT_PROBE (200 * USEC_MSEC) /* a probe asked for by another host */
#define REPORT_LATE (10 * USEC_SEC)    /* an older one is of before a reboot */

struct report_peer {
	struct host_report rep, sent;
	usec_t at;			   /* raw, of rep; 0 never */
	usec_t passed_at[CONF_CHECKS_MAX]; /* raw: a probe that passed began
					      then or later */
	usec_t fit_at;	  /* raw: it was not stale then, or later; 0 never */
	usec_t sent_at;	  /* raw, of sent, by whatever way; 0 never */
	usec_t posted_at; /* raw, by a request of its own; 0 never */
	bool bad;	  /* the last one could not be read */
};

struct reports {
	struct engine *e;
	struct host_report own;
	struct report_peer peer[NODES_MAX];
};

struct reports *
reports_new(struct engine *e)
{
	struct reports *r = xcalloc(1, sizeof(*r));

	r->e = e;
	return r;
}

void
reports_free(struct reports *r)
{
	free(r);
}

/* The worst of the balancers; yes when it steers none. */
static enum answer
reports_traffic(const struct traffic *t)
{
	struct traffic_state ts;
	enum answer ans = ANS_YES;
	int i;

	for (i = 0; t != NULL && i < traffic_count(t); i++) {
		traffic_state(t, i, &ts);
		if (ts.ok == ANS_NO)
			return ANS_NO;
		if (ts.ok == ANS_UNKNOWN)
			ans = ANS_UNKNOWN;
	}
	return ans;
}

static void
reports_build(struct reports *r, const struct now *now)
{
	const struct engine *e = r->e;
	struct core_status st;
	usec_t age;
	int c;

	core_status(e->core, now, &st);
	r->own = (struct host_report){ .seq = (uint64_t)now->raw,
		.site_epoch = st.site.epoch,
		.passes = e->health->passes,
		.fails = e->health->fails,
		.healthy = e->health->ok,
		.stale = e->health->stale,
		.drift = converge_drift(e->converge),
		.traffic = reports_traffic(e->traffic) };
	for (c = 0; c < e->conf->check_count; c++) {
		if ((r->own.passes & CHECK_BIT(c)) == 0)
			continue;
		age = (now->raw - e->health->passed_at[c]) / USEC_MSEC + 1;
		r->own.age_ms[c] =
		    age < 0 || age > UINT32_MAX ? UINT32_MAX : (uint32_t)age;
	}
}

static json_t *
reports_give(struct reports *r, node_t to, const struct now *now)
{
	struct report_peer *p = &r->peer[to];

	p->sent = r->own;
	p->sent_at = now->raw;
	return report_json(&r->own, r->e->conf);
}

json_t *
reports_along(struct reports *r, node_t to, const struct now *now)
{
	struct report_peer *p = &r->peer[to];

	if (r->e->core == NULL)
		return NULL;
	reports_build(r, now);
	if (p->sent_at != 0 && now->raw - p->sent_at < REPORT_ALONG &&
	    report_same(&p->sent, &r->own))
		return NULL;
	return reports_give(r, to, now);
}

json_t *
reports_answer(struct reports *r, node_t to, const struct now *now)
{
	if (r->e->core == NULL)
		return json_object();
	/* The asker wants to know what is so now, not what was in the last
	 * turn: a check may have ended since. */
	health_look_now(r->e, now);
	reports_build(r, now);
	return reports_give(r, to, now);
}

static void
reports_passed(const struct reports *r, struct report_peer *p,
    const struct host_report *rep, usec_t asked)
{
	usec_t began;
	int c;

	if (!rep->stale && asked > p->fit_at)
		p->fit_at = asked;
	for (c = 0; c < r->e->conf->check_count; c++) {
		began = asked - (usec_t)rep->age_ms[c] * USEC_MSEC;
		if ((rep->passes & CHECK_BIT(c)) != 0 &&
		    began > p->passed_at[c])
			p->passed_at[c] = began;
	}
}

/* What fails there and passes here is probed anew, so that the other host soon
 * knows whose fault it is. */
static void
reports_probe(const struct reports *r, const struct host_report *rep,
    const struct now *now)
{
	const struct health *h = r->e->health;
	int c;

	for (c = 0; c < r->e->conf->check_count; c++)
		if ((rep->fails & h->passes & CHECK_BIT(c)) != 0 &&
		    now->raw - h->passed_at[c] > REPORT_PROBE)
			checks_poke(r->e->checks, h->at[c]);
}

void
reports_take(struct reports *r, node_t from, const json_t *obj, usec_t asked,
    const struct now *now)
{
	struct report_peer *p = &r->peer[from];
	struct host_report rep;
	struct error err;

	if (obj == NULL || from == r->e->conf->self ||
	    r->e->conf->node[from].role != ROLE_DATA)
		return;
	if (report_parse(&rep, obj, r->e->conf, &err) != 0) {
		if (!p->bad)
			EMIT(peer_refused,
			    kv_s("peer", r->e->conf->node[from].name),
			    kv_s("reason", err.msg));
		p->bad = true;
		return;
	}
	p->bad = false;
	if (asked != 0)
		reports_passed(r, p, &rep, asked);
	if (p->at != 0 && rep.seq < p->rep.seq &&
	    p->rep.seq - rep.seq < (uint64_t)REPORT_LATE)
		return;
	p->rep = rep;
	p->at = now->raw;
	reports_probe(r, &rep, now);
	if (r->e->core != NULL)
		core_on_site(r->e->core, now, from,
		    &(struct site_report){
			.site_epoch = rep.site_epoch, .serving = rep.healthy });
}

const struct host_report *
reports_of(const struct reports *r, node_t node, const struct now *now)
{
	usec_t good = r->e->core == NULL ? 3 * REPORT_WITNESS : REPORT_GOOD;

	if (r->peer[node].at == 0 || now->raw - r->peer[node].at > good)
		return NULL;
	return &r->peer[node].rep;
}

usec_t
reports_heard_at(const struct reports *r, node_t node)
{
	return r->peer[node].at;
}

static checkset_t
reports_health(const struct conf *conf, bool shared)
{
	checkset_t set = 0;
	int c;

	for (c = 0; c < conf->check_count; c++)
		if (conf->check[c].health && conf->check[c].shared == shared)
			set |= CHECK_BIT(c);
	return set;
}

/* Would voters be better off there? Not while it is out for a fault of its own,
 * not brought to its role, or stale as this host is not: then nobody would be
 * left. Where each of two
 * hosts fails what the other passes, the holder stays. */
static bool
reports_better(const struct reports *r, const struct host_report *rep,
    checkset_t own, const struct core_status *st)
{
	const struct conf *conf = r->e->conf;

	if ((rep->fails & reports_health(conf, false)) != 0 ||
	    (rep->stale && !r->e->health->stale) ||
	    rep->site_epoch < st->rec.epoch)
		return false;
	return st->site.role != SITE_PRIMARY ||
	       (rep->fails & reports_health(conf, true) & own) == 0;
}

bool
reports_pass(const struct reports *r, int check, usec_t since, checkset_t own,
    const struct core_status *st, const struct now *now)
{
	const struct host_report *rep;
	int n;

	for (n = 0; n < r->e->conf->node_count; n++) {
		rep = reports_of(r, n, now);
		if (rep != NULL && (rep->passes & CHECK_BIT(check)) != 0 &&
		    r->peer[n].passed_at[check] >= since &&
		    reports_better(r, rep, own, st))
			return true;
	}
	return false;
}

bool
reports_fit(const struct reports *r, usec_t since, const struct core_status *st,
    const struct now *now)
{
	const struct conf *conf = r->e->conf;
	checkset_t any =
	    reports_health(conf, true) | reports_health(conf, false);
	const struct host_report *rep;
	int n;

	for (n = 0; n < conf->node_count; n++) {
		if (since == 0 && r->peer[n].at == 0 && n != conf->self &&
		    conf->node[n].role == ROLE_DATA)
			return true;
		rep = reports_of(r, n, now);
		if (rep != NULL && rep->healthy && !rep->stale &&
		    r->peer[n].fit_at >= since && (rep->fails & any) == 0 &&
		    rep->site_epoch >= st->rec.epoch)
			return true;
	}
	return false;
}

/* It says that it passes what fails here, and not yet that it has probed since,
 * or that it is not stale, and not yet that it was not since this host is:
 * that, it says as an answer alone. */
static bool
reports_must_ask(const struct reports *r, node_t n, const struct now *now)
{
	const struct host_report *rep = reports_of(r, n, now);
	const struct health *h = r->e->health;
	int c;

	if (rep != NULL && h->stale && !rep->stale &&
	    r->peer[n].fit_at < h->stale_since)
		return true;
	for (c = 0; rep != NULL && c < r->e->conf->check_count; c++)
		if ((h->disputes & rep->passes & CHECK_BIT(c)) != 0 &&
		    r->peer[n].passed_at[c] < h->disputed)
			return true;
	return false;
}

/* When that node is to be sent a request. */
static usec_t
reports_due(const struct reports *r, node_t n, const struct now *now)
{
	const struct report_peer *p = &r->peer[n];
	bool data = r->e->conf->node[n].role == ROLE_DATA;
	const struct health *h = r->e->health;
	usec_t disputed = h->disputed;

	if (h->stale && h->stale_since > disputed)
		disputed = h->stale_since;
	if (p->sent_at == 0)
		return now->raw;
	if (data && reports_must_ask(r, n, now))
		return p->posted_at + (now->raw - disputed < REPORT_PRESS_FOR ?
					      REPORT_PRESS :
					      REPORT_EVERY);
	if (!report_same(&p->sent, &r->own))
		return p->sent_at + REPORT_GAP;
	return p->sent_at + (data ? REPORT_EVERY : REPORT_WITNESS);
}

usec_t
reports_turn(struct reports *r, const struct now *now)
{
	const struct conf *conf = r->e->conf;
	usec_t next = USEC_NEVER, due;
	node_t n;

	if (r->e->core == NULL)
		return USEC_NEVER;
	reports_build(r, now);
	for (n = 0; n < conf->node_count; n++) {
		if (n == conf->self)
			continue;
		due = reports_due(r, n, now);
		if (due <= now->raw) {
			r->peer[n].posted_at = now->raw;
			peers_host(r->e->peers, n, reports_give(r, n, now));
			due = now->raw + REPORT_EVERY;
		}
		next = due < next ? due : next;
	}
	return next;
}
