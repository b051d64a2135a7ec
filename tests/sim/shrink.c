/*
 * A smaller run that breaks the same promise: fewer kinds of faults, fewer
 * moments at which they strike, a shorter time. It tries at most so many runs,
 * and prints what is left, its last lines, and the command that shows all.
 */
#include <stdlib.h>
#include <string.h>

#include "hawatch/mem.h"
#include "sim.h"

#define RUNS_MAX 200
#define MOMENTS_MAX 512

struct shrink {
	struct plan plan;
	bool only[F_COUNT];
	uint64_t keep[MOMENTS_MAX];
	uint64_t seed;
	char promise[40], what[400];
	usec_t at;
	struct totals tot;
	int runs;
};

/* Runs this plan; the same promise broken? Then it is the new best. */
static bool
shrink_try(struct shrink *s, const struct plan *plan)
{
	struct world *w;
	bool same;
	size_t i;

	if (s->runs >= RUNS_MAX)
		return false;
	s->runs++;
	w = world_new(plan, s->seed, &s->tot);
	world_run(w);
	same = w->failed &&
	       (s->promise[0] == '\0' || strcmp(w->promise, s->promise) == 0);
	if (same) {
		snprintf(s->promise, sizeof(s->promise), "%s", w->promise);
		snprintf(s->what, sizeof(s->what), "%s", w->what);
		s->at = w->t;
		s->plan.length = plan->length;
		s->plan.keeps = 0;
		for (i = 0; i < w->strucks && i < MOMENTS_MAX; i++)
			s->keep[s->plan.keeps++] = w->struck[i];
		if (plan->only != NULL)
			memcpy(s->only, plan->only, sizeof(s->only));
		else
			memcpy(s->only, w->drawn, sizeof(s->only));
		s->plan.only = s->only;
		s->plan.keep = s->keep;
	}
	world_free(w);
	return same;
}

static void
shrink_kinds(struct shrink *s)
{
	struct plan plan = s->plan;
	bool only[F_COUNT];
	int f;

	for (f = 0; f < F_COUNT; f++) {
		if (!s->only[f])
			continue;
		memcpy(only, s->only, sizeof(only));
		only[f] = false;
		plan = s->plan;
		plan.only = only;
		shrink_try(s, &plan);
	}
}

/* Without so many of the moments, from each of them on. */
static bool
shrink_without(struct shrink *s, size_t from, size_t count)
{
	uint64_t keep[MOMENTS_MAX];
	struct plan plan = s->plan;
	bool only[F_COUNT];
	size_t i, n = 0;

	for (i = 0; i < s->plan.keeps; i++)
		if (i < from || i >= from + count)
			keep[n++] = s->keep[i];
	memcpy(only, s->only, sizeof(only));
	plan.only = only;
	plan.keep = keep;
	plan.keeps = n;
	return shrink_try(s, &plan);
}

static void
shrink_moments(struct shrink *s)
{
	size_t count, from;

	for (count = (s->plan.keeps + 1) / 2; count > 0; count /= 2)
		for (from = 0; from < s->plan.keeps && s->runs < RUNS_MAX;)
			if (!shrink_without(s, from, count))
				from += count;
}

static void
shrink_length(struct shrink *s)
{
	static const int seconds[] = { 100, 120, 150, 180, 220, 260 };
	struct plan plan;
	size_t i;

	for (i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		plan = s->plan;
		plan.length = seconds[i] * USEC_SEC;
		if (plan.length < s->plan.length && shrink_try(s, &plan))
			return;
	}
}

/* "--faults a,b --moments 3,7" */
static void
shrink_command(const struct shrink *s, const char *self)
{
	const char *sep = "";
	size_t i;
	int f;

	printf("replay: %s --seed %llu --seconds %lld ", self,
	    (unsigned long long)s->seed,
	    (long long)(s->plan.length / USEC_SEC));
	if (s->plan.nodes != 0)
		printf("--nodes %d ", s->plan.nodes);
	printf("--trace --faults ");
	for (f = 0; f < F_COUNT; f++)
		if (s->only[f]) {
			printf("%s%s", sep, fault_name[f]);
			sep = ",";
		}
	if (*sep == '\0')
		printf("none");
	printf(" --moments ");
	for (i = 0; i < s->plan.keeps; i++)
		printf("%s%llu", i == 0 ? "" : ",",
		    (unsigned long long)s->keep[i]);
	printf("%s\n", s->plan.keeps == 0 ? "none" : "");
}

static void
shrink_print(struct shrink *s, const char *self)
{
	struct tail *tail = xcalloc(1, sizeof(*tail));
	struct plan plan = s->plan;
	struct world *w;
	unsigned i;
	int f, kinds = 0;

	plan.tail = tail;
	w = world_new(&plan, s->seed, &s->tot);
	world_run(w);
	world_free(w);
	for (f = 0; f < F_COUNT; f++)
		kinds += s->only[f];
	printf("the smallest of %d runs: %d kinds of faults, %zu moments, "
	       "%lld s\n",
	    s->runs, kinds, s->plan.keeps, (long long)(s->at / USEC_SEC));
	for (i = tail->n > TAIL_LINES ? tail->n - TAIL_LINES : 0; i < tail->n;
	     i++)
		puts(tail->line[i % TAIL_LINES]);
	printf("VIOLATED %s seed %llu at %lld ms: %s\n", s->promise,
	    (unsigned long long)s->seed, (long long)s->at / USEC_MSEC, s->what);
	shrink_command(s, self);
	free(tail);
}

void
shrink(const struct plan *plan, uint64_t seed, const char *self)
{
	struct shrink *s = xcalloc(1, sizeof(*s));

	s->plan = *plan;
	s->plan.trace = s->plan.verbose = false;
	s->seed = seed;
	if (shrink_try(s, &s->plan)) {
		shrink_length(s);
		shrink_moments(s);
		shrink_kinds(s);
		shrink_moments(s);
		shrink_print(s, self);
	}
	free(s);
}
