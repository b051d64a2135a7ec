/*
 * What the rows of the plans are made of: questions about the world and deeds.
 * plan.c puts them in order.
 */
#ifndef HAWATCH_CORE_STEPS_H
#define HAWATCH_CORE_STEPS_H

#include "core/core_i.h"

/* The record names this node, in this state. */
bool steps_ours(const struct core *c, enum rec_state state);

/* ask.c */
enum answer ask_claimed(const struct core *c, const struct now *now);
enum answer ask_proof(const struct core *c, const struct now *now);
enum answer ask_runs(const struct core *c, const struct now *now);
enum answer ask_wal(const struct core *c, const struct now *now);
enum answer ask_readers(const struct core *c, const struct now *now);
enum answer ask_names(const struct core *c, const struct now *now);
enum answer ask_marked(const struct core *c, const struct now *now);
enum answer ask_primary(const struct core *c, const struct now *now);
enum answer ask_held(const struct core *c, const struct now *now);
enum answer ask_relaxed(const struct core *c, const struct now *now);
enum answer ask_settled(const struct core *c, const struct now *now);
enum answer ask_open(const struct core *c, const struct now *now);
enum answer ask_pullers(const struct core *c, const struct now *now);
enum answer ask_committed(const struct core *c, const struct now *now);
enum answer ask_arrived(const struct core *c, const struct now *now);
enum answer ask_verified(const struct core *c, const struct now *now);
enum answer ask_beside(const struct core *c, const struct now *now);
enum answer ask_closed(const struct core *c, const struct now *now);
enum answer ask_stopped(const struct core *c, const struct now *now);
enum answer ask_signal(const struct core *c, const struct now *now);
enum answer ask_released(const struct core *c, const struct now *now);
enum answer ask_alone(const struct core *c, const struct now *now);
enum answer ask_follows(const struct core *c, const struct now *now);
enum answer ask_heir(const struct core *c, const struct now *now);
enum answer ask_checkpoint(const struct core *c, const struct now *now);
enum answer ask_drained(const struct core *c, const struct now *now);
enum answer ask_quiet(const struct core *c, const struct now *now);
enum answer ask_files(const struct core *c, const struct now *now);
enum answer ask_near(const struct core *c, const struct now *now);
enum answer ask_flushed(const struct core *c, const struct now *now);
bool may_promote(const struct core *c, const struct now *now);

/* deed.c */
void deed_claim(struct core *c, const struct now *now);
void deed_start_standby(struct core *c, const struct now *now);
void deed_start_primary(struct core *c, const struct now *now);
void deed_nothing(struct core *c, const struct now *now);
void deed_names_claim(struct core *c, const struct now *now);
void deed_names_none(struct core *c, const struct now *now);
void deed_mark(struct core *c, const struct now *now);
void deed_promote(struct core *c, const struct now *now);
void deed_held(struct core *c, const struct now *now);
void deed_settle(struct core *c, const struct now *now);
void deed_pullers(struct core *c, const struct now *now);
void deed_commit(struct core *c, const struct now *now);
void deed_verify(struct core *c, const struct now *now);
void deed_metadata(struct core *c, const struct now *now);
void deed_checkpoint(struct core *c, const struct now *now);
void deed_pg_stop(struct core *c, const struct now *now);
void deed_signal(struct core *c, const struct now *now);
void deed_release(struct core *c, const struct now *now);
void deed_checkpoint_now(struct core *c, const struct now *now);
void deed_quiet(struct core *c, const struct now *now);
void deed_files(struct core *c, const struct now *now);
void deed_pg_end(struct core *c, const struct now *now);
void deed_ask_heir(struct core *c, const struct now *now);
void deed_note(struct core *c, const struct now *now);
void deed_hand(struct core *c, const struct now *now);
void deed_alone(struct core *c, const struct now *now);

/* rejoin_steps.c */
enum answer ask_apart(const struct core *c, const struct now *now);
enum answer ask_aside_marked(const struct core *c, const struct now *now);
enum answer ask_aside(const struct core *c, const struct now *now);
enum answer ask_recovered(const struct core *c, const struct now *now);
enum answer ask_ended(const struct core *c, const struct now *now);
enum answer ask_compared(const struct core *c, const struct now *now);
enum answer ask_kept(const struct core *c, const struct now *now);
enum answer ask_half(const struct core *c, const struct now *now);
enum answer ask_made(const struct core *c, const struct now *now);
enum answer ask_whole(const struct core *c, const struct now *now);
enum answer ask_streams(const struct core *c, const struct now *now);
enum answer ask_cleared(const struct core *c, const struct now *now);
bool may_rejoin(const struct core *c, const struct now *now);
void deed_apart(struct core *c, const struct now *now);
void deed_aside_mark(struct core *c, const struct now *now);
void deed_aside(struct core *c, const struct now *now);
void deed_pg_end_standby(struct core *c, const struct now *now);
void deed_compare(struct core *c, const struct now *now);
void deed_keep(struct core *c, const struct now *now);
void deed_half(struct core *c, const struct now *now);
void deed_make(struct core *c, const struct now *now);
void deed_whole(struct core *c, const struct now *now);
void deed_streams(struct core *c, const struct now *now);
void deed_clear(struct core *c, const struct now *now);

#endif
