/*
 * Sending this host's report and keeping the others'. Most reports travel with
 * the questions and answers of the lease, which flow several times a second
 * between a holder and its candidate; what is said here by a request of its
 * own is for the nodes that are left. Whose fault it is, is reports_fault.c's.
 */
#include "engine/reports_kept.h"

#include <stdlib.h>
#include <string.h>

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
		.automatic = e->conf->mode == MODE_AUTO ? ANS_YES : ANS_NO,
		.room = st.full ? ANS_NO : ANS_YES,
		.drift = converge_drift(e->converge),
		.traffic = reports_traffic(e->traffic) };
	memcpy(r->own.config, e->conf->digest, sizeof(r->own.config));
	memcpy(r->own.vital, e->conf->vital, sizeof(r->own.vital));
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
	json_t *obj;

	if (r->e->core == NULL) {
		obj = json_object();
		report_put_config(obj, r->e->conf);
		return obj;
	}
	/* The asker wants to know what is so now, not what was in the last
	 * turn: a check may have ended since. */
	health_look_now(r->e, now);
	reports_build(r, now);
	return reports_give(r, to, now);
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

enum answer
reports_config(const struct reports *r, node_t node, bool vital)
{
	const struct config_word *w = &r->peer[node].config;

	return vital ? w->vital : w->shared;
}

void
reports_renew(struct reports *r, bool checks)
{
	struct report_peer *p;
	node_t n;

	for (n = 0; n < r->e->conf->node_count; n++) {
		p = &r->peer[n];
		/* It is compared with what came next. */
		memset(&p->config, 0, sizeof(p->config));
		p->sent_at = 0;
		if (!checks)
			continue;
		p->rep.passes = p->rep.fails = 0;
		memset(p->passed_at, 0, sizeof(p->passed_at));
	}
}

static int
reports_parse(const struct reports *r, node_t from, const json_t *obj,
    struct host_report *rep, struct error *err)
{
	if (r->e->conf->node[from].role == ROLE_DATA)
		return report_parse(rep, obj, r->e->conf, err);
	memset(rep, 0, sizeof(*rep));
	return report_config(rep, obj, err);
}

void
reports_take(struct reports *r, node_t from, const json_t *obj, usec_t asked,
    const struct now *now)
{
	struct report_peer *p = &r->peer[from];
	struct host_report rep;
	struct error err;

	if (obj == NULL || from == r->e->conf->self)
		return;
	if (reports_parse(r, from, obj, &rep, &err) != 0) {
		if (!p->bad)
			EMIT(peer_refused,
			    kv_s("peer", r->e->conf->node[from].name),
			    kv_s("reason", err.msg));
		p->bad = true;
		return;
	}
	p->bad = false;
	config_word(&p->config, &rep, r->e->conf, from);
	if (r->e->conf->node[from].role != ROLE_DATA)
		return;
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
		    &(struct site_report){ .site_epoch = rep.site_epoch,
			.serving = rep.healthy,
			.config = p->config.vital,
			.automatic = rep.automatic,
			.room = rep.room });
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
