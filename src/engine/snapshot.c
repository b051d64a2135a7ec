/*
 * What the front may say without asking: rendered here, pushed when it
 * matters and twice a second. Every yes in it carries its end, so that the
 * front says no by itself when this engine hangs.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/driver.h"
#include "engine/engine.h"
#include "engine/health.h"
#include "engine/ready.h"
#include "engine/status.h"
#include "hawatch/converge.h"
#include "hawatch/emit.h"
#include "hawatch/frontlink.h"
#include "hawatch/pgwatch.h"

#define FRESH (5 * USEC_SEC / 2)
#define EVERY (USEC_SEC / 2)
#define RENDER USEC_SEC
#define VIEW_GOOD (3 * USEC_SEC)
#define PROBE (3 * USEC_SEC) /* a write probe is good for so long, or T */

static void
snapshot_database(const struct engine *e, const struct core_status *st,
    const struct now *now, struct snapshot *snap)
{
	const struct pg_view *v = pgwatch_view(e->pg);

	usec_t probed = e->conf->ttl > PROBE ? e->conf->ttl : PROBE;

	/* A hung engine must not be a primary for ever, even alone. */
	probed += v->probe_at > e->started_at ? v->probe_at : now->raw;
	if (status_is_primary(st, now))
		snap->primary_until =
		    st->deadline < probed ? st->deadline : probed;
	if (st->pg == PGS_STANDBY && v->receiver)
		snap->standby_until = v->seen_at + VIEW_GOOD;
	if (v->upstream > v->replay)
		snap->lag = v->upstream - v->replay;
}

void
snapshot_publish(struct engine *e, const struct now *now)
{
	struct health *health = e->health;
	struct core_status st;
	struct snapshot snap;
	char unready[READY_MAX];
	bool moved, news;
	int drift;

	memset(&st, 0, sizeof(st));
	memset(&snap, 0, sizeof(snap));
	if (e->core != NULL) {
		core_status(e->core, now, &st);
		snapshot_database(e, &st, now, &snap);
	}
	health_look(e, &st, now, health);
	ready_look(e, &st, now, unready, sizeof(unready));
	snap.healthy = health->ok;
	drift = converge_drift(e->converge);
	news = health->fails != e->rendered_fails || drift != e->rendered_drift;
	moved = news || snap.primary_until != e->told_primary ||
		snap.healthy != e->told_healthy ||
		(unready[0] == '\0') != e->told_ready ||
		(snap.standby_until != 0) != e->told_standby;
	if (!moved && now->raw - e->told_at < EVERY)
		return;
	if (snap.healthy != e->told_healthy)
		EMIT(health_change, kv_s("to", snap.healthy ? "200" : "503"),
		    kv_s("reasons", health->reasons));
	e->told_at = now->raw;
	e->told_primary = snap.primary_until;
	e->told_healthy = snap.healthy;
	e->told_ready = unready[0] == '\0';
	e->told_standby = snap.standby_until != 0;
	snap.fresh_until = now->raw + FRESH;
	snap.reasons = health->reasons;
	snap.unready = unready;
	/* Deadlines move with every renewal; the document is for people. */
	if (e->told_status == NULL || news ||
	    now->raw - e->rendered_at >= RENDER) {
		e->rendered_fails = health->fails;
		e->rendered_drift = drift;
		free(e->told_status);
		e->told_status = status_json(e, now);
		e->rendered_at = now->raw;
	}
	snap.status = e->told_status;
	frontlink_publish(e->front, &snap);
}
