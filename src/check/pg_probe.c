/*
 * The write probe: a small commit of our own, local durability only, so that a
 * lost standby does not count; and room left for more than that. A primary that
 * is alive but cannot write is found by it. While the server is no primary
 * nothing is written, but the room is looked at: who has none must not become
 * one.
 */
#include "check/pg_room.h"
#include "check/pglink.h"
#include "check/pgwatch_priv.h"
#include "hawatch/loop.h"
#include "hawatch/reason.h"

static int pg_probe_start(struct check *c, struct error *err);
static void pg_probe_cancel(struct check *c);

const struct check_ops pg_probe_ops = {
	.name = "pg-write",
	.priv_size = 0,
	.start = pg_probe_start,
	.cancel = pg_probe_cancel,
};

static void
pg_probe_done_cb(void *arg, const struct pgc_result *r)
{
	struct check *c = arg;
	struct pgwatch *w = check_arg(c);
	const char *where, *why = pg_room_why(w->room, &where);

	if (r->ok != ANS_YES || why[0] != '\0') {
		check_done(c, ANS_NO, r->ok != ANS_YES ? r->reason : why);
		return;
	}
	if (w->view.recovery == ANS_NO)
		w->view.probe_at = w->probe_sent;
	check_done(c, ANS_YES, "");
}

static int
pg_probe_start(struct check *c, struct error *err)
{
	struct pgwatch *w = check_arg(c);

	pg_room_look(w->room, w->view.running == ANS_YES);
	/* It is a write, and mode observe writes nothing. */
	if (w->view.recovery != ANS_NO || w->conf->mode == MODE_OBSERVE) {
		check_done(c, ANS_UNKNOWN, reason_str(REASON_no_primary));
		return 0;
	}
	w->probe_sent = clock_now().raw;
	return pgc_query(w->probe_pgc,
	    "SELECT pg_logical_emit_message(true, 'hawatch', 'probe')",
	    check_conf(c)->timeout, pg_probe_done_cb, c, err);
}

static void
pg_probe_cancel(struct check *c)
{
	struct pgwatch *w = check_arg(c);

	pgc_drop(w->probe_pgc);
}
