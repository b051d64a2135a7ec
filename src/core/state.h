/*
 * The state of the core: one struct for each file that keeps some, and all of
 * them together. Nobody outside src/core includes this.
 */
#ifndef HAWATCH_CORE_STATE_H
#define HAWATCH_CORE_STATE_H

#include "hawatch/core.h"

enum block {
#define BLOCK(id, token, text) BLOCK_##id,
#include "core/blockers.def"
#undef BLOCK
	BLOCK_COUNT
};

enum cas_for {
	FOR_RENEW,
	FOR_ADD,
	FOR_REMOVE,
	FOR_HELD,
	FOR_CLAIM,
	FOR_RELEASE,
	FOR_RESEED,
	FOR_INIT
};

/* The register as it was read, and since when it has not changed. */
struct watched {
	struct reg_value value; /* the newest that is believed */
	usec_t first_seen;	/* of this (instance, revision, nonce) */
	usec_t believed_at;	/* the belief was last formed or confirmed */
	usec_t read_at;		/* last successful read; 0 never */
	usec_t head_at;		/* dur.head was received */
	usec_t head_saved_at;	/* it was written for its own sake; 0: never */
	usec_t asked_again;	/* when its waits were over; 0 never */
	bool failing;		/* the last read failed */
	bool cold, amnesiac;
	char next[ID_MAX]; /* of the cold register */
	nodeset_t reported;
	uint64_t report_version; /* must be saved before the report */
	bool reporting;
	usec_t report_at;    /* not again before */
	uint64_t hint_epoch; /* a peer knows of this epoch */
	bool met, split;     /* of two copies: as in reg_value */
};

/* The one CAS of our own whose outcome is not known. The identical request is
 * sent until a read or a reply tells. */
struct pending {
	bool on;
	enum cas_for why;
	struct do_cas cas;
	usec_t first_sent;
	usec_t t_s; /* D counts from then; 0: sent by an earlier incarnation */
	usec_t last_sent;
	usec_t asked_at; /* for a read that has to come before the next */
};

#define ASK_SLOTS 8
struct ask_slot {
	uint64_t id;
	usec_t sent, ttl;
	nodeset_t yes;
};

/* A member of P was asked to leave it. */
struct abdication {
	uint64_t id; /* 0: none whose answer counts */
	uint64_t epoch, seq;
	usec_t at;
};

struct lease {
	bool confirmed;	       /* a CAS of our own, in this incarnation */
	uint64_t epoch;	       /* of that one */
	bool answers_count;    /* (b) is available */
	usec_t deadline;       /* D; 0 none */
	usec_t void_before;    /* requests that left before do not move D */
	nodeset_t unknown;     /* candidates of CASes that were voided */
	nodeset_t abdicated;   /* members that durably left */
	uint64_t left_version; /* dur.left must be saved to count */
	bool finite;	       /* an add is being prepared: D must be finite */
	usec_t next_renewal;
	usec_t next_there; /* blocked: when to ask who is there */
	struct ask_slot ask[ASK_SLOTS];
	uint64_t next_ask;
	bool doubt; /* about the fence */
	usec_t doubt_since;
	bool lapsed;	      /* D was not ahead at some moment since the last
				 confirmed CAS */
	usec_t primary_since; /* PostgreSQL seen as primary; probes count from
				 it */
	struct abdication abdication[NODES_MAX]; /* the newest request */
	nodeset_t abdication_asked; /* since the last CAS was sent */
};

struct promise {
	usec_t until;
	node_t to;
	uint64_t epoch;
};

struct asked {
	struct ask ask;
	usec_t at;
	bool waiting;	  /* for the disk, or for a view */
	uint64_t version; /* what was told is on disk with it; 0 not looked */
};

/* How far the other candidates are, as they said when it mattered. */
struct rank {
	struct reg_value of; /* which record it was about */
	uint64_t id;	     /* of the question; 0: none was asked */
	usec_t asked_at;
	nodeset_t asked, answered;
	uint32_t timeline[NODES_MAX];
	lsn_t wal_end[NODES_MAX];
	node_t first; /* this node gives way to it; NODE_NONE */
	usec_t until; /* so long; 0: not decided */
};

struct fence_state {
	enum writers writers;
	usec_t element; /* deadline that the kernel has; USEC_NEVER */
	bool inherited; /* found at start, not ours by a CAS so far */
	usec_t readers_until, readers_next;
	bool known;	 /* core_on_start_fence was called */
	usec_t retry_at; /* after a call that failed */
	enum block why;	 /* the last close */
};

enum add_row {
	ADD_NONE,
	ADD_NAMES,
	ADD_WAITING,
	ADD_FLUSH,
	ADD_FINITE,
	ADD_CAS
};

struct durability {
	usec_t good_since[NODES_MAX], bad_since[NODES_MAX];
	enum add_row add; /* of this node: */
	node_t adding;
	node_t add_last;     /* so that each has its turn */
	nodeset_t add_names; /* that were set for it */
	usec_t add_since, add_retry_at[NODES_MAX];
	lsn_t add_lsn;
	lsn_t end, next_end; /* a record ends there, and all have flushed it;
				they have to flush it first; 0: not known */
	nodeset_t named;     /* by whose walsender's reading an older setting of
				names may still let commits go */
	bool relaxing;	     /* names are being taken away */
	usec_t relaxed_at;   /* views older than this still show the names */
};

struct act_state {
	uint64_t id;
	bool running, standby; /* standby: of START, with standby.signal */
	enum answer result;
	usec_t ended; /* when that was said */
	lsn_t lsn;
	enum fork fork;
	char reason[120];
};

enum plan_id {
	PLAN_NONE = 0,
	PLAN_TAKEOVER,
	PLAN_RESTART,
	PLAN_STEPDOWN,
	PLAN_FOLLOW,
	PLAN_SWITCHOVER,
	PLAN_REJOIN,
	PLAN_COUNT
};

struct plan_state {
	enum plan_id id;
	int row;
	usec_t since; /* the row was entered */
	usec_t started;
	bool acted;
	bool marked;	 /* this plan set primary_epoch, and none was */
	bool promoted;	 /* pg_promote was ordered */
	usec_t retry_at; /* no plan before, after one was abandoned */
};

/* The last plan, where it came to nothing; plan: PLAN_NONE. */
struct plan_over {
	enum plan_id plan;
	int row;
	bool late;     /* its limit, and not a no */
	char why[120]; /* of the no: a token, or words; "" */
};

/* What the others said of themselves, and what was asked for around this
 * host's PostgreSQL. */
struct site {
	struct site_report report[NODES_MAX];
	usec_t report_at[NODES_MAX]; /* 0 never */
	usec_t turn_at, listening;   /* without a gap since */
	uint64_t epoch;		     /* that ACT_CONVERGE was asked for */
	usec_t retry_at;	     /* after its no, in that epoch */
	char why[48];
	node_t primary; /* that ACT_TRAFFIC was asked for */
	uint64_t traffic_epoch;
	nodeset_t out, drain;
	uint64_t handed; /* that epoch is, or will be, this node's because it
			    was handed over to it; 0 none */
	usec_t asked_at, next, often_until; /* of ACT_TRAFFIC */
	/* The holder before may believe in its lease, and steer by it. */
	usec_t old_until;
};

/* To whom this standby was pointed last. */
struct follow {
	node_t node;
	uint64_t epoch;
	bool asked; /* it is being done */
	int times;  /* that it ended, without being so */
	usec_t next;
	usec_t alone_since; /* nothing is received, though it could be; 0 no */
	uint64_t held;	    /* the last epoch that was held; 0 not known */
	bool tell;	    /* repmgr does not know of it yet */
	bool alone_told;
};

struct order {
	bool on;
	bool fenced;
	char why[120];
	usec_t at, until;
	char instance[ID_MAX], nonce[ID_MAX]; /* of the record it is about */
	uint64_t epoch;
	node_t holder;
};

/* The holder's host is being switched off, or was: shoot.c. */
struct shoot {
	struct reg_value of; /* the record as it was then */
	usec_t at;	     /* asked for; what is heard later voids it */
	bool asked, off;
	usec_t off_at; /* a claim by it waits for a read after that */
	usec_t again, look_at;
	uint64_t version; /* to be saved before it is asked for; 0 none */
};

/* Of a register of two copies: the other host is off. alone.c */
struct alone {
	bool on;
	usec_t at; /* what is heard later ends it */
	enum proof by;
	uint64_t from; /* a holder's epoch by it is not before that */
	bool asked;    /* its agents, whether it is off */
	usec_t asked_at, again;
};

/* A person wants another to be the primary: handover.c. */
struct handover {
	bool on;
	node_t to;
	uint64_t id; /* of the last question how far it is */
	usec_t asked_at;
	bool answered; /* that one; what was said by then: */
	uint32_t timeline;
	lsn_t wal_end;
	lsn_t end; /* of the last checkpoint here, once it has ended */
};

/* A person's word about the pause that is not in the register yet. */
struct pausing {
	bool on;
	usec_t until; /* wall; 0: none any more */
	char why[PAUSED_MAX], by[PAUSED_MAX];
};

/* This data is made the primary's: rejoin.c. */
struct rejoin_state {
	bool ordered, clone; /* by a person; a copy of all of it will do */
	node_t from;	     /* the holder, once it was seen to live; */
	uint64_t epoch;	     /* NODE_NONE, 0: not yet in this plan */
	lsn_t floor;	     /* where its record was then */
	enum fork fork;
	lsn_t common; /* the last common checkpoint */
	int times;    /* it ended without being so */
	int halves;   /* of these, in the midst of rewriting */
	usec_t next;
	uint64_t stuck;	   /* in this epoch only a person goes on */
	uint64_t copied;   /* in this epoch a copy took the data's place, */
	int copies;	   /* so many of them, and none of them streams; */
	int tried;	   /* the last of them, so often */
	usec_t vain_until; /* then it is tried again */
};

#define OUT_MAX 64
#define ASKED_MAX 8

struct core {
	struct core_conf conf;
	char seed[ID_MAX];
	char refusal[240]; /* of an order, where it is not the same each time */
	uint64_t nonces, ids;
	struct durable dur;
	uint64_t version, saved; /* of dur */
	bool dirty, saving;
	usec_t save_retry_at;
	uint64_t abdicated_version; /* to be saved before it is told */
	uint64_t claim_version;	    /* dur.claim must be saved to send it */
	uint64_t mark_version;	 /* dur.primary_epoch, to promote and to open */
	uint64_t seen_version;	 /* dur.epoch and dur.seq */
	uint64_t t_max_version;	 /* dur.t_max must be saved to promise it */
	uint64_t told_version;	 /* dur.told likewise */
	uint64_t hand_version;	 /* dur.handed_epoch, gone before a start */
	uint64_t quiet_version;	 /* dur.quiet_epoch, to stop anything */
	uint64_t rejoin_version; /* dur.rejoin, before the next step */
	usec_t started, suspended;
	struct watched reg;
	struct pending pending;
	struct lease lease;
	struct promise promise;
	usec_t no_claim_before; /* hold-off of start and of reports */
	struct asked asked[ASKED_MAX];
	int asked_count;
	struct fence_state fence;
	struct durability sync;
	struct act_state act[ACT_COUNT];
	struct plan_state plan;
	struct plan_over over;
	uint64_t resume_epoch; /* of the takeover before the start; 0 none */
	unsigned pullers_no; /* takeovers that ended there, one after another */
	struct site site;
	struct follow follow;
	struct rank rank;
	struct order order;
	struct shoot shoot;
	struct alone alone;
	struct handover hand;
	struct pausing pausing;
	usec_t paused_told;    /* of the record that people were told of, */
	uint64_t paused_epoch; /* in this epoch */
	struct rejoin_state rejoin;
	struct pg_view pg;
	lsn_t position; /* last seen as the holder of position_epoch */
	uint64_t position_epoch;
	usec_t gone_at; /* the postmaster ended then; 0 no */
	enum pg_state pgs_last;
	enum answer armed;
	usec_t armed_at;
	char armed_why[120];
	usec_t heard_at[NODES_MAX];
	struct ask_answer peer[NODES_MAX];
	enum relation rel_last;
	usec_t claimed_at;  /* since when the record is claimed by this node */
	lsn_t end_first;    /* of this primary's WAL, when first seen; 0 none */
	bool end_looked;    /* and that was held against the record */
	bool signal_looked; /* a latched node's standby.signal */
	usec_t claim_when;  /* what stands against a claim ends then */
	usec_t looked_at;   /* a fresh view was asked for */
	usec_t prepare_at;  /* names of a standby, not before */
	enum block waits;   /* what holds up this turn's wish */
	bool read_wanted, alarm;
	uint64_t ack_epoch; /* a person acknowledges that takeover; 0: none */
	struct action out[OUT_MAX];
	unsigned out_head, out_count;
};

#endif
