/*
 * What there is in the simulated world: the faults, what happens and when, the
 * hosts with their clocks, kernels, engines and databases, the register.
 */
#ifndef WORLD_H
#define WORLD_H

#include "hawatch/arbiter.h"
#include "hawatch/core.h"
#include "hawatch/pair.h"

#define DATA_MAX 4 /* data nodes; the arbiter's host is the next one */
#define HOSTS_MAX (DATA_MAX + 1)
#define LSN_BASE 0x1000000u
#define LSN_STEP 0x40u

/* what, name in the report */
#define FAULTS(X) \
	X(ENGINE_CRASH, "engine-crash") \
	X(ENGINE_PAUSE, "engine-pause") \
	X(HOST_CRASH, "host-crash") \
	X(HOST_PAUSE, "host-pause") \
	X(SUSPEND, "suspend") \
	X(PG_CRASH, "postgres-crash") \
	X(POSTMASTER, "postmaster-alone") \
	X(PG_STALL, "postgres-stall") \
	X(DISK_FULL, "disk-full") \
	X(DISK_SLOW, "disk-slow") \
	X(CUT_NODES, "cut-nodes") \
	X(CUT_ARBITER, "cut-arbiter") \
	X(CUT_ONE_WAY, "cut-one-way") \
	X(CUT_HOST, "cut-host") \
	X(SLOW_LINK, "slow-link") \
	X(ARB_CRASH, "arbiter-crash") \
	X(ARB_GONE, "arbiter-gone") \
	X(ARB_REVERT, "arbiter-revert") \
	X(ARB_FULL, "arbiter-full") \
	X(WALL_STEP, "wall-step") \
	X(CLOCK_RATE, "clock-rate") \
	X(FLUSH, "ruleset-flush") \
	X(UNARMED, "unarmed") \
	X(BY_HAND, "promotion-by-hand") \
	X(ARB_DEAF, "arbiter-writes-nothing") \
	X(FENCE_DEAF, "fence-unknown") \
	X(REPLAY_LAG, "replay-lag") \
	X(HANG, "recovery-hangs") \
	X(SELF_RESTART, "self-restart") \
	X(FENCED, "order-fenced") \
	X(OLD_DATA, "old-data") \
	X(ORDER, "order") \
	X(STEP_PAUSE, "pause-between-actions") \
	X(STEP_CRASH, "crash-between-actions") \
	X(CALL_PAUSE, "pause-in-call") \
	X(LOSS, "loss") \
	X(REPEAT, "repeat") \
	X(DELAY, "delay") \
	X(STALE_READ, "stale-read") \
	X(FLAG_LATE, "sync-flag-late") \
	X(ACT_REFUSED, "act-refused") \
	X(ACT_HANG, "act-hang") \
	X(FENCE_ERROR, "fence-error") \
	X(DRIFT, "drift") \
	X(SWITCHOVER, "order-switchover") \
	X(PAUSE, "order-pause") \
	X(FENCE, "order-fence") \
	X(REJOIN, "rejoin") \
	X(COUNTS_BACK, "register-counts-back") \
	X(AGENT, "fence-agents") \
	X(AGENT_FAIL, "agent-fails") \
	X(AGENT_HANG, "agent-hangs") \
	X(AGENT_LIE, "agent-lies") \
	X(PAIR, "two-copies") \
	X(BEFORE, "version-before") \
	X(STUCK, "primary-stuck")

enum fault {
#define X(id, name) F_##id,
	FAULTS(X)
#undef X
	    F_COUNT
};
#define F_TIMED (F_ORDER + 1) /* those before happen at a moment */

struct rng {
	uint64_t s;
};
struct clk {
	usec_t base_t, base_raw;
	usec_t wall_off, suspended;
	int ppm;
	bool stopped;
};

enum ev_kind {
	EV_MSG,
	EV_WAKE,
	EV_RESUME,
	EV_ENGINE_START,
	EV_BOOT,
	EV_UNSUSPEND,
	EV_SAVE,
	EV_POLL,
	EV_REPORT,
	EV_REG_WRITTEN,
	EV_REG_START,
	EV_COPY,
	EV_VIEW,
	EV_CLIENT,
	EV_CONN,
	EV_SHIP,
	EV_REPLY,
	EV_WAL,
	EV_FLAG,
	EV_OBEY,
	EV_STOPPED,
	EV_ENDING,
	EV_STARTED,
	EV_PROMOTED,
	EV_POINTED,
	EV_ACT,
	EV_AGENT,
	EV_FAULT,
	EV_UNFLUSH,
	EV_OPER,
	EV_COUNT
};

struct msg;
struct ev {
	usec_t t;
	uint64_t order;
	enum ev_kind kind;
	int node;
	uint64_t gen;
	uint32_t arg;
	struct msg *msg;
};

enum msg_kind {
	M_READ_REQ,
	M_POLL_REQ,
	M_CAS_REQ,
	M_REPORT_REQ,
	M_READ,
	M_READ_FAILED,
	M_CAS,
	M_REPORTED,
	M_ASK,
	M_ANSWER,
	M_NUDGE,
	M_SAVED,
	M_PG,
	M_PG_GONE,
	M_ARMED,
	M_FENCE_LOST,
	M_ACT,
	M_SITE
};

struct msg {
	enum msg_kind kind;
	int from, to;
	uint32_t inc;	 /* engine that waits for this; 0 whichever runs */
	uint32_t sender; /* engine that sent it */
	bool poll;
	usec_t asked_t; /* when its asker began to wait; 0 no */
	bool raw;	/* from another host's copy of the register */
	usec_t sent;
	struct msg *next;		/* of a queue */
	struct msg *cas_next, **cas_at; /* requests that may still land */
	union {
		struct reg_value value;
		struct do_cas cas;
		struct {
			uint64_t id, revision;
			enum cas_result result;
			char instance[ID_MAX];
		} res;
		struct {
			uint64_t epoch, seq;
			char instance[ID_MAX];
		} report;
		struct ask ask;
		struct ask_answer answer;
		struct {
			uint64_t version;
			bool ok;
		} saved;
		struct pg_view view;
		struct {
			bool restored;
			usec_t open_for;
		} lost;
		struct {
			enum act_kind kind;
			struct goal goal;
			enum answer result;
			bool refused;
		} act;
		struct site_report site;
	} u;
};

/* The writers' element and the wall clock's limit; survives the engine. */
struct klease {
	bool present;
	usec_t end_raw, limit_wall; /* USEC_NEVER: none */
	usec_t readers_end;	    /* raw */
	uint64_t epoch;		    /* of the record it was opened under */
	usec_t flushed_until;	    /* others flushed the table */
};

/* A walsender whose connection is gone still shows; by its standby. */
struct zombie {
	usec_t until, since;
	uint32_t sent, known;
};

enum pg_st { PG_GONE, PG_ORPHANS, PG_STARTING, PG_UP };
struct commit {
	uint32_t id, idx;
	bool waits; /* flushed here, waits for the standbys */
	usec_t wrote, at;
};
struct commits {
	struct commit *v;
	uint32_t n, cap;
};
struct pg {
	enum pg_st st;
	bool recovery, signal, promoting;
	bool by_hand;	/* somebody promoted it past the engine */
	usec_t hand_at; /* and then that was done */
	bool tainted;	/* and this is still that data */
	bool ending;	/* shuts down: takes nobody, sends what it has */
	bool clean;	/* ended so */
	bool half;	/* rewritten so far, from half_from's of half_epoch */
	int half_from;
	uint64_t half_epoch;
	uint64_t gen; /* of the processes */
	uint32_t tl;
	uint32_t *log, len, flushed, cap; /* ids of records; all in WAL order */
	uint32_t restarted; /* rows below became visible by a crash recovery */
	nodeset_t names;
	bool flag; /* new commits wait */
	usec_t paused_until, stalled_at, stalled_until, hang_until;
	usec_t replay_until; /* until then what is replayed stays at: */
	uint32_t replayed;
	int source;	/* whom primary_conninfo names, as it is obeyed */
	int source_set; /* and as it is in the file */
	struct zombie zombie[DATA_MAX];
	usec_t flushing; /* a flush of the WAL is under way */
	usec_t diverged_at;
	struct commits open, acks; /* in progress; on the way to the client */
};

/* The replication connection of a standby, and where it comes from. */
struct conn {
	bool up, shipping;
	int p, s;
	uint64_t gen;
	uint32_t sent, known;
	nodeset_t obeys; /* the names, as its walsender has read them */
	usec_t bad_since, behind_since;
};

struct act_run {
	bool on, applied, withheld;
	uint64_t gen;
	struct goal goal;
	usec_t backoff, due, stuck_until;
};

/* What is around the database on a host. */
struct around {
	uint64_t epoch; /* it was brought to its role for */
	int primary;	/* which is the one of this node's host */
	bool pulling;	/* from there */
	bool quiet;	/* something has stopped for a handover */
	int balancer;	/* its own sends to that node's database */
};

struct promised {
	int to;
	uint64_t epoch;
	usec_t until; /* raw */
};

#define ASKED_MAX 512
#define WATCHED_MAX 16
struct engine {
	struct core *core;
	uint32_t inc;
	bool draining;
	usec_t paused_until, start_raw;
	usec_t start_ttl; /* the largest that may have been promised before */
	usec_t wake_raw, wake_t; /* the wake-up that is in the heap */
	struct msg *in, **in_tail;
	struct core_status st;
	char plan[16];		 /* that it told last */
	usec_t deadline;	 /* D of the last turn; 0 without an engine */
	uint64_t held_confirmed; /* epoch, by a CAS of this incarnation */
	bool found_open;	 /* at start the kernel element lived */
	bool call;		 /* stopped inside of a call to the kernel */
	enum fence_op call_op;
	usec_t call_deadline, call_raw, call_wall;
	struct act_run act[ACT_COUNT];
	uint32_t turns_at_once;
	usec_t armed_raw; /* it looked whether it is armed */
	usec_t turn_raw;
	struct reg_value polled;
	struct sent_cas {
		uint64_t id, epoch;
		enum rec_state state;
	} sent[16];
	struct ask asked[ASKED_MAX];
	uint32_t asked_inc[ASKED_MAX]; /* of the asker: its connection */
	unsigned sents, askeds;
	nodeset_t differ; /* whose last word was that its configuration does, or
			     that its mode is not auto */
	struct watched_rec {
		char instance[ID_MAX], nonce[ID_MAX];
		uint64_t revision;
		usec_t first;	/* raw */
	} watched[WATCHED_MAX]; /* records, as they first came in */
	unsigned watcheds;
	usec_t turn_at, turn_suspended, late_close_at, ran_since, read_until;
	lsn_t end_seen; /* of the primary's WAL, as the core was told */
	usec_t end_seen_at, told_deadline; /* raw */
	uint64_t primary_was; /* primary_epoch, at the turn before */
	usec_t gave_way_at;   /* raw; to another candidate, since then */
	struct record gave_way_for;
	usec_t heard_raw[DATA_MAX]; /* of whose engine, last */
};

/* What this host's agents did to another, last. */
struct shot {
	node_t node;
	usec_t asked_raw;
	bool fails, hangs, lies;
	bool look;	    /* whether it is off, and no more */
	bool off;	    /* told so */
	bool lied;	    /* and it was not so */
	char claim[ID_MAX]; /* that was sent on it */
};

#define COPY_HAD 128
/* A host's copy of the register of two. */
struct copy {
	struct pair_copy now, next;
	bool made, writing, revert;
	struct msg *job, *queue, **queue_tail;
	usec_t heard_at; /* the other one answered */
	usec_t read_until;
	struct reg_value seen;
	struct do_cas cas; /* of this node, under way */
	bool cas_on;
	char alone[ID_MAX]; /* nonce of the last one that went here alone */
	char had[COPY_HAD][ID_MAX]; /* nonces that were on this disk */
	unsigned hads;
	bool told; /* that the other host is off, and it was not heard since */
};

#define SAVES_MAX 32
struct host {
	bool up, suspended;
	usec_t suspended_until, unarmed_at, unarmed_until;
	struct clk clk;
	struct engine e;
	struct klease fence;
	struct pg pg;
	struct around around;
	struct durable disk;
	bool disk_has;
	usec_t disk_full_until, disk_slow_until, deaf_until;
	usec_t handed_at;	    /* or it could not, or need not hand over */
	usec_t sick_at;		    /* something of this host alone was wrong */
	usec_t apart_at[HOSTS_MAX]; /* no way from here to there, or back */
	struct {
		struct durable d;
		uint64_t version;
	} save[SAVES_MAX];
	int saves;
	usec_t probe_at, probe_wal_at, view_due;
	struct pg_view view;
	struct promised promised;
	struct shot shot;
	struct copy copy;
	usec_t latched_at, down_at, down_raw;
	uint32_t verified; /* of w->acked, found in this node's log */
	bool old;	   /* somebody put an old copy of its data in place */
	bool chosen; /* a person told it to take over, whatever it lacks */
	bool stuck;  /* it said that a rewind will not do */
	bool before; /* its hawatchd is of the version before, until: */
	usec_t upgrade_at;
	enum core_rejoin rejoins; /* from then on */
};

#define IMAGES 128
struct reg {
	bool up, writing, broken;
	uint64_t inc;
	struct arbiter now, next, image[IMAGES];
	uint64_t images;
	bool made;
	struct msg *job, *queue, **queue_tail;
	struct msg *poll[DATA_MAX];
	usec_t full_until, deaf_until;
	enum { DEAF_REFUSES, DEAF_DROPS, DEAF_FORGETS_REPLY } deaf;
	bool reverted, revert_pending;
	/* A cluster of etcd: it counts all writes, those of others, too, and
	 * was put back under the same name. */
	bool counts, back;
	uint64_t head;
	usec_t back_at;
	nodeset_t noticed; /* since then */
	usec_t restart_at;
	unsigned ids;
	usec_t cold_since;
};

/* How an action of the core failed: what, name in the report */
#define FAILURES(X) \
	X(READ, "read: no answer") \
	X(CAS_REFUSED, "cas: refused") \
	X(CAS_CONFLICT, "cas: conflict") \
	X(CAS_UNKNOWN, "cas: unknown") \
	X(CAS_SILENT, "cas: no answer") \
	X(REPORT_REFUSED, "report: refused") \
	X(REPORT_UNKNOWN, "report: unknown") \
	X(ASK, "ask: lost") \
	X(ANSWER, "answer: lost") \
	X(NUDGE, "nudge: lost") \
	X(SAVE, "save: failed") \
	X(SAVE_CUT, "save: engine dies") \
	X(OPEN_NO, "open: no") \
	X(OPEN_UNKNOWN, "open: unknown") \
	X(RENEW_NO, "renew: no") \
	X(RENEW_UNKNOWN, "renew: unknown") \
	X(CLOSE_UNKNOWN, "close: unknown") \
	X(READERS, "readers: failed") \
	X(LOOK, "look: nothing seen")

enum failure {
#define X(id, name) FAIL_##id,
	FAILURES(X)
#undef X
	    FAIL_COUNT
};
enum row_exit { EXIT_DONE, EXIT_LATE, EXIT_REFUSED, EXIT_LEFT, EXIT_COUNT };
#define ROWS_MAX 128

struct totals {
	uint64_t runs, events, acked, lost, takeovers, opens, skipped_live;
	uint64_t sizes[DATA_MAX + 1];
	usec_t time;
	uint64_t faults[F_COUNT];
	uint64_t duty[REL_COUNT][PGS_COUNT];
	uint64_t row[ROWS_MAX], exit[ROWS_MAX][EXIT_COUNT];
	uint64_t act[ACT_COUNT][3]; /* done, refused, hung */
	uint64_t fail[FAIL_COUNT];
};

struct world {
	uint64_t seed;
	struct rng rng;
	usec_t t, end, heal_at;
	bool healed, stop;
	bool retune; /* a restarted engine may find another T */
	uint64_t order, hash;
	struct ev *heap;
	size_t heap_n, heap_cap;
	int data; /* nodes with PostgreSQL; the arbiter's is the next one */
	struct host host[HOSTS_MAX];
	struct reg reg;
	bool pair; /* instead, a copy on each of two hosts */
	/* By a false word, or by a person's on one that was not listed, there
	 * may be two histories of the two. */
	bool forked;
	struct conn conn[DATA_MAX]; /* by standby */
	struct msg *cas;	    /* all CAS requests that are somewhere */
	struct msg *pool;
	usec_t cut_until[HOSTS_MAX][HOSTS_MAX];
	usec_t slow_until[HOSTS_MAX][HOSTS_MAX], slow_by;
	struct rng schedule, strikes, moment, odds[F_COUNT];
	bool drawn[F_COUNT], on[F_COUNT];
	uint64_t moments, strike, moment_of;
	int64_t strike_ppm;
	const uint64_t *keep; /* moments; NULL all */
	size_t keeps;
	uint64_t *struck; /* those at which something happened */
	size_t strucks;
	usec_t fault_every;
	int64_t loss, repeat, delay, step_pause, step_crash, call_pause;
	struct names names;
	struct core_conf conf[DATA_MAX], common;
	bool bounded; /* and not strict */
	lsn_t max_loss;
	uint32_t recs; /* ids of WAL records */
	uint64_t gens;
	struct commits acked; /* delivered to a client, or seen by one */
	struct commits gone;  /* of these, what a primary opened without */
	bool *kept;	      /* by id: saved beside some node's data */
	uint32_t kept_n;
	node_t switched_off; /* by a person */
	node_t lied; /* said to be off, and was not; until its lease ends: */
	usec_t lied_until;
	uint64_t max_open_epoch;
	int last_open;
	bool was_open[DATA_MAX];
	nodeset_t held_by[256]; /* of an epoch: whom a record named */
	nodeset_t drained;	/* by the balancer in front of all */
	struct totals *tot;
	struct tail *tail;
	bool trace, verbose, failed;
	char promise[40], what[400];
};

#endif
