/*
 * What stands against a takeover at this moment. It judges nothing that the
 * core has not: it puts together what the core, and the other hosts' reports,
 * say. On the holder it is about the candidates; on a candidate, about this
 * host, but for the time that a takeover takes anyway. A witness takes over
 * nothing, and says so.
 */
#include "engine/ready.h"

#include <string.h>

#include "engine/engine.h"
#include "engine/reports.h"
#include "hawatch/agent.h"
#include "hawatch/str.h"

struct ready {
	char *buf;
	size_t size;
};

static bool
ready_has(const struct ready *r, const char *token)
{
	size_t len = strlen(token);
	const char *p;

	for (p = r->buf; (p = strstr(p, token)) != NULL; p += len)
		if ((p == r->buf || p[-1] == ',') &&
		    (p[len] == ',' || p[len] == '\0'))
			return true;
	return false;
}

static void
ready_not(struct ready *r, bool so, const char *token)
{
	size_t len = strlen(r->buf);

	if (!so || ready_has(r, token))
		return;
	if (len > 0 && len + 1 < r->size)
		r->buf[len++] = ',';
	str_cut(r->buf + len, r->size - len, token);
}

/* What a candidate waits for while nothing is wrong. */
static bool
ready_waits(const char *block)
{
	static const char *const usual[] = { "", "lease-runs", "promised",
		"gives-way", "asks-others" };
	size_t i;

	for (i = 0; i < sizeof(usual) / sizeof(*usual); i++)
		if (strcmp(block, usual[i]) == 0)
			return true;
	return false;
}

static bool
ready_differs(const struct engine *e)
{
	node_t n;

	for (n = 0; n < e->conf->node_count; n++)
		if (reports_config(e->reports, n, true) == ANS_NO)
			return true;
	return false;
}

/* A candidate whose engine is silent takes over nothing, nor does one whose
 * PostgreSQL has no room. */
static bool
ready_heard(const struct engine *e, nodeset_t candidates, const struct now *now)
{
	const struct host_report *rep;
	node_t n;

	for (n = 0; n < e->conf->node_count; n++) {
		if ((candidates & NODE_BIT(n)) == 0)
			continue;
		rep = reports_of(e->reports, n, now);
		if (rep != NULL && rep->room != ANS_NO)
			return true;
	}
	return false;
}

/* Where agents are the proof, and the end of a lease is none, one has to
 * answer. Where neither is, the loss of a host is left to people, and only the
 * end of a server is not: that is as it was configured. */
static bool
ready_proof(const struct engine *e, node_t holder)
{
	struct agent_state st;
	int i;

	if (e->conf->proof_lease || !e->conf->proof_agent)
		return true;
	for (i = 0; e->agents != NULL && i < agents_count(e->agents); i++) {
		agents_state(e->agents, i, &st);
		if (st.conf->target == holder && st.ok == ANS_YES)
			return true;
	}
	return false;
}

void
ready_look(const struct engine *e, const struct core_status *st,
    const struct now *now, char *reasons, size_t size)
{
	struct ready r = { reasons, size };
	bool holder = st->rel == REL_HELD;

	reasons[0] = '\0';
	if (e->core == NULL) {
		ready_not(&r, true, "witness");
		return;
	}
	ready_not(&r, e->conf->mode != MODE_AUTO, "mode");
	ready_not(&r, !st->register_ok, "register-down");
	ready_not(&r, st->cold, "register-cold");
	ready_not(&r, st->amnesiac, "register-amnesiac");
	ready_not(&r, st->rec.state == REC_NONE, "no-record");
	ready_not(
	    &r, st->rec.state == REC_CLAIMED || st->plan != NULL, "plan-runs");
	ready_not(&r, st->paused_until != 0, "paused");
	ready_not(&r, st->armed != ANS_YES, "not-armed");
	ready_not(&r, ready_differs(e), "config-differs");
	if (holder)
		ready_not(&r, !ready_heard(e, st->rec.candidates, now),
		    "no-candidate");
	else
		ready_not(&r, !ready_waits(st->claim_block), st->claim_block);
	ready_not(&r, !holder && st->full, "disk-full");
	if (!holder)
		ready_not(&r, !ready_proof(e, st->rec.holder), "no-proof");
}
