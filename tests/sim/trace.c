/*
 * The trace: text when somebody reads it, always a hash of what happened, so
 * that two runs of a seed can be compared. And the one way in which a broken
 * promise ends a run.
 */
#include <stdarg.h>

#include "sim.h"

void
mix(struct world *w, uint64_t v)
{
	w->hash = (w->hash ^ v) * 0x100000001b3u;
	w->hash ^= w->hash >> 29;
}

void
trace(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (!w->trace)
		return;
	printf("%4lld.%06lld ", (long long)(w->t / USEC_SEC),
	    (long long)(w->t % USEC_SEC));
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void
violated(struct world *w, const char *promise, const char *fmt, ...)
{
	va_list ap;

	if (w->failed)
		return;
	w->failed = true;
	w->stop = true;
	snprintf(w->promise, sizeof(w->promise), "%s", promise);
	va_start(ap, fmt);
	vsnprintf(w->what, sizeof(w->what), fmt, ap);
	va_end(ap);
	trace(w, "VIOLATED %s: %s", w->promise, w->what);
}
