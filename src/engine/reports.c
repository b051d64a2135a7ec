/*
 * Sending this host's report and keeping the others'. Most reports travel with
 * the questions and answers of the lease, which flow several times a second
 * between a holder and its candidate; what is said here by a request of its
 * own is for the nodes that are left.
 *
 * "Both hosts never say 503 for one shared fault" needs more than recent
 * reports: two that cross on the wire while both checks begin to fail would
 * each be the other's proof. So a pass counts only when it is the answer to a
 * request that left after the own check had failed: the other host passed
 * later than this one failed, and that cannot be true both ways round.
 */
#include "engine/reports.h"

#include <stdlib.h>

#include "engine/engine.h"
#include "engine/health.h"
#include "engine/peers.h"
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
#define REPORT_LATE (10 * USEC_SEC) /* an older one is of before a reboot */

struct report_peer {
	struct host_report rep, sent;
	usec_t at;	  /* raw, of rep; 0 never */
	usec_t asked_at;  /* raw: a request left then that was answered */
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

	core_status(e->core, now, &st);
	r->own = (struct host_report){ .seq = (uint64_t)now->raw,
		.site_epoch = st.site.epoch,
		.passes = e->health->passes,
		.fails = e->health->fails,
		.healthy = e->health->ok,
		.drift = converge_drift(e->converge),
		.traffic = reports_traffic(e->traffic) };
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
	if (asked > p->asked_at)
		p->asked_at = asked;
	if (p->at != 0 && rep.seq < p->rep.seq &&
	    p->rep.seq - rep.seq < (uint64_t)REPORT_LATE)
		return;
	p->rep = rep;
	p->at = now->raw;
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

bool
reports_pass(
    const struct reports *r, int check, usec_t since, const struct now *now)
{
	const struct host_report *rep;
	int n;

	for (n = 0; n < r->e->conf->node_count; n++) {
		rep = reports_of(r, n, now);
		if (rep != NULL && (rep->passes & CHECK_BIT(check)) != 0 &&
		    r->peer[n].asked_at >= since)
			return true;
	}
	return false;
}

/* When that node is to be sent a request. */
static usec_t
reports_due(const struct reports *r, node_t n, const struct now *now)
{
	const struct report_peer *p = &r->peer[n];
	bool data = r->e->conf->node[n].role == ROLE_DATA;
	usec_t disputed = r->e->health->disputed;

	if (p->sent_at == 0)
		return now->raw;
	/* Whether it passes what fails here, it says as an answer alone. */
	if (data && disputed > p->asked_at)
		return p->posted_at < disputed ? now->raw :
						 p->posted_at + REPORT_EVERY;
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
