/*
 * The answer of /health. A check that is shared looks at something that both
 * hosts use, the primary's database for instance: while it fails on all hosts,
 * none of them is the worse one, and a balancer that takes them all out serves
 * nobody. So it counts against a host only while another host passes it, in a
 * probe that began after the check had failed here, and is itself fit for
 * voters otherwise.
 *
 * Applications that could not be brought to the role of their host may answer
 * every check and still fail each vote. That counts, too, while another host
 * has no fault at all.
 */
#include "engine/health.h"

#include <string.h>

#include "engine/engine.h"
#include "engine/reports.h"
#include "hawatch/check.h"
#include "hawatch/converge.h"
#include "hawatch/str.h"

#define HEALTH_NEW (2 * USEC_SEC)

static void
health_reason(struct health *h, const char *name)
{
	size_t len = strlen(h->reasons);

	if (len > 0 && len + 1 < sizeof(h->reasons))
		h->reasons[len++] = ',';
	str_cut(h->reasons + len, sizeof(h->reasons) - len, name);
}

static int
health_index(const struct conf *conf, const char *name)
{
	int c;

	for (c = 0; c < conf->check_count; c++)
		if (strcmp(conf->check[c].name, name) == 0)
			return c;
	return -1;
}

/* Where the applications' own path is checked, PostgreSQL on this host is not
 * what voters need: the applications may use the primary's. */
static bool
health_has_path(const struct conf *conf)
{
	const struct conf_check *c;
	int i;

	for (i = 0; i < conf->check_count; i++) {
		c = &conf->check[i];
		if (c->health && strcmp(c->type, "http") == 0 &&
		    conf_on(conf, c->on, conf->self))
			return true;
	}
	return false;
}

static void
health_down(const struct engine *e, const struct core_status *st,
    const struct check_state *cs, int c, const struct now *now,
    struct health *h)
{
	h->fails |= CHECK_BIT(c);
	if (!cs->health)
		return;
	if (cs->shared) {
		h->disputes |= CHECK_BIT(c);
		if (cs->since > h->disputed)
			h->disputed = cs->since;
	}
	if (cs->shared &&
	    !reports_pass(e->reports, c, cs->since, h->passes, st, now)) {
		h->spared |= CHECK_BIT(c);
		return;
	}
	h->counts |= CHECK_BIT(c);
	health_reason(h, cs->name);
}

static void
health_passes(const struct engine *e, struct health *h)
{
	struct check_state cs;
	int i, c;

	for (i = 0; e->checks != NULL && i < checks_count(e->checks); i++) {
		checks_state(e->checks, i, &cs);
		c = health_index(e->conf, cs.name);
		if (c == -1 || !cs.shared || cs.up != ANS_YES ||
		    cs.last != ANS_YES)
			continue;
		h->passes |= CHECK_BIT(c);
		h->passed_at[c] = cs.seen_at;
		h->at[c] = i;
	}
}

static void
health_converge(const struct engine *e, const struct core_status *st,
    usec_t since, const struct now *now, struct health *h)
{
	if (!h->stale)
		return;
	h->stale_since = since != 0 ? since : now->raw;
	/* Its predecessor may have said so, and the answers of the others are
	 * on their way: voters are not let in for a moment. */
	if (now->raw - e->started_at < HEALTH_NEW)
		since = 0;
	else
		since = h->stale_since;
	if (reports_fit(e->reports, since, st, now))
		health_reason(h, "converge");
}

void
health_keep(struct health *h, const struct conf *old, const struct conf *next)
{
	int i, c;

	h->was_down = 0;
	for (i = 0; i < next->check_count; i++) {
		c = health_index(old, next->check[i].name);
		if (c != -1 && (h->fails & CHECK_BIT(c)) != 0)
			h->was_down |= CHECK_BIT(i);
	}
}

void
health_look(const struct engine *e, const struct core_status *st,
    const struct now *now, struct health *h)
{
	checkset_t was_down = h->was_down;
	usec_t since = h->stale_since;
	struct check_state cs;
	int i, c;

	memset(h, 0, sizeof(*h));
	h->stale = e->core != NULL && converge_stale(e->converge);
	if (e->core != NULL && st->pg != PGS_PRIMARY && st->pg != PGS_STANDBY &&
	    !health_has_path(e->conf))
		health_reason(h, "postgres");
	health_passes(e, h);
	for (i = 0; e->checks != NULL && i < checks_count(e->checks); i++) {
		checks_state(e->checks, i, &cs);
		c = health_index(e->conf, cs.name);
		if (c == -1)
			continue;
		if (cs.up == ANS_UNKNOWN)
			h->was_down |= was_down & CHECK_BIT(c);
		if (cs.up == ANS_NO || (h->was_down & CHECK_BIT(c)) != 0)
			health_down(e, st, &cs, c, now, h);
	}
	health_converge(e, st, since, now, h);
	h->ok = h->reasons[0] == '\0';
}

void
health_look_now(struct engine *e, const struct now *now)
{
	struct core_status st;

	memset(&st, 0, sizeof(st));
	if (e->core != NULL)
		core_status(e->core, now, &st);
	health_look(e, &st, now, e->health);
}
