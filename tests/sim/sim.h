/*
 * The simulator: two to four data nodes and an arbiter in virtual time. A world
 * holds everything; a seed decides everything. The cores and the arbiter are
 * the daemon's own object files, all around them is modelled here.
 */
#ifndef SIM_H
#define SIM_H

#include <stdio.h>

#include "inline.h"

/* In [lo, hi], each order of magnitude alike. */
int64_t rng_log(struct rng *r, int64_t lo, int64_t hi);

/* rng.c, heap.c, clock.c */
void ev_at(struct world *w, usec_t t, enum ev_kind kind, int node, uint64_t gen,
    uint32_t arg);
void ev_msg(struct world *w, usec_t t, struct msg *m);
bool ev_pop(struct world *w, struct ev *ev);
usec_t clk_true(const struct world *w, int host, usec_t raw);
void clk_rate(struct world *w, int host, int ppm);
void clk_stop(struct world *w, int host);
void clk_go(struct world *w, int host);

/* trace.c */
void trace(struct world *w, const char *fmt, ...) PRINTF_LIKE(2, 3);
void violated(struct world *w, const char *promise, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* net.c */
#define ARB(w) ((w)->data)
node_t other_node(struct world *w, struct rng *r, int n);
struct msg *msg_new(struct world *w, enum msg_kind kind, int from, int to);
void msg_free(struct world *w, struct msg *m);
void msg_cas_track(struct world *w, struct msg *m);
usec_t net_delay(struct world *w);
void net_send(struct world *w, struct msg *m);
void net_arrive(struct world *w, struct msg *m);

/* reg.c */
void reg_begin(struct world *w);
void reg_receive(struct world *w, struct msg *m);
void reg_written(struct world *w, uint64_t inc);
void reg_down(struct world *w);
void reg_up(struct world *w);
bool reg_may_land(const struct world *w, const struct do_cas *cas);
void reg_adopt(struct world *w);
bool reg_lost(const struct world *w);
void reg_back(struct world *w);
void reg_forth(struct world *w);
void reg_others(struct world *w);
void reg_starts(struct world *w, int n);

/* pair.c */
#define PAIR_OTHER(n) (1 - (n))
void pair_truth(struct world *w);
void pair_durable(struct world *w, int n);
void pair_up(struct world *w, int n);
void pair_down(struct world *w, int n);
void pair_read(struct world *w, int n, bool poll);
void pair_write(struct world *w, int n, const struct do_cas *cas);
void pair_work(struct world *w, int n);
void pair_written(struct world *w, int n, uint64_t inc);
bool pair_take_msg(struct world *w, int n, struct msg *m);
void pair_refused(struct world *w, const struct msg *req);
/* pair_world.c */
void pair_draw(struct world *w, const bool *only);
void pair_conf(struct world *w);
void pair_revert(struct world *w, int n, bool gone);
void pair_people(struct world *w);
void pair_choose(struct world *w);
bool judge_forked(const struct world *w, int n);
void judge_alone(struct world *w, int n, const struct do_cas *cas);

/* before.c */
void before_draw(struct world *w, const bool *only);
void before_turn(struct world *w);
void before_report(
    const struct world *w, int from, int to, struct site_report *rep);
void before_answer(const struct world *w, int n, struct ask_answer *a);
bool before_refuses(const struct world *w, int n, const struct record *rec);
void judge_before(struct world *w, int n, const struct do_cas *cas);

/* engine.c */
void engine_start(struct world *w, int n);
void engine_crash(struct world *w, int n);
void engine_pause(struct world *w, int n, usec_t for_us);
void engine_input(struct world *w, struct msg *m);
void engine_feed(struct world *w, int n, const struct msg *m); /* feed.c */
void engine_run(struct world *w, int n);
void engine_poll(struct world *w, int n);
void engine_report(struct world *w, int n);
void engine_tell_armed(struct world *w, int n);
void engine_poke(struct world *w, int n);
bool engine_can_run(const struct world *w, int n);
void engine_local(struct world *w, struct msg *m, usec_t after);

/* carry.c: the core's actions */
void carry(struct world *w, int n, const struct action *a);
void carry_call(struct world *w, int n);
void carry_saved(struct world *w, int n, uint64_t inc);

/* fence.c */
bool fence_writers(const struct world *w, int n);
bool fence_passes(const struct world *w, int n);
bool fence_flushed(const struct world *w, int n);
usec_t fence_until(const struct world *w, int n);
enum answer fence_do(struct world *w, int n, enum fence_op op, usec_t deadline,
    usec_t raw, usec_t wall);

/* pg.c, wal.c */
bool pg_runs(const struct world *w, int n);
usec_t pg_held_until(const struct world *w, int n);
bool pg_writable(const struct world *w, int n);
bool pg_accepts(const struct world *w, int n);
bool pg_rogue(const struct world *w, int n);
void pg_die(struct world *w, int n, bool orphans);
void pg_start(struct world *w, int n);
void pg_shut_down(struct world *w, int n);
void pg_restart_itself(struct world *w, int n);
void pg_event(struct world *w, const struct ev *ev);
void pg_set_names(struct world *w, int n, nodeset_t names);
void pg_point(struct world *w, int n, int to);
void pg_set_back(struct world *w, int n, uint32_t len);
void pg_rebuild(struct world *w, int n, int from);
void pg_rewrite(struct world *w, int n, const struct goal *g);
void pg_rewound(struct world *w, int n, int from, enum fork fork);
void pg_view_send(struct world *w, int n);
lsn_t wal_lsn(uint32_t len);
uint32_t wal_append(struct world *w, int n);
void wal_keep(struct world *w, int n);
void wal_copy(struct world *w, int to, int from, uint32_t len);
bool wal_prefix(const struct world *w, int of, int n);
void wal_flush_soon(struct world *w, int n);
void wal_flushed(struct world *w, const struct ev *ev);
void wal_release(struct world *w, int n);
void wal_ship(struct world *w, int from);
void judge_rewrite(struct world *w, int n, const struct goal *g);
void commits_add(struct commits *c, const struct commit *one);
void client_turn(struct world *w);
void client_writes(struct world *w, int n);

/* conn.c: replication connections */
void conn_cut(struct world *w, int s, bool zombie);
void conn_cut_all(struct world *w, int n);
void conn_cut_from(struct world *w, int n);
void conn_turn(struct world *w);
void conn_ship(struct world *w, int s);
void conn_event(struct world *w, const struct ev *ev);
void conn_obey(struct world *w, const struct ev *ev);
bool conn_has(const struct world *w, int n, int s, uint32_t idx);
/* Does a walsender of n let a commit go that these nodes have? */
bool conn_lets_go(const struct world *w, int n, nodeset_t have);
bool conn_answers(const struct world *w, int n, int s);

/* act.c */
void act_begin(
    struct world *w, int n, enum act_kind kind, const struct goal *goal);
void act_cancel(struct world *w, int n, enum act_kind kind);
void act_step(struct world *w, const struct ev *ev);

/* agent.c */
void agent_conf(struct world *w);
void agent_begin(struct world *w, int n, const struct goal *goal);
void agent_step(struct world *w, const struct ev *ev);
void judge_shot(struct world *w, int n, const struct msg *m);
bool judge_shot_proves(
    struct world *w, int n, node_t holder, usec_t first, const char *nonce);
void judge_lied(struct world *w, int n);
bool judge_lied_to(const struct world *w, int n);

/* fault.c, fault_host.c, fault_net.c */
void fault_draw(struct world *w, const bool *only);
void fault_strike(struct world *w);
bool fault_odds(struct world *w, enum fault f, int64_t ppm);
usec_t fault_long(struct world *w);
void fault_soon(struct world *w, enum fault f, int n, usec_t after);
void fault_host(struct world *w, int n, enum fault f);
void fault_suspend(struct world *w, int n, bool at_once);
void fault_unsuspend(struct world *w, int n);
void fault_postgres(struct world *w, int n, enum fault f);
void fault_by_hand(struct world *w, int n);
void fault_clock(struct world *w, int n, enum fault f);
void fault_flush(struct world *w, int n);
void fault_self_restart(struct world *w, int n, bool at_once);
void fault_old_data(struct world *w, int n);
void fault_fenced(struct world *w, int n, bool at_once);
void fault_order(struct world *w, int n);
void fault_net(struct world *w, int n, enum fault f);
void fault_arbiter(struct world *w, enum fault f);
void fault_counts(struct world *w);
void fault_draw_stuck(struct world *w, const bool *only);
void fault_stuck(struct world *w);
bool fault_roomless(const struct world *w, int n);
void fault_turn(struct world *w, const struct ev *ev);
void fault_heal(struct world *w);
void fault_event(struct world *w, const struct ev *ev);
void host_boot(struct world *w, int n);
void host_crash(struct world *w, int n);
extern const char *const fault_name[F_COUNT];
/* oper.c */
void oper_turn(struct world *w);

/* judge.c, judge_data.c: the promises */
void judge_instant(struct world *w);
void judge_turn(struct world *w, int n);
void judge_cas(struct world *w, int n, const struct do_cas *cas);
void judge_held(struct world *w, const struct record *rec);
void judge_written(struct world *w, const struct arbiter *old);
void judge_fence(struct world *w, int n, enum fence_op op, usec_t deadline);
void judge_opened(struct world *w, int n);
void judge_saved(struct world *w, int n, const struct durable *old);
void judge_promote(struct world *w, int n, const struct goal *goal);
void judge_delivered(struct world *w, int n, const struct commit *c);
void judge_holds(struct world *w, int n);
nodeset_t judge_effective(const struct world *w, const struct record *rec);
void judge_members(struct world *w);
void judge_floor(struct world *w, int n, const struct record *rec);
void judge_drained(struct world *w, int n);
void judge_end(struct world *w);
/* judge_live.c */
void judge_sick(struct world *w);
void judge_closed(struct world *w, int n);
void judge_stalled(struct world *w, int n);
void judge_gives_way(struct world *w, int n);
void judge_stuck(struct world *w);
/* judge_site.c */
void judge_act(
    struct world *w, int n, enum act_kind kind, const struct goal *goal);
void judge_end_site(struct world *w);
/* judge_lease.c */
usec_t judge_wait(const struct world *w, usec_t ttl);
void judge_input(struct world *w, int n, const struct msg *m);
void judge_believes(struct world *w, int n);
void judge_act_done(
    struct world *w, int n, enum act_kind kind, const struct goal *goal);
void judge_told(struct world *w, int n);
void judge_handed(struct world *w, int n);
void judge_ask(struct world *w, int n, const struct ask *ask);
void judge_answer(
    struct world *w, int n, const struct ask_answer *a, const struct ask *ask);
void judge_claim(struct world *w, int n, const struct do_cas *cas);
bool judge_promise_ended(const struct world *w, int n);
bool judge_up_for_wait(const struct world *w, int n);

/* world.c */
/* The last lines of a trace. */
#define TAIL_LINES 60
struct tail {
	char line[TAIL_LINES][360];
	unsigned n;
};

/* How a seed is run. */
struct plan {
	usec_t length;
	int nodes;	      /* with data; 0: as the seed has it */
	const bool *only;     /* kinds of faults that are kept; NULL all */
	const uint64_t *keep; /* moments of faults that are kept; NULL all */
	size_t keeps;
	struct tail *tail;
	bool trace, verbose;
};
struct world *world_new(
    const struct plan *plan, uint64_t seed, struct totals *tot);
void world_run(struct world *w);
void world_free(struct world *w);

/* shrink.c */
void shrink(const struct plan *plan, uint64_t seed, const char *self);

/* cover.c */
void cover_turn(struct world *w, int n);
void cover_tell(struct world *w, int n, enum event_name ev, const char *text);
void cover_fail(struct world *w, enum failure f);
int cover_print(const struct totals *tot);

#endif
