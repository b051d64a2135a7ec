/*
 * The engine's end of hawatch-probe: who asks next, until when, and what is
 * done about a probe that does not answer. It knows no protocol.
 */
#include "hawatch/probe.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hawatch/companion.h"
#include "hawatch/emit.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/queue.h"
#include "hawatch/reason.h"
#include "hawatch/str.h"
#include "probe/wire.h"

#define PROBE_BACKOFF_MIN (10 * USEC_MSEC)
#define PROBE_BACKOFF_MAX (1 * USEC_SEC)

static const struct companion_spec probe_program = {
	.name = "hawatch-probe",
	.folder = "probe",
	.socket = SOCK_SEQPACKET,
};

struct probe_call {
	TAILQ_ENTRY(probe_call) entry;
	struct probe *probe;
	struct probe_ask_wire ask;
	usec_t until; /* raw */
	struct timer *timer;
	void (*done)(void *arg, const struct probe_result *res); /* NULL:
								    cancelled */
	void *arg;
};

struct probe {
	struct loop *loop;
	char program[PATH_MAX];
	struct companion proc;
	bool dying;   /* killed, not reaped yet */
	bool overran; /* ... since it overran a deadline */
	struct watch *link, *end;
	struct timer *again; /* while it backs off */
	usec_t backoff;
	char said[160]; /* of the last event */
	uint32_t last_id;
	struct probe_call *running;
	TAILQ_HEAD(, probe_call) waiting;
};

static void probe_next(struct probe *p);
static bool probe_start(struct probe *p);
static void probe_kill(struct probe *p);
static void probe_back_off(struct probe *p);
static void probe_link_cb(void *arg, int what);
static void probe_end_cb(void *arg, int what);
static void probe_again_cb(void *arg);
static void probe_late_cb(void *arg);
static void probe_finish(
    struct probe_call *call, const struct probe_result *res);
static void probe_call_free(struct probe_call *call);

struct probe *
probe_new(struct loop *loop, const char *program, struct error *err)
{
	struct probe *p = xcalloc(1, sizeof(*p));

	p->loop = loop;
	p->proc = COMPANION_NONE;
	p->backoff = PROBE_BACKOFF_MIN;
	TAILQ_INIT(&p->waiting);
	p->again = timer_new(loop, probe_again_cb, p);
	if (companion_find(&probe_program, program, p->program,
		sizeof(p->program), err) == -1) {
		probe_free(p);
		return NULL;
	}
	return p;
}

void
probe_free(struct probe *p)
{
	struct probe_call *call;

	if (p == NULL)
		return;
	while ((call = TAILQ_FIRST(&p->waiting)) != NULL) {
		TAILQ_REMOVE(&p->waiting, call, entry);
		probe_call_free(call);
	}
	if (p->running != NULL)
		probe_call_free(p->running);
	watch_free(p->link);
	watch_free(p->end);
	timer_free(p->again);
	companion_end(&p->proc);
	free(p);
}

struct probe_call *
probe_ask(struct probe *p, const struct probe_request *req,
    void (*done)(void *arg, const struct probe_result *res), void *arg)
{
	struct probe_call *call = xcalloc(1, sizeof(*call));

	call->probe = p;
	call->done = done;
	call->arg = arg;
	call->ask.id = ++p->last_id;
	call->ask.op = req->op;
	call->ask.port = (uint32_t)req->port;
	str_cut(call->ask.address, sizeof(call->ask.address), req->address);
	call->until = clock_now().raw + req->deadline;
	call->timer = timer_new(p->loop, probe_late_cb, call);
	timer_arm(call->timer, req->deadline);
	TAILQ_INSERT_TAIL(&p->waiting, call, entry);
	probe_next(p);
	return call;
}

/* One that is under way goes on to its answer or its deadline: to kill for
 * each would start as many. */
void
probe_cancel(struct probe_call *call)
{
	struct probe *p;

	if (call == NULL)
		return;
	p = call->probe;
	call->done = NULL;
	if (call == p->running)
		return;
	TAILQ_REMOVE(&p->waiting, call, entry);
	probe_call_free(call);
}

int
probe_pid(const struct probe *p)
{
	return (int)p->proc.pid;
}

static void
probe_call_free(struct probe_call *call)
{
	timer_free(call->timer);
	free(call);
}

/* Sends the oldest question when there is a probe that is free. */
static void
probe_next(struct probe *p)
{
	struct probe_call *call = TAILQ_FIRST(&p->waiting);
	usec_t left;

	if (call == NULL || p->running != NULL || p->dying ||
	    timer_armed(p->again))
		return;
	if (p->proc.pid == 0 && !probe_start(p))
		return;
	left = (call->until - clock_now().raw) / USEC_MSEC;
	call->ask.ms = left < 1 ? 1 : (uint32_t)left;
	if (send(p->proc.fd, &call->ask, sizeof(call->ask), MSG_NOSIGNAL) !=
	    (ssize_t)sizeof(call->ask)) {
		/* It has ended; it is reaped, and another one started. */
		probe_kill(p);
		return;
	}
	TAILQ_REMOVE(&p->waiting, call, entry);
	p->running = call;
}

static bool
probe_start(struct probe *p)
{
	struct error err;

	if (companion_start(&p->proc, &probe_program, p->program, &err) == -1) {
		if (strcmp(p->said, err.msg) != 0)
			EMIT(probe_gone, kv_s("reason", err.msg),
			    kv_i("pid", 0));
		str_cut(p->said, sizeof(p->said), err.msg);
		probe_back_off(p);
		return false;
	}
	p->link = watch_new(p->loop, p->proc.fd, WATCH_READ, probe_link_cb, p);
	p->end = watch_new(p->loop, p->proc.pidfd, WATCH_READ, probe_end_cb, p);
	return true;
}

static void
probe_kill(struct probe *p)
{
	p->dying = true;
	watch_free(p->link);
	p->link = NULL;
	companion_kill(&p->proc);
}

static void
probe_back_off(struct probe *p)
{
	timer_arm(p->again, p->backoff);
	p->backoff *= 2;
	if (p->backoff > PROBE_BACKOFF_MAX)
		p->backoff = PROBE_BACKOFF_MAX;
}

static void
probe_again_cb(void *arg)
{
	probe_next(arg);
}

static void
probe_link_cb(void *arg, int what)
{
	struct probe *p = arg;
	struct probe_call *call = p->running;
	struct probe_answer_wire w;
	struct probe_result res;

	if (recv(p->proc.fd, &w, sizeof(w), MSG_DONTWAIT) !=
		(ssize_t)sizeof(w) ||
	    call == NULL || w.id != call->ask.id || w.reason >= REASON_COUNT) {
		/* It has ended, or is not what we started. */
		probe_kill(p);
		return;
	}
	res = (struct probe_result){ .ans = w.ok ? ANS_YES : ANS_NO,
		.reason = w.ok ? "" : reason_str(w.reason),
		.pid = w.pid,
		.uptime = w.uptime,
		.items = w.items,
		.bytes = w.bytes,
		.limit = w.limit,
		.gets = w.gets,
		.hits = w.hits,
		.evictions = w.evictions,
		.connections = w.connections };
	p->backoff = PROBE_BACKOFF_MIN;
	p->said[0] = '\0';
	probe_finish(call, &res);
}

/* The probe has ended. The next one is not late for one that overran. */
static void
probe_end_cb(void *arg, int what)
{
	struct probe *p = arg;
	const struct probe_result res = { .reason =
					      reason_str(REASON_probe_ended) };
	bool again = p->overran;
	int status;

	if (!companion_reap(&p->proc, &status))
		return;
	watch_free(p->link);
	watch_free(p->end);
	p->link = p->end = NULL;
	if (!again) {
		if (strcmp(p->said, "ended") != 0)
			EMIT(probe_gone, kv_s("reason", "ended"),
			    kv_i("pid", p->proc.pid));
		str_cut(p->said, sizeof(p->said), "ended");
		probe_back_off(p);
	}
	companion_close(&p->proc);
	p->dying = p->overran = false;
	if (p->running != NULL)
		probe_finish(p->running, &res);
	else
		probe_next(p);
}

static void
probe_late_cb(void *arg)
{
	struct probe_call *call = arg;
	struct probe *p = call->probe;
	struct probe_result res = { .ans = ANS_NO,
		.reason = reason_str(REASON_timeout) };

	if (call == p->running) {
		p->overran = true;
		probe_kill(p);
	} else {
		res.ans = ANS_UNKNOWN;
		res.reason = reason_str(p->proc.pid == 0 || p->dying ?
					    REASON_probe_ended :
					    REASON_probe_busy);
	}
	probe_finish(call, &res);
}

/* The only way to the end of a call. done may ask, cancel and free all. */
static void
probe_finish(struct probe_call *call, const struct probe_result *res)
{
	struct probe *p = call->probe;
	void (*done)(void *, const struct probe_result *) = call->done;
	void *arg = call->arg;

	if (call == p->running)
		p->running = NULL;
	else
		TAILQ_REMOVE(&p->waiting, call, entry);
	probe_call_free(call);
	probe_next(p);
	if (done != NULL)
		done(arg, res);
}
