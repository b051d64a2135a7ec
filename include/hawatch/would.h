/*
 * What would have been done, where nothing may be: mode observe, on a site that
 * is run by hand. Pure, like the core; but there is no record here, no lease
 * and no promise, so it goes by what is seen of every PostgreSQL, and says what
 * the rules would have made of that.
 */
#ifndef HAWATCH_WOULD_H
#define HAWATCH_WOULD_H

#include "hawatch/record.h"
#include "hawatch/types.h"

#define WOULD_TEXT_MAX 240
#define WOULD_MAX 64 /* the last so many are kept */

struct would;

struct would_conf {
	const struct names *names;
	node_t self;
	nodeset_t data;
	usec_t ttl, wait, standby_timeout; /* T, W */
	int priority[NODES_MAX];
	bool proof_lease;   /* its end suffices for a takeover */
	nodeset_t agents;   /* whose hosts would be switched off */
	usec_t agent_after; /* of silence */
	bool bounded;
	bool rejoins; /* data that has diverged is made new by itself */
};

/* How one PostgreSQL is, as this host sees it. */
struct would_node {
	enum answer up;	      /* it answers */
	enum answer recovery; /* by its last answer */
	uint32_t timeline;
	lsn_t wal_end;
	bool gone; /* its postmaster has ended: only its own host knows */
};

struct would_entry {
	uint64_t serial; /* from 1 on */
	usec_t wall;
	char text[WOULD_TEXT_MAX];
};

struct would *would_new(const struct would_conf *conf);
void would_free(struct would *w);
/* Of all data nodes, several times a second. */
void would_look(struct would *w, const struct now *now,
    const struct would_node node[NODES_MAX]);
/* Is there a record, and failover paused by it? */
void would_pause(struct would *w, bool paused);
/* Something else that would have been done. */
void would_note(struct would *w, const struct now *now, const char *text);
/* Where the primary is, as far as one alone is seen; NODE_NONE. */
node_t would_primary(const struct would *w);
/* How often that has changed. */
uint64_t would_changes(const struct would *w);
int would_count(const struct would *w);
/* 0 is the oldest that is kept. */
const struct would_entry *would_entry(const struct would *w, int i);

#endif
