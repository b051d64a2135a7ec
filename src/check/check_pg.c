/*
 * Check "postgres": the local instance answers queries and, as a primary, can
 * write. It asks nobody: the watch over PostgreSQL does that all the time, and
 * this gives its findings a name, damping and a place in the host's health.
 */
#include "check/modules.h"
#include "hawatch/loop.h"
#include "hawatch/pgwatch.h"
#include "hawatch/reason.h"

#define CHECK_PG_STALE (3 * USEC_SEC)

static int check_pg_start(struct check *c, struct error *err);
static void check_pg_cancel(struct check *c);

const struct check_ops check_postgres = {
	.name = "postgres",
	.priv_size = 0,
	.start = check_pg_start,
	.cancel = check_pg_cancel,
};

static const char *
check_pg_why(const struct pgwatch *pg)
{
	const char *why = pgwatch_no_room(pg, NULL);

	return why[0] != '\0' ? why : reason_str(REASON_cannot_write);
}

static int
check_pg_start(struct check *c, struct error *err)
{
	const struct pg_view *v;
	usec_t now;

	if (check_env(c)->pg == NULL)
		return error_set(err, ERR_CONFIG,
		    "there is no PostgreSQL on a witness: remove the check");
	v = pgwatch_view(check_env(c)->pg);
	now = clock_now().raw;
	if (v->seen_at == 0)
		check_done(c, ANS_UNKNOWN, reason_str(REASON_not_seen));
	else if (v->running == ANS_NO)
		check_done(c, ANS_NO, reason_str(REASON_not_running));
	else if (v->running == ANS_UNKNOWN || now - v->seen_at > CHECK_PG_STALE)
		check_done(c, ANS_NO, reason_str(REASON_no_answer));
	else if (v->recovery == ANS_NO && v->probe_at != 0 &&
		 now - v->probe_at > CHECK_PG_STALE)
		check_done(c, ANS_NO, check_pg_why(check_env(c)->pg));
	else
		check_done(c, ANS_YES, "");
	return 0;
}

static void
check_pg_cancel(struct check *c)
{
	(void)c;
}
