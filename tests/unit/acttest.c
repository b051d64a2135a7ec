/*
 * Running one action to its end in a test; see acttest.h.
 */
#include "acttest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/env.h"
#include "hawatch/emit.h"
#include "hawatch/loop.h"
#include "hawatch/worker.h"

static void
acttest_line(void *arg, enum level level, const char *line)
{
	(void)arg;
	(void)level;
	if (getenv("VERBOSE") != NULL)
		fprintf(stderr, "  %s\n", line);
}

static void
acttest_done(void *arg, enum act_kind kind, const struct goal *goal,
    enum answer ans, const char *reason)
{
	struct acttest *t = arg;

	t->done++;
	t->kind = kind;
	t->goal = *goal;
	t->ans = ans;
	snprintf(t->reason, sizeof(t->reason), "%s", reason);
}

void
acttest_up(struct acttest *t, struct pghost *h)
{
	struct error err;

	memset(t, 0, sizeof(*t));
	emit_to(acttest_line, NULL);
	t->loop = loop_new(&err);
	if (t->loop == NULL)
		abort();
	t->worker = worker_new(t->loop);
	t->env = act_env_new(t->loop, &h->conf, t->worker);
	t->acts = acts_new(t->env, acttest_done, t);
}

void
acttest_down(struct acttest *t)
{
	acts_free(t->acts);
	act_env_free(t->env);
	worker_free(t->worker);
	loop_free(t->loop);
}

static bool
acttest_is_done(void *arg)
{
	return ((struct acttest *)arg)->done > 0;
}

bool
acttest_run(struct acttest *t, enum act_kind kind, const struct goal *goal,
    usec_t limit)
{
	double start = pair_ms();
	bool done;

	t->done = 0;
	acts_start(t->acts, kind, goal);
	if (t->done != 0)
		abort(); /* never from within acts_start */
	done = pump(t->loop, acttest_is_done, t, limit);
	t->ms = pair_ms() - start;
	if (!done)
		snprintf(t->reason, sizeof(t->reason), "%s",
		    acts_reason(t->acts, kind));
	printf("    %s: %s %s %.1f ms\n", act_kind_str(kind),
	    !done	      ? "late" :
	    t->ans == ANS_YES ? "yes" :
				"no",
	    t->reason, t->ms);
	return done;
}

static bool
acttest_never(void *arg)
{
	(void)arg;
	return false;
}

void
acttest_idle(struct acttest *t, usec_t time)
{
	(void)pump(t->loop, acttest_never, t, time);
}

bool
acttest_wait(
    struct acttest *t, bool (*cond)(void *arg), void *arg, usec_t limit)
{
	return pump(t->loop, cond, arg, limit);
}
