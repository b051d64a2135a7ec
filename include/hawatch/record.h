/*
 * The record: the value in the register. Who holds the cluster, in which
 * epoch, and who may take over. Pure data; record_parse and record_str are the
 * only places that know its JSON.
 */
#ifndef HAWATCH_RECORD_H
#define HAWATCH_RECORD_H

#include <stddef.h>

#include "hawatch/error.h"
#include "hawatch/types.h"

/* What this version reads. It writes the lowest that holds what a record says,
 * so that hosts of this version and of the one before work side by side: 2 has
 * a pause, which who does not know it would drop. */
#define RECORD_FORMAT 2
#define ID_MAX 40 /* an instance or a nonce, with its final 0 */
#define PAUSED_MAX 120
#define RECORD_MAX 4096 /* bytes of JSON; a longer value is refused */

enum rec_state { REC_NONE = 0, REC_HELD, REC_CLAIMED, REC_RELEASED };

struct record {
	uint64_t epoch; /* grows by one each time another holder takes over */
	uint64_t seq;	/* grows with epoch, state, candidates or ttl */
	enum rec_state state; /* REC_NONE: no record was ever written */
	node_t holder;
	node_t target; /* precedence for a released record; NODE_NONE */
	nodeset_t candidates;
	usec_t ttl;	    /* T, whole milliseconds in JSON */
	char nonce[ID_MAX]; /* unique per write */
	uint32_t timeline;
	uint64_t system_id;
	lsn_t lsn;	 /* what every candidate has flushed, up to the end of
			    a record */
	usec_t taken_at; /* wall clock of the last change of holder */
	bool counted;	 /* that change counts for min_interval */
	uint64_t acked;	 /* epoch whose failover a person acknowledged */
	node_t written_by;
	/* Nobody becomes a candidate before; wall clock of the holder; 0 no. */
	usec_t paused_until;
	char paused_why[PAUSED_MAX], paused_by[PAUSED_MAX]; /* who said so */
};

/* What a read of the register says. Read from outside, so possibly stale. */
struct reg_value {
	char instance[ID_MAX]; /* random id of the register's life */
	uint64_t revision;     /* 0: nothing was ever written */
	struct record rec;
	bool cold;	    /* refuses every CAS until reports or a person */
	char next[ID_MAX];  /* cold: the instance it will take */
	nodeset_t reported; /* cold: who has reported */
	uint64_t floor;	    /* cold: the highest epoch that was reported */
	bool older;	    /* what serves it knows a lower RECORD_FORMAT */
	uint64_t head;	    /* of all that the place of the register was ever
			       written; 0: it does not count that */
	/* Of two copies: what is shown is in this host's alone, as far as is
	 * known; the other one was seen as well; both tell of another holder
	 * in one epoch (it is cold, too). */
	bool half, met, split;
};

struct names; /* node names in configuration order */

/* Names by index; the configuration owns the strings. */
struct names {
	const char *cluster;
	int count;
	const char *node[NODES_MAX];
};

node_t names_find(const struct names *names, const char *name);

/* Refuses what is not JSON, of another cluster, of a newer format, or names a
 * node that the configuration does not know. The epoch and seq of a register
 * may be gone on from; of one's own record, that was done. */
int record_parse(struct record *rec, const char *json, size_t len,
    const struct names *names, struct error *err) MUST_CHECK;
int record_parse_own(struct record *rec, const char *json, size_t len,
    const struct names *names, struct error *err) MUST_CHECK;
/* Caller frees; NULL only when out of memory. */
char *record_str(const struct record *rec, const struct names *names);

const char *rec_state_str(enum rec_state state);

#endif
