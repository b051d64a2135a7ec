/*
 * The rules, in words:
 *
 * Whoever alone is out of recovery is the primary. A standby that answers is a
 * candidate a second later, and is none any more when it has not answered for
 * standby_timeout while the primary did.
 *
 * A primary that does not answer for W has lost its lease: its kernel has
 * closed its port; or earlier its fence agents have switched its host off; and
 * the furthest of the candidates, then the one with the greatest priority,
 * takes over. On the primary's own host the end of its postmaster is seen at
 * once, and nobody waits for W. Without a candidate nobody takes over; it is
 * started again in place.
 *
 * Who answers again before that has lost nothing. A second primary is stopped:
 * the one on the older timeline, and made the other's standby, by itself if so
 * configured. Nobody takes over by himself in a pause. What people do meanwhile
 * is noted beside it, with how long writers waited.
 */
#include "hawatch/would.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hawatch/mem.h"
#include "hawatch/str.h"

#define WOULD_STEADY USEC_SEC
#define WOULD_BLIP (500 * USEC_MSEC) /* shorter ones are not spoken of */

struct would {
	struct would_conf conf;
	struct would_node node[NODES_MAX];
	usec_t up_since[NODES_MAX], down_since[NODES_MAX]; /* 0: not so */
	node_t primary;
	uint64_t changes;
	nodeset_t candidates;
	lsn_t wal_end;	 /* of the primary, seen last */
	usec_t acted_at; /* this primary was given up; 0 no */
	usec_t lost_at;	 /* it has not answered since */
	node_t heir;
	bool two; /* more than one primary was told of */
	bool paused;
	struct would_entry entry[WOULD_MAX];
	uint64_t serial;
};

static void would_say(struct would *w, const struct now *now, const char *fmt,
    ...) PRINTF_LIKE(3, 4);

struct would *
would_new(const struct would_conf *conf)
{
	struct would *w = xcalloc(1, sizeof(*w));

	w->conf = *conf;
	w->primary = w->heir = NODE_NONE;
	return w;
}

void
would_free(struct would *w)
{
	free(w);
}

void
would_pause(struct would *w, bool paused)
{
	w->paused = paused;
}

static const char *
would_name(const struct would *w, node_t n)
{
	return w->conf.names->node[n];
}

void
would_note(struct would *w, const struct now *now, const char *text)
{
	struct would_entry *e = &w->entry[w->serial++ % WOULD_MAX];

	e->serial = w->serial;
	e->wall = now->wall;
	str_cut(e->text, sizeof(e->text), text);
}

static void
would_say(struct would *w, const struct now *now, const char *fmt, ...)
{
	char text[WOULD_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	would_note(w, now, text);
}

static bool
would_is_primary(const struct would *w, node_t n)
{
	return w->node[n].up == ANS_YES && w->node[n].recovery == ANS_NO;
}

static nodeset_t
would_primaries(const struct would *w)
{
	nodeset_t set = 0;
	node_t n;

	for (n = 0; n < NODES_MAX; n++)
		if ((w->conf.data & NODE_BIT(n)) != 0 && would_is_primary(w, n))
			set |= NODE_BIT(n);
	return set;
}

/* Since when each answers, or does not; what is not known changes nothing. */
static void
would_take(struct would *w, const struct now *now,
    const struct would_node node[NODES_MAX])
{
	node_t n;

	for (n = 0; n < NODES_MAX; n++) {
		w->node[n] = node[n];
		if (node[n].up == ANS_YES) {
			w->down_since[n] = 0;
			if (w->up_since[n] == 0)
				w->up_since[n] = now->raw;
		} else if (node[n].up == ANS_NO) {
			w->up_since[n] = 0;
			if (w->down_since[n] == 0)
				w->down_since[n] = now->raw;
		}
	}
}

/* Seconds and tenths. */
static const char *
would_ms(usec_t t, char buf[32])
{
	(void)snprintf(buf, 32, "%lld.%lld s", (long long)(t / USEC_SEC),
	    (long long)(t / (100 * USEC_MSEC) % 10));
	return buf;
}

static void
would_promoted(struct would *w, const struct now *now, node_t n)
{
	char out[32], ours[32];

	if (w->acted_at == 0) {
		would_say(w, now,
		    "%s was promoted by hand while %s was not lost: a "
		    "switchover, which this does with writers waiting for less "
		    "than a second",
		    would_name(w, n), would_name(w, w->primary));
		return;
	}
	would_say(w, now,
	    "%s was promoted by hand, %s after %s was lost; here it would "
	    "have been %s, after %s",
	    would_name(w, n), would_ms(now->raw - w->lost_at, out),
	    would_name(w, w->primary),
	    w->heir == NODE_NONE ? "nobody" : would_name(w, w->heir),
	    would_ms(w->acted_at - w->lost_at, ours));
}

static void
would_begin(struct would *w, const struct now *now, node_t n)
{
	if (w->primary == NODE_NONE)
		would_say(w, now,
		    "%s is the primary: it would hold the cluster after hactl "
		    "init --holder %s, and its kernel would let clients in "
		    "while its lease runs",
		    would_name(w, n), would_name(w, n));
	else
		would_promoted(w, now, n);
	w->primary = n;
	w->changes++;
	w->candidates = 0;
	w->acted_at = w->lost_at = 0;
	w->heir = NODE_NONE;
}

static const char *
would_rejoins(const struct would *w)
{
	return w->conf.rejoins && !w->paused ? "by itself" : "by hactl rejoin";
}

static void
would_two(struct would *w, const struct now *now, nodeset_t set)
{
	node_t n, old = NODE_NONE;

	if (w->two)
		return;
	w->two = true;
	for (n = 0; n < NODES_MAX; n++)
		if ((set & NODE_BIT(n)) != 0 &&
		    (old == NODE_NONE ||
			w->node[n].timeline < w->node[old].timeline))
			old = n;
	would_say(w, now,
	    "two primaries at once: PostgreSQL of %s, on the older timeline, "
	    "would have been closed to clients and stopped, and its data made "
	    "the other's, %s",
	    would_name(w, old), would_rejoins(w));
}

/* Whose promotion loses least; NODE_NONE without a candidate. */
static node_t
would_choose(const struct would *w)
{
	node_t n, best = NODE_NONE;

	for (n = 0; n < NODES_MAX; n++) {
		if ((w->candidates & NODE_BIT(n)) == 0 ||
		    w->node[n].up != ANS_YES)
			continue;
		if (best == NODE_NONE ||
		    w->node[n].wal_end > w->node[best].wal_end ||
		    (w->node[n].wal_end == w->node[best].wal_end &&
			w->conf.priority[n] > w->conf.priority[best]))
			best = n;
	}
	return best;
}

static bool
would_shoots(const struct would *w)
{
	return (w->conf.agents & NODE_BIT(w->primary)) != 0 &&
	       !w->node[w->primary].gone;
}

/* Until what is taken for a proof. */
static usec_t
would_wait(const struct would *w)
{
	bool agents = would_shoots(w);

	if (agents &&
	    (!w->conf.proof_lease || w->conf.agent_after < w->conf.wait))
		return w->conf.agent_after;
	return w->conf.wait;
}

static void
would_act(struct would *w, const struct now *now)
{
	const char *old = would_name(w, w->primary);
	lsn_t lack = 0;
	char after[32];

	w->acted_at = now->raw;
	w->heir = w->paused ? NODE_NONE : would_choose(w);
	would_ms(now->raw - w->lost_at, after);
	if (!w->conf.proof_lease && !would_shoots(w) &&
	    !w->node[w->primary].gone)
		w->heir = NODE_NONE;
	if (w->paused) {
		would_say(w, now,
		    "%s is lost while failover is paused: nobody would have "
		    "been promoted by himself",
		    old);
		return;
	}
	if (w->heir == NODE_NONE && would_choose(w) != NODE_NONE) {
		would_say(w, now,
		    "%s is lost, and there would have been no proof of it that "
		    "suffices: nobody would have been promoted by himself",
		    old);
		return;
	}
	if (w->heir == NODE_NONE) {
		would_say(w, now,
		    "%s is lost and nobody else is a candidate: nothing but a "
		    "start in place would have been tried",
		    old);
		return;
	}
	if (w->node[w->heir].wal_end < w->wal_end)
		lack = w->wal_end - w->node[w->heir].wal_end;
	would_say(w, now,
	    "%s is lost: after %s %s%s would have been promoted; it lacks %llu "
	    "bytes of what was seen there last%s",
	    old, after,
	    would_shoots(w) ? "its host would have been switched off, and " :
			      "",
	    would_name(w, w->heir), (unsigned long long)lack,
	    w->conf.bounded || lack == 0 ?
		"" :
		", for which no commit would have been acknowledged");
}

static void
would_lost(struct would *w, const struct now *now)
{
	usec_t since = w->down_since[w->primary];
	bool gone = w->node[w->primary].gone;
	char ms[32];

	if (since == 0) {
		if (w->lost_at != 0 && w->acted_at == 0 &&
		    now->raw - w->lost_at >= WOULD_BLIP)
			would_say(w, now,
			    "%s answered nothing for %s: nothing would have "
			    "been done within its lease",
			    would_name(w, w->primary),
			    would_ms(now->raw - w->lost_at, ms));
		if (w->heir != NODE_NONE && would_is_primary(w, w->primary))
			would_say(w, now,
			    "%s is a primary again, %s after it was lost; "
			    "here it would be the standby of %s, %s",
			    would_name(w, w->primary),
			    would_ms(now->raw - w->lost_at, ms),
			    would_name(w, w->heir), would_rejoins(w));
		w->lost_at = w->acted_at = 0;
		w->heir = NODE_NONE;
		return;
	}
	w->lost_at = since;
	if (w->acted_at == 0 && (gone || now->raw - since >= would_wait(w)))
		would_act(w, now);
}

static void
would_candidate(struct would *w, const struct now *now, node_t n)
{
	bool is = (w->candidates & NODE_BIT(n)) != 0;

	if (!is && w->up_since[n] != 0 && w->node[n].recovery == ANS_YES &&
	    now->raw - w->up_since[n] >= WOULD_STEADY) {
		w->candidates |= NODE_BIT(n);
		would_say(w, now, "%s would be a candidate%s", would_name(w, n),
		    w->conf.bounded ? "" : ": commits would wait for it");
	} else if (is && w->down_since[n] != 0 && w->lost_at == 0 &&
		   now->raw - w->down_since[n] >= w->conf.standby_timeout) {
		w->candidates &= ~NODE_BIT(n);
		would_say(w, now,
		    "%s answers nothing: it would be no candidate any more, "
		    "and commits would go on without it",
		    would_name(w, n));
	}
}

void
would_look(struct would *w, const struct now *now,
    const struct would_node node[NODES_MAX])
{
	nodeset_t set;
	node_t n;

	would_take(w, now, node);
	set = would_primaries(w);
	if ((set & (set - 1)) != 0) {
		would_two(w, now, set);
		return;
	}
	w->two = false;
	for (n = 0; n < NODES_MAX; n++)
		if (set == NODE_BIT(n) && n != w->primary)
			would_begin(w, now, n);
	if (w->primary == NODE_NONE)
		return;
	if (would_is_primary(w, w->primary))
		w->wal_end = w->node[w->primary].wal_end;
	for (n = 0; n < NODES_MAX; n++)
		if ((w->conf.data & NODE_BIT(n)) != 0 && n != w->primary)
			would_candidate(w, now, n);
	would_lost(w, now);
}

node_t
would_primary(const struct would *w)
{
	return w->primary;
}

uint64_t
would_changes(const struct would *w)
{
	return w->changes;
}

int
would_count(const struct would *w)
{
	return w->serial < WOULD_MAX ? (int)w->serial : WOULD_MAX;
}

const struct would_entry *
would_entry(const struct would *w, int i)
{
	return &w->entry[(w->serial - (uint64_t)would_count(w) + (uint64_t)i) %
			 WOULD_MAX];
}
