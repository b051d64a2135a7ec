/*
 * Telling people: which events they should hear of, in which words, and the
 * commands that carry it. An event is only noted where it happens; the turn
 * starts the children. One that hangs is killed, and the next one is started
 * with what came after.
 */
#include "engine/tell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "hawatch/job.h"
#include "hawatch/json.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define TELL_KEPT 32
#define TELL_MINUTE (60 * USEC_SEC)
#define TELL_A_MINUTE 20
#define TELL_SCHEMA 1

/* One command and its child. */
struct tell_run {
	struct tell *t;
	const struct conf_notify *conf;
	struct job *job, *test;
	usec_t test_at;
	uint64_t next; /* number of the notice that it is told next */
};

struct tell {
	struct loop *loop;
	const struct conf *conf;
	struct timer *timer;
	struct tell_run run[CONF_NOTIFY_MAX];
	char *kept[TELL_KEPT]; /* by number, modulo */
	uint64_t count;	       /* notices so far */
	usec_t minute;	       /* raw: it began */
	int in_minute, left_out;
	void (*done)(void *arg, const struct tell_result *res);
	void *done_arg;
	int testing;
};

static const struct {
	enum event_name ev;
	const char *words;
	const char *key; /* what of the event is added to them */
} tell_rows[] = {
	{ EMIT_plan_start, "begun", "text" },
	{ EMIT_plan_end, "ended", "text" },
	{ EMIT_plan_late, "a step is late", "text" },
	{ EMIT_takeover_loss, "a takeover lost something", "text" },
	{ EMIT_order_over, "an order ended without being carried out", "text" },
	{ EMIT_rogue_primary, "ROGUE PRIMARY", "text" },
	{ EMIT_shoot_start, "a host is being switched off", "text" },
	{ EMIT_shoot_off, "a host is switched off", "text" },
	{ EMIT_shoot_failed, "a host could not be switched off", "text" },
	{ EMIT_lease_lost, "the lease is over, nobody can write here", "text" },
	{ EMIT_node_latched, "this host is stopped and stays so", "text" },
	{ EMIT_standby_alone, "the primary is alone: no failover is possible",
	    "text" },
	{ EMIT_standby_removed, "a standby is no candidate any more", "text" },
	{ EMIT_standby_added, "a standby is a candidate", "text" },
	{ EMIT_failover_paused, "failover is paused", "text" },
	{ EMIT_failover_resumed, "failover is possible again", "text" },
	{ EMIT_rejoin_stuck, "a rejoin does not come to its end", "text" },
	{ EMIT_register_lost, "the register does not answer", "reason" },
	{ EMIT_register_stray, "a member of etcd is of another cluster",
	    "member" },
	{ EMIT_register_found, "the register answers again", "" },
	{ EMIT_register_cold, "the register is cold and refuses all", "text" },
	{ EMIT_register_amnesiac, "the register has forgotten something",
	    "text" },
	{ EMIT_fence_lost, "somebody changed the fence", "text" },
	{ EMIT_fence_error, "the fence cannot be set", "reason" },
	{ EMIT_armed_change, "this host can be fenced", "to" },
	{ EMIT_guarded_unsaved,
	    "that this host is guarded cannot be written down", "reason" },
	{ EMIT_state_unsaved, "the state cannot be written", "text" },
	{ EMIT_pg_no_room, "PostgreSQL has no room", "where" },
	{ EMIT_converge_failed, "an item of this host's role fails", "item" },
	{ EMIT_traffic_failed, "a balancer cannot be steered", "name" },
	{ EMIT_pki_wrong, "the certificates are wrong", "reason" },
	{ EMIT_peer_lost, "a host does not answer", "peer" },
	{ EMIT_peer_found, "a host answers again", "peer" },
};

static void
tell_timer_cb(void *arg)
{
	/* The turn that follows looks at the minute. */
}

struct tell *
tell_new(struct loop *loop, const struct conf *conf)
{
	struct tell *t = xcalloc(1, sizeof(*t));
	int i;

	t->loop = loop;
	t->conf = conf;
	t->timer = timer_new(loop, tell_timer_cb, t);
	for (i = 0; i < conf->notify_count; i++) {
		t->run[i].t = t;
		t->run[i].conf = &conf->notify[i];
	}
	return t;
}

void
tell_free(struct tell *t)
{
	int i;

	if (t == NULL)
		return;
	for (i = 0; i < CONF_NOTIFY_MAX; i++) {
		job_cancel(t->run[i].job);
		job_cancel(t->run[i].test);
	}
	for (i = 0; i < TELL_KEPT; i++)
		free(t->kept[i]);
	timer_free(t->timer);
	free(t);
}

/* A line for people, and a line for programs. obj is taken. */
static char *
tell_text(const struct tell *t, const struct now *now, const char *ev,
    const char *words, json_t *obj)
{
	const char *node = t->conf->node[t->conf->self].name;
	time_t sec = (time_t)(now->wall / USEC_SEC);
	char at[32] = "", *line, *json, *both, *p;
	struct tm tm;

	if (gmtime_r(&sec, &tm) != NULL)
		(void)!strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", &tm);
	line = xasprintf("%s %s: %s", t->conf->cluster, node, words);
	/* It is to be one line, whatever an event has quoted. */
	for (p = line; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	json_put_i64(obj, "schema", TELL_SCHEMA);
	json_put_string(obj, "at", at);
	json_put_string(obj, "cluster", t->conf->cluster);
	json_put_string(obj, "node", node);
	json_put_string(obj, "ev", ev);
	json_put_string(obj, "said", line);
	json = json_take_text(obj);
	both = xasprintf("%s\n%s\n", line, json);
	free(line);
	free(json);
	return both;
}

/* Takes text. */
static void
tell_keep(struct tell *t, char *text)
{
	char **place = &t->kept[t->count++ % TELL_KEPT];

	free(*place);
	*place = text;
}

/* False: there were too many, this one is left out. */
static bool
tell_budget(struct tell *t, const struct now *now)
{
	if (t->minute == 0 || now->raw - t->minute >= TELL_MINUTE) {
		t->minute = now->raw;
		t->in_minute = 0;
	}
	if (t->in_minute < TELL_A_MINUTE) {
		t->in_minute++;
		return true;
	}
	if (t->left_out++ == 0)
		timer_arm(t->timer, t->minute + TELL_MINUTE - now->raw);
	return false;
}

void
tell_event(struct tell *t, const struct now *now, enum event_name ev,
    const struct kv *kv, size_t n)
{
	const char *words = NULL, *key = "", *more = "";
	json_t *obj;
	char *text;
	size_t i;

	for (i = 0; i < sizeof(tell_rows) / sizeof(tell_rows[0]); i++) {
		if (tell_rows[i].ev == ev) {
			words = tell_rows[i].words;
			key = tell_rows[i].key;
		}
	}
	if (words == NULL || t->conf->notify_count == 0 || !tell_budget(t, now))
		return;
	obj = json_object();
	for (i = 0; i < n; i++) {
		if (kv[i].str == NULL)
			json_put_i64(obj, kv[i].key, kv[i].num);
		else
			json_put_string(obj, kv[i].key, kv[i].str);
		if (kv[i].str != NULL && strcmp(kv[i].key, key) == 0)
			more = kv[i].str;
	}
	text = xasprintf("%s%s%s", words, more[0] == '\0' ? "" : ": ", more);
	tell_keep(t, tell_text(t, now, emit_name(ev), text, obj));
	free(text);
}

/* How it ended, with the first line that it printed. */
static bool
tell_ended(const struct job_result *res, char *buf, size_t size)
{
	int words =
	    (int)strcspn(res->output == NULL ? "" : res->output, "\r\n");
	char how[64] = "done";

	if (res->late)
		(void)snprintf(how, sizeof(how), "killed: it overran its time");
	else if (res->status == -1)
		(void)snprintf(how, sizeof(how), "not started");
	else if (WIFSIGNALED(res->status))
		(void)snprintf(
		    how, sizeof(how), "signal %d", WTERMSIG(res->status));
	else if (WEXITSTATUS(res->status) != 0)
		(void)snprintf(
		    how, sizeof(how), "exit %d", WEXITSTATUS(res->status));
	(void)snprintf(buf, size, "%s%s%.*s", how, words == 0 ? "" : ": ",
	    words, res->output == NULL ? "" : res->output);
	return !res->late && res->status == 0;
}

static void
tell_done(void *arg, const struct job_result *res)
{
	struct tell_run *r = arg;
	char how[160];

	r->job = NULL;
	if (!tell_ended(res, how, sizeof(how)))
		EMIT(tell_failed, kv_s("name", r->conf->name),
		    kv_s("reason", how));
}

static struct job *
tell_start(struct tell_run *r, const char *text,
    void (*done)(void *arg, const struct job_result *res))
{
	const struct job_spec spec = { .argv = r->conf->command,
		.user = r->conf->run_as[0] == '\0' ? NULL : r->conf->run_as,
		.deadline = r->conf->timeout,
		.output_max = 1024,
		.keep_fd = -1,
		.input = text,
		.input_len = strlen(text) };
	struct error err;
	struct job *job = job_start(r->t->loop, &spec, done, r, &err);

	if (job == NULL)
		EMIT(tell_failed, kv_s("name", r->conf->name),
		    kv_s("reason", err.msg));
	return job;
}

void
tell_turn(struct tell *t, const struct now *now)
{
	struct tell_run *r;
	char *words;
	int i;

	if (t->left_out > 0 && now->raw - t->minute >= TELL_MINUTE) {
		words = xasprintf("%d more events in the last minute, which "
				  "are in the log of hawatchd only",
		    t->left_out);
		t->left_out = 0;
		tell_keep(t,
		    tell_text(t, now, "notify.left-out", words, json_object()));
		free(words);
	}
	for (i = 0; i < t->conf->notify_count; i++) {
		r = &t->run[i];
		if (r->job != NULL || r->next == t->count)
			continue;
		/* What one that is slow has missed is older than all this. */
		if (t->count - r->next > TELL_KEPT)
			r->next = t->count - TELL_KEPT;
		r->job =
		    tell_start(r, t->kept[r->next++ % TELL_KEPT], tell_done);
		if (r->job == NULL && r->next < t->count)
			loop_wake(t->loop);
	}
}

static void
tell_tested(struct tell_run *r, bool ok, const char *how)
{
	struct tell *t = r->t;
	struct tell_result res = {
		.name = r->conf->name, .ok = ok, .left = --t->testing
	};

	(void)snprintf(res.text, sizeof(res.text), "%s", how);
	t->done(t->done_arg, &res);
}

static void
tell_test_done(void *arg, const struct job_result *res)
{
	struct tell_run *r = arg;
	char how[160];
	bool ok = tell_ended(res, how, sizeof(how));

	r->test = NULL;
	tell_tested(r, ok, how);
}

int
tell_test(struct tell *t, const struct now *now,
    void (*done)(void *arg, const struct tell_result *res), void *arg)
{
	struct tell_run *r;
	char *text;
	int i;

	if (t->testing > 0)
		return -1;
	t->done = done;
	t->done_arg = arg;
	t->testing = t->conf->notify_count;
	text = tell_text(t, now, "notify.test",
	    "a test by hactl notify --test: nothing has happened",
	    json_object());
	for (i = 0; i < t->conf->notify_count; i++) {
		r = &t->run[i];
		r->test = tell_start(r, text, tell_test_done);
		if (r->test == NULL)
			tell_tested(r, false, "not started");
	}
	free(text);
	return t->conf->notify_count;
}
