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

struct pgwatch *pgwatch_new(struct loop *loop, const struct conf *conf,
    const struct pgwatch_calls *calls);
void pgwatch_free(struct pgwatch *w);
/* The present view; running and signal are looked at without a query too. */
const struct pg_view *pgwatch_view(const struct pgwatch *w);
/* Observe now, and probe if it is a primary; the interval does not matter. */
void pgwatch_poke(struct pgwatch *w);

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
};
/* NULL for self and for nodes without PostgreSQL. */
const struct pg_peer *pgwatch_peer(const struct pgwatch *w, node_t node);
void pgwatch_poke_peer(struct pgwatch *w, node_t node);

#endif
