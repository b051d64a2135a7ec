/*
 * Between the core and the world: each action of the core to the part that
 * carries it out, each result back as an event. One turn of the loop is: the
 * core decides, its actions are carried out, until there is nothing to do.
 */
#include "engine/driver.h"

#include <stdio.h>

#include "act/clone_old.h"
#include "act/env.h"
#include "engine/arbiter_server.h"
#include "engine/armed.h"
#include "engine/crash.h"
#include "engine/engine.h"
#include "engine/history.h"
#include "engine/journal.h"
#include "engine/observe.h"
#include "engine/pair_server.h"
#include "engine/peers.h"
#include "engine/regclient.h"
#include "engine/reload.h"
#include "engine/reports.h"
#include "engine/tell.h"
#include "hawatch/converge.h"
#include "hawatch/emit.h"
#include "hawatch/fence.h"
#include "hawatch/files.h"
#include "hawatch/frontlink.h"
#include "hawatch/notify.h"
#include "hawatch/pgwatch.h"
#include "hawatch/str.h"

#define ROUNDS_MAX 16 /* of decide and do in one turn */

void
driver_act_done(void *arg, enum act_kind kind, const struct goal *goal,
    enum answer ans, const char *reason)
{
	struct engine *e = arg;
	struct now now;

	crash_point("act-done");
	now = clock_now();
	if (ans == ANS_NO) {
		e->act_no_at = now.raw;
		str_cut(e->act_no, sizeof(e->act_no), reason);
	}
	core_on_act(e->core, &now, kind, goal, ans, reason);
	pgwatch_poke(e->pg);
}

void
driver_pg_changed(void *arg)
{
	struct engine *e = arg;
	struct now now = clock_now();

	core_on_pg(e->core, &now, pgwatch_view(e->pg));
}

void
driver_pg_gone(void *arg)
{
	struct engine *e = arg;
	struct now now = clock_now();

	EMIT(postmaster_gone, kv_s("node", e->conf->node[e->conf->self].name));
	core_on_pg_gone(e->core, &now);
}

void
driver_fence_lost(void *arg, bool restored, usec_t open_for)
{
	struct engine *e = arg;
	struct now now = clock_now();

	core_on_fence_lost(e->core, &now, restored, open_for);
}

static void
driver_saved(void *arg, uint64_t version, bool ok)
{
	struct engine *e = arg;

	core_on_saved(e->core, version, ok);
}

static void
driver_fence(struct engine *e, const struct action *a)
{
	enum fence_result res = FENCE_ERROR;
	enum fence_op op = a->op;
	usec_t deadline = a->deadline;
	struct error err = { 0 };
	struct now now;

	crash_point("fence-before");
	switch (op) {
	case FENCE_OP_OPEN:
		res = fence_open(e->fence, deadline, &err);
		break;
	case FENCE_OP_RENEW:
		res = fence_renew(e->fence, deadline, &err);
		break;
	case FENCE_OP_CLOSE:
		res = fence_close(e->fence, &err);
		break;
	}
	crash_point("fence-after");
	if (res == FENCE_ERROR)
		EMIT(fence_error, kv_s("reason", err.msg));
	now = clock_now();
	core_on_fence(e->core, &now, op, deadline,
	    res == FENCE_DONE  ? ANS_YES :
	    res == FENCE_ERROR ? ANS_UNKNOWN :
				 ANS_NO);
}

static void
driver_readers(struct engine *e, usec_t life)
{
	struct error err = { 0 };
	bool ok = fence_readers(e->fence, life, &err) == FENCE_DONE;
	struct now now = clock_now();

	if (!ok)
		EMIT(fence_error, kv_s("reason", err.msg));
	core_on_readers(e->core, &now, life, ok);
}

static void
driver_save(struct engine *e, const struct now *now, uint64_t version)
{
	struct core_status st;

	core_status(e->core, now, &st);
	journal_save(e->journal, version, st.durable, driver_saved, e);
}

static void
driver_tell(struct engine *e, const struct now *now, const struct action *a)
{
	struct core_status st;

	core_status(e->core, now, &st);
	emit(a->tell,
	    (const struct kv[]){
		kv_i("epoch", st.rec.epoch), kv_s("text", a->text) },
	    2);
}

static void
driver_do(struct engine *e, const struct now *now, const struct action *a)
{
	switch (a->kind) {
	case DO_READ:
		regclient_read(e->reg);
		break;
	case DO_CAS:
		regclient_cas(e->reg, &a->cas);
		break;
	case DO_REPORT:
		regclient_report(e->reg, a->instance, a->epoch, a->seq);
		break;
	case DO_ASK:
		peers_ask(e->peers, a->node, &a->ask);
		break;
	case DO_ANSWER:
		peers_answer(e, &a->answer, a->node);
		break;
	case DO_NUDGE:
		peers_nudge(e->peers, a->node);
		break;
	case DO_SAVE:
		driver_save(e, now, a->version);
		break;
	case DO_FENCE:
		driver_fence(e, a);
		break;
	case DO_READERS:
		driver_readers(e, a->life);
		break;
	case DO_ACT:
		crash_point("act-start");
		acts_start(e->acts, a->act, &a->goal);
		break;
	case DO_ACT_CANCEL:
		acts_cancel(e->acts, a->act);
		break;
	case DO_LOOK:
		pgwatch_poke(e->pg);
		break;
	case DO_TELL:
		driver_tell(e, now, a);
		break;
	case DO_REJOINED:
		clone_old_settle(e->act_env);
		break;
	}
}

/* For the names of the crash points. */
static void
driver_row(struct engine *e, const struct now *now)
{
	static char row[64];
	struct core_status st;

	core_status(e->core, now, &st);
	if (st.plan == NULL)
		crash_row(NULL);
	else if (snprintf(row, sizeof(row), "%s.%s", st.plan, st.row) > 0)
		crash_row(row);
}

/* Decides and does until nothing is left to do. */
static usec_t
driver_core(struct engine *e)
{
	const struct action *a;
	struct action copy;
	struct now now;
	usec_t next = 0;
	bool busy = true;
	int round;

	for (round = 0; busy && round < ROUNDS_MAX; round++) {
		now = clock_now();
		next = core_turn(e->core, &now);
		driver_row(e, &now);
		busy = false;
		while ((a = core_take(e->core)) != NULL) {
			busy = busy || a->kind == DO_FENCE ||
			       a->kind == DO_READERS;
			copy = *a; /* carrying it out may add others */
			driver_do(e, &now, &copy);
		}
	}
	return next;
}

void
driver_start(struct engine *e)
{
	usec_t until = 0;

	if (e->core == NULL)
		return;
	if (e->fence == NULL || fence_look(e->fence, &until) != ANS_YES)
		until = 0;
	core_on_start_fence(e->core, until);
	regclient_start(e->reg);
}

bool
driver_follows(const struct core_status *st, node_t holder)
{
	return st->rel == REL_OTHER && st->rec.state == REC_HELD &&
	       st->site.primary == holder && st->plan == NULL;
}

/* What the items of this host are compared with, and what it may pull. */
static void
driver_expect(struct engine *e, const struct now *now)
{
	struct core_status st;

	node_t primary;
	uint64_t epoch;

	core_status(e->core, now, &st);
	if (e->act_env != NULL)
		e->act_env->lease = st.deadline;
	if (e->files != NULL && files_pulls(e->files) != NODE_NONE &&
	    !driver_follows(&st, files_pulls(e->files)))
		files_stop(e->files);
	primary = st.site.primary;
	epoch = st.rec.epoch;
	if (primary == NODE_NONE)
		primary = observe_primary(e->observe, &epoch);
	if (e->expect_primary == primary && e->expect_epoch == epoch)
		return;
	e->expect_primary = primary;
	e->expect_epoch = epoch;
	converge_expect(e->converge, primary, epoch);
}

/* The service manager ends an engine that hangs; the kernel lease has closed
 * by then. */
static void
driver_watchdog(struct engine *e, const struct now *now)
{
	struct error err;

	if (notify_watchdog() == 0 || now->raw < e->watchdog_at)
		return;
	e->watchdog_at = now->raw + notify_watchdog() / 2;
	if (notify_send("WATCHDOG=1", &err) != 0)
		EMIT(notify_failed, kv_s("reason", err.msg));
}

void
driver_turn(void *arg, const struct now *now)
{
	struct engine *e = arg;
	usec_t next = now->raw + USEC_SEC / 2, other;

	if (e->core != NULL) {
		armed_turn(e, now);
		other = driver_core(e);
		next = other < next ? other : next;
		observe_turn(e, now);
		driver_expect(e, now);
	}
	if (e->arbiter != NULL) {
		other = arbiter_server_turn(e->arbiter, now->raw);
		next = other < next ? other : next;
	}
	reload_turn(e, now);
	if (e->copy != NULL) {
		other = pair_server_turn(e->copy, now->raw);
		next = other < next ? other : next;
	}
	history_look(e, now);
	orders_turn(e, now);
	tell_turn(e->tell, now);
	other = history_turn(e->history, now);
	next = other < next ? other : next;
	snapshot_publish(e, now);
	other = reports_turn(e->reports, now);
	next = other < next ? other : next;
	driver_watchdog(e, now);
	other = next - clock_now().raw;
	timer_arm(e->turn_timer, other > 0 ? other : 0);
}
