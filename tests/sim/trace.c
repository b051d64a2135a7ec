/*
 * The trace: text when somebody reads it, always a hash of what happened, so
 * that two runs of a seed can be compared. And the one way in which a broken
 * promise ends a run.
 */
#include <stdarg.h>

#include "sim.h"

void
trace(struct world *w, const char *fmt, ...)
{
	va_list ap;
	char *line;
	size_t n;

	if (w->tail != NULL) {
		line = w->tail->line[w->tail->n++ % TAIL_LINES];
		n = (size_t)snprintf(line, sizeof(w->tail->line[0]),
		    "%4lld.%06lld ", (long long)(w->t / USEC_SEC),
		    (long long)(w->t % USEC_SEC));
		va_start(ap, fmt);
		vsnprintf(line + n, sizeof(w->tail->line[0]) - n, fmt, ap);
		va_end(ap);
	}
	if (!w->trace)
		return;
	printf("%4lld.%06lld ", (long long)(w->t / USEC_SEC),
	    (long long)(w->t % USEC_SEC));
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static void
trace_node(struct world *w, int n)
{
	const struct host *h = &w->host[n];
	const struct core_status *st = &h->e.st;

	if (h->e.core == NULL || st->duty == NULL) {
		trace(w, "s%d has no engine", n + 1);
		return;
	}
	trace(w,
	    "s%d duty %s plan %s row %s waits '%s' claim '%s' P %x "
	    "armed %d cold %d amnesiac %d latch %d primary_epoch %llu claim "
	    "%d postgres %d wal %u tl %u from %d names %x flag %x%s%s%s seen %s",
	    n + 1, st->duty, st->plan == NULL ? "-" : st->plan,
	    st->row == NULL ? "-" : st->row, st->waits_for, st->claim_block,
	    st->possible, st->armed, st->cold, st->amnesiac, st->durable->latch,
	    (unsigned long long)st->durable->primary_epoch, st->durable->claim,
	    h->pg.st, h->pg.flushed, h->pg.tl, h->pg.source + 1, h->pg.names,
	    h->pg.flag, h->pg.recovery ? " recovery" : "",
	    h->pg.signal ? " signal" : "", fence_writers(w, n) ? " open" : "",
	    st->durable->instance);
}

void
violated(struct world *w, const char *promise, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (w->failed)
		return;
	w->failed = true;
	w->stop = true;
	snprintf(w->promise, sizeof(w->promise), "%s", promise);
	va_start(ap, fmt);
	vsnprintf(w->what, sizeof(w->what), fmt, ap);
	va_end(ap);
	for (n = 0; n < w->data; n++)
		trace_node(w, n);
	trace(w, "VIOLATED %s: %s", w->promise, w->what);
}
