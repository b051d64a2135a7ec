/*
 * The report of one change of holder, out of what every host wrote down by its
 * own clock. Each host sees each change of the record within moments of the
 * others: from these the clocks are put beside that of the host that took over;
 * where nothing was seen by both, from the answer that the host has just given.
 * It judges nothing: what the engines said is put in order.
 */
#include <stdlib.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/story.h"
#include "hawatch/json.h"
#include "hawatch/str.h"

#define STORY_SHARED_MAX 64
#define STORY_BEFORE_MS 3000 /* what led to it */
#define STORY_AFTER_MS 60000 /* and what came of it */

struct story {
	long long epoch;
	const json_t *hosts;
	const char *self;
	const char *holder;	     /* of that epoch; "" */
	long long offset[NODES_MAX]; /* of a host's clock, to the holder's */
	json_t *doc, *lines;
};

static const json_t *
story_host(const struct story *s, const char *name)
{
	size_t i;

	for (i = 0; i < json_array_size(s->hosts); i++) {
		if (strcmp(get_str(json_array_get(s->hosts, i), "node"),
			name) == 0)
			return json_array_get(s->hosts, i);
	}
	return NULL;
}

static bool
story_is(const json_t *line, const char *ev)
{
	return strcmp(get_str(line, "ev"), ev) == 0;
}

/* Who holds in that epoch, by whoever saw it. */
static const char *
story_holder(const struct story *s)
{
	const json_t *list, *line;
	size_t i, j;

	for (i = 0; i < json_array_size(s->hosts); i++) {
		list = get_at(json_array_get(s->hosts, i), "records");
		for (j = 0; j < json_array_size(list); j++) {
			line = json_array_get(list, j);
			if (story_is(line, "record.seen") &&
			    get_int(line, "epoch") == s->epoch &&
			    get_str(line, "holder")[0] != '\0')
				return get_str(line, "holder");
		}
	}
	return "";
}

/* When that host saw the record so; 0: it did not. */
static long long
story_seen(const json_t *host, const json_t *like)
{
	const json_t *list = get_at(host, "records"), *line;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		line = json_array_get(list, i);
		if (story_is(line, "record.seen") &&
		    get_int(line, "epoch") == get_int(like, "epoch") &&
		    strcmp(get_str(line, "state"), get_str(like, "state")) == 0)
			return get_int(line, "at_ms");
	}
	return 0;
}

static int
story_order(const void *a, const void *b)
{
	const long long *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* By how much the host's clock is before that of the asker, as it answered. */
static long long
story_asked(const json_t *host)
{
	return get_int(host, "wall_ms") -
	       (get_int(host, "sent_ms") + get_int(host, "got_ms")) / 2;
}

static void
story_clock_of(struct story *s, size_t i, const json_t *mine)
{
	const json_t *host = json_array_get(s->hosts, i);
	const json_t *list = get_at(mine, "records"), *line;
	long long diff[STORY_SHARED_MAX], at;
	json_t *clock = json_object();
	size_t j, n = 0;

	for (j = 0; j < json_array_size(list) && n < STORY_SHARED_MAX; j++) {
		line = json_array_get(list, j);
		if (!story_is(line, "record.seen"))
			continue;
		at = story_seen(host, line);
		if (at != 0)
			diff[n++] = at - get_int(line, "at_ms");
	}
	qsort(diff, n, sizeof(*diff), story_order);
	json_put_string(clock, "node", get_str(host, "node"));
	json_put_i64(clock, "shared", (int64_t)n);
	if (n > 0) {
		s->offset[i] = diff[n / 2];
		json_put_i64(clock, "spread_ms", diff[n - 1] - diff[0]);
	} else {
		s->offset[i] = story_asked(host) - story_asked(mine);
		json_put_i64(clock, "spread_ms",
		    get_int(host, "got_ms") - get_int(host, "sent_ms"));
	}
	json_put_i64(clock, "offset_ms", s->offset[i]);
	json_array_append_new(json_object_get(s->doc, "clocks"), clock);
}

static void
story_clocks(struct story *s)
{
	const json_t *mine = story_host(s, s->holder), *host;
	size_t i;

	if (mine == NULL || get_has(mine, "silent"))
		mine = story_host(s, s->self);
	json_put_string(s->doc, "clock_of", get_str(mine, "node"));
	json_put(s->doc, "clocks", json_array());
	json_put(s->doc, "silent", json_array());
	for (i = 0; i < json_array_size(s->hosts) && i < NODES_MAX; i++) {
		host = json_array_get(s->hosts, i);
		if (get_has(host, "silent") || get_has(host, "error"))
			json_array_append_new(json_object_get(s->doc, "silent"),
			    json_string(get_str(host, "node")));
		else if (host != mine)
			story_clock_of(s, i, mine);
	}
}

static int
story_line_order(const void *a, const void *b)
{
	const json_t *const *x = a, *const *y = b;
	long long p = get_int(*x, "at_ms"), q = get_int(*y, "at_ms");

	return p < q ? -1 : p > q;
}

/* All lines by one clock. */
static void
story_merge(struct story *s)
{
	json_t *all = json_array(), *line, **row;
	const json_t *host, *list;
	size_t i, j, n;

	for (i = 0; i < json_array_size(s->hosts) && i < NODES_MAX; i++) {
		host = json_array_get(s->hosts, i);
		list = get_at(host, "records");
		for (j = 0; j < json_array_size(list); j++) {
			line = json_copy(json_array_get(list, j));
			json_put_i64(line, "at_ms",
			    get_int(line, "at_ms") - s->offset[i]);
			json_put_string(line, "node", get_str(host, "node"));
			json_array_append_new(all, line);
		}
	}
	n = json_array_size(all);
	row = calloc(n + 1, sizeof(*row));
	for (i = 0; row != NULL && i < n; i++)
		row[i] = json_array_get(all, i);
	if (row != NULL)
		qsort(row, n, sizeof(*row), story_line_order);
	s->lines = json_array();
	for (i = 0; row != NULL && i < n; i++)
		json_array_append(s->lines, row[i]);
	free(row);
	json_decref(all);
}

static json_t *
story_point(const json_t *line)
{
	json_t *obj = json_object();

	json_put_string(obj, "node", get_str(line, "node"));
	json_put_string(obj, "ev", get_str(line, "ev"));
	json_put_i64(obj, "at_ms", get_int(line, "at_ms"));
	return obj;
}

/* The new holder lets clients write. */
static size_t
story_open(const struct story *s)
{
	const json_t *line;
	size_t i;

	for (i = 0; i < json_array_size(s->lines); i++) {
		line = json_array_get(s->lines, i);
		if (story_is(line, "fence.open") &&
		    get_int(line, "epoch") == s->epoch &&
		    strcmp(get_str(line, "node"), s->holder) == 0)
			break;
	}
	return i;
}

/* The other host's last stop before that: the first of what stopped it after it
 * was open for the last time. */
static const json_t *
story_closed(const struct story *s, size_t open)
{
	const json_t *line, *first = NULL;
	size_t i;

	for (i = open; i-- > 0;) {
		line = json_array_get(s->lines, i);
		if (strcmp(get_str(line, "node"), s->holder) == 0)
			continue;
		if (story_is(line, "fence.open"))
			break;
		if (story_is(line, "fence.closed") ||
		    story_is(line, "postmaster.gone") ||
		    story_is(line, "lease.lost"))
			first = line;
	}
	return first;
}

/* The takeover of that epoch, as the new holder began it. */
static const json_t *
story_taken(const struct story *s)
{
	const json_t *line, *taken = NULL;
	size_t i;

	for (i = 0; i < json_array_size(s->lines); i++) {
		line = json_array_get(s->lines, i);
		if (strcmp(get_str(line, "node"), s->holder) == 0 &&
		    story_is(line, "plan.start") &&
		    str_starts(get_str(line, "text"), "takeover") &&
		    get_int(line, "epoch") >= s->epoch - 1)
			taken = line;
	}
	return taken;
}

/* The old one cannot say when it ended: when it was heard last. */
static json_t *
story_lost(const json_t *taken)
{
	json_t *obj;

	if (taken == NULL || !get_has(taken, "heard_ms"))
		return NULL;
	obj = json_object();
	json_put_string(obj, "node", get_str(taken, "old"));
	json_put_i64(
	    obj, "at_ms", get_int(taken, "at_ms") - get_int(taken, "heard_ms"));
	return obj;
}

static void
story_bytes(struct story *s, const json_t *closed, const json_t *taken)
{
	lsn_t before = 0, after = 0;

	if (closed == NULL || taken == NULL ||
	    lsn_parse(get_str(closed, "wal"), &before) == -1 ||
	    lsn_parse(get_str(taken, "wal"), &after) == -1 || before == 0 ||
	    after == 0)
		return;
	json_put_lsn(s->doc, "wal_before", before);
	json_put_lsn(s->doc, "wal_after", after);
	json_put_i64(s->doc, "bytes_behind",
	    before > after ? (int64_t)(before - after) : 0);
}

/* What the new holder said of its takeover. */
static void
story_proof(struct story *s)
{
	const json_t *line;
	size_t i;

	for (i = 0; i < json_array_size(s->lines); i++) {
		line = json_array_get(s->lines, i);
		if (strcmp(get_str(line, "node"), s->holder) != 0)
			continue;
		if (story_is(line, "takeover.loss"))
			json_put_string(s->doc, "loss", get_str(line, "text"));
		if (get_str(line, "proof")[0] == '\0' ||
		    get_int(line, "epoch") != s->epoch)
			continue;
		json_put_string(s->doc, "proof", get_str(line, "proof"));
		json_put_string(
		    s->doc, "proof_why", get_str(line, "proof_why"));
		json_put_string(
		    s->doc, "durability", get_str(line, "durability"));
	}
}

static void
story_outage(struct story *s)
{
	size_t open = story_open(s), n = json_array_size(s->lines);
	const json_t *to = open < n ? json_array_get(s->lines, open) : NULL;
	const json_t *from = story_closed(s, open < n ? open : 0);
	const json_t *taken = story_taken(s);
	json_t *lost = from == NULL ? story_lost(taken) : NULL;

	if (to != NULL)
		json_put(s->doc, "to", story_point(to));
	if (from != NULL)
		json_put(s->doc, "from", story_point(from));
	if (lost != NULL)
		json_put(s->doc, "lost", lost);
	if (from != NULL && to != NULL)
		json_put_i64(s->doc, "outage_ms",
		    get_int(to, "at_ms") - get_int(from, "at_ms"));
	story_proof(s);
	story_bytes(s, from, taken);
}

static long long
story_begin(const struct story *s)
{
	static const char *const paths[] = { "from.at_ms", "lost.at_ms",
		"to.at_ms" };
	const json_t *line;
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		if (get_has(s->doc, paths[i]))
			return get_int(s->doc, paths[i]);
	}
	line = json_array_get(s->lines, 0);
	return get_int(line, "at_ms");
}

/* From what led to it; what somebody should look at is listed apart. */
static void
story_timeline(struct story *s)
{
	json_t *timeline = json_array(), *odd = json_array(), *line;
	long long begin = story_begin(s), at;
	const char *level;
	size_t i;

	for (i = 0; i < json_array_size(s->lines); i++) {
		line = json_array_get(s->lines, i);
		at = get_int(line, "at_ms");
		if (at < begin - STORY_BEFORE_MS ||
		    (get_has(s->doc, "to") &&
			at > get_int(s->doc, "to.at_ms") + STORY_AFTER_MS))
			continue;
		json_put_i64(line, "after_ms", at - begin);
		json_array_append(timeline, line);
		level = get_str(line, "level");
		/* That it ended is what the report is about. */
		if ((strcmp(level, "warn") == 0 ||
			strcmp(level, "error") == 0) &&
		    at != begin)
			json_array_append(odd, line);
	}
	json_put(s->doc, "anomalies", odd);
	json_put(s->doc, "timeline", timeline);
}

json_t *
story_report(const json_t *answer)
{
	struct story s = { .epoch = get_int(answer, "epoch"),
		.hosts = get_at(answer, "hosts"),
		.self = get_str(answer, "self") };

	s.doc = json_object();
	s.holder = story_holder(&s);
	json_put_string(s.doc, "cluster", get_str(answer, "cluster"));
	json_put_i64(s.doc, "epoch", s.epoch);
	json_put_string(s.doc, "holder", s.holder);
	story_clocks(&s);
	story_merge(&s);
	story_outage(&s);
	story_timeline(&s);
	json_decref(s.lines);
	return s.doc;
}
