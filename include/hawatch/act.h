/*
 * An action: a goal about the world that is reached by observe, apply,
 * observe. It is done when the world says so, not when a call returned 0; so a
 * crash, a rerun and a half-done step are the same case. The core asks for a
 * kind with a goal; acts.c runs the module of that kind; the core's row owns
 * the limit in time.
 */
#ifndef HAWATCH_ACT_H
#define HAWATCH_ACT_H

#include <stddef.h>

#include "hawatch/error.h"
#include "hawatch/types.h"

/* kind, name in logs and plans, the goal in words */
#define ACT_KINDS(X) \
	X(STOP, "stop", "no process of this PostgreSQL instance lives") \
	X(SIGNAL, "standby-signal", "standby.signal is in the data directory") \
	X(START, "start", "PostgreSQL answers on its Unix socket") \
	X(NAMES, "sync-names", "synchronous_standby_names is as decided") \
	X(WAITING, "seen-waiting", \
	    "a commit was seen waiting for the standby") \
	X(PROMOTE, "promote", "PostgreSQL is out of recovery") \
	X(SETTLE, "settle", "a commit returns on the Unix socket") \
	X(METADATA, "repmgr-metadata", "repmgr knows this primary") \
	X(CHECKPOINT, "checkpoint", "a checkpoint on the new timeline ended") \
	X(COMMIT, "commit", "a commit returns through the TCP port") \
	X(FOLLOW, "follow", "replication comes from the primary") \
	X(PULLERS, "pullers", "nothing pulls from the old primary any more") \
	X(CONVERGE, "converge", "this host is as its role demands") \
	X(TRAFFIC, "traffic", "the balancers send voters to where it works") \
	X(SITE, "site", "every check marked verify passes") \
	X(QUIET, "quiet", "what stops for a handover has stopped here") \
	X(FILES, "files", "the target has the files of this host") \
	X(ASIDE, "aside", "a start here replays what is here, follows nobody") \
	X(COMPARE, "compare", \
	    "it is known how far this data is the primary's") \
	X(SAVE, "save", "what only this data has is kept beside it") \
	X(REWIND, "rewind", "this data is the primary's, and names it") \
	X(CLONE, "clone", "in this data's place is a copy of the primary's") \
	X(FENCE, "fence", "the holder's host was seen off by its fence agents")

enum act_kind {
#define X(id, name, goal) ACT_##id,
	ACT_KINDS(X)
#undef X
	    ACT_COUNT
};

/* How data relates to the primary's: it can follow as it is; after the last
 * common checkpoint it has to be made the primary's; only a copy will do. */
enum fork { FORK_UNKNOWN = 0, FORK_NONE, FORK_REWIND, FORK_CLONE };

/* What is to be true. The fields that a kind does not need are zero. */
struct goal {
	uint64_t epoch;
	node_t node;	 /* WAITING: the standby. FOLLOW, PULLERS, CONVERGE,
			    TRAFFIC, QUIET, COMPARE, REWIND, CLONE: where the
			    primary is. FILES: who is to have them. FENCE:
			    whose host */
	nodeset_t names; /* NAMES: the synchronous standbys. WAITING: these,
			    the standby among them. TRAFFIC: the nodes that
			    should get nothing */
	nodeset_t drain; /* TRAFFIC: of these, who ends what it has begun */
	lsn_t lsn;	 /* out, WAITING: insert position after it was seen;
			    STOP: see clean. COMPARE: the primary's end must
			    have passed this; out, FORK_REWIND: the last common
			    checkpoint. SAVE: from there on */
	bool standby;	 /* START: with standby.signal, never without. STOP,
			    clean: it ends as a standby. METADATA: as the
			    standby of node. FENCE: its host is not switched
			    off, but asked whether it is. COMPARE: what is here
			    never was more than a standby's of that primary */
	bool aside;	 /* START: as action "aside" left it; else that is
			    taken back first */
	enum fork fork;	 /* out, COMPARE. REWIND: what is to be done */
	char why[120];	 /* out, COMPARE: of FORK_CLONE; "" */
	bool clean;	 /* STOP: by a shutdown that sends all to the standbys
			    first, or no: it does not become more urgent, and
			    what ended otherwise is refused; lsn is then the
			    end of its last checkpoint.
			    CHECKPOINT: one that began after this was asked */
	uint64_t id;	 /* of this request; comes back with its result */
};

struct act;

/* Every member is required, but for repeats and again. observe and apply start
 * something, return at once and end in exactly one act_done; -1 with err is the
 * same as an act_done of unknown with that text. cancel is synchronous,
 * idempotent and final. */
struct act_ops {
	const char *name;
	enum act_kind kind;
	size_t priv_size; /* zeroed, allocated by the framework */
	bool repeats; /* asked for again while it is so: told when it is new */
	usec_t again; /* after an apply that came to nothing; 0: soon */
	int (*observe)(struct act *a, struct error *err);
	int (*apply)(struct act *a, struct error *err);
	void (*cancel)(struct act *a);
};

/* Yes from observe: the goal holds. No from apply: refused for good, reason
 * says why. Anything else is "not yet" and is tried again with back-off. */
void act_done(struct act *a, enum answer ans, const char *reason);

/* How far it is, for people: acts_reason, until something else is said. */
void act_say(struct act *a, const char *text);

/* For modules: what was asked, the module's own memory, the surroundings. */
struct goal *act_goal(struct act *a);
void *act_priv(struct act *a);
struct act_env; /* src/act/env.h: loop, configuration, connections */
struct act_env *act_env(struct act *a);

const char *act_kind_str(enum act_kind kind);
const char *act_kind_goal(enum act_kind kind);

/* The framework. done is called from a clean turn of the loop, once per
 * request that was not cancelled, with yes or no. */
struct acts;
typedef void (*acts_done_fn)(void *arg, enum act_kind kind,
    const struct goal *goal, enum answer ans, const char *reason);
struct acts *acts_new(struct act_env *env, acts_done_fn fn, void *arg);
void acts_free(struct acts *acts);
/* Replaces a request of the same kind that still runs. */
void acts_start(struct acts *acts, enum act_kind kind, const struct goal *goal);
void acts_cancel(struct acts *acts, enum act_kind kind);
/* The last reason for "not yet", for status and plan; "" when none. */
const char *acts_reason(const struct acts *acts, enum act_kind kind);

#endif
