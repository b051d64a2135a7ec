/*
 * In mode observe nothing is touched: no table of the kernel, no setting, file,
 * program, balancer, and no record. What the engine sees anyway is enough to
 * say what it would have done: PostgreSQL on every host, the items that are not
 * as this host's role would demand, and the balancers that it would steer.
 */
#include "engine/observe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "hawatch/agent.h"
#include "hawatch/converge.h"
#include "hawatch/emit.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/pgwatch.h"
#include "hawatch/str.h"
#include "hawatch/would.h"

#define OBSERVE_GOOD (3 * USEC_SEC) /* an older answer tells nothing */
#define OBSERVE_EVERY (200 * USEC_MSEC)

struct observe {
	struct would *would;
	usec_t next;
	uint64_t told;	    /* serial of the last entry in the log */
	uint64_t changes;   /* of the primary, whose items were told */
	usec_t items_since; /* raw: they are looked at anew since; 0 told */
};

struct observe *
observe_new(struct engine *e)
{
	const struct conf *conf = e->conf;
	struct would_conf wc = { .names = &conf->names,
		.self = conf->self,
		.data = conf_data_nodes(conf),
		.ttl = conf->ttl,
		.standby_timeout = conf->pg.standby_timeout,
		.proof_lease = conf->proof_lease,
		.agents = conf->proof_agent ? agents_nodes(conf) : 0,
		.agent_after = conf->agent_after > conf->ttl / 2 ?
				   conf->agent_after :
				   conf->ttl / 2,
		.bounded = conf->durability == DURABILITY_BOUNDED,
		.rejoins = conf->rejoin != CONF_REJOIN_NONE };
	struct observe *o;
	node_t n;

	if (conf->mode != MODE_OBSERVE ||
	    conf->node[conf->self].role != ROLE_DATA)
		return NULL;
	wc.wait = conf->ttl * (1000000 + conf->clock_ppm) /
		      (1000000 - conf->clock_ppm) +
		  conf->slack;
	for (n = 0; n < conf->node_count; n++)
		wc.priority[n] = conf->node[n].priority;
	o = xcalloc(1, sizeof(*o));
	o->would = would_new(&wc);
	return o;
}

void
observe_free(struct observe *o)
{
	if (o == NULL)
		return;
	would_free(o->would);
	free(o);
}

static struct would_node
observe_own(const struct engine *e, const struct now *now)
{
	const struct pg_view *v = pgwatch_view(e->pg);
	struct would_node n = { .recovery = v->recovery,
		.timeline = v->timeline,
		.wal_end = v->wal_end };

	if (v->running == ANS_NO) {
		n.up = ANS_NO;
		n.gone = true;
	} else if (v->running == ANS_YES && v->recovery != ANS_UNKNOWN &&
		   now->raw - v->seen_at < OBSERVE_GOOD) {
		n.up = ANS_YES;
	}
	return n;
}

static struct would_node
observe_other(const struct engine *e, node_t node, const struct now *now)
{
	const struct pg_peer *p = pgwatch_peer(e->pg, node);
	struct would_node n = { 0 };

	if (p == NULL || p->asked_at == 0)
		return n;
	n.recovery = p->recovery;
	n.timeline = p->timeline;
	n.wal_end = p->wal_end;
	n.up = p->reached;
	if (p->reached == ANS_YES && now->raw - p->asked_at >= OBSERVE_GOOD)
		n.up = ANS_UNKNOWN;
	return n;
}

/* Who steers them, and whereto. */
static void
observe_traffic(struct engine *e, const struct now *now, node_t primary)
{
	const struct conf_traffic *t;
	char text[WOULD_TEXT_MAX];
	int i;

	for (i = 0; i < e->conf->traffic_count; i++) {
		t = &e->conf->traffic[i];
		if (t->from == FROM_HOLDER && primary != e->conf->self)
			continue;
		(void)snprintf(text, sizeof(text),
		    t->address[0] == '\0' ?
			"balancer %s would have been steered from here: in "
			"with %s, out with every host that does not serve" :
			"balancer %s would have been pointed from here to %s",
		    t->name, e->conf->node[primary].name);
		would_note(e->observe->would, now, text);
	}
}

/* Once all were compared with the new role: those that differ. */
static void
observe_items(struct engine *e, const struct now *now, node_t primary)
{
	struct observe *o = e->observe;
	char text[WOULD_TEXT_MAX], names[160] = "";
	struct converge_state cs;
	int i, differ = 0;
	size_t len;

	for (i = 0; i < converge_count(e->converge); i++) {
		converge_state(e->converge, i, &cs);
		if (cs.seen_at < o->items_since)
			return;
		if (cs.holds != ANS_NO)
			continue;
		len = strlen(names);
		(void)snprintf(names + len, sizeof(names) - len, "%s%s",
		    differ++ == 0 ? "" : ", ", cs.name);
	}
	o->items_since = 0;
	if (differ == 0)
		return;
	(void)snprintf(text, sizeof(text),
	    "as the %s, %d item%s would have been changed on this host: %s",
	    primary == e->conf->self ? "primary" : "standby", differ,
	    differ == 1 ? "" : "s", names);
	would_note(o->would, now, text);
}

static void
observe_tell(struct observe *o)
{
	const struct would_entry *w;
	int i;

	for (i = 0; i < would_count(o->would); i++) {
		w = would_entry(o->would, i);
		if (w->serial <= o->told)
			continue;
		EMIT(would_do, kv_s("text", w->text));
		o->told = w->serial;
	}
}

void
observe_turn(struct engine *e, const struct now *now)
{
	struct would_node node[NODES_MAX] = { { 0 } };
	struct observe *o = e->observe;
	struct core_status st;
	node_t n, primary;

	if (o == NULL || now->raw < o->next)
		return;
	o->next = now->raw + OBSERVE_EVERY;
	for (n = 0; n < e->conf->node_count; n++)
		node[n] = n == e->conf->self ? observe_own(e, now) :
					       observe_other(e, n, now);
	core_status(e->core, now, &st);
	would_pause(o->would, st.paused_until != 0);
	would_look(o->would, now, node);
	primary = would_primary(o->would);
	if (o->changes != would_changes(o->would)) {
		if (o->changes != 0)
			observe_traffic(e, now, primary);
		o->changes = would_changes(o->would);
		o->items_since = now->raw;
	}
	if (o->items_since != 0)
		observe_items(e, now, primary);
	observe_tell(o);
}

void
observe_note(struct observe *o, const struct now *now, const char *text)
{
	if (o == NULL)
		return;
	would_note(o->would, now, text);
	observe_tell(o);
}

node_t
observe_primary(const struct observe *o, uint64_t *changes)
{
	*changes = o == NULL ? 0 : would_changes(o->would);
	return o == NULL ? NODE_NONE : would_primary(o->would);
}

json_t *
observe_json(const struct observe *o)
{
	json_t *list = json_array(), *obj;
	const struct would_entry *w;
	int i;

	for (i = 0; i < would_count(o->would); i++) {
		w = would_entry(o->would, i);
		obj = json_object();
		json_put_u64(obj, "serial", w->serial);
		json_put_i64(obj, "at_ms", w->wall / USEC_MSEC);
		json_put_string(obj, "text", w->text);
		json_array_append_new(list, obj);
	}
	return list;
}
