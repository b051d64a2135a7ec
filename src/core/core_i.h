/*
 * What the files of the core offer each other. Nobody outside src/core includes
 * this; what they keep is state.h's.
 */
#ifndef HAWATCH_CORE_I_H
#define HAWATCH_CORE_I_H

#include "core/state.h"

const char *block_str(enum block b);

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
/* The same, if the holder's host were known to be off, or not. */
enum block claim_check_if(
    const struct core *c, const struct now *now, bool off, usec_t *when);
void claim_begin(struct core *c, const struct now *now);
void claim_turn(struct core *c, const struct now *now);
bool claim_waited(const struct core *c, const struct now *now);
enum block claim_wal(const struct core *c);
lsn_t claim_floor(const struct core *c);
bool claim_could(const struct core *c, const struct now *now, usec_t within);
bool claim_near(
    const struct core *c, const struct now *now, bool same, usec_t within);
usec_t claim_interval_left(const struct core *c, const struct now *now);
void claim_ask_again(struct core *c, const struct now *now);
uint64_t claim_epoch(const struct core *c);
bool claim_has_wal(const struct core *c, const struct now *now);

/* shoot.c: having the holder's host switched off */
void shoot_turn(struct core *c, const struct now *now);
void shoot_void(struct core *c);
bool shoot_proof(const struct core *c);
usec_t shoot_after(const struct core *c);
usec_t shoot_heard(const struct core *c, node_t n);
bool shoot_near(const struct core *c);

/* alone.c: a register of two copies, and the other host is off */
node_t alone_other(const struct core *c);
void alone_begin(struct core *c, usec_t at, enum proof by);
void alone_void(struct core *c);
void alone_turn(struct core *c, const struct now *now);
nodeset_t alone_without(const struct core *c);
bool alone_by_agents(const struct core *c);
/* By how many an epoch begun now is later than the one before. */
uint64_t alone_epochs(const struct core *c);
bool alone_anew(const struct core *c);
bool alone_silent(const struct core *c, const struct now *now, usec_t limit);

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
/* A release could be sent now. */
bool hand_register(const struct core *c, const struct now *now);
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

/* writers.c: opening, prolonging and closing the fence */
enum block open_check(const struct core *c, const struct now *now);
bool writers_unsure(const struct core *c);
void writers_turn(struct core *c, const struct now *now);

/* durability.c */
void durability_turn(struct core *c, const struct now *now);
void durability_reset(struct core *c);
void durability_end(struct core *c);
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
void role_turn(struct core *c, const struct now *now);
bool role_serves(const struct core *c); /* may clients write, by plan */

/* yield.c: a server that runs is stopped without an order */
bool yield_heir(const struct core *c, const struct now *now);
bool yield_doubt(const struct core *c, const struct now *now);
bool yield_wanted(const struct core *c, const struct now *now);

/* latch.c: data that may be nobody's primary any more */
void latch_set(struct core *c, const char *why);
bool latch_diverged(const struct core *c);
void latch_turn(struct core *c);

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
bool site_differs(const struct core *c, node_t n);
const char *site_unfit(const struct core *c, node_t n);
/* This engine has run without a gap for so long. */
bool site_ran(const struct core *c, const struct now *now, usec_t us);
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
