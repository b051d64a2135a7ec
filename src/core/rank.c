/*
 * Which of several candidates goes first.
 *
 * When nothing else stands against a claim, and the record lists others beside
 * this node, each of them is asked once how far its WAL reaches. Who is further
 * goes first; of those that are equally far the one with the greater priority,
 * then the first in the list. To such a one this node gives way, for half a T,
 * and then claims all the same. Who does not answer within a moment is not
 * waited for, nor is who could not claim: it answers that it has nothing. The
 * answers are fresh, since they are asked for after the holder's lease ended
 * or the record was released.
 *
 * This is preference, for the sake of those who would be ahead of the new
 * primary and could not follow it. Nothing rests on it: each candidate has
 * every acknowledged commit, the register decides who won, and an answer
 * promises nothing. A person's order does not ask, nor does the target of a
 * release, nor a holder that takes back what it released: all others had their
 * time before.
 */
#include <string.h>

#include "core/core_i.h"
#include "hawatch/str.h"

#define POSITION_WAIT (100 * USEC_MSEC)
#define LOOK_WAIT (50 * USEC_MSEC)
#define GIVE_WAY_MIN (500 * USEC_MSEC)

static usec_t
rank_wait(const struct core *c)
{
	usec_t tenth = core_rec(c)->ttl / 10;

	return tenth < POSITION_WAIT ? tenth : POSITION_WAIT;
}

static usec_t
rank_give_way(usec_t ttl)
{
	return ttl / 2 > GIVE_WAY_MIN ? ttl / 2 : GIVE_WAY_MIN;
}

/* Who is a candidate like this node. */
static nodeset_t
rank_others(const struct core *c)
{
	const struct record *rec = core_rec(c);
	nodeset_t self = NODE_BIT(c->conf.self);

	if (c->order.on || rec->target == c->conf.self ||
	    !(rec->candidates & self))
		return 0;
	return rec->candidates & c->conf.data & ~self & ~NODE_BIT(rec->holder);
}

/* Is it this very record of which they were asked? One that is claimed and
 * goes on being renewed is the same: nobody is given way to twice. */
static bool
rank_same(const struct core *c)
{
	const struct reg_value *v = &c->reg.value, *of = &c->rank.of;

	if (c->rank.id == 0)
		return false;
	return watch_same(v, of) ||
	       (v->rec.state == REC_CLAIMED && of->rec.state == REC_CLAIMED &&
		   v->rec.epoch == of->rec.epoch &&
		   strcmp(v->instance, of->instance) == 0 &&
		   c->rank.first != NODE_NONE);
}

static void
rank_ask(struct core *c, const struct now *now, nodeset_t others)
{
	const struct record *rec = core_rec(c);
	struct rank *r = &c->rank;
	struct action *a;
	node_t n;

	memset(r, 0, sizeof(*r));
	r->of = c->reg.value;
	r->id = ++c->ids;
	r->asked_at = now->raw;
	r->asked = others;
	r->first = NODE_NONE;
	for (n = 0; n < NODES_MAX; n++) {
		if (!(others & NODE_BIT(n)))
			continue;
		a = core_do(c, DO_ASK);
		a->node = n;
		a->ask.id = r->id;
		a->ask.from = c->conf.self;
		a->ask.epoch = rec->epoch;
		a->ask.seq = rec->seq;
		a->ask.ttl = rec->ttl;
		a->ask.lsn = rec->lsn;
		a->ask.position = true;
		str_cut(
		    a->ask.instance, sizeof(a->ask.instance), c->dur.instance);
	}
	core_do(c, DO_LOOK);
}

/* True: it was an answer to that. */
bool
rank_answer(struct core *c, const struct ask_answer *ans)
{
	struct rank *r = &c->rank;

	if (r->id == 0 || ans->id != r->id)
		return false;
	r->answered |= NODE_BIT(ans->from) & r->asked;
	r->timeline[ans->from] = ans->timeline;
	r->wal_end[ans->from] = ans->wal_end;
	return true;
}

/* Is what it answered of use here? */
static bool
rank_counts(const struct core *c, node_t n)
{
	return (c->rank.answered & NODE_BIT(n)) &&
	       (core_rec(c)->timeline == 0 ||
		   c->rank.timeline[n] == core_rec(c)->timeline);
}

/* Would a go before b, were they equally far? */
static bool
rank_preferred(const struct core *c, node_t a, node_t b)
{
	const int *priority = c->conf.priority;

	if (priority[a] != priority[b])
		return priority[a] > priority[b];
	return a < b;
}

/* Does a go before b? */
static bool
rank_before(const struct core *c, node_t a, node_t b)
{
	const lsn_t *end = c->rank.wal_end;

	if (end[a] != end[b])
		return end[a] > end[b];
	return rank_preferred(c, a, b);
}

/* Why this node, and not one that would go first were they equally far. */
static void
rank_tell(struct core *c)
{
	const struct rank *r = &c->rank;
	node_t n, self = c->conf.self;
	const char *name;

	for (n = 0; n < NODES_MAX; n++) {
		if (!(r->asked & NODE_BIT(n)) || !rank_preferred(c, n, self))
			continue;
		name = c->conf.names->node[n];
		if (!(r->answered & NODE_BIT(n)))
			core_tell(c, EMIT_claim_goes_first,
			    "%s did not answer in time", name);
		else if (!rank_counts(c, n) || r->wal_end[n] == 0)
			core_tell(c, EMIT_claim_goes_first,
			    "%s could not claim", name);
		else
			core_tell(c, EMIT_claim_goes_first,
			    "%s has %llu bytes less", name,
			    (unsigned long long)(r->wal_end[self] -
						 r->wal_end[n]));
	}
}

/* Does everybody have it, or the time for it passed? Then who is first. */
static bool
rank_decide(struct core *c, const struct now *now)
{
	const struct record *rec = core_rec(c);
	node_t n, self = c->conf.self, best = self;
	struct rank *r = &c->rank;

	if (now->raw - r->asked_at < rank_wait(c) &&
	    (r->answered != r->asked || c->pg.seen_at < r->asked_at))
		return false;
	r->wal_end[self] = c->pg.wal_end;
	for (n = 0; n < NODES_MAX; n++)
		if (rank_counts(c, n) && rank_before(c, n, best))
			best = n;
	r->until = now->raw;
	if (best == self) {
		rank_tell(c);
		return true;
	}
	r->first = best;
	r->until += rank_give_way(rec->ttl);
	core_tell(c, EMIT_claim_gives_way, "%s: it has %llu bytes more",
	    c->conf.names->node[best],
	    (unsigned long long)(r->wal_end[best] - r->wal_end[self]));
	return true;
}

/* What stands against a claim when nothing else does; when: until then. */
enum block
rank_check(struct core *c, const struct now *now, usec_t *when)
{
	nodeset_t others = rank_others(c);
	struct rank *r = &c->rank;

	if (others == 0)
		return BLOCK_NONE;
	if (!rank_same(c))
		rank_ask(c, now, others);
	if (r->until == 0 && !rank_decide(c, now)) {
		*when = r->asked_at + rank_wait(c);
		return BLOCK_ASKS_OTHERS;
	}
	if (now->raw >= r->until)
		return BLOCK_NONE;
	*when = r->until;
	return BLOCK_GIVES_WAY;
}

/* Whom this node gives way to now. */
node_t
rank_first(const struct core *c, const struct now *now)
{
	const struct rank *r = &c->rank;

	if (rank_others(c) == 0 || !rank_same(c) || now->raw >= r->until)
		return NODE_NONE;
	return r->first;
}

/*
 * The answer to such a question: how far this node is, if it could claim about
 * now, else nothing; by a view that is newer than the question, if there is
 * one soon: by an older one it may lack what the record asks for, and has got
 * since. True when that is dealt with.
 */
bool
rank_reply(struct core *c, const struct now *now, struct asked *q)
{
	bool same = q->ask.epoch == core_rec(c)->epoch &&
		    q->ask.seq == core_rec(c)->seq;
	usec_t within = rank_give_way(q->ask.ttl);
	/* Whoever hands over asks who is to take it. */
	bool near = q->ask.from == core_rec(c)->holder ?
			claim_could(c, now, within) :
			claim_near(c, now, same, within);
	struct action *a;

	if (near && !q->waiting) {
		core_do(c, DO_LOOK);
		q->waiting = true;
	}
	if (near && c->pg.seen_at < q->at && now->raw - q->at < LOOK_WAIT)
		return false;
	if (!same)
		c->read_wanted = true;
	a = core_do(c, DO_ANSWER);
	a->node = q->ask.from;
	promise_facts(c, &a->answer, q->ask.id);
	str_cut(a->answer.reason, sizeof(a->answer.reason), "position");
	if (!near || !claim_has_wal(c, now))
		a->answer.wal_end = 0;
	return true;
}

bool
rank_waits(const struct core *c)
{
	int i;

	for (i = 0; i < c->asked_count; i++)
		if (c->asked[i].ask.position)
			return true;
	return false;
}
