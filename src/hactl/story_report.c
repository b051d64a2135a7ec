/*
 * The report of one change of holder, out of what every host wrote down by its
 * own clock: all lines put in order, and those chosen that belong to it. It
 * judges nothing: what the engines said is put in order.
 */
#include <stdlib.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/story.h"
#include "hactl/story_i.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define STORY_BEFORE_MS 3000 /* what led to it */
#define STORY_AFTER_MS 60000 /* and what came of it */

const json_t *
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

bool
story_is(const json_t *line, const char *ev)
{
	return strcmp(get_str(line, "ev"), ev) == 0;
}

/* Who holds in that epoch, by that line; "". */
static const char *
story_holds(const json_t *host, const json_t *line, long long epoch)
{
	const char *text = get_str(line, "text");

	if (get_int(line, "epoch") != epoch)
		return "";
	if (story_is(line, "record.seen"))
		return get_str(line, "holder");
	if (story_is(line, "fence.open") ||
	    (story_is(line, "record.written") &&
		(str_starts(text, "held ") || str_starts(text, "claimed "))))
		return get_str(host, "node");
	return "";
}

const char *
story_holder(const struct story *s, long long epoch)
{
	const json_t *list, *host;
	const char *holder;
	size_t i, j;

	for (i = 0; i < json_array_size(s->hosts); i++) {
		host = json_array_get(s->hosts, i);
		list = get_at(host, "records");
		for (j = 0; j < json_array_size(list); j++) {
			holder =
			    story_holds(host, json_array_get(list, j), epoch);
			if (holder[0] != '\0')
				return holder;
		}
		if (get_int(host, "now.epoch") == epoch &&
		    get_str(host, "now.holder")[0] != '\0')
			return get_str(host, "now.holder");
	}
	return "";
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
			story_here(line, s->away ? "" : s->self);
			json_array_append_new(all, line);
		}
	}
	n = json_array_size(all);
	row = xcalloc(n + 1, sizeof(*row));
	for (i = 0; i < n; i++)
		row[i] = json_array_get(all, i);
	qsort(row, n, sizeof(*row), story_line_order);
	s->lines = json_array();
	for (i = 0; i < n; i++)
		json_array_append(s->lines, row[i]);
	free(row);
	json_decref(all);
}

/* The epoch before is the last one that anybody saw: who goes on without a
 * register that he cannot reach leaves one out. */
static void
story_before(struct story *s)
{
	const json_t *list;
	long long epoch;
	size_t i, j;

	for (i = 0; i < json_array_size(s->hosts); i++) {
		list = get_at(json_array_get(s->hosts, i), "records");
		for (j = 0; j < json_array_size(list); j++) {
			epoch = get_int(json_array_get(list, j), "epoch");
			if (epoch < s->epoch && epoch > s->before)
				s->before = epoch;
		}
	}
}

/* From what moment the others are counted, and what it is. */
static long long
story_since(struct story *s, long long at, const char *what, const char *name,
    const char *then)
{
	char text[NODE_NAME_MAX + 64];

	(void)snprintf(text, sizeof(text), "%s%s%s", what, name, then);
	json_put_string(s->doc, "since", text);
	json_put_i64(s->doc, "since_at_ms", at);
	return at;
}

static long long
story_begin(struct story *s)
{
	static const struct {
		const char *at, *node, *what, *then;
	} rows[] = {
		{ "from.at_ms", "from.node", "the last write was possible on ",
		    "" },
		{ "lost.at_ms", "lost.node", "", " was heard of last" },
		{ "to.at_ms", "to.node", "clients can write on ", "" },
	};
	const json_t *line;
	char epoch[24];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (get_has(s->doc, rows[i].at))
			return story_since(s, get_int(s->doc, rows[i].at),
			    rows[i].what, get_str(s->doc, rows[i].node),
			    rows[i].then);
	}
	(void)snprintf(epoch, sizeof(epoch), "%lld", s->epoch);
	for (i = 0; i < json_array_size(s->lines); i++) {
		line = json_array_get(s->lines, i);
		if (get_int(line, "epoch") == s->epoch)
			return story_since(s, get_int(line, "at_ms"),
			    "the first line of epoch ", epoch, "");
	}
	line = json_array_get(s->lines, 0);
	return story_since(
	    s, get_int(line, "at_ms"), "the first of these lines", "", "");
}

/* Until the new holder's takeover is over; of the others, until clients can
 * write again, and what that stirred up. */
static bool
story_belongs(const struct story *s, const json_t *line, long long done)
{
	long long to = get_int(s->doc, "to.at_ms");

	if (to == 0 || get_int(line, "at_ms") <= to + STORY_BEFORE_MS)
		return true;
	return strcmp(get_str(line, "node"), s->holder) == 0 &&
	       get_int(line, "at_ms") <= done;
}

/* When the new holder had done all of it; 0: that is not known. */
static long long
story_done(const struct story *s)
{
	const json_t *line;
	long long done = 0;
	size_t i;

	for (i = 0; i < json_array_size(s->lines); i++) {
		line = json_array_get(s->lines, i);
		if (story_is(line, "plan.end") &&
		    str_starts(get_str(line, "text"), "takeover") &&
		    get_int(line, "epoch") == s->epoch)
			done = get_int(line, "at_ms");
	}
	return done;
}

/* From what led to it; what somebody should look at is listed apart. */
static void
story_timeline(struct story *s)
{
	json_t *timeline = json_array(), *odd = json_array(), *line;
	long long begin = story_begin(s), at, done = story_done(s), end;
	const char *level;
	size_t i;

	end = (get_has(s->doc, "to") ? get_int(s->doc, "to.at_ms") : begin) +
	      STORY_AFTER_MS;
	for (i = 0; i < json_array_size(s->lines); i++) {
		line = json_array_get(s->lines, i);
		at = get_int(line, "at_ms");
		/* Nor what is of the change before the last. */
		if (at < begin - STORY_BEFORE_MS || at > end ||
		    (get_int(line, "epoch") != 0 &&
			get_int(line, "epoch") < s->before))
			continue;
		json_put_i64(line, "after_ms", at - begin);
		if (story_took_ms(line) >= 0)
			json_put_i64(line, "took_ms", story_took_ms(line));
		json_array_append(timeline, line);
		level = get_str(line, "level");
		/* That it ended is what the report is about. */
		if ((strcmp(level, "warn") == 0 ||
			strcmp(level, "error") == 0) &&
		    at != begin && story_belongs(s, line, done))
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
		.self = get_str(answer, "self"),
		.away = get_bool(answer, "away") };

	s.doc = json_object();
	story_before(&s);
	s.holder = story_holder(&s, s.epoch);
	s.old = s.before == 0 ? "" : story_holder(&s, s.before);
	json_put_string(s.doc, "cluster", get_str(answer, "cluster"));
	json_put_i64(s.doc, "epoch", s.epoch);
	if (s.before != 0)
		json_put_i64(s.doc, "before", s.before);
	json_put_string(s.doc, "holder", s.holder);
	story_clocks(&s);
	story_merge(&s);
	story_outage(&s);
	story_timeline(&s);
	story_say(&s);
	json_decref(s.lines);
	return s.doc;
}
