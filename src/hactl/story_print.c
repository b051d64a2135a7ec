/*
 * A report for people: as text, or as a text with tables to be put into a
 * document.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/story.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define REPORT_TEXT 640

static void report_markdown(const char *text);
static void report_title(const json_t *doc, bool markdown);
static void report_say(bool markdown, const char *what, const char *text);
static void report_summary(const json_t *doc, bool markdown);
static void report_later(const json_t *doc, bool markdown);
static void report_gaps(const json_t *doc, bool markdown);
static void report_outage(const json_t *doc, bool markdown);
static void report_loss(const json_t *doc, bool markdown);
static void report_clocks(const json_t *doc, bool markdown);
static void report_silent(const json_t *doc, bool markdown);
static void report_since(const json_t *doc, bool markdown);
static void report_lines(const json_t *list, bool markdown);
static void report_line(const json_t *line, bool markdown);

void
story_print(const json_t *doc, bool markdown)
{
	const json_t *odd = get_at(doc, "anomalies");

	if (!markdown)
		report_summary(doc, markdown);
	report_title(doc, markdown);
	if (markdown)
		report_summary(doc, markdown);
	report_later(doc, markdown);
	report_outage(doc, markdown);
	report_loss(doc, markdown);
	report_clocks(doc, markdown);
	report_silent(doc, markdown);
	report_gaps(doc, markdown);
	if (get_has(doc, "paused"))
		report_say(markdown, "paused", get_str(doc, "paused"));
	if (json_array_size(odd) > 0) {
		printf(markdown ? "\n## What to look at\n" :
				  "\nWhat to look at\n");
		report_lines(odd, markdown);
	}
	printf(markdown ? "\n## What happened\n" : "\nWhat happened\n");
	report_since(doc, markdown);
	report_lines(get_at(doc, "timeline"), markdown);
}

static void
report_title(const json_t *doc, bool markdown)
{
	const char *holder = get_str(doc, "holder");
	char *text;

	text = xasprintf("Epoch %lld of cluster %s: %s%s",
	    get_int(doc, "epoch"), get_str(doc, "cluster"),
	    holder[0] == '\0' ? "the holder's lines are missing" : "held by ",
	    holder);
	if (markdown) {
		printf("# ");
		report_markdown(text);
		printf("\n\n");
	} else {
		print_line("%s", text);
		putchar('\n');
	}
	free(text);
}

/* In a list, what came from elsewhere stays text. */
static void
report_markdown(const char *text)
{
	char clean[REPORT_TEXT];
	const char *at;

	print_clean(clean, sizeof(clean), text);
	for (at = clean; *at != '\0'; at++) {
		if (strchr("\\`*_[]<>|#", *at) != NULL)
			putchar('\\');
		putchar(*at);
	}
}

static void
report_summary(const json_t *doc, bool markdown)
{
	if (markdown)
		report_markdown(get_str(doc, "summary"));
	else
		print_wrapped("", get_str(doc, "summary"));
	printf(markdown ? "\n\n" : "\n");
}

static void
report_say(bool markdown, const char *what, const char *text)
{
	char first[32];

	if (markdown) {
		printf("- **%s**: ", what[0] == '\0' ? "clock" : what);
		report_markdown(text);
		putchar('\n');
		return;
	}
	(void)snprintf(first, sizeof(first), "%-8s ", what);
	print_wrapped(first, text);
}

/* What was no change of holder, and came after it. */
static void
report_later(const json_t *doc, bool markdown)
{
	const json_t *list = get_at(doc, "later");
	char text[REPORT_TEXT];
	size_t i;

	for (i = json_array_size(list); i-- > 0;) {
		(void)snprintf(text, sizeof(text), "epoch %lld: %s",
		    get_int(json_array_get(list, i), "epoch"),
		    get_str(json_array_get(list, i), "summary"));
		report_say(markdown, "later", text);
	}
}

static void
report_outage(const json_t *doc, bool markdown)
{
	char text[REPORT_TEXT], from[32], to[32], ms[32];

	story_clock(from, sizeof(from), get_int(doc, "from.at_ms"));
	story_clock(to, sizeof(to), get_int(doc, "to.at_ms"));
	print_ms(ms, sizeof(ms), get_int(doc, "outage_ms"));
	if (get_has(doc, "outage_ms"))
		(void)snprintf(text, sizeof(text),
		    "%s: the last write was possible on %s until %s (%s), the "
		    "first on %s from %s on",
		    ms, get_str(doc, "from.node"), from,
		    get_str(doc, "from.ev"), get_str(doc, "to.node"), to);
	else if (get_bool(doc, "again"))
		(void)snprintf(text, sizeof(text),
		    "none: no line says that clients had to wait");
	else if (!get_has(doc, "to"))
		(void)snprintf(text, sizeof(text),
		    "no host has a line which says that clients could write "
		    "on %s from some moment on",
		    get_str(doc, "holder")[0] == '\0' ? "the new primary" :
							get_str(doc, "holder"));
	else if (get_has(doc, "lost")) {
		story_clock(from, sizeof(from), get_int(doc, "lost.at_ms"));
		print_ms(ms, sizeof(ms),
		    get_int(doc, "to.at_ms") - get_int(doc, "lost.at_ms"));
		(void)snprintf(text, sizeof(text),
		    "about %s: when the last write was possible is not known; "
		    "%s heard of %s last at %s, and is open from %s on",
		    ms, get_str(doc, "to.node"), get_str(doc, "lost.node"),
		    from, to);
	} else
		(void)snprintf(text, sizeof(text),
		    "when the last write was possible is not known; %s is open "
		    "from %s on",
		    get_str(doc, "to.node"), to);
	report_say(markdown, "outage", text);
}

static void
report_loss(const json_t *doc, bool markdown)
{
	const char *proof = get_str(doc, "proof"), *why;
	char text[REPORT_TEXT];

	why = get_str(doc, "proof_why");
	(void)snprintf(text, sizeof(text), "%s%s%s",
	    proof[0] != '\0'	       ? proof :
	    get_bool(doc, "again")     ? "none was needed: the primary stayed" :
	    get_int(doc, "epoch") == 1 ? "none was needed: the first record" :
					 "its line is missing",
	    why[0] == '\0' ? "" : ": ", why);
	report_say(markdown, "proof", text);
	if (strcmp(get_str(doc, "durability"), "strict") == 0)
		report_say(markdown, "loss",
		    strcmp(proof, "operator") == 0 ?
			"what the new primary had not received is lost; the "
			"order said so" :
			"no vote: strict, so every commit that was "
			"acknowledged is on the new primary");
	else if (get_str(doc, "loss")[0] != '\0')
		report_say(markdown, "loss", get_str(doc, "loss"));
	if (!get_has(doc, "bytes_behind"))
		return;
	(void)snprintf(text, sizeof(text),
	    "%lld bytes of write-ahead log behind: seen last at %s before, at "
	    "%s on the new primary%s",
	    get_int(doc, "bytes_behind"), get_str(doc, "wal_before"),
	    get_str(doc, "wal_after"),
	    get_int(doc, "bytes_behind") > 0 &&
		    strcmp(get_str(doc, "durability"), "strict") == 0 ?
		"; nothing in them was acknowledged" :
		"");
	report_say(markdown, "log", text);
}

/* By how much, and how that is known. */
static void
report_clock(char *text, size_t size, const json_t *clock)
{
	const char *by = get_str(clock, "by"), *node = get_str(clock, "node");
	long long off = get_int(clock, "offset_ms"),
		  shared = get_int(clock, "shared");
	char ms[32], spread[32];

	print_ms(ms, sizeof(ms), off < 0 ? -off : off);
	print_ms(spread, sizeof(spread), get_int(clock, "spread_ms"));
	if (strcmp(by, "record") == 0)
		(void)snprintf(text, size,
		    "%s is %s %s it, by %lld changes of the record that both "
		    "saw, which differ by %s",
		    node, ms, off < 0 ? "behind" : "ahead of", shared, spread);
	else if (strcmp(by, "now") == 0)
		(void)snprintf(text, size,
		    "%s is %s %s it now, by its answer, which took %s; %s",
		    node, ms, off < 0 ? "behind" : "ahead of", spread,
		    shared == 0 ? "nothing was seen by both in time" :
		    shared == 1 ? "one change alone was seen by both" :
				  "what both saw does not agree");
	else
		(void)snprintf(text, size,
		    "%s cannot be compared with it: its times are shown as "
		    "they are",
		    node);
}

static void
report_clocks(const json_t *doc, bool markdown)
{
	const json_t *list = get_at(doc, "clocks");
	char text[REPORT_TEXT];
	size_t i;

	(void)snprintf(text, sizeof(text), "times are UTC by the clock of %s",
	    get_str(doc, "clock_of"));
	report_say(markdown, "clocks", text);
	for (i = 0; i < json_array_size(list); i++) {
		report_clock(text, sizeof(text), json_array_get(list, i));
		report_say(markdown, "", text);
	}
}

static void
report_silent(const json_t *doc, bool markdown)
{
	char list[REPORT_TEXT], text[REPORT_TEXT + 80];

	if (json_array_size(get_at(doc, "silent")) == 0)
		return;
	get_list(doc, "silent", list, sizeof(list));
	(void)snprintf(text, sizeof(text),
	    "%s: what happened there is not in here; ask again once its engine "
	    "runs",
	    list);
	report_say(markdown, "silent", text);
}

/* Where lines are missing, and what has them. */
static void
report_gaps(const json_t *doc, bool markdown)
{
	const json_t *list = get_at(doc, "gaps"), *gap;
	char text[REPORT_TEXT], command[REPORT_TEXT];
	const char *left;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		gap = json_array_get(list, i);
		left = get_str(gap, "left_out");
		(void)snprintf(text, sizeof(text),
		    "not all lines of %s are here%s%.*s; its log has them:",
		    get_str(gap, "node"), left[0] == '\0' ? "" : ", without ",
		    REPORT_TEXT / 2, left);
		report_say(markdown, "missing", text);
		print_clean(command, sizeof(command), get_str(gap, "command"));
		printf(markdown ? "\n      %s\n\n" : "         %s\n", command);
	}
}

/* How the times before the lines are meant. */
static void
report_since(const json_t *doc, bool markdown)
{
	char text[REPORT_TEXT];

	(void)snprintf(text, sizeof(text),
	    "%cach line at its moment, UTC, and how long after %s; what took "
	    "time stands where it was over",
	    markdown ? 'E' : 'e', get_str(doc, "since"));
	if (!markdown) {
		print_wrapped("", text);
		return;
	}
	putchar('\n');
	report_markdown(text);
	printf(".\n");
}

static void
report_lines(const json_t *list, bool markdown)
{
	size_t i;

	if (markdown)
		printf("\n| UTC | after | host | what | how |\n"
		       "| --- | ---: | --- | --- | --- |\n");
	for (i = 0; i < json_array_size(list); i++)
		report_line(json_array_get(list, i), markdown);
}

static void
report_line(const json_t *line, bool markdown)
{
	char first[200], at[32], ms[32], text[REPORT_TEXT], what[REPORT_TEXT];
	long long after = get_int(line, "after_ms");
	const char *level = get_str(line, "level");

	story_clock(at, sizeof(at), get_int(line, "at_ms"));
	story_text(text, sizeof(text), line);
	print_ms(ms, sizeof(ms), after < 0 ? -after : after);
	if (markdown) {
		printf("| %s | %s%s | ", at, after < 0 ? "-" : "", ms);
		report_markdown(get_str(line, "node"));
		printf(" | ");
		report_markdown(get_str(line, "ev"));
		printf(" | ");
		report_markdown(text);
		printf(" |\n");
		return;
	}
	(void)snprintf(first, sizeof(first), "%s %c%9s  %-8s ", at,
	    after < 0 ? '-' : '+', ms, get_str(line, "node"));
	(void)snprintf(what, sizeof(what), "%s%s%.*s", get_str(line, "ev"),
	    text[0] == '\0' ? "" : ": ", REPORT_TEXT - 80, text);
	print_coloured(
	    strcmp(level, "warn") == 0 || strcmp(level, "error") == 0 ?
		COLOUR_BAD :
		COLOUR_NONE,
	    NULL);
	print_wrapped(first, what);
	print_coloured(COLOUR_NONE, NULL);
}
