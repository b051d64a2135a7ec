/*
 * The watch over PostgreSQL: keeps a pg_view of the local instance up to date,
 * writes the local probe, notices the postmaster's death at once, and looks at
 * the other nodes' instances by TCP.
 */
#ifndef HAWATCH_PGWATCH_H
#define HAWATCH_PGWATCH_H

#include "hawatch/conf.h"
#include "hawatch/pg_view.h"
#include "hawatch/types.h"

struct loop;
struct pgwatch;

/* changed: after every observation, from a clean turn. gone: the postmaster
 * has just ended, as its pidfd says; called on the loop, record only. Without
 * local PostgreSQL (a witness) only the peers are watched. */
struct pgwatch_calls {
	void (*changed)(void *arg);
	void (*gone)(void *arg);
	void *arg;
};

/* A setting that a person should know of. notes: of some uses only. warns:
 * of its commits, or of the way back after a takeover. blocks: what is flushed
 * here proves nothing, or a promotion here could not be finished: this node is
 * no candidate, and adds none. */
enum pg_finding_level { FINDING_NOTES, FINDING_WARNS, FINDING_BLOCKS };
struct pg_finding {
	enum pg_finding_level level;
	const char *reason; /* token of reasons.def */
	char where[120];    /* "role x in database y"; a value; "" */
};
#define PG_FINDINGS_MAX 16
struct pg_findings {
	usec_t seen_at; /* raw; 0 never */
	int count;
	struct pg_finding row[PG_FINDINGS_MAX]; /* the worst first */
};

struct pgwatch *pgwatch_new(struct loop *loop, const struct conf *conf,
    const struct pgwatch_calls *calls);
void pgwatch_free(struct pgwatch *w);
/* The present view; running and signal are looked at without a query too. */
const struct pg_view *pgwatch_view(const struct pgwatch *w);
/* Observe now, and probe if it is a primary; the interval does not matter. */
void pgwatch_poke(struct pgwatch *w);

/* Why PostgreSQL here has no room to write: a token; "" when it has, or when
 * nobody knows. where (may be NULL): the path. */
const char *pgwatch_no_room(const struct pgwatch *w, const char **where);

/* Of the local instance, as it was a minute ago at most. */
const struct pg_findings *pgwatch_findings(const struct pgwatch *w);
/* The one that blocks, or NULL. */
const struct pg_finding *pgwatch_blocks(const struct pgwatch *w);

/* Another node's PostgreSQL, as its own port answers us. */
struct pg_peer {
	usec_t seen_at;	      /* raw, the last answer was asked for; 0 never */
	usec_t asked_at;      /* raw, the last question with a result */
	enum answer reached;  /* of the last question */
	const char *reason;   /* why not: a stable token; "" */
	enum answer recovery; /* what it said at seen_at */
	uint32_t timeline;
	uint64_t system_id;
	lsn_t wal_end;
	bool unsound; /* what it flushes may be gone after a crash */
};
/* NULL for self and for nodes without PostgreSQL. */
const struct pg_peer *pgwatch_peer(const struct pgwatch *w, node_t node);
void pgwatch_poke_peer(struct pgwatch *w, node_t node);

#endif
