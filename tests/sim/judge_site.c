/*
 * The promises about what is around the databases: the hosts' roles and the
 * balancers.
 */
#include "sim.h"

/* It hands over, and there is a host that gets what it does not. */
static bool
judge_drains(const struct world *w, int n, const struct goal *goal)
{
	return goal->node == n && (goal->drain & NODE_BIT(n)) &&
	       (w->conf[n].data & ~goal->names) != 0;
}

/* What is begun on a host and at the balancers, and when. */
void
judge_act(struct world *w, int n, enum act_kind kind, const struct goal *goal)
{
	const struct engine *e = &w->host[n].e;
	const struct durable *dur = e->st.durable;
	const char *why = NULL;

	if (w->conf[n].mode == CORE_OBSERVE)
		why = "and should only look on";
	else if (kind == ACT_QUIET &&
		 w->host[n].disk.quiet_epoch != goal->epoch)
		why = "what a crash would leave so";
	else if (kind != ACT_CONVERGE && kind != ACT_TRAFFIC &&
		 kind != ACT_FOLLOW)
		return;
	else if (goal->node < 0 ||
		 !(w->held_by[goal->epoch % 256] & NODE_BIT(goal->node)))
		why = "by a record that was never held";
	else if (kind == ACT_CONVERGE && goal->epoch <= dur->site_epoch &&
		 goal->epoch != dur->quiet_epoch)
		why = "for an epoch that it was brought to before";
	else if (kind == ACT_FOLLOW && goal->node == n)
		why = "itself";
	else if ((goal->names & NODE_BIT(goal->node)) &&
		 !judge_drains(w, n, goal))
		why = "and drains the holder";
	else if (goal->node == n &&
		 (e->st.rel != REL_HELD || e->st.deadline <= e->turn_at))
		why = "past its lease"; /* when it was decided */
	else if (kind == ACT_TRAFFIC && goal->node != n &&
		 !w->conf[n].traffic_every)
		why = "and is not the holder";
	if (why != NULL)
		violated(w, "SITE", "s%d begins to %s %s", n + 1,
		    act_kind_str(kind), why);
}

/* All hosts are in the roles of the record, and get their traffic. */
void
judge_end_site(struct world *w)
{
	const struct record *rec = &w->reg.now.value.rec;
	const struct host *h;
	int n;

	for (n = 0; n < w->data; n++) {
		h = &w->host[n];
		if (h->disk.site_epoch != rec->epoch)
			violated(w, "LIVE",
			    "s%d was not brought to its role for epoch %llu, "
			    "long after the faults; but for %llu",
			    n + 1, (unsigned long long)rec->epoch,
			    (unsigned long long)h->disk.site_epoch);
		if (h->around.quiet)
			violated(w, "LIVE",
			    "what s%d stopped for a handover is not started "
			    "again, long after the faults",
			    n + 1);
		if (w->conf[n].traffic && w->conf[n].traffic_every &&
		    h->around.balancer != rec->holder)
			violated(w, "LIVE",
			    "the balancer of s%d does not follow the record",
			    n + 1);
	}
	if (w->conf[rec->holder].traffic && w->drained != 0)
		violated(w, "LIVE", "%x get no traffic, long after the faults",
		    w->drained);
}
