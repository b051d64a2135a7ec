/*
 * The watch over a host of a real pair; see watchtest.h.
 */
#include "watchtest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hawatch/emit.h"
#include "hawatch/loop.h"

static void
on_line(void *arg, enum level level, const char *line)
{
	(void)arg;
	(void)level;
	if (getenv("VERBOSE") != NULL)
		fprintf(stderr, "  %s\n", line);
}

static void
on_changed(void *arg)
{
	((struct watchtest *)arg)->changed++;
}

static void
on_gone(void *arg)
{
	struct watchtest *x = arg;

	x->gone++;
	x->gone_at = pair_ms();
}

void
watchtest_up(struct watchtest *x, struct pghost *h)
{
	struct error err;
	struct pgwatch_calls calls = {
		.changed = on_changed, .gone = on_gone, .arg = x
	};

	memset(x, 0, sizeof(*x));
	emit_to(on_line, NULL);
	x->loop = loop_new(&err);
	x->w = pgwatch_new(x->loop, &h->conf, &calls);
	x->v = pgwatch_view(x->w);
}

void
watchtest_down(struct watchtest *x)
{
	pgwatch_free(x->w);
	loop_free(x->loop);
}

bool
watchtest_primary(void *arg)
{
	const struct pg_view *v = ((struct watchtest *)arg)->v;

	return v->running == ANS_YES && v->recovery == ANS_NO &&
	       v->probe_at != 0 && v->sender[PAIR_S2].streaming;
}

bool
watchtest_standby(void *arg)
{
	const struct pg_view *v = ((struct watchtest *)arg)->v;

	return v->running == ANS_YES && v->recovery == ANS_YES && v->receiver;
}

bool
watchtest_gone(void *arg)
{
	return ((struct watchtest *)arg)->v->running == ANS_NO;
}

bool
watchtest_new(void *arg)
{
	struct watchtest *x = arg;

	return x->v->seen_at > x->mark;
}

void
watchtest_again(struct watchtest *x)
{
	x->mark = clock_now().raw;
	pgwatch_poke(x->w);
	assert_true(pump(x->loop, watchtest_new, x, WATCHTEST_WAIT));
}
