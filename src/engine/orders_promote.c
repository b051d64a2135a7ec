/*
 * A promotion by order: whether the old primary still answers is asked anew,
 * from its engine and from its PostgreSQL's port, before the core is told. All
 * other rules are the core's.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/orders.h"
#include "engine/status.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/pgwatch.h"

static bool promote_serves(const json_t *said);
static bool promote_answers(
    const struct engine *e, node_t holder, usec_t since);
static char *promote_stop_command(const struct engine *e, node_t holder);

static void promote_ask(
    struct engine *e, uint64_t id, const char *fenced, bool look);
static bool promote_refused(
    struct engine *e, uint64_t id, const json_t *holder, usec_t since);

void
orders_promote_ask(struct engine *e, uint64_t id, const char *fenced)
{
	promote_ask(e, id, fenced, false);
}

void
orders_promote_look(struct engine *e, uint64_t id, const char *fenced)
{
	promote_ask(e, id, fenced, true);
}

static void
promote_ask(struct engine *e, uint64_t id, const char *fenced, bool look)
{
	const struct now now = clock_now();
	struct core_status st;

	core_status(e->core, &now, &st);
	if (status_is_primary(&st, &now))
		orders_refuse(e, id, EXITCODE_REFUSED,
		    "this node is the primary already", "hactl status");
	else if (st.rec.state == REC_NONE || st.rec.holder == NODE_NONE ||
		 st.rec.holder == e->conf->self)
		orders_promote(e, id, fenced, NULL, now.raw, look);
	else {
		orders_ask(e, id, look ? ASK_LOOK : ASK_PROMOTE, st.rec.holder,
		    fenced);
		pgwatch_poke_peer(e->pg, st.rec.holder);
	}
}

void
orders_promote(struct engine *e, uint64_t id, const char *fenced,
    const json_t *holder, usec_t since, bool look)
{
	const struct now now = clock_now();
	const char *refused;

	if (promote_refused(e, id, holder, since))
		return;
	if (look) {
		orders_look_over(
		    e, id, core_may_promote(e->core, &now, fenced));
		return;
	}
	refused = core_order_promote(e->core, &now, fenced);
	if (refused != NULL) {
		orders_refuse_core(e, id, refused);
		return;
	}
	orders_taken_why(e, id, "promote", fenced == NULL ? "" : fenced);
	orders_wait(e, id, LONG_PROMOTE, NODE_NONE);
}

/* The primary answers: true, and the asker was told. */
static bool
promote_refused(
    struct engine *e, uint64_t id, const json_t *holder, usec_t since)
{
	const struct now now = clock_now();
	struct core_status st;
	char *next;

	core_status(e->core, &now, &st);
	if (promote_serves(holder)) {
		next = xasprintf("ssh %s hactl switchover %s",
		    e->conf->names.node[st.rec.holder],
		    e->conf->names.node[e->conf->self]);
		if (st.paused_until != 0) {
			free(next);
			next = xasprintf("ssh %s hactl resume",
			    e->conf->names.node[st.rec.holder]);
		}
		orders_refuse(e, id, EXITCODE_REFUSED,
		    st.paused_until != 0 ?
			"the primary answers: a takeover now would break what "
			"works. It can hand over to this node when failover "
			"is no longer paused" :
			"the primary answers: a takeover now would break what "
			"works. It can hand over to this node",
		    next);
		free(next);
		return true;
	}
	if (promote_answers(e, st.rec.holder, since)) {
		next = promote_stop_command(e, st.rec.holder);
		orders_refuse(e, id, EXITCODE_REFUSED,
		    "the primary answers: a takeover now would break what "
		    "works. Stop PostgreSQL there, and this node takes over "
		    "by itself",
		    next);
		free(next);
		return true;
	}
	return false;
}

bool
orders_promote_asked(const struct engine *e, node_t holder, usec_t since)
{
	const struct pg_peer *pg = pgwatch_peer(e->pg, holder);

	return pg == NULL || pg->asked_at >= since;
}

/* The holder's engine says that it is open. */
static bool
promote_serves(const json_t *said)
{
	const char *role = json_string_value(json_object_get(said, "role"));

	return role != NULL && strcmp(role, "primary") == 0;
}

/* Its port answers as a primary: to a question that was asked after the order
 * was given. */
static bool
promote_answers(const struct engine *e, node_t holder, usec_t since)
{
	const struct pg_peer *pg;

	if (holder == NODE_NONE || holder == e->conf->self)
		return false;
	pg = pgwatch_peer(e->pg, holder);
	return pg != NULL && pg->recovery == ANS_NO && pg->seen_at >= since;
}

static char *
promote_stop_command(const struct engine *e, node_t holder)
{
	const struct conf_postgres *pg = &e->conf->pg;
	const char *name = e->conf->names.node[holder];

	switch (pg->backend) {
	case BACKEND_SYSTEMD:
		return xasprintf(
		    "ssh %s systemctl stop %s; hactl status", name, pg->unit);
	case BACKEND_PG_CTLCLUSTER: {
		int version = (int)strcspn(pg->cluster, "/");

		return xasprintf("ssh %s pg_ctlcluster %.*s %s stop; "
				 "hactl status",
		    name, version, pg->cluster,
		    pg->cluster[version] == '\0' ? "main" :
						   pg->cluster + version + 1);
	}
	case BACKEND_ARGV:
		break;
	}
	return xasprintf("ssh %s runuser -u %s -- %s/pg_ctl -D %s -m fast "
			 "stop; hactl status",
	    name, pg->run_as, pg->bin_directory, pg->data_directory);
}
