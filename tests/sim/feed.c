/*
 * What came in, told to a core.
 */
#include "sim.h"

static const char *const msg_name[] = { [M_READ_REQ] = "read?",
	[M_POLL_REQ] = "poll?",
	[M_CAS_REQ] = "cas?",
	[M_REPORT_REQ] = "report?",
	[M_READ] = "read",
	[M_READ_FAILED] = "read failed",
	[M_CAS] = "cas",
	[M_REPORTED] = "reported",
	[M_ASK] = "ask",
	[M_ANSWER] = "answer",
	[M_NUDGE] = "nudge",
	[M_SAVED] = "saved",
	[M_PG] = "postgres",
	[M_PG_GONE] = "postmaster gone",
	[M_ARMED] = "armed",
	[M_FENCE_LOST] = "fence lost",
	[M_ACT] = "act",
	[M_SITE] = "report of a host" };

void
engine_feed(struct world *w, int n, const struct msg *m)
{
	struct host *h = &w->host[n];
	struct core *c = h->e.core;
	struct now now = clk_now(w, n);

	if (w->verbose)
		trace(w, "s%d gets %s", n + 1, msg_name[m->kind]);
	switch (m->kind) {
	case M_READ:
		core_on_read(c, &now, m->sent, &m->u.value);
		break;
	case M_READ_FAILED:
		cover_fail(w, FAIL_READ);
		core_on_read_failed(c, &now);
		break;
	case M_CAS:
		if (m->u.res.result != CAS_CONFIRMED)
			cover_fail(w, m->u.res.result == CAS_CONFLICT ?
					  FAIL_CAS_CONFLICT :
				      m->u.res.result == CAS_REFUSED ?
					  FAIL_CAS_REFUSED :
					  FAIL_CAS_UNKNOWN);
		core_on_cas(c, &now, m->u.res.id, m->u.res.result,
		    m->u.res.revision, m->u.res.instance);
		break;
	case M_REPORTED:
		if (m->u.res.result != CAS_CONFIRMED)
			cover_fail(w, m->u.res.result == CAS_REFUSED ?
					  FAIL_REPORT_REFUSED :
					  FAIL_REPORT_UNKNOWN);
		core_on_reported(c, &now, m->u.res.result == CAS_CONFIRMED);
		break;
	case M_ASK:
		h->copy.told = false;
		core_on_ask(c, &now, &m->u.ask);
		break;
	case M_ANSWER:
		h->copy.told = false;
		core_on_answer(c, &now, &m->u.answer);
		break;
	case M_NUDGE:
		core_on_nudge(c, &now);
		break;
	case M_SAVED:
		core_on_saved(c, m->u.saved.version, m->u.saved.ok);
		break;
	case M_PG:
		core_on_pg(c, &now, &m->u.view);
		break;
	case M_PG_GONE:
		core_on_pg_gone(c, &now);
		break;
	case M_ARMED:
		/* As it is now, not as it was when this was due. */
		if (w->t < h->unarmed_until)
			core_on_armed(c, &now, ANS_NO, "socket");
		else
			core_on_armed(c, &now, ANS_YES, "");
		break;
	case M_FENCE_LOST:
		core_on_fence_lost(
		    c, &now, m->u.lost.restored, m->u.lost.open_for);
		break;
	case M_ACT:
		core_on_act(c, &now, m->u.act.kind, &m->u.act.goal,
		    m->u.act.result, m->u.act.refused ? "refused" : "");
		break;
	case M_SITE:
		h->e.differ &= ~NODE_BIT(m->from);
		if (m->u.site.config == ANS_NO || m->u.site.automatic == ANS_NO)
			h->e.differ |= NODE_BIT(m->from);
		h->copy.told = false;
		core_on_site(c, &now, m->from, &m->u.site);
		break;
	case M_READ_REQ:
	case M_POLL_REQ:
	case M_CAS_REQ:
	case M_REPORT_REQ:
		break;
	}
}
