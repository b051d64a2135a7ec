/*
 * Whose fault it is: whether another host serves what this one does not, so
 * that this one may say that it is no place for voters.
 *
 * "One shared fault takes no host out" needs more than recent reports: the
 * fault is there from one instant on, and each host finds it when it probes
 * next. So a pass of another host counts only when the probe that passed began
 * after the check had failed here. For a fault that both hosts share there is
 * no such probe; and of two hosts, each cannot have probed later than the
 * other. When a probe began is told as an age, and is counted from when the
 * request left that the report answers, so that no clock is compared and no
 * delay makes a probe look later than it was. The same with two hosts whose
 * applications are not as their roles demand: each goes only for another that
 * was not so after it was so itself.
 */
#include "engine/engine.h"
#include "engine/health.h"
#include "engine/reports_kept.h"

void
reports_passed(const struct reports *r, struct report_peer *p,
    const struct host_report *rep, usec_t asked)
{
	usec_t began;
	int c;

	if (!rep->stale && asked > p->fit_at)
		p->fit_at = asked;
	for (c = 0; c < r->e->conf->check_count; c++) {
		began = asked - (usec_t)rep->age_ms[c] * USEC_MSEC;
		if ((rep->passes & CHECK_BIT(c)) != 0 &&
		    began > p->passed_at[c])
			p->passed_at[c] = began;
	}
}

static checkset_t
reports_health(const struct conf *conf, bool shared)
{
	checkset_t set = 0;
	int c;

	for (c = 0; c < conf->check_count; c++)
		if (conf->check[c].health && conf->check[c].shared == shared)
			set |= CHECK_BIT(c);
	return set;
}

/* Would voters be better off there? Not while it is out for a fault of its own,
 * not brought to its role, or stale as this host is not: then nobody would be
 * left. Where each of two hosts fails what the other passes, the holder
 * stays. */
static bool
reports_better(const struct reports *r, const struct host_report *rep,
    checkset_t own, const struct core_status *st)
{
	const struct conf *conf = r->e->conf;

	if ((rep->fails & reports_health(conf, false)) != 0 ||
	    (rep->stale && !r->e->health->stale) ||
	    rep->site_epoch < st->rec.epoch)
		return false;
	return st->site.role != SITE_PRIMARY ||
	       (rep->fails & reports_health(conf, true) & own) == 0;
}

bool
reports_pass(const struct reports *r, int check, usec_t since, checkset_t own,
    const struct core_status *st, const struct now *now)
{
	const struct host_report *rep;
	int n;

	for (n = 0; n < r->e->conf->node_count; n++) {
		rep = reports_of(r, n, now);
		if (rep != NULL && (rep->passes & CHECK_BIT(check)) != 0 &&
		    r->peer[n].passed_at[check] >= since &&
		    reports_better(r, rep, own, st))
			return true;
	}
	return false;
}

bool
reports_fit(const struct reports *r, usec_t since, const struct core_status *st,
    const struct now *now)
{
	const struct conf *conf = r->e->conf;
	checkset_t any =
	    reports_health(conf, true) | reports_health(conf, false);
	const struct host_report *rep;
	int n;

	for (n = 0; n < conf->node_count; n++) {
		if (since == 0 && r->peer[n].at == 0 && n != conf->self &&
		    conf->node[n].role == ROLE_DATA)
			return true;
		rep = reports_of(r, n, now);
		if (rep != NULL && rep->healthy && !rep->stale &&
		    r->peer[n].fit_at >= since && (rep->fails & any) == 0 &&
		    rep->site_epoch >= st->rec.epoch)
			return true;
	}
	return false;
}

/* It says that it passes what fails here, and not yet that it has probed since,
 * or that it is not stale, and not yet that it was not since this host is:
 * that, it says as an answer alone. */
bool
reports_must_ask(const struct reports *r, node_t n, const struct now *now)
{
	const struct host_report *rep = reports_of(r, n, now);
	const struct health *h = r->e->health;
	int c;

	if (rep != NULL && h->stale && !rep->stale &&
	    r->peer[n].fit_at < h->stale_since)
		return true;
	for (c = 0; rep != NULL && c < r->e->conf->check_count; c++)
		if ((h->disputes & rep->passes & CHECK_BIT(c)) != 0 &&
		    r->peer[n].passed_at[c] < h->disputed)
			return true;
	return false;
}
