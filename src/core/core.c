/*
 * The core's frame: its life, its list of actions, and the order in which one
 * turn decides. The rules are in the files beside this one; each opens with
 * its rule in words.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/core_i.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

const char *
block_str(enum block b)
{
	static const char *const tokens[] = {
#define BLOCK(id, token, text) [BLOCK_##id] = token,
#include "core/blockers.def"
#undef BLOCK
	};

	return tokens[b];
}

#define ARMED_FRESH USEC_SEC /* twice the rhythm in which the shell looks */

/* W: the candidate's wait. Both clocks may err, in opposite directions. */
usec_t
core_wait(const struct core *c, usec_t ttl)
{
	usec_t ppm = c->conf.clock_ppm;

	return ttl * (1000000 + ppm) / (1000000 - ppm) + 1 + c->conf.slack;
}

/* Where the request ids of this incarnation begin: an answer to a question of
 * an earlier one must not fit one of these. */
static uint64_t
core_first_id(const char *seed)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (; *seed != '\0'; seed++)
		h = (h ^ (unsigned char)*seed) * 1099511628211u;
	return (h & 0x7fffffff) << 31;
}

struct core *
core_new(const struct core_conf *conf, const struct durable *durable,
    const char *seed, const struct now *now)
{
	struct core *c = xcalloc(1, sizeof(*c));

	c->conf = *conf;
	/* The silence of the other host is no end of its lease. */
	c->conf.proof_lease = conf->proof_lease && !conf->pair;
	str_cut(c->seed, sizeof(c->seed), seed);
	c->ids = core_first_id(seed);
	c->started = now->raw;
	c->suspended = now->suspended;
	c->reg.value.rec.holder = NODE_NONE;
	c->sync.adding = NODE_NONE;
	c->sync.named = conf->data & ~NODE_BIT(conf->self);
	c->promise.to = NODE_NONE;
	c->follow.node = NODE_NONE;
	c->rejoin.from = NODE_NONE;
	c->rank.first = NODE_NONE;
	c->site.primary = NODE_NONE;
	c->site.listening = now->raw;
	c->lease.primary_since = USEC_NEVER;
	if (durable != NULL)
		c->dur = *durable;
	if (c->dur.t_max < conf->ttl) {
		c->dur.t_max = conf->ttl;
		c->t_max_version = core_save(c);
	}
	c->no_claim_before = now->raw + core_wait(c, c->dur.t_max);
	/* A claim that may be under way is finished by sending it again: only
	 * a read can tell what became of it. */
	if (c->dur.claim) {
		c->pending.on = true;
		c->pending.why = FOR_CLAIM;
		c->pending.cas.id = ++c->ids;
		c->pending.cas.rec = c->dur.claim_rec;
		c->pending.cas.revision = c->dur.claim_revision;
		str_cut(c->pending.cas.instance,
		    sizeof(c->pending.cas.instance), c->dur.claim_instance);
		str_cut(c->pending.cas.nonce, sizeof(c->pending.cas.nonce),
		    c->dur.claim_nonce);
	}
	/* A takeover that was held when the engine ended is gone on with. */
	if (c->dur.plan == PLAN_TAKEOVER)
		c->resume_epoch = c->dur.plan_epoch;
	c->read_wanted = true;
	return c;
}

void
core_free(struct core *c)
{
	free(c);
}

/* An action for the shell. The list is far longer than one turn can fill. */
struct action *
core_do(struct core *c, enum do_kind kind)
{
	struct action *a;

	if (c->out_count == OUT_MAX)
		abort();
	a = &c->out[(c->out_head + c->out_count++) % OUT_MAX];
	memset(a, 0, sizeof(*a));
	a->kind = kind;
	a->node = NODE_NONE;
	return a;
}

const struct action *
core_take(struct core *c)
{
	const struct action *a;

	if (c->out_count == 0)
		return NULL;
	a = &c->out[c->out_head];
	c->out_head = (c->out_head + 1) % OUT_MAX;
	c->out_count--;
	return a;
}

void
core_tell(struct core *c, enum event_name ev, const char *fmt, ...)
{
	struct action *a = core_do(c, DO_TELL);
	va_list ap;

	a->tell = ev;
	va_start(ap, fmt);
	vsnprintf(a->text, sizeof(a->text), fmt, ap);
	va_end(ap);
}

uint64_t
core_save(struct core *c)
{
	if (!c->dirty) {
		c->dirty = true;
		c->version++;
	}
	return c->version;
}

bool
core_saved(const struct core *c, uint64_t version)
{
	return c->saved >= version;
}

void
core_on_saved(struct core *c, uint64_t version, bool ok)
{
	c->saving = false;
	if (ok && version > c->saved)
		c->saved = version;
	if (!ok && !c->alarm)
		core_tell(c, EMIT_state_unsaved,
		    "the state file could not be "
		    "written: nothing is claimed, promoted or opened");
	c->alarm = !ok;
}

static void
save_turn(struct core *c, const struct now *now)
{
	bool again = c->saved < c->version && now->raw >= c->save_retry_at;

	/* One at a time: the next image holds all that came meanwhile. */
	if (c->saving || (!c->dirty && !again))
		return;
	core_do(c, DO_SAVE)->version = c->version;
	c->dirty = false;
	c->saving = true;
	c->save_retry_at = now->raw + USEC_SEC / 2;
}

const struct record *
core_rec(const struct core *c)
{
	return &c->reg.value.rec;
}

/* Whose record is it: the first axis of the node table. */
enum relation
core_rel(const struct core *c)
{
	static const enum relation mine[] = {
		[REC_NONE] = REL_UNKNOWN,
		[REC_HELD] = REL_HELD,
		[REC_CLAIMED] = REL_CLAIMED,
		[REC_RELEASED] = REL_RELEASED,
	};
	const struct record *rec = core_rec(c);

	if (rec->state == REC_NONE)
		return REL_UNKNOWN;
	return rec->holder == c->conf.self ? mine[rec->state] : REL_OTHER;
}

/* What PostgreSQL is here: the second axis. A query that is late changes
 * nothing: only the end of the postmaster says gone. */
enum pg_state
core_pgs(const struct core *c)
{
	if (c->pg.running == ANS_NO || c->gone_at != 0)
		return PGS_GONE;
	if (c->pg.recovery == ANS_NO)
		return PGS_PRIMARY;
	return c->pg.recovery == ANS_YES ? PGS_STANDBY : PGS_UNKNOWN;
}

/* What was started has ended, perhaps before it was ever seen: whoever waits
 * for it would wait as long as a start may take. */
static void
pg_start_failed(struct core *c)
{
	struct act_state *start = &c->act[ACT_START];

	if (start->result != ANS_YES)
		return;
	start->result = ANS_NO;
	str_cut(start->reason, sizeof(start->reason), "ended-again");
}

void
core_on_pg(struct core *c, const struct now *now, const struct pg_view *view)
{
	c->pg = *view;
	if (view->running == ANS_NO && view->seen_at > c->act[ACT_START].ended)
		pg_start_failed(c);
	if (view->running == ANS_YES && view->seen_at > c->gone_at)
		c->gone_at = 0;
	if (core_pgs(c) != PGS_PRIMARY) {
		c->lease.primary_since = USEC_NEVER;
		if (c->end_looked || core_pgs(c) != PGS_UNKNOWN)
			c->end_first = 0;
		c->end_looked = false;
	} else {
		if (c->lease.primary_since == USEC_NEVER)
			c->lease.primary_since = now->raw;
		if (c->end_first == 0)
			c->end_first = view->wal_end;
	}
	durability_end(c);
	if (core_rel(c) == REL_HELD && core_pgs(c) == PGS_PRIMARY) {
		c->position = view->wal_end;
		c->position_epoch = core_rec(c)->epoch;
	}
}

void
core_on_pg_gone(struct core *c, const struct now *now)
{
	c->gone_at = now->raw;
	pg_start_failed(c);
	c->lease.primary_since = USEC_NEVER;
	c->end_looked = false;
	c->end_first = 0;
}

/* Armed, by a look that is not older than the engine's own rhythm allows: a
 * pause makes it unknown. */
bool
core_armed(const struct core *c, const struct now *now)
{
	return c->armed == ANS_YES && now->raw - c->armed_at <= ARMED_FRESH;
}

void
core_on_armed(
    struct core *c, const struct now *now, enum answer armed, const char *why)
{
	c->armed = armed;
	c->armed_at = now->raw;
	str_cut(c->armed_why, sizeof(c->armed_why), why);
}

/* A suspend stops every clock that intervals are measured on: the holder's
 * lease is over, every wait starts again. */
static void
suspend_turn(struct core *c, const struct now *now)
{
	if (now->suspended - c->suspended > 5 * USEC_MSEC) {
		core_tell(c, EMIT_clock_suspend,
		    "the host was suspended for "
		    "%lld ms",
		    (long long)(now->suspended - c->suspended) / USEC_MSEC);
		lease_void(c, now);
		watch_restart(c, now);
	}
	c->suspended = now->suspended;
}

usec_t
core_turn(struct core *c, const struct now *now)
{
	usec_t next;
	bool busy;

	suspend_turn(c, now);
	watch_turn(c, now);
	promise_turn(c, now);
	cas_turn(c, now);
	shoot_turn(c, now);
	alone_turn(c, now);
	role_turn(c, now);
	plan_turn(c, now);
	claim_turn(c, now);
	pause_turn(c, now);
	durability_turn(c, now);
	follow_turn(c, now);
	lease_turn(c, now);
	writers_turn(c, now);
	site_turn(c, now);
	save_turn(c, now);
	if (c->read_wanted) {
		core_do(c, DO_READ);
		c->read_wanted = false;
	}
	/* The lease path has its own moments; all else is served by a tick,
	 * a slower one while nothing is under way. */
	busy = c->plan.id != PLAN_NONE || c->pending.on ||
	       c->sync.add != ADD_NONE || c->sync.relaxing || rank_waits(c) ||
	       writers_unsure(c);
	next = now->raw + (busy ? 20 : 200) * USEC_MSEC;
	if (lease_next(c) < next)
		next = lease_next(c);
	if (c->claim_when > now->raw && c->claim_when < next)
		next = c->claim_when;
	return next > now->raw ? next : now->raw + USEC_MSEC;
}
