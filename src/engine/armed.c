/*
 * Could this host be fenced with certainty? One that could not takes nothing
 * over, and is told so with the reason.
 */
#include "engine/armed.h"

#include "engine/engine.h"
#include "hawatch/emit.h"
#include "hawatch/fence.h"
#include "hawatch/instance.h"
#include "hawatch/pgwatch.h"
#include "hawatch/str.h"

#define ARMED_EVERY (USEC_SEC / 2)
#define REPMGRD_EVERY (5 * USEC_SEC)

/* Another that promotes. All processes are looked through, which takes a while,
 * so seldom. */
static void
armed_repmgrd(struct engine *e, const struct now *now)
{
	struct error err = { 0 };

	if (now->raw < e->repmgrd_at)
		return;
	e->repmgrd_at = now->raw + REPMGRD_EVERY;
	e->repmgrd = instance_repmgrd(e->conf->pg.data_directory, &err);
	str_cut(e->repmgrd_why, sizeof(e->repmgrd_why), err.msg);
}

static enum answer
armed_ask(struct engine *e, const struct now *now, struct error *err)
{
	const struct pg_view *v = pgwatch_view(e->pg);
	enum answer armed = instance_armed(&e->conf->pg, err);

	armed_repmgrd(e, now);
	/* The monitor tells of changes at once; this is for what it missed. */
	if (e->fence != NULL && e->table_looks++ % 4 == 0)
		e->table = fence_table(e->fence);
	if (e->repmgrd == ANS_NO)
		error_set(err, ERR_REFUSED, "%s", e->repmgrd_why);
	else if (armed != ANS_YES)
		return armed;
	else if (e->fence == NULL)
		error_set(err, ERR_REFUSED,
		    "mode observe fences nothing; nothing stands against "
		    "another mode");
	else if (e->table != ANS_YES)
		error_set(err, ERR_REFUSED,
		    "the table inet hawatch is not "
		    "as it should be; nft list table inet hawatch");
	else if (v->running == ANS_YES && v->seen_at != 0 &&
		 v->restart_after_crash)
		error_set(err, ERR_REFUSED,
		    "restart_after_crash is on; set "
		    "restart_after_crash = off in postgresql.conf");
	else if (v->recovery == ANS_YES && pgwatch_blocks(e->pg) != NULL)
		error_set(err, ERR_REFUSED,
		    "a setting of PostgreSQL forbids it: %s",
		    pgwatch_blocks(e->pg)->reason);
	else
		return ANS_YES;
	return ANS_NO;
}

/* A postmaster that died before this engine started. */
static void
armed_postmaster(struct engine *e, const struct now *now)
{
	struct error err;

	if (pgwatch_view(e->pg)->running == ANS_UNKNOWN &&
	    instance_postmaster(e->conf->pg.data_directory, &err) == 0)
		core_on_pg_gone(e->core, now);
}

void
armed_turn(struct engine *e, const struct now *now)
{
	struct error err = { 0 };
	enum answer armed;

	if (now->raw < e->armed_at)
		return;
	e->armed_at = now->raw + ARMED_EVERY;
	armed = armed_ask(e, now, &err);
	if (armed == ANS_YES)
		err.msg[0] = '\0';
	if (armed != e->armed)
		EMIT(armed_change, kv_s("to", answer_str(armed)),
		    kv_s("reason", err.msg));
	e->armed = armed;
	core_on_armed(e->core, now, armed, err.msg);
	armed_postmaster(e, now);
}
