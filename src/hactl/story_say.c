/*
 * Of a report: what happened in one sentence, and where lines are missing that
 * it would need, with the command that shows them.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/story.h"
#include "hactl/story_i.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define SAY_AROUND_MS 60000 /* of the log, before and after */
#define SAY_HANDOVER "switchover: "

static void say_put(struct story *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void
say_put(struct story *s, const char *fmt, ...)
{
	char text[480];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_put_string(s->doc, "summary", text);
}

/* "73 ms", "1.204 s" */
static void
say_ms(char *buf, size_t size, long long ms)
{
	if (ms < 1000)
		(void)snprintf(buf, size, "%lld ms", ms);
	else
		print_ms(buf, size, ms);
}

/* How far the old holder came with a handover from where it was open last: NULL
 * if it began none; "done", also where its last line is missing; else what
 * became of it. By that line, the new holder's epoch may be known to it. */
static const char *
say_handed(const struct story *s)
{
	const char *from = get_str(s->doc, "from.node"), *text, *how = NULL;
	long long ended = get_int(s->doc, "from.at_ms"), epoch;
	const json_t *line;
	size_t i;

	for (i = 0; i < json_array_size(s->lines); i++) {
		line = json_array_get(s->lines, i);
		text = get_str(line, "text");
		epoch = get_int(line, "epoch");
		if (strcmp(get_str(line, "node"), from) != 0 ||
		    (epoch != s->before && epoch != s->epoch))
			continue;
		if (story_is(line, "fence.open"))
			how = NULL;
		if (!str_starts(text, SAY_HANDOVER))
			continue;
		if (story_is(line, "plan.start"))
			how = get_int(line, "at_ms") <= ended ? "done" : how;
		/* One that came to nothing before is none of this. */
		if (story_is(line, "plan.end"))
			how = get_int(line, "at_ms") >= ended ?
				  text + strlen(SAY_HANDOVER) :
				  NULL;
	}
	return how;
}

/* How it ended on the old host. */
static void
say_end(char *buf, size_t size, const struct story *s)
{
	const char *ev = get_str(s->doc, "from.ev"), *what;
	char day[32];

	story_day(day, sizeof(day), get_int(s->doc, "from.at_ms"));
	what = strcmp(ev, "lease.lost") == 0   ? "lost its lease" :
	       strcmp(ev, "fence.closed") == 0 ? "let clients write no more" :
						 "ended";
	(void)snprintf(buf, size, "%s%s %s at %s UTC",
	    strcmp(what, "ended") == 0 ? "PostgreSQL on " : "",
	    get_str(s->doc, "from.node"), what, day);
}

static void
say_over(struct story *s)
{
	const char *from = get_str(s->doc, "from.node");
	const char *how = say_handed(s);
	char end[160], day[32], ms[32];

	say_end(end, sizeof(end), s);
	story_day(day, sizeof(day), get_int(s->doc, "from.at_ms"));
	say_ms(ms, sizeof(ms), get_int(s->doc, "outage_ms"));
	if (strcmp(from, s->holder) == 0)
		say_put(
		    s, "%s; clients can write there again after %s.", end, ms);
	else if (how != NULL && str_starts(how, "done"))
		say_put(s,
		    "%s handed over to %s at %s UTC; nobody could write for "
		    "%s.",
		    from, s->holder, day, ms);
	else if (how != NULL)
		say_put(s,
		    "%s in a handover, which was %s; %s took over after %s.",
		    end, how, s->holder, ms);
	else
		say_put(s, "%s; %s took over after %s.", end, s->holder, ms);
}

/* Clients can write, and when they last could before is not known. */
static void
say_open(struct story *s)
{
	long long to = get_int(s->doc, "to.at_ms");
	char day[32], ms[32];

	if (get_has(s->doc, "lost")) {
		story_day(day, sizeof(day), get_int(s->doc, "lost.at_ms"));
		say_ms(ms, sizeof(ms), to - get_int(s->doc, "lost.at_ms"));
		say_put(s,
		    "%s was heard of last at %s UTC; %s took over after about "
		    "%s.",
		    get_str(s->doc, "lost.node"), day, s->holder, ms);
		return;
	}
	story_day(day, sizeof(day), to);
	say_put(s, "Clients can write on %s from %s UTC on%s.", s->holder, day,
	    s->epoch == 1 ? ": it is the first primary of this cluster" : "");
}

/* It is, now: by its own engine. */
static bool
say_is_primary(const struct story *s)
{
	const json_t *host = story_host(s, s->holder);

	return get_int(host, "now.epoch") == s->epoch &&
	       get_bool(host, "now.primary");
}

static void
say_not_open(struct story *s)
{
	if (s->holder[0] == '\0')
		say_put(s,
		    "Who took over in epoch %lld is not in the lines that the "
		    "hosts have.",
		    s->epoch);
	else if (say_is_primary(s))
		say_put(s,
		    "%s took over and lets clients write now; since when is "
		    "not in the lines that the hosts have.",
		    s->holder);
	else
		say_put(s,
		    "%s holds epoch %lld; no line says that clients could "
		    "write there.",
		    s->holder, s->epoch);
}

/* When it was written anew, and by whose word. */
static void
say_again(struct story *s)
{
	const char *how = "";
	const json_t *line;
	long long at = 0;
	char day[32];
	size_t i;

	for (i = 0; i < json_array_size(s->lines); i++) {
		line = json_array_get(s->lines, i);
		if (at == 0 && get_int(line, "epoch") == s->epoch)
			at = get_int(line, "at_ms");
		if (story_is(line, "register.cold") && how[0] == '\0')
			how = ", since the register had come back cold";
		if (story_is(line, "register.amnesiac"))
			how = ", since the register had come back with less";
		if (story_is(line, "register.adopt"))
			how = ", since a person adopted it";
	}
	story_day(day, sizeof(day), at);
	say_put(s,
	    "No takeover: %s was the primary and stayed it%s. Its record was "
	    "written again as epoch %lld at %s UTC%s; no line says that "
	    "clients had to wait.",
	    s->holder, say_is_primary(s) ? ", and lets clients write now" : "",
	    s->epoch, day, how);
}

/* Lines that this host left out in that time; NULL: none. */
static const json_t *
say_left_out(
    const struct story *s, const char *node, long long from, long long until)
{
	const json_t *line;
	size_t i;

	for (i = 0; i < json_array_size(s->lines); i++) {
		line = json_array_get(s->lines, i);
		if (story_is(line, "history.left-out") &&
		    strcmp(get_str(line, "node"), node) == 0 &&
		    get_int(line, "at_ms") >= from &&
		    get_int(line, "at_ms") <= until)
			return line;
	}
	return NULL;
}

/* That host's log of the time, by its own clock, as seen from here. */
static void
say_gap(struct story *s, size_t i, long long from, long long until)
{
	const json_t *host = json_array_get(s->hosts, i);
	const char *node = get_str(host, "node");
	const json_t *left = say_left_out(s, node, from, until);
	bool here = !s->away && strcmp(node, s->self) == 0;
	char day[2][32], *text;
	json_t *gap;

	if (left == NULL && (s->again || get_has(s->doc, "to")) &&
	    (s->again || s->epoch == 1 || get_has(s->doc, "proof")) &&
	    !get_has(host, "error") && !get_has(host, "silent"))
		return;
	story_day(day[0], sizeof(day[0]), from + s->offset[i]);
	story_day(day[1], sizeof(day[1]), until + s->offset[i]);
	text = xasprintf("%s%s%sjournalctl -u hawatchd --utc --since '%s UTC' "
			 "--until '%s UTC'%s",
	    here ? "" : "ssh ", here ? "" : node, here ? "" : " \"", day[0],
	    day[1], here ? "" : "\"");
	gap = json_object();
	json_put_string(gap, "node", node);
	json_put_string(gap, "left_out", get_str(left, "text"));
	json_put_string(gap, "command", text);
	json_array_append_new(json_object_get(s->doc, "gaps"), gap);
	free(text);
}

void
story_say(struct story *s)
{
	const json_t *list = get_at(s->doc, "timeline");
	size_t i, n = json_array_size(list);
	long long from, until;

	if (s->again)
		say_again(s);
	else if (get_has(s->doc, "outage_ms"))
		say_over(s);
	else if (get_has(s->doc, "to"))
		say_open(s);
	else
		say_not_open(s);
	json_put(s->doc, "gaps", json_array());
	if (n == 0)
		return;
	from = get_int(json_array_get(list, 0), "at_ms") - SAY_AROUND_MS;
	until = get_int(json_array_get(list, n - 1), "at_ms") + SAY_AROUND_MS;
	for (i = 0; i < json_array_size(s->hosts) && i < NODES_MAX; i++)
		if (get_bool(json_array_get(s->hosts, i), "data"))
			say_gap(s, i, from, until);
}
