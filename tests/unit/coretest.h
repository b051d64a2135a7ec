/*
 * One core and a small world around it that answers at once: a register that
 * is the pure arbiter, a PostgreSQL that does as it is told, a fence, a disk,
 * peers that say yes. Each of them can be told to fail. For tests of single
 * rules; executions of many nodes are the simulator's.
 */
#ifndef CORETEST_H
#define CORETEST_H

#include "hawatch/arbiter.h"
#include "hawatch/core.h"

#define A 0
#define B 1
#define C 2
#define D 3
#define BIT_A NODE_BIT(A)
#define BIT_B NODE_BIT(B)
#define BIT_C NODE_BIT(C)
#define BIT_D NODE_BIT(D)
#define MSEC USEC_MSEC
#define SEC USEC_SEC
#define CT_T (2 * SEC)
#define CT_W (CT_T * 1001000 / 999000 + 1 + 50 * MSEC)
#define CT_SYSTEM 77

/* What becomes of a write: applied and told, applied and not told, lost
 * before it came, refused for now. */
enum ct_cas { CT_CAS_OK, CT_CAS_NO_REPLY, CT_CAS_LOST, CT_CAS_FAIL };

#define CT_OUT 4096

struct ct {
	struct core *c;
	struct core_conf conf;
	struct now now;
	struct arbiter reg;
	enum ct_cas cas;
	bool read_ok; /* reads are answered */
	bool disk_ok;
	bool disk_silent;  /* neither yes nor no */
	enum answer armed; /* told at every turn */
	enum answer fence; /* what every call of the fence returns */
	nodeset_t yes;	   /* who answers (b) with yes */
	nodeset_t tells;   /* who answers how far it is: so far */
	lsn_t position[NODES_MAX];
	bool pg_silent;		    /* no views are sent */
	bool probe;		    /* local writes succeed */
	enum answer act[ACT_COUNT]; /* result; unknown: runs on for ever */
	enum fork fork;		    /* what a comparison finds */
	struct pg_view pg;
	struct durable disk;
	struct action out[CT_OUT]; /* everything since ct_clear */
	int n;
	usec_t read_at, view_at;
	uint64_t revision_seen;
};

/* Node self of data nodes A and B (and C when three), at 1000 s. */
void ct_init(struct ct *t, node_t self, bool three);
void ct_free(struct ct *t);
/* The engine, started with what is on disk (NULL: nothing); element as found
 * in the kernel. */
void ct_start(struct ct *t, const struct durable *disk, usec_t element);
/* The engine dies and starts again with what it wrote. */
void ct_restart(struct ct *t, usec_t element);

/* The register's record: epoch 5, seq 10, warm, revision 10. */
struct record *ct_record(
    struct ct *t, enum rec_state state, node_t holder, nodeset_t candidates);
/* One turn, its actions carried out, until nothing is left. */
void ct_turn(struct ct *t);
/* Time passes in small steps; views and reads as the shell gives them. */
void ct_run(struct ct *t, usec_t us);
/* So does the holder's record, which is renewed five times in T. */
void ct_renewed(struct ct *t, usec_t us);
void ct_read(struct ct *t);
void ct_view(struct ct *t);
void ct_act(struct ct *t, enum act_kind kind, enum answer result);

void ct_primary(struct ct *t, nodeset_t names, lsn_t wal);
void ct_standby(struct ct *t, lsn_t wal);
/* n streams to here, with so much flushed. */
void ct_streams(struct ct *t, node_t n, lsn_t flush);

/* A holder, confirmed and open, with these candidates. */
void ct_holder(struct ct *t, nodeset_t candidates);
/* A candidate of A's held record that may claim but for the time: the record
 * was just seen. */
void ct_candidate(struct ct *t);

void ct_clear(struct ct *t);
/* The last action of that kind since ct_clear; NULL if none. */
const struct action *ct_last(const struct ct *t, enum do_kind kind);
const struct action *ct_last_act(const struct ct *t, enum act_kind act);
int ct_count(const struct ct *t, enum do_kind kind);
/* The first claim since ct_clear; NULL if none. */
const struct do_cas *ct_claim(const struct ct *t);
/* Index of the first action from i on that asks for these names, or writes
 * this list; t->n if none. */
int ct_names_at(const struct ct *t, int i, nodeset_t names);
int ct_cas_at(const struct ct *t, int i, nodeset_t candidates);
struct core_status ct_status(struct ct *t);
/* The answer to another candidate that asks how far this one is. */
const struct ask_answer *ct_position(struct ct *t, node_t from, uint64_t seq);
/* The answer to a question of the holder, given at once. */
const struct ask_answer *ct_ask(struct ct *t, node_t from, uint64_t epoch,
    usec_t ttl, bool abdicate, uint64_t seq);

#endif
