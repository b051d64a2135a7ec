/*
 * Another node's PostgreSQL as it answers on its address: role, timeline,
 * position. For status, and for refusing to promote beside a primary that
 * answers. Its silence proves nothing.
 */
#include "check/pglink.h"
#include "check/pgwatch_priv.h"
#include "hawatch/loop.h"
#include "hawatch/reason.h"

static int pg_peer_start(struct check *c, struct error *err);
static void pg_peer_cancel(struct check *c);

const struct check_ops pg_peer_ops = {
	.name = "pg-peer",
	.priv_size = sizeof(usec_t), /* when it was asked */
	.start = pg_peer_start,
	.cancel = pg_peer_cancel,
};

static void
pg_peer_finish(struct check *c, enum answer reached, const char *reason)
{
	struct pg_peer_link *link = check_arg(c);
	usec_t *asked = check_priv(c);

	link->peer.asked_at = *asked;
	link->peer.reached = reached;
	link->peer.reason = reason;
}

static void
pg_peer_done_cb(void *arg, const struct pgc_result *r)
{
	struct check *c = arg;
	struct pg_peer_link *link = check_arg(c);
	usec_t *asked = check_priv(c);
	struct pg_view view;

	if (r->ok != ANS_YES) {
		pg_peer_finish(c, ANS_NO, r->reason);
		check_done(c, ANS_NO, r->reason);
		return;
	}
	if (pg_view_read(link->w->conf, r, &view) == -1) {
		pg_peer_finish(c, ANS_NO, reason_str(REASON_garbage));
		check_done(c, ANS_NO, reason_str(REASON_garbage));
		return;
	}
	link->peer.seen_at = *asked;
	link->peer.recovery = view.recovery;
	link->peer.timeline = view.timeline;
	link->peer.system_id = view.system_id;
	link->peer.wal_end = view.wal_end;
	link->peer.unsound = !view.fsync || !view.full_page_writes;
	pg_peer_finish(c, ANS_YES, "");
	check_done(c, ANS_YES, "");
}

static int
pg_peer_start(struct check *c, struct error *err)
{
	struct pg_peer_link *link = check_arg(c);
	usec_t *asked = check_priv(c);

	*asked = clock_now().raw;
	return pgc_query(link->pgc, pg_view_sql, check_conf(c)->timeout,
	    pg_peer_done_cb, c, err);
}

static void
pg_peer_cancel(struct check *c)
{
	struct pg_peer_link *link = check_arg(c);

	pgc_drop(link->pgc);
	pg_peer_finish(c, ANS_NO, reason_str(REASON_timeout));
}
