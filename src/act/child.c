/*
 * The program's own lines are its progress; that it moves is what the kernel
 * knows of it.
 */
#include "act/child.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/child_moved.h"
#include "act/env.h"
#include "act/primary_ask.h"
#include "act/tool_line.h"
#include "hawatch/emit.h"
#include "hawatch/job.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/reason.h"
#include "hawatch/str.h"

#define CHILD_LIMIT ((usec_t)86400 * USEC_SEC)
#define CHILD_LOOK USEC_SEC
#define CHILD_OUTPUT ((size_t)4 << 20) /* a line a second, for a day */

struct child {
	struct act *a;
	child_fn done;
	struct job *job;
	struct timer *timer;
	char program[32];
	bool counted;
	uint64_t moved; /* at the last look */
	usec_t moved_at;
};

void
child_cancel(struct child *c)
{
	if (c == NULL)
		return;
	timer_free(c->timer);
	job_cancel(c->job);
	free(c);
}

static void
child_end(struct child *c, bool ok, const char *why)
{
	child_fn done = c->done;
	struct act *a = c->a;

	child_cancel(c);
	done(a, ok, why);
}

static void
child_ended_cb(void *arg, const struct job_result *res)
{
	struct child *c = arg;
	char line[400];

	c->job = NULL;
	tool_why(res->output, res->output_len, line, sizeof(line));
	EMIT(rejoin_tool, kv_i("epoch", act_goal(c->a)->epoch),
	    kv_s("program", c->program),
	    kv_i("status", tool_status(res->status)), kv_s("output", line));
	child_end(c, res->status == 0, "");
}

void
child_counted(struct child *c)
{
	c->counted = true;
}

static void
child_say(struct child *c, uint64_t written)
{
	const char *text;
	char line[160];
	size_t len;

	text = job_output(c->job, &len);
	if (c->counted)
		snprintf(line, sizeof(line), "%llu kB written",
		    (unsigned long long)written >> 10);
	else
		tool_last(text, len, line, sizeof(line));
	act_say(c->a, line);
}

static void
child_timer_cb(void *arg)
{
	struct child *c = arg;
	usec_t now = clock_now().raw;
	uint64_t written, moved = child_moved(job_pid(c->job), &written);

	child_say(c, written);
	if (moved != c->moved) {
		c->moved = moved;
		c->moved_at = now;
	}
	if (now - c->moved_at < act_env(c->a)->stall)
		timer_arm(c->timer, CHILD_LOOK);
	else
		child_end(c, false, reason_str(REASON_stalled));
}

struct child *
child_start(struct act *a, const char *const *argv, int keep_fd,
    const struct primary_said *to, child_fn done, struct error *err)
{
	const struct act_env *env = act_env(a);
	struct child *c = xcalloc(1, sizeof(*c));
	const char *name = strrchr(argv[0], '/');
	char *secret = primary_ask_secret(to);
	const struct job_spec spec = {
		.argv = argv,
		.also = secret,
		.user = env->conf->pg.run_as,
		.deadline = CHILD_LIMIT,
		.output_max = CHILD_OUTPUT,
		.keep_fd = keep_fd,
		.kept = true,
	};

	c->a = a;
	c->done = done;
	str_cut(
	    c->program, sizeof(c->program), name == NULL ? argv[0] : name + 1);
	c->job = job_start(env->loop, &spec, child_ended_cb, c, err);
	free(secret);
	if (c->job == NULL) {
		free(c);
		return NULL;
	}
	c->moved_at = clock_now().raw;
	c->timer = timer_new(env->loop, child_timer_cb, c);
	timer_arm(c->timer, CHILD_LOOK);
	return c;
}
