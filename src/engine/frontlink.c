/*
 * The life of hawatch-front as the engine sees it: started, ready, stalled,
 * gone, started again. Frames are in frontlink_io.c. Nothing here waits: a
 * front that is slow, stopped or broken costs the engine nothing but a kill.
 */
#include "engine/frontlink.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hawatch/emit.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define FRONTLINK_BACKOFF_MIN (10 * USEC_MSEC)
#define FRONTLINK_BACKOFF_MAX (1 * USEC_SEC)
/* A front that lived so long is started again without delay. */
#define FRONTLINK_LIVED (5 * USEC_SEC)

static const struct companion_spec frontlink_program = {
	.name = "hawatch-front",
	.folder = "front",
	.socket = SOCK_STREAM,
	.complains = true,
};

static int frontlink_user(struct frontlink *l, struct error *err);
static void frontlink_start(struct frontlink *l);
static void frontlink_gone(struct frontlink *l, int status);
static void frontlink_link_cb(void *arg, int what);
static void frontlink_end_cb(void *arg, int what);
static void frontlink_again_cb(void *arg);
static void frontlink_stall_cb(void *arg);

struct frontlink *
frontlink_new(struct loop *loop, const struct conf *conf, const char *program,
    front_request_fn fn, void *arg, struct error *err)
{
	struct frontlink *l = xcalloc(1, sizeof(*l));

	l->loop = loop;
	l->conf = conf;
	l->fn = fn;
	l->arg = arg;
	l->proc = COMPANION_NONE;
	l->backoff = FRONTLINK_BACKOFF_MIN;
	STAILQ_INIT(&l->replies);
	STAILQ_INIT(&l->lines);
	l->again = timer_new(loop, frontlink_again_cb, l);
	l->stall = timer_new(loop, frontlink_stall_cb, l);
	if (companion_find(&frontlink_program, program, l->program,
		sizeof(l->program), err) == -1 ||
	    frontlink_user(l, err) == -1) {
		frontlink_free(l);
		return NULL;
	}
	frontlink_start(l);
	return l;
}

/* Once, before the loop: the lookup may wait for a directory service. */
static int
frontlink_user(struct frontlink *l, struct error *err)
{
	const struct passwd *pw;

	l->uid = getuid();
	l->gid = getgid();
	if (geteuid() != 0)
		return 0;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): no thread looks users up */
	pw = getpwnam(l->conf->user);
	if (pw == NULL)
		return error_set(err, ERR_CONFIG,
		    "no user \"%s\": adduser --system --group %s",
		    l->conf->user, l->conf->user);
	if (pw->pw_uid == 0 || pw->pw_gid == 0)
		return error_set(err, ERR_CONFIG,
		    "user \"%s\" has the rights of root; name another one",
		    l->conf->user);
	l->uid = pw->pw_uid;
	l->gid = pw->pw_gid;
	return 0;
}

void
frontlink_free(struct frontlink *l)
{
	if (l == NULL)
		return;
	watch_free(l->link);
	watch_free(l->end);
	timer_free(l->again);
	timer_free(l->stall);
	companion_end(&l->proc);
	frontlink_reset(l);
	free(l->snap);
	free(l->doc);
	free(l->doc_text);
	free(l);
}

int
frontlink_pid(const struct frontlink *l)
{
	return (int)l->proc.pid;
}

static void
frontlink_start(struct frontlink *l)
{
	struct error err;

	l->generation++;
	l->last_id = (uint64_t)l->generation << FRAME_ID_BITS;
	l->started_at = clock_now().raw;
	l->why[0] = '\0';
	if (companion_start(&l->proc, &frontlink_program, l->program, &err) ==
	    -1) {
		str_cut(l->why, sizeof(l->why), err.msg);
		frontlink_gone(l, 0);
		return;
	}
	l->link =
	    watch_new(l->loop, l->proc.fd, WATCH_READ, frontlink_link_cb, l);
	l->end =
	    watch_new(l->loop, l->proc.pidfd, WATCH_READ, frontlink_end_cb, l);
	timer_arm(l->stall, FRONTLINK_READY);
	frontlink_config(l);
}

void
frontlink_fail(struct frontlink *l, const char *why)
{
	if (l->why[0] == '\0')
		str_cut(l->why, sizeof(l->why), why);
	l->ready = false;
	timer_disarm(l->stall);
	watch_free(l->link);
	l->link = NULL;
	companion_kill(&l->proc);
}

static void
frontlink_gone(struct frontlink *l, int status)
{
	usec_t lived = clock_now().raw - l->started_at;
	char how[64];

	if (WIFSIGNALED(status))
		(void)snprintf(how, sizeof(how), "signal %d", WTERMSIG(status));
	else
		(void)snprintf(
		    how, sizeof(how), "exit %d", WEXITSTATUS(status));
	if (l->why[0] == '\0')
		str_cut(l->why, sizeof(l->why), how);
	if (strcmp(l->why, l->said) != 0)
		EMIT(front_gone, kv_s("reason", l->why), kv_s("status", how),
		    kv_i("pid", l->proc.pid), kv_i("ms", lived / USEC_MSEC));
	str_cut(l->said, sizeof(l->said), l->why);
	watch_free(l->link);
	watch_free(l->end);
	l->link = l->end = NULL;
	timer_disarm(l->stall);
	companion_close(&l->proc);
	frontlink_reset(l);
	if (lived >= FRONTLINK_LIVED)
		l->backoff = FRONTLINK_BACKOFF_MIN;
	timer_arm(l->again, l->backoff);
	l->backoff *= 2;
	if (l->backoff > FRONTLINK_BACKOFF_MAX)
		l->backoff = FRONTLINK_BACKOFF_MAX;
}

static void
frontlink_link_cb(void *arg, int what)
{
	struct frontlink *l = arg;

	if ((what & WATCH_READ) != 0)
		(void)frontlink_read(l);
	if (l->link != NULL && (what & WATCH_WRITE) != 0)
		frontlink_flush(l);
}

static void
frontlink_end_cb(void *arg, int what)
{
	struct frontlink *l = arg;
	int status = 0;

	/* Its last words may say why. */
	while (l->link != NULL && frontlink_read(l))
		continue;
	if (companion_reap(&l->proc, &status))
		frontlink_gone(l, status);
}

static void
frontlink_again_cb(void *arg)
{
	frontlink_start(arg);
}

/* The engine itself may have been stopped: what came meanwhile counts. */
static void
frontlink_stall_cb(void *arg)
{
	struct frontlink *l = arg;
	uint64_t sent = l->sent;

	if (!l->ready) {
		while (l->link != NULL && frontlink_read(l))
			continue;
		if (!l->ready && l->link != NULL)
			frontlink_fail(l, "not ready in time");
		return;
	}
	frontlink_flush(l);
	if (l->link != NULL && l->out != NULL && l->sent == sent)
		frontlink_fail(l, "stalled");
}
