/*
 * hawatch-sim: runs seeds, and prints what happened; or the seed that broke a
 * promise, a small run that breaks it, its last lines, and the command that
 * shows all of it.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "hawatch/str.h"
#include "sim.h"

#define MOMENTS_MAX 512

struct options {
	uint64_t from, to, stride;
	time_t wall; /* seconds to go on for; 0: until the last seed */
	struct plan plan;
	bool only[F_COUNT];
	uint64_t keep[MOMENTS_MAX];
	const char *list; /* a file of seeds */
	bool twice, quiet, all, coverage;
};

static void
usage(void)
{
	fprintf(stderr,
	    "usage: hawatch-sim [--seeds A..B | --seed N | --from N]\n"
	    "    [--list FILE] [--stride N] [--wall SECONDS] [--seconds N]\n"
	    "    [--nodes N] [--faults A,B]\n"
	    "    [--moments N,N] [--trace] [--verbose] [--twice] [--all]\n"
	    "    [--coverage] [--quiet]\n");
	exit(2);
}

/* One seed; its hash. *failed: a promise was broken. */
static uint64_t
run_one(
    const struct options *o, uint64_t seed, struct totals *tot, bool *failed)
{
	struct world *w = world_new(&o->plan, seed, tot);
	uint64_t hash;

	world_run(w);
	hash = w->hash;
	*failed = w->failed;
	if (w->failed && !o->plan.trace) {
		printf("VIOLATED %s seed %llu at %lld ms: %s\n", w->promise,
		    (unsigned long long)seed, (long long)w->t / USEC_MSEC,
		    w->what);
		fflush(stdout);
	}
	world_free(w);
	return hash;
}

static double
cpu_minutes(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return ((double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
		   (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6) /
	       60;
}

static void
print_totals(const struct options *o, const struct totals *t, uint64_t next,
    uint64_t hash)
{
	double hours = (double)t->time / (double)USEC_SEC / 3600;
	int f, n;

	printf("seeds %llu to %llu%s, %llu runs of",
	    (unsigned long long)o->from, (unsigned long long)(next - o->stride),
	    o->stride > 1 ? ", every other" : "", (unsigned long long)t->runs);
	for (n = 2; n <= DATA_MAX; n++)
		printf(" %s%d (%llu)", n == DATA_MAX ? "or " : "", n,
		    (unsigned long long)t->sizes[n]);
	printf(" data nodes\n%.1f simulated cluster-hours, %.0f per "
	       "CPU-minute\n%llu events, %llu votes acknowledged, %llu lost "
	       "within the bound or by order, %llu openings, %llu takeovers, "
	       "liveness not asked %llu times\nfaults:",
	    hours, hours / cpu_minutes(), (unsigned long long)t->events,
	    (unsigned long long)t->acked, (unsigned long long)t->lost,
	    (unsigned long long)t->opens, (unsigned long long)t->takeovers,
	    (unsigned long long)t->skipped_live);
	for (f = 0; f < F_COUNT; f++)
		printf(" %s %llu", fault_name[f],
		    (unsigned long long)t->faults[f]);
	printf("\nhash %016llx\nnext %llu\n", (unsigned long long)hash,
	    (unsigned long long)next);
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
parse_faults(struct options *o, char *arg)
{
	char *name;
	int f;

	o->plan.only = o->only;
	for (name = strtok(arg, ","); name != NULL; name = strtok(NULL, ",")) {
		for (f = 0; f < F_COUNT; f++)
			if (strcmp(name, fault_name[f]) == 0)
				break;
		if (f < F_COUNT)
			o->only[f] = true;
		else if (strcmp(name, "none") != 0)
			usage();
	}
}

static void
parse_moments(struct options *o, char *arg)
{
	char *one;

	o->plan.keep = o->keep;
	for (one = strtok(arg, ","); one != NULL; one = strtok(NULL, ","))
		if (strcmp(one, "none") != 0 &&
		    (o->plan.keeps == MOMENTS_MAX ||
			str_parse_u64(one, &o->keep[o->plan.keeps++]) == -1))
			usage();
}

static uint64_t
parse_number(const char *arg)
{
	uint64_t n;

	if (str_parse_u64(arg, &n) == -1 || n == 0)
		usage();
	return n;
}

static void
parse_one(struct options *o, int ch)
{
	if (ch == 's')
		parse_seeds(o, optarg);
	else if (ch == 'f') {
		o->from = parse_number(optarg);
		o->to = UINT64_MAX;
	} else if (ch == 'p')
		o->stride = parse_number(optarg);
	else if (ch == 'i')
		o->list = optarg;
	else if (ch == 'w')
		o->wall = (time_t)parse_number(optarg);
	else if (ch == 'l')
		o->plan.length = (usec_t)parse_number(optarg) * USEC_SEC;
	else if (ch == 'n') {
		o->plan.nodes = (int)parse_number(optarg);
		if (o->plan.nodes < 2 || o->plan.nodes > DATA_MAX)
			usage();
	} else if (ch == 'k')
		parse_faults(o, optarg);
	else if (ch == 'm')
		parse_moments(o, optarg);
	else if (ch == 't')
		o->plan.trace = true;
	else if (ch == 'v')
		o->plan.trace = o->plan.verbose = true;
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

static void
parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "seeds", required_argument, NULL, 's' },
		{ "from", required_argument, NULL, 'f' },
		{ "stride", required_argument, NULL, 'p' },
		{ "list", required_argument, NULL, 'i' },
		{ "wall", required_argument, NULL, 'w' },
		{ "seconds", required_argument, NULL, 'l' },
		{ "nodes", required_argument, NULL, 'n' },
		{ "faults", required_argument, NULL, 'k' },
		{ "moments", required_argument, NULL, 'm' },
		{ "trace", no_argument, NULL, 't' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "all", no_argument, NULL, 'a' },
		{ "twice", no_argument, NULL, '2' },
		{ "coverage", no_argument, NULL, 'c' },
		{ "quiet", no_argument, NULL, 'q' },
		{ NULL, 0, NULL, 0 },
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "", longs, NULL)) != -1)
		parse_one(o, ch);
	if (optind != argc)
		usage();
}

/* bad: the last seed that failed. False: one does not replay. */
static bool
run_all(const struct options *o, struct totals *tot, uint64_t *next,
    uint64_t *all, uint64_t *bad)
{
	time_t end = time(NULL) + o->wall;
	bool failed = false, again;
	uint64_t seed, hash;

	for (seed = o->from; seed <= o->to && (*bad == 0 || o->all) &&
			     (o->wall == 0 || time(NULL) < end);
	     seed += o->stride) {
		hash = run_one(o, seed, tot, &failed);
		if (o->twice && run_one(o, seed, tot, &again) != hash) {
			printf("seed %llu does not replay\n",
			    (unsigned long long)seed);
			return false;
		}
		*all = *all * 31 + hash;
		if (failed)
			*bad = seed;
	}
	*next = seed;
	return true;
}

/* The seeds of a file: a number begins the line, the rest is for people. */
static bool
run_list(struct options *o, struct totals *tot, uint64_t *next, uint64_t *all,
    uint64_t *bad)
{
	FILE *f = fopen(o->list, "r");
	unsigned long long seed;
	char line[200];
	bool ok = true;

	if (f == NULL) {
		perror(o->list);
		return false;
	}
	while (ok && (*bad == 0 || o->all) && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llu", &seed) != 1)
			continue;
		o->from = o->to = seed;
		ok = run_all(o, tot, next, all, bad);
	}
	fclose(f);
	return ok;
}

int
main(int argc, char **argv)
{
	static struct options o = { .from = 1,
		.to = 100,
		.stride = 1,
		.plan = { .length = 300 * USEC_SEC } };
	static struct totals tot;
	uint64_t next = 0, all = 0, bad = 0;
	int never = 0;

	parse(&o, argc, argv);
	if (o.list != NULL ? !run_list(&o, &tot, &next, &all, &bad) :
			     !run_all(&o, &tot, &next, &all, &bad))
		return 1;
	if (bad != 0 && !o.all && !o.plan.trace && !o.quiet)
		shrink(&o.plan, bad, argv[0]);
	if (!o.quiet)
		print_totals(&o, &tot, next, all);
	if (o.coverage) {
		never = cover_print(&tot);
		printf("never taken: %d\n", never);
	}
	return bad != 0 ? 1 : never > 0 ? 3 : 0;
}
