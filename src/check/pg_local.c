/*
 * The view of the local instance: a status query by the Unix socket, and what
 * its processes and files say when there is no answer. A refused connection
 * alone never means that it is gone.
 */
#include <string.h>

#include "check/pglink.h"
#include "check/pgwatch_priv.h"
#include "hawatch/instance.h"
#include "hawatch/loop.h"
#include "hawatch/reason.h"

static int pg_local_start(struct check *c, struct error *err);
static void pg_local_cancel(struct check *c);

const struct check_ops pg_local_ops = {
	.name = "pg-local",
	.priv_size = 0,
	.start = pg_local_start,
	.cancel = pg_local_cancel,
};

/* Gone is proved by two things: no postmaster, and no process that works in
 * the data directory. */
static enum answer
pg_local_running(const struct conf *conf)
{
	struct error err;
	pid_t pid;

	pid = instance_postmaster(conf->pg.data_directory, &err);
	if (pid > 0)
		return ANS_YES;
	if (pid < 0 ||
	    instance_scan(conf->pg.data_directory, &pid, 1, &err) != 0)
		return ANS_UNKNOWN;
	return ANS_NO;
}

static void
pg_local_answered(
    struct pgwatch *w, const struct pgc_result *r, const char **reason)
{
	struct pg_view view;

	if (pg_view_read(w->conf, r, &view) == -1) {
		*reason = reason_str(REASON_garbage);
		return;
	}
	view.seen_at = w->status_sent;
	/* A backend may outlive its postmaster and still answer. */
	pgwatch_follow(w);
	view.running = w->postmaster != NULL ? ANS_YES : ANS_UNKNOWN;
	view.up_at = w->view.up_at;
	view.signal = w->view.signal;
	view.probe_at = w->view.probe_at;
	view.full = w->view.full;
	view.unsound = pgwatch_unsound(w, &view);
	pg_view_behind(&view, w->mark);
	if (view.recovery != ANS_NO)
		view.probe_at = 0;
	w->view = view;
	*reason = NULL;
}

static void
pg_local_silent(struct pgwatch *w)
{
	struct pg_view *v = &w->view;
	enum answer running;
	uint64_t system_id;
	bool signal, full;

	running = pg_local_running(w->conf);
	if (running != ANS_NO) {
		v->running = running;
		return;
	}
	system_id = v->system_id;
	signal = v->signal;
	full = v->full;
	memset(v, 0, sizeof(*v));
	v->seen_at = w->status_sent;
	v->running = ANS_NO;
	v->system_id = system_id;
	v->signal = signal;
	v->full = full;
}

static void
pg_local_done_cb(void *arg, const struct pgc_result *r)
{
	struct check *c = arg;
	struct pgwatch *w = check_arg(c);
	const char *reason;

	reason = r->reason;
	if (r->ok == ANS_YES)
		pg_local_answered(w, r, &reason);
	if (reason == NULL) {
		check_done(c, ANS_YES, "");
		return;
	}
	pg_local_silent(w);
	check_done(c, ANS_NO, reason);
}

static int
pg_local_start(struct check *c, struct error *err)
{
	struct pgwatch *w = check_arg(c);

	pgwatch_follow(w);
	w->view.signal =
	    instance_signal_file(w->conf->pg.data_directory) == ANS_YES;
	w->status_sent = clock_now().raw;
	return pgc_query(w->status_pgc, pg_view_sql, check_conf(c)->timeout,
	    pg_local_done_cb, c, err);
}

static void
pg_local_cancel(struct check *c)
{
	struct pgwatch *w = check_arg(c);

	pgc_drop(w->status_pgc);
	/* Who does not answer in time may be stopped, or have just died. */
	pg_local_silent(w);
}
