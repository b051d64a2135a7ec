/*
 * A pause: for some time, by a person's word, nobody takes over by himself.
 *
 * The holder writes into the record until when, why and by whom, and takes out
 * all candidates in the same write, as it takes out a standby that was lost:
 * the outcome known first, commits relaxed then. While it lasts nobody is
 * added. What guards it is nothing new: only who is listed may claim. Commits
 * wait for no standby meanwhile, so no standby that is down disturbs them.
 *
 * It ends at its hour by the wall clock of the holder, or by a person's word;
 * then each standby becomes a candidate as every new one does, from the start.
 * A holder that is lost meanwhile leaves nobody who would end it: what was
 * written since is on its host alone.
 */
#include <string.h>

#include "core/core_i.h"
#include "hawatch/str.h"

const char *
core_order_pause(struct core *c, const struct now *now, usec_t until,
    const char *why, const char *by)
{
	struct pausing *p = &c->pausing;

	if (c->conf.mode != CORE_AUTO)
		return "the mode is not auto: nobody takes over by himself as "
		       "it is\nhactl status";
	if (core_rel(c) != REL_HELD)
		return "only the holder writes this, and this node is not: "
		       "hactl status says who is\nhactl status";
	if (c->plan.id != PLAN_NONE || c->hand.on)
		return "a plan runs: pause when it has ended\nhactl status";
	/* It would keep the record without that, and the pause would end. */
	if (c->reg.value.older)
		return "the register's hawatchd is of an older version, and "
		       "does not know of a pause: upgrade the arbiter first\n"
		       "hactl status";
	memset(p, 0, sizeof(*p));
	p->on = true;
	p->until = until > now->wall ? until : now->wall;
	p->until -= p->until % USEC_MSEC; /* as the register keeps it */
	str_cut(p->why, sizeof(p->why), why);
	str_cut(p->by, sizeof(p->by), by);
	c->lease.next_renewal = now->raw;
	return NULL;
}

const char *
core_order_resume(struct core *c, const struct now *now)
{
	if (core_rel(c) != REL_HELD)
		return "only the holder writes this, and this node is not: "
		       "hactl status says who is\nhactl status";
	if (!pause_on(c, now))
		return "failover is not paused\nhactl status";
	memset(&c->pausing, 0, sizeof(c->pausing));
	c->pausing.on = true;
	c->lease.next_renewal = now->raw;
	return NULL;
}

bool
pause_on(const struct core *c, const struct now *now)
{
	usec_t until =
	    c->pausing.on ? c->pausing.until : core_rec(c)->paused_until;

	return until > now->wall;
}

/* Whatever this node writes says what was ordered, once nobody is listed in it
 * any more, and not what has ended. */
void
pause_write(const struct core *c, const struct now *now, struct record *rec)
{
	const struct pausing *p = &c->pausing;

	if (p->on && (p->until == 0 || rec->candidates == 0)) {
		rec->paused_until = p->until;
		str_cut(rec->paused_why, sizeof(rec->paused_why), p->why);
		str_cut(rec->paused_by, sizeof(rec->paused_by), p->by);
	}
	if (rec->paused_until > now->wall)
		return;
	rec->paused_until = 0;
	rec->paused_why[0] = rec->paused_by[0] = '\0';
}

void
pause_status(
    const struct core *c, const struct now *now, struct core_status *st)
{
	const struct record *rec = core_rec(c);
	const struct pausing *p = &c->pausing;

	st->paused_written =
	    !p->on && rec->candidates == 0 && rec->paused_until > now->wall;
	st->paused_until = p->on ? p->until : rec->paused_until;
	st->paused_why = p->on ? p->why : rec->paused_why;
	st->paused_by = p->on ? p->by : rec->paused_by;
	if (st->paused_until <= now->wall)
		st->paused_until = 0;
}

/* Every node says what it reads, once. Within an epoch only a person's order
 * ends it before its hour; who takes over writes a record without it. */
static void
pause_tell(struct core *c, const struct now *now)
{
	const struct record *rec = core_rec(c);
	usec_t was = c->paused_told;
	uint64_t epoch = c->paused_epoch;
	long long secs;

	if (rec->paused_until == was)
		return;
	c->paused_told = rec->paused_until;
	c->paused_epoch = rec->epoch;
	secs = (rec->paused_until - now->wall + USEC_SEC - 1) / USEC_SEC;
	if (rec->paused_until > now->wall)
		core_tell(c, EMIT_failover_paused, "for %lld %s, by %s: %s",
		    secs < 120 ? secs : (secs + 30) / 60,
		    secs < 120 ? "s" : "min", rec->paused_by, rec->paused_why);
	else if (rec->paused_until == 0)
		core_tell(c, EMIT_failover_resumed, "%s",
		    was <= now->wall	? "its time is over" :
		    rec->epoch == epoch ? "before its time, by an order" :
					  "before its time: another took over, "
					  "which ends a pause");
}

/* Is it in the record, or not this node's to write any more? Either ends the
 * order; an hour that has passed ends the pause itself. */
void
pause_turn(struct core *c, const struct now *now)
{
	const struct record *rec = core_rec(c);
	struct pausing *p = &c->pausing;

	pause_tell(c, now);
	if (p->on && p->until != 0 && p->until <= now->wall)
		p->until = 0;
	if (p->on && (core_rel(c) != REL_HELD ||
			 (rec->paused_until == p->until &&
			     (p->until == 0 || rec->candidates == 0))))
		p->on = false;
}
