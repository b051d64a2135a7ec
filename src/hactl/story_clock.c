/*
 * Of a report: by how much each host's clock is before that of the host that
 * took over. Each host that reaches the register sees each change of the record
 * within moments of the others, and that stays true when a clock was set since.
 * A host that was cut off sees a change only when it is back, and one that was
 * started when it is up: such lines say nothing of clocks. So it takes two that
 * agree; else the clocks are compared as they are now, by the answer that the
 * host has just given.
 */
#include <stdlib.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/story_i.h"
#include "hawatch/json.h"

#define CLOCK_SHARED_MAX 64
#define CLOCK_SHARED_MIN 2
#define CLOCK_AGREE_MS 250

/* From then on it may have been late in all that it saw. */
static bool
clock_is_cut(const json_t *line)
{
	return story_is(line, "register.lost") ||
	       story_is(line, "register.found") ||
	       story_is(line, "peer.lost") || story_is(line, "peer.found");
}

/* How many of that host's lines, from the first, tell of the record in time. */
static size_t
clock_until(const json_t *list)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		if (clock_is_cut(json_array_get(list, i)))
			break;
	return i;
}

/* A change that was seen as one: what an engine sees first after its start is
 * older. */
static bool
clock_is_change(const json_t *list, size_t i)
{
	if (!story_is(json_array_get(list, i), "record.seen"))
		return false;
	while (i-- > 0) {
		if (story_is(json_array_get(list, i), "record.seen"))
			return true;
		if (story_is(json_array_get(list, i), "daemon.start"))
			return false;
	}
	return true;
}

/* When that host saw the record so, in time; 0: it did not. */
static long long
clock_seen(const json_t *host, const json_t *like)
{
	const json_t *list = get_at(host, "records"), *line;
	size_t i, n = clock_until(list);

	for (i = 0; i < n; i++) {
		line = json_array_get(list, i);
		if (clock_is_change(list, i) &&
		    get_int(line, "epoch") == get_int(like, "epoch") &&
		    strcmp(get_str(line, "state"), get_str(like, "state")) == 0)
			return get_int(line, "at_ms");
	}
	return 0;
}

static int
clock_order(const void *a, const void *b)
{
	const long long *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* How far apart both clocks were by each change that both saw, in order. */
static size_t
clock_shared(
    const json_t *host, const json_t *mine, long long diff[CLOCK_SHARED_MAX])
{
	const json_t *list = get_at(mine, "records"), *line;
	size_t j, n = 0, until = clock_until(list);
	long long at;

	for (j = 0; j < until && n < CLOCK_SHARED_MAX; j++) {
		if (!clock_is_change(list, j))
			continue;
		line = json_array_get(list, j);
		at = clock_seen(host, line);
		if (at != 0)
			diff[n++] = at - get_int(line, "at_ms");
	}
	qsort(diff, n, sizeof(*diff), clock_order);
	return n;
}

/* By how much the host's clock is before that of the asker, as it answered. How
 * long it looked for its lines is known by its own clock. */
static long long
clock_asked(const json_t *host)
{
	long long wall = get_int(host, "wall_ms");
	long long asked =
	    get_has(host, "asked_ms") ? get_int(host, "asked_ms") : wall;

	return (asked - get_int(host, "sent_ms") + wall -
		   get_int(host, "got_ms")) /
	       2;
}

/* How long the answer was on its way. */
static long long
clock_took(const json_t *host)
{
	long long took = get_int(host, "got_ms") - get_int(host, "sent_ms");

	if (get_has(host, "asked_ms"))
		took -= get_int(host, "wall_ms") - get_int(host, "asked_ms");
	return took < 0 ? 0 : took;
}

static void
clock_now_of(const json_t *host, const json_t *mine, json_t *clock)
{
	if (!get_has(host, "wall_ms") || !get_has(mine, "wall_ms")) {
		json_put_string(clock, "by", "nothing");
		return;
	}
	json_put_string(clock, "by", "now");
	json_put_i64(clock, "offset_ms", clock_asked(host) - clock_asked(mine));
	json_put_i64(clock, "spread_ms", clock_took(host) + clock_took(mine));
}

static void
clock_of(struct story *s, size_t i, const json_t *mine)
{
	const json_t *host = json_array_get(s->hosts, i);
	long long diff[CLOCK_SHARED_MAX];
	size_t n = clock_shared(host, mine, diff);
	json_t *clock = json_object();

	json_put_string(clock, "node", get_str(host, "node"));
	json_put_i64(clock, "shared", (int64_t)n);
	if (n >= CLOCK_SHARED_MIN && diff[n - 1] - diff[0] <= CLOCK_AGREE_MS) {
		json_put_string(clock, "by", "record");
		json_put_i64(clock, "offset_ms", diff[n / 2]);
		json_put_i64(clock, "spread_ms", diff[n - 1] - diff[0]);
	} else {
		clock_now_of(host, mine, clock);
	}
	s->offset[i] = get_int(clock, "offset_ms");
	json_array_append_new(json_object_get(s->doc, "clocks"), clock);
}

void
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
			clock_of(s, i, mine);
	}
}
