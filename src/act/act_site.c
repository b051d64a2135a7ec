/*
 * Action "site": every check that is marked verify has passed in a probe that
 * began after the action did, and none is still down from before: what the
 * restarts of a takeover failed would else keep the only host that serves out
 * of the traffic for a whole window of each check, at its usual pace. A site
 * without one has nothing to prove.
 */
#include <string.h>

#include "act/env.h"
#include "act/modules.h"
#include "hawatch/check.h"
#include "hawatch/loop.h"
#include "hawatch/str.h"

/* So often is a check asked that does not pass: what comes up is seen at once,
 * and what limits its rate is left alone. */
#define ACT_SITE_EVERY (USEC_SEC / 5)
/* One that passes and is still down. */
#define ACT_SITE_AGAIN (USEC_SEC / 2)

struct act_site_priv {
	usec_t since; /* raw; 0: not yet begun */
};

static int act_site_observe(struct act *a, struct error *err);
static int act_site_apply(struct act *a, struct error *err);
static void act_site_cancel(struct act *a);

const struct act_ops act_site = {
	.name = "site",
	.kind = ACT_SITE,
	.priv_size = sizeof(struct act_site_priv),
	.observe = act_site_observe,
	.apply = act_site_apply,
	.cancel = act_site_cancel,
};

static void
act_site_again(struct checks *checks, int i, const struct check_state *st,
    usec_t since, usec_t now)
{
	usec_t pace = st->last == ANS_YES ? ACT_SITE_AGAIN : ACT_SITE_EVERY;

	if (st->seen_at < since || now - st->seen_at >= pace)
		checks_poke(checks, i);
}

/* Looks at what the last probes said; the one that has not passed since then
 * is asked again, and names the reason. */
static int
act_site_observe(struct act *a, struct error *err)
{
	struct act_site_priv *p = act_priv(a);
	struct checks *checks = act_env(a)->checks;
	struct check_state st;
	usec_t now = clock_now().raw;
	char reason[120] = "";
	int i;

	if (p->since == 0)
		p->since = now;
	for (i = 0; checks != NULL && i < checks_count(checks); i++) {
		checks_state(checks, i, &st);
		if (!st.verify ||
		    (st.last == ANS_YES && st.seen_at >= p->since &&
			st.up != ANS_NO))
			continue;
		act_site_again(checks, i, &st, p->since, now);
		if (reason[0] == '\0')
			str_cut(reason, sizeof(reason), st.name);
	}
	act_done(a, reason[0] == '\0' ? ANS_YES : ANS_UNKNOWN, reason);
	return 0;
}

/* Nothing can be done about it but to look again. */
static int
act_site_apply(struct act *a, struct error *err)
{
	act_done(a, ANS_YES, "");
	return 0;
}

static void
act_site_cancel(struct act *a)
{
}
