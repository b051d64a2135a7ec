/*
 * The core: everything that decides, and nothing that acts. No I/O, no clock,
 * no global: what happened comes in through core_on_*, which only record;
 * core_turn decides and leaves actions to be carried out. The same object
 * files run in the daemon and in the simulator.
 *
 * One turn: any number of core_on_*, then core_turn, then core_take until it
 * is empty. Carrying out an action may call core_on_* at once.
 */
#ifndef HAWATCH_CORE_H
#define HAWATCH_CORE_H

#include <stddef.h>

#include "hawatch/act.h"
#include "hawatch/emit.h"
#include "hawatch/pg_view.h"
#include "hawatch/record.h"
#include "hawatch/types.h"

enum core_mode { CORE_OBSERVE, CORE_MANUAL, CORE_AUTO };

/* What becomes of data that diverged, without a person. */
enum core_rejoin { CORE_REJOIN_NONE, CORE_REJOIN_REWIND, CORE_REJOIN_CLONE };

struct core_conf {
	const struct names *names;
	node_t self;
	nodeset_t data; /* the nodes with PostgreSQL, self included */
	enum core_mode mode;
	usec_t ttl;	     /* T for the records that this node writes */
	usec_t slack;	     /* delta */
	int clock_ppm;	     /* epsilon */
	usec_t min_interval; /* between automatic failovers */
	usec_t standby_timeout;
	usec_t start_timeout;	 /* of PostgreSQL */
	int priority[NODES_MAX]; /* of equally advanced candidates the
				    greatest goes first, then the first */
	/* Which proofs suffice beside a release and a person's word. */
	bool proof_lease, proof_agent;
	/* The register is a copy on each of two hosts: pair.h. */
	bool pair;
	nodeset_t agents;   /* nodes whose hosts can be switched off */
	usec_t agent_after; /* of silence of a holder */
	bool bounded;	    /* commits wait for nobody; up to max_loss may go */
	lsn_t max_loss;	    /* bytes of WAL that a candidate may lack */
	enum core_rejoin rejoin;
	/* What the configuration has for this node; without it nothing is
	 * asked. */
	bool before;	    /* items that must hold before a promotion */
	bool after;	    /* items at all */
	bool traffic;	    /* balancers that it steers as the holder */
	bool traffic_every; /* balancers that it steers whoever holds */
	bool verify;	    /* checks at the end of a takeover */
	bool quiet;	    /* items that stop before a switchover */
	bool files;	    /* files that the target copies before one */
};

/* What must survive a crash: written whole, as text, by the engine's journal.
 * All of it is written by the core alone. */
enum proof {
	PROOF_NONE = 0,
	PROOF_RELEASED,
	PROOF_LEASE,
	PROOF_OPERATOR,
	PROOF_AGENT
};

/* Of data that is made the primary's: nothing of it was rewritten yet; some of
 * it may have been; all was. */
enum rejoin { REJOIN_NO = 0, REJOIN_ASIDE, REJOIN_HALF, REJOIN_WHOLE };

struct durable {
	char instance[ID_MAX]; /* of the register that is believed */
	uint64_t epoch, seq;   /* the highest that was seen there */
	uint64_t head;	       /* likewise, of reg_value; some seconds late */
	bool back; /* that register was put back from a copy, under its
		      name: nothing of it is believed any more */
	uint64_t sent_epoch, sent_seq; /* the highest that was sent */
	usec_t t_max; /* the largest T that may have been promised */
	bool claim;   /* a claim may be under way: */
	uint64_t claim_revision;
	char claim_instance[ID_MAX];
	char claim_nonce[ID_MAX]; /* that it replaces */
	struct record claim_rec;  /* as sent, its nonce with it */
	uint64_t abdicated_epoch, abdicated_seq;
	nodeset_t left; /* as holder of left_epoch: who abdicated */
	uint64_t left_epoch;
	lsn_t told; /* bounded: the greatest position that was told in an
		       ask of told_epoch and answered with yes; of who released
		       the record in that epoch: where its own log ended */
	uint64_t told_epoch;
	uint64_t primary_epoch; /* PostgreSQL here may hold what others do not
				   have, since this epoch; 0 no */
	uint64_t handed_epoch;	/* the data here ended cleanly as that epoch's
				   primary, and the next holder, which is */
	node_t handed_to;	/* this one, had flushed all of it; 0 no */
	bool latch;		/* stays stopped until a person says so */
	char latch_why[120];
	bool fenced;   /* latched by a person, who found nothing wrong with the
			  data */
	bool diverged; /* latched for no more than that */
	bool follower; /* latched as a standby, which it has been since it last
			  followed: what is here is its primary's */
	enum rejoin rejoin;
	node_t rejoin_from; /* from this node's, as the holder */
	uint64_t rejoin_epoch;
	enum proof proof;
	uint64_t proof_epoch;
	char proof_why[120];
	int plan, row; /* enum plan_id and its row, for the report */
	uint64_t plan_epoch;
	uint64_t site_epoch;  /* this host was brought to its role for it */
	uint64_t quiet_epoch; /* as that epoch's primary it may have stopped
				 for a handover what is to run; 0 no */
};

enum cas_result { CAS_CONFIRMED, CAS_CONFLICT, CAS_UNKNOWN, CAS_REFUSED };

/* The holder asks: will you not claim before your now + W? Also abdication. */
struct ask {
	uint64_t id;
	node_t from;
	char instance[ID_MAX];
	uint64_t epoch, seq;
	usec_t ttl;
	lsn_t lsn;
	bool bounded;  /* remember lsn, the holder's position, before a yes */
	bool abdicate; /* no candidate of epoch until a seq above seq */
	bool position; /* from one candidate to another: how far is your WAL?
			  It promises nothing; the answer is a no that says
			  timeline and wal_end */
};

struct ask_answer {
	uint64_t id;
	node_t from;
	bool yes;
	char reason[32];
	char instance[ID_MAX]; /* of the record that the answerer knows */
	uint64_t epoch, seq;
	bool abdicated;
	enum answer running, recovery; /* its PostgreSQL */
	uint32_t timeline;
	lsn_t wal_end;
};

/* What a host says of itself, once a second. */
struct site_report {
	uint64_t site_epoch;
	bool serving; /* it would serve voters */
	/* What matters for safety in its configuration is as it is here; no:
	 * it is no candidate of this node, which adds none that says so. */
	enum answer config;
	/* Its mode is auto: it would take over. No: as with config. */
	enum answer automatic;
	/* Its PostgreSQL has room to write. No: nothing is released for it. */
	enum answer room;
};

enum fence_op { FENCE_OP_OPEN, FENCE_OP_RENEW, FENCE_OP_CLOSE };

enum do_kind {
	DO_READ,    /* read the register now, without waiting for a change */
	DO_CAS,	    /* cas: answer by core_on_cas, or by nothing at all */
	DO_REPORT,  /* report to a cold register: epoch, seq */
	DO_ASK,	    /* ask, to node */
	DO_ANSWER,  /* answer, to the ask of that id */
	DO_NUDGE,   /* tell node to read the register now */
	DO_SAVE,    /* durable, version: answer by core_on_saved */
	DO_FENCE,   /* op, deadline: carried out at once; core_on_fence */
	DO_READERS, /* readers' element for so long; 0 removes; core_on_readers
		     */
	DO_ACT,	    /* kind, goal: answer by core_on_act */
	DO_ACT_CANCEL,
	DO_LOOK,    /* a fresh view of PostgreSQL, by core_on_pg */
	DO_TELL,    /* something happened that people want to know */
	DO_REJOINED /* this data streams: what it took the place of is old */
};

/* Within it nobody puts a register that counts its writes back from a copy: its
 * servers are stopped for that, and elect a leader after it. So nothing is sent
 * there that much later than a read was asked for, by the core or by who sends
 * again what it gave. */
#define CAS_FRESH (300 * USEC_MSEC)

struct do_cas {
	uint64_t id;
	char instance[ID_MAX];
	uint64_t revision;  /* that it replaces */
	char nonce[ID_MAX]; /* that it replaces; "" for none */
	struct record rec;
	bool reseed;	   /* to a cold register, by its living holder */
	nodeset_t without; /* these hosts are off: their copies of the register
			      are not asked */
};

struct action {
	enum do_kind kind;
	node_t node;
	struct do_cas cas;
	struct ask ask;
	struct ask_answer answer;
	uint64_t version;      /* DO_SAVE */
	uint64_t epoch, seq;   /* DO_REPORT */
	char instance[ID_MAX]; /* DO_REPORT: the one it will take */
	enum fence_op op;
	usec_t deadline, life;
	enum act_kind act;
	struct goal goal;
	enum event_name tell; /* DO_TELL: which event */
	char text[160];	      /* DO_TELL: its detail */
};

struct core;

/* durable NULL: a first start. seed makes this incarnation's nonces unique. */
struct core *core_new(const struct core_conf *conf,
    const struct durable *durable, const char *seed, const struct now *now);
void core_free(struct core *c);

/* What happened. They record; they decide nothing. */
/* element: of the writers, found in the kernel at start; 0 none. */
void core_on_start_fence(struct core *c, usec_t element);
/* sent: when the request left. */
void core_on_read(struct core *c, const struct now *now, usec_t sent,
    const struct reg_value *value);
void core_on_read_failed(struct core *c, const struct now *now);
/* confirmed: revision is the new one. */
void core_on_cas(struct core *c, const struct now *now, uint64_t id,
    enum cas_result result, uint64_t revision, const char *instance);
void core_on_reported(struct core *c, const struct now *now, bool ok);
void core_on_ask(struct core *c, const struct now *now, const struct ask *ask);
void core_on_answer(
    struct core *c, const struct now *now, const struct ask_answer *answer);
void core_on_nudge(struct core *c, const struct now *now);
/* That host's engine has answered, or asked, whatever it was. */
void core_on_heard(struct core *c, const struct now *now, node_t node);
void core_on_saved(struct core *c, uint64_t version, bool ok);
void core_on_pg(
    struct core *c, const struct now *now, const struct pg_view *view);
/* The postmaster ended; processes of it may live on. */
void core_on_pg_gone(struct core *c, const struct now *now);
void core_on_armed(
    struct core *c, const struct now *now, enum answer armed, const char *why);
/* deadline is the one of the action; result yes: as asked; no: it is closed
 * now (expired, too late); unknown: doubt, close again. */
void core_on_fence(struct core *c, const struct now *now, enum fence_op op,
    usec_t deadline, enum answer result);
void core_on_readers(
    struct core *c, const struct now *now, usec_t life, bool ok);
/* Others flushed the table; it was put back, or not, after so long. */
void core_on_fence_lost(
    struct core *c, const struct now *now, bool restored, usec_t open_for);
void core_on_act(struct core *c, const struct now *now, enum act_kind kind,
    const struct goal *goal, enum answer result, const char *reason);
void core_on_site(struct core *c, const struct now *now, node_t from,
    const struct site_report *report);

/* A new configuration: mode, min_interval, and what there is for this node, if
 * nothing is under way. Answers like an order. */
const char *core_tune(struct core *c, const struct core_conf *conf);
/* What it would answer; *waits: that ends by itself. */
const char *core_may_tune(
    const struct core *c, const struct core_conf *conf, bool *waits);

/* Orders of a person. NULL: accepted; else why not and, after a newline, the
 * command to run next ("...\nhactl register show"), as a static or core-owned
 * text; a token of blockers.def alone will do, too. fenced: what the person
 * did to fence the old primary; NULL when the lease's proof is to be used. */
const char *core_order_promote(
    struct core *c, const struct now *now, const char *fenced);
const char *core_order_init(struct core *c, const struct now *now);
/* What would be said to that order now; nothing is changed. */
const char *core_may_promote(
    const struct core *c, const struct now *now, const char *fenced);
const char *core_may_init(const struct core *c);
const char *core_may_unfence(const struct core *c);
/* Of the holder: until then nobody may take over by himself. until by the wall
 * clock, in the future; resume ends it. why and by are copied. Another pause
 * takes the place of the one that runs. */
const char *core_order_pause(struct core *c, const struct now *now,
    usec_t until, const char *why, const char *by);
const char *core_order_resume(struct core *c, const struct now *now);
/* Of the holder: hands over to a candidate, both of them healthy. */
const char *core_order_switchover(
    struct core *c, const struct now *now, node_t to);
const char *core_order_ack(struct core *c, const struct now *now);
/* Of any data node: it stops here, as the holder it releases the record, and
 * stays stopped until unfence. why says who and why, and is copied. */
const char *core_order_fence(
    struct core *c, const struct now *now, const char *why);
/* clone: by a copy of all of it. The first changes nothing. */
const char *core_may_order_rejoin(
    struct core *c, const struct now *now, bool clone);
const char *core_order_rejoin(
    struct core *c, const struct now *now, bool clone);
const char *core_order_unfence(struct core *c, const struct now *now);
const char *core_may_start_primary(struct core *c, const struct now *now);

/* Decides. Returns the raw time at which it wants the next turn. */
usec_t core_turn(struct core *c, const struct now *now);
/* The next action, or NULL; valid until the next call. */
const struct action *core_take(struct core *c);

/* For status, snapshots, tests and the simulator's invariants. */
enum relation {
	REL_UNKNOWN = 0,
	REL_OTHER,
	REL_HELD,
	REL_CLAIMED,
	REL_RELEASED,
	REL_COUNT
};
enum pg_state {
	PGS_UNKNOWN = 0,
	PGS_GONE,
	PGS_STANDBY,
	PGS_PRIMARY,
	PGS_COUNT
};
enum writers { WRITERS_UNKNOWN = 0, WRITERS_CLOSED, WRITERS_OPEN };
enum site_role { SITE_UNKNOWN = 0, SITE_PRIMARY, SITE_STANDBY };

/* The host around its PostgreSQL: what its role demands, and the balancers. */
struct site_status {
	enum site_role role;
	node_t primary; /* where it is, by the record; NODE_NONE: not known */
	uint64_t epoch; /* this host was brought to its role for it */
	nodeset_t out;	/* hosts that should get no traffic */
	bool converging, steering;
	const char *converge_why; /* of the last no; "" */
};

struct core_status {
	enum relation rel;
	enum pg_state pg;
	bool full;	  /* it has no room to write */
	const char *duty; /* name of the node table's cell */
	const char *duty_why;
	const char *plan, *row; /* NULL when none runs */
	usec_t row_since;
	const char *over_plan, *over_row; /* of the last one, where it came to
					     nothing; NULL */
	bool over_late;	      /* not in time; else it was refused, */
	const char *over_why; /* by this token, or in these words; "" */
	bool stuck; /* for the holder of now only a copy of its data will do */
	const char *waits_for; /* reason token of what holds it up; "" */
	struct record rec;     /* the record that is believed */
	char instance[ID_MAX];
	uint64_t revision;
	bool register_ok; /* read within the last T */
	bool cold, amnesiac;
	usec_t deadline;     /* D; 0 none */
	nodeset_t possible;  /* P */
	usec_t paused_until; /* wall; 0: failover is not paused */
	const char *paused_why, *paused_by;
	bool paused_written; /* and nobody is a candidate any more */
	enum writers writers;
	usec_t element; /* the deadline that the kernel element got */
	usec_t readers_until;
	usec_t promised_until;
	usec_t claim_at; /* raw time at which a claim becomes possible */
	/* raw: and by itself, after all waits whose end is known; not before
	 * claim_at */
	usec_t by_itself_at;
	const char
	    *claim_block; /* why not now; "" when nothing stands against */
	enum answer armed;
	char armed_why[120];
	enum answer probe;  /* the local write probe */
	nodeset_t in_force; /* synchronous standbys that commits wait for */
	const struct durable *durable;
	bool overtaken; /* another holds what this data was the primary's of */
	usec_t heard_at[NODES_MAX]; /* last answer or request of a peer */
	struct ask_answer peer[NODES_MAX];
	lsn_t floor;	     /* what a claim of this node is measured by */
	node_t gives_way_to; /* a candidate that goes first; NODE_NONE */
	node_t shooting;     /* its host is being switched off; NODE_NONE */
	node_t off; /* its host was seen off, for this record; NODE_NONE */
	const char *shoot_why; /* of the last no; "" */
	node_t without;	  /* a register of two copies is written without this
			     one's, whose host is off; NODE_NONE */
	bool met;	  /* its other copy was seen since the engine started */
	bool half, split; /* of such a register: as in reg_value */
	node_t adding;	  /* is being made a candidate; NODE_NONE */
	/* raw: since when each streams well from here; 0: it does not */
	usec_t good_since[NODES_MAX];
	node_t follow; /* this standby is being pointed there; NODE_NONE */
	const char *follow_why; /* of the last no; "" */
	struct site_status site;
	nodeset_t differ;   /* who said that its configuration does */
	lsn_t hand_end;	    /* a switchover from here: the end of the last */
	lsn_t hand_flushed; /* checkpoint, and of what the target has flushed */
};
void core_status(
    const struct core *c, const struct now *now, struct core_status *st);

/* The tables, for hactl plan, the manual and its check. */
struct plan_doc {
	const char *plan, *row, *goal, *limit_name, *why;
	usec_t limit;
	bool forward;
};
size_t core_plan_doc(const struct plan_doc **rows);
struct duty_doc {
	const char *rel, *pg, *duty, *why;
};
size_t core_duty_doc(const struct duty_doc **cells);

#endif
