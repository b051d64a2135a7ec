/*
 * hawatch-sim: runs seeds, and prints what happened, or the seed that broke a
 * promise, its last lines, and the command that shows all of it.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hawatch/str.h"
#include "sim.h"

#define LAST_LINES 60

struct options {
	uint64_t from, to;
	usec_t length;
	bool trace, verbose, coverage, twice, quiet, all;
};

static void
usage(void)
{
	fprintf(stderr,
	    "usage: hawatch-sim [--seed N | --seeds A..B] "
	    "[--minutes N] [--trace] "
	    "[--verbose] [--twice] [--all] [--coverage] [--quiet]\n");
	exit(2);
}

/* The failing seed once more, for its last lines. */
static void
show_end(const char *self, const struct options *o, uint64_t seed)
{
	char cmd[4096];

	fflush(stdout);
	snprintf(cmd, sizeof(cmd),
	    "'%s' --seed %llu --minutes %lld --trace "
	    "--quiet | tail -n %d",
	    self, (unsigned long long)seed,
	    (long long)(o->length / USEC_SEC / 60), LAST_LINES);
	if (system(cmd) != 0)
		printf("(no trace)\n");
	printf("replay: %s --seed %llu --minutes %lld --trace\n", self,
	    (unsigned long long)seed, (long long)(o->length / USEC_SEC / 60));
}

/* One seed; its hash. *failed: a promise was broken. */
static uint64_t
run_one(
    const struct options *o, uint64_t seed, struct totals *tot, bool *failed)
{
	struct plan plan = { .length = o->length, .trace = o->trace };
	struct world *w = world_new(&plan, seed, tot);
	uint64_t hash;

	w->verbose = o->verbose;
	world_run(w);
	hash = w->hash;
	*failed = w->failed;
	if (w->failed && !o->trace)
		printf("VIOLATED %s seed %llu at %lld ms: %s\n", w->promise,
		    (unsigned long long)seed, (long long)w->t / USEC_MSEC,
		    w->what);
	world_free(w);
	return hash;
}

static void
print_totals(const struct totals *t, uint64_t hash)
{
	int f;

	printf("runs %llu, simulated %lld h %lld min, events %llu, votes "
	       "acknowledged %llu, openings %llu, takeovers %llu, liveness not "
	       "asked %llu\nfaults:",
	    (unsigned long long)t->runs, (long long)(t->time / USEC_SEC / 3600),
	    (long long)(t->time / USEC_SEC / 60 % 60),
	    (unsigned long long)t->events, (unsigned long long)t->acked,
	    (unsigned long long)t->opens, (unsigned long long)t->takeovers,
	    (unsigned long long)t->skipped_live);
	for (f = 0; f < F_COUNT; f++)
		printf(" %s %llu", fault_name[f],
		    (unsigned long long)t->faults[f]);
	printf("\nhash %016llx\n", (unsigned long long)hash);
}

static void
parse_seeds(struct options *o, char *arg)
{
	char *dots = strstr(arg, "..");

	if (dots == NULL) {
		if (str_parse_u64(arg, &o->from) == -1)
			usage();
		o->to = o->from;
		return;
	}
	*dots = '\0';
	if (str_parse_u64(arg, &o->from) == -1 ||
	    str_parse_u64(dots + 2, &o->to) == -1)
		usage();
}

static void
parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = { { "seed", required_argument,
						   NULL, 's' },
		{ "seeds", required_argument, NULL, 's' },
		{ "minutes", required_argument, NULL, 'm' },
		{ "trace", no_argument, NULL, 't' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "all", no_argument, NULL, 'a' },
		{ "twice", no_argument, NULL, '2' },
		{ "coverage", no_argument, NULL, 'c' },
		{ "quiet", no_argument, NULL, 'q' }, { NULL, 0, NULL, 0 } };
	uint64_t minutes;
	int ch;

	while ((ch = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (ch == 's')
			parse_seeds(o, optarg);
		else if (ch == 'm' && str_parse_u64(optarg, &minutes) == 0)
			o->length = (usec_t)minutes * 60 * USEC_SEC;
		else if (ch == 't')
			o->trace = true;
		else if (ch == 'v')
			o->trace = o->verbose = true;
		else if (ch == 'a')
			o->all = true;
		else if (ch == '2')
			o->twice = true;
		else if (ch == 'c')
			o->coverage = true;
		else if (ch == 'q')
			o->quiet = true;
		else
			usage();
	}
	if (optind != argc)
		usage();
}

int
main(int argc, char **argv)
{
	struct options o = { .from = 1, .to = 100, .length = 300 * USEC_SEC };
	struct totals tot = { 0 };
	uint64_t seed, hash, all = 0;
	bool failed = false, again, any = false;
	int never = 0;

	parse(&o, argc, argv);
	for (seed = o.from; seed <= o.to && (!any || o.all); seed++) {
		hash = run_one(&o, seed, &tot, &failed);
		if (o.twice && run_one(&o, seed, &tot, &again) != hash) {
			printf("seed %llu does not replay\n",
			    (unsigned long long)seed);
			return 1;
		}
		all = all * 31 + hash;
		any = any || failed;
	}
	if (any && !o.all && !o.trace && !o.quiet)
		show_end(argv[0], &o, seed - 1);
	if (!o.quiet)
		print_totals(&tot, all);
	if (o.coverage) {
		never = cover_print(&tot);
		printf("never entered: %d\n", never);
	}
	return any ? 1 : never > 0 ? 3 : 0;
}
