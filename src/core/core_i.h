/*
 * What the files of the core share: its state, one part a file. Nobody outside
 * src/core includes this.
 */
#ifndef HAWATCH_CORE_I_H
#define HAWATCH_CORE_I_H

#include "hawatch/core.h"

enum block {
#define BLOCK(id, token, text) BLOCK_##id,
#include "core/blockers.def"
#undef BLOCK
	BLOCK_COUNT
};
const char *block_str(enum block b);

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
	usec_t back_since;	/* it counts fewer writes; 0: it does not */
	usec_t asked_again;	/* when its waits were over; 0 never */
	bool failing;		/* the last read failed */
	bool cold, amnesiac;
	char next[ID_MAX]; /* of the cold register */
	nodeset_t reported;
	uint64_t report_version; /* must be saved before the report */
	bool reporting;
	usec_t report_at;    /* not again before */
	uint64_t hint_epoch; /* a peer knows of this epoch */
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
	nodeset_t named;   /* by whose walsender's reading an older setting of
			      names may still let commits go */
	bool relaxing;	   /* names are being taken away */
	usec_t relaxed_at; /* views older than this still show the names */
};

struct act_state {
	uint64_t id;
	bool running, standby; /* standby: of START, with standby.signal */
	enum answer result;
	lsn_t lsn;
	enum fork fork;
	char reason[48];
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
	bool marked;	 /* this plan set primary_epoch */
	bool promoted;	 /* pg_promote was ordered */
	usec_t retry_at; /* no plan before, after one was abandoned */
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
};

/* To whom this standby was pointed last. */
struct follow {
	node_t node;
	uint64_t epoch;
	bool asked; /* it is being done */
	int times;  /* that it ended, without being so */
	usec_t next;
	usec_t alone_since; /* nothing is received, though it could be; 0 no */
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
	uint64_t stuck; /* in this epoch only a person goes on */
	bool tell;	/* repmgr does not know it yet */
};

#define OUT_MAX 64
#define ASKED_MAX 8

struct core {
	struct core_conf conf;
	char seed[ID_MAX];
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
	uint64_t resume_epoch; /* of the takeover before the start; 0 none */
	unsigned pullers_no; /* takeovers that ended there, one after another */
	struct site site;
	struct follow follow;
	struct rank rank;
	struct order order;
	struct handover hand;
	struct pausing pausing;
	usec_t paused_told; /* of the record that people were told of */
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
	bool end_looked; /* what this primary's WAL ended at, when first seen */
	bool signal_looked; /* a latched node's standby.signal */
	usec_t claim_when;  /* what stands against a claim ends then */
	usec_t looked_at;   /* a fresh view was asked for */
	usec_t prepare_at;  /* names of a standby, not before */
	enum block waits;   /* what holds up this turn's wish */
	bool read_wanted, alarm, acking;
	struct action out[OUT_MAX];
	unsigned out_head, out_count;
};

/* core.c */
struct action *core_do(struct core *c, enum do_kind kind);
void core_tell(struct core *c, enum event_name ev, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
uint64_t core_save(struct core *c); /* the version that will hold this */
bool core_saved(const struct core *c, uint64_t version);
bool core_armed(const struct core *c, const struct now *now);
usec_t core_wait(const struct core *c, usec_t ttl); /* W */
enum relation core_rel(const struct core *c);
enum pg_state core_pgs(const struct core *c);
const struct record *core_rec(const struct core *c);

/* watch.c: what reads of the register mean */
void watch_turn(struct core *c, const struct now *now);
void watch_seen(
    struct core *c, const char *instance, uint64_t epoch, uint64_t seq);
void watch_restart(struct core *c, const struct now *now);
bool watch_usable(const struct core *c);
bool watch_reported(const struct core *c);
bool watch_same(const struct reg_value *a, const struct reg_value *b);

/* cas.c: the one CAS under way */
bool cas_send(struct core *c, const struct now *now, enum cas_for why,
    const struct record *change);
void cas_turn(struct core *c, const struct now *now);
void cas_by_read(struct core *c, const struct now *now);
/* Fills dur.claim_rec; then, once that is on disk, sends exactly that. */
void cas_prepare_claim(struct core *c, const struct now *now);
void cas_send_claim(struct core *c, const struct now *now);
void cas_void(struct core *c);

/* lease.c: D, P, renewals and the answers of the candidates */
void lease_turn(struct core *c, const struct now *now);
void lease_void(struct core *c, const struct now *now);
void lease_confirmed(struct core *c, const struct now *now, usec_t sent,
    const struct record *rec);
nodeset_t lease_possible(const struct core *c);
enum answer lease_probe(const struct core *c, const struct now *now);
enum block lease_no_probe(const struct core *c);
usec_t lease_next(const struct core *c);
bool lease_mine(const struct core *c);
bool lease_ahead(const struct core *c, const struct now *now);
/* May a CAS with these candidates and this T leave now? Prepares if not. */
bool lease_capped(
    struct core *c, const struct now *now, const struct record *rec);

/* abdicate.c: a member of P leaves by its own durable word */
void abdicate_ask(struct core *c, const struct now *now, node_t n);
void abdicate_answer(struct core *c, const struct ask_answer *ans);
void abdicate_turn(struct core *c);
void abdicate_overtake(struct core *c);

/* promise.c: answering the holder */
void promise_turn(struct core *c, const struct now *now);
/* What every answer says of this node. */
void promise_facts(const struct core *c, struct ask_answer *ans, uint64_t id);

/* claim.c: whether this node may take over, and taking the record */
enum block claim_check(
    const struct core *c, const struct now *now, usec_t *when);
void claim_begin(struct core *c, const struct now *now);
void claim_turn(struct core *c, const struct now *now);
bool claim_waited(const struct core *c, const struct now *now);
enum block claim_wal(const struct core *c);
lsn_t claim_floor(const struct core *c);
bool claim_could(const struct core *c, const struct now *now, usec_t within);
bool claim_near(
    const struct core *c, const struct now *now, bool same, usec_t within);
void claim_ask_again(struct core *c, const struct now *now);
bool claim_has_wal(const struct core *c, const struct now *now);

/* rank.c: which of several candidates goes first */
enum block rank_check(struct core *c, const struct now *now, usec_t *when);
node_t rank_first(const struct core *c, const struct now *now);
bool rank_answer(struct core *c, const struct ask_answer *ans);
bool rank_reply(struct core *c, const struct now *now, struct asked *q);
bool rank_waits(const struct core *c); /* an answer, for a view */

/* handover.c: a switchover, from the holder's side */
bool hand_answer(struct core *c, const struct ask_answer *ans);
bool hand_clean(const struct core *c);
/* Voters go elsewhere meanwhile; and what stops for it is left so. */
bool hand_drains(const struct core *c);
bool hand_quiet(const struct core *c);

/* pause.c */
bool pause_on(const struct core *c, const struct now *now);
void pause_write(
    const struct core *c, const struct now *now, struct record *rec);
void pause_turn(struct core *c, const struct now *now);
void pause_status(
    const struct core *c, const struct now *now, struct core_status *st);

/* rejoin.c: data that diverged is made a standby's again */
enum block rejoin_check(const struct core *c, const struct now *now);
bool rejoin_wanted(const struct core *c);
enum block rejoin_record(const struct core *c, const struct now *now);
bool rejoin_may_clone(const struct core *c);
bool rejoin_lost(const struct core *c);
void rejoin_set(struct core *c, enum rejoin stage);
bool rejoin_stands(const struct core *c);
bool rejoin_apart(const struct core *c); /* nobody may start what lies here */
void rejoin_begin(struct core *c);
void rejoin_failed(struct core *c, const struct now *now);
void rejoin_done(struct core *c);
void rejoin_written(struct core *c);
void rejoin_turn(struct core *c);

/* writers.c: opening, prolonging and closing the fence */
enum block open_check(const struct core *c, const struct now *now);
bool writers_unsure(const struct core *c);
void writers_turn(struct core *c, const struct now *now);

/* durability.c */
void durability_turn(struct core *c, const struct now *now);
void durability_reset(struct core *c);
lsn_t durability_lsn(const struct core *c, const struct record *rec);
bool durability_lost(const struct core *c, const struct now *now, node_t n);
lsn_t durability_lag(const struct core *c, node_t n);
/* Bounded, and this node writes: what it says of its position matters. */
bool durability_tells(const struct core *c);
/* When what is said of it now was so. */
usec_t durability_seen(const struct core *c, const struct now *now);

/* add.c */
void add_turn(struct core *c, const struct now *now);
void add_fail(struct core *c, const struct now *now, const char *why);

/* role.c: the node table */
struct duty {
	const char *name;
	enum plan_id plan;
	const char *why;
};
const struct duty *role_duty(const struct core *c);
void role_latch(struct core *c, const char *why);
void role_turn(struct core *c, const struct now *now);
bool role_serves(const struct core *c); /* may clients write, by plan */
bool role_diverged(const struct core *c);
void role_latch(struct core *c, const char *why);

/* plan.c: the step tables; runner.c: the one function that steps them */
struct plan_row {
	const char *name;
	const char *goal;
	enum answer (*ask)(const struct core *c, const struct now *now);
	void (*act)(struct core *c, const struct now *now);
	/* NULL: always. Else the deed is done, and goes on, only while it may.
	 */
	bool (*may)(const struct core *c, const struct now *now);
	usec_t limit;
	/* LATE_BACK: PostgreSQL is started here again, as the primary. */
	enum { LATE_AGAIN, LATE_GO_ON, LATE_ABANDON, LATE_BACK } late;
	bool beside;  /* starts, and the next row does not wait for it */
	bool forward; /* past the point of no return */
	const char *why;
};
extern const char *const plan_name[PLAN_COUNT];
const struct plan_row *plan_rows(enum plan_id id, int *count);
int plan_find(enum plan_id id, const char *row);
bool plan_at_or_past(const struct core *c, enum plan_id id, const char *row);
void plan_start(struct core *c, const struct now *now, enum plan_id id);
/* Goes on with a takeover of an earlier incarnation, past the promotion. */
void plan_resume(struct core *c, const struct now *now);
void plan_end(struct core *c, const struct now *now, const char *why);
void plan_turn(struct core *c, const struct now *now);

/* site.c: the host around its PostgreSQL, and the balancers */
node_t site_primary(const struct core *c);
bool site_may(const struct core *c, const struct now *now);
void site_converge(struct core *c, const struct now *now);
void site_traffic(struct core *c, const struct now *now);
/* Yes: the balancers send nobody here, or there is nobody else. */
enum answer site_drained(const struct core *c, const struct now *now);
void site_turn(struct core *c, const struct now *now);
void site_status(const struct core *c, struct site_status *st);

/* follow.c: where a standby's WAL comes from */
void follow_turn(struct core *c, const struct now *now);

/* orders.c: is the order about the record as it is? */
void order_turn(struct core *c, const struct now *now);

/* goals.c: what was asked of the shell */
void goal_ask(struct core *c, enum act_kind kind, const struct goal *goal);
void goal_stop(struct core *c, enum act_kind kind);
enum answer goal_result(const struct core *c, enum act_kind kind);

#endif
