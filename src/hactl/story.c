/*
 * A line of a host's history in words.
 */
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "hactl/hactl.h"
#include "hactl/story.h"
#include "hawatch/json.h"
#include "hawatch/str.h"

/* What is said elsewhere on the line, or of use to programs only. */
static const char *const story_quiet[] = { "schema", "at", "at_ms", "node",
	"ev", "change", "level", "epoch", "text", "unlinked", "after_ms", "wal",
	"durability", "in_force", "old", "heard_ms", "proof", "proof_why",
	"dropped", "here", "pid", "kinds", "left_out", "cut", "took_ms" };

/* What an event's name says to those only who know the words. */
static const struct {
	const char *ev, *text;
} story_events[] = {
	{ "fence.open", "clients can write here" },
	{ "fence.closed", "clients cannot write here" },
	{ "lease.lost", "this host may not let clients write any more" },
	{ "postmaster.gone", "PostgreSQL ended" },
	{ "history.left-out", "lines of that time are left out" },
};

static const struct {
	const char *token, *text;
} story_blocks[] = {
#define BLOCK(id, token, text) { token, text },
#include "core/blockers.def"
#undef BLOCK
};

/* "takeover: claim after 120 ms" is when a step was over, and how long it took:
 * that, with the length of what is before it; -1. */
static long long
story_after(const json_t *line, size_t *len)
{
	const char *text = get_str(line, "text"), *at = text, *next;
	long long ms = -1;
	int end = 0;

	*len = strlen(text);
	if (strcmp(get_str(line, "ev"), "plan.row") != 0 &&
	    strcmp(get_str(line, "ev"), "plan.end") != 0)
		return -1;
	while ((next = strstr(at + 1, " after ")) != NULL)
		at = next;
	if (at == text || sscanf(at, " after %lld ms%n", &ms, &end) != 1 ||
	    end == 0 || at[end] != '\0')
		return -1;
	*len = (size_t)(at - text);
	return ms;
}

long long
story_took_ms(const json_t *line)
{
	size_t len;

	if (json_is_integer(get_at(line, "ms")) &&
	    strcmp(get_str(line, "ev"), "front.gone") != 0)
		return get_int(line, "ms");
	return story_after(line, &len);
}

static bool
story_is_quiet(const char *key)
{
	size_t i;

	for (i = 0; i < sizeof(story_quiet) / sizeof(*story_quiet); i++) {
		if (strcmp(story_quiet[i], key) == 0)
			return true;
	}
	return false;
}

static void story_add(char *buf, size_t size, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

static void
story_add(char *buf, size_t size, const char *fmt, ...)
{
	size_t len = strlen(buf);
	va_list ap;

	if (len > 0 && len + 2 < size) {
		memcpy(buf + len, ", ", 3);
		len += 2;
	}
	va_start(ap, fmt);
	(void)vsnprintf(buf + len, size - len, fmt, ap);
	va_end(ap);
}

void
story_here(json_t *line, const char *node)
{
	json_object_del(line, "here");
	if (node[0] != '\0' && strcmp(get_str(line, "node"), node) == 0)
		json_put_bool(line, "here", true);
}

/* Another host may know the number by another name, and this one by that of
 * somebody else. */
static void
story_uid(char *buf, size_t size, const json_t *line, long long uid)
{
	const char *node = get_str(line, "node");
	const struct passwd *pw =
	    get_bool(line, "here") ? getpwuid((uid_t)uid) : NULL;

	if (pw != NULL)
		story_add(buf, size, "by %s", pw->pw_name);
	else
		story_add(buf, size, "by uid %lld%s%s", uid,
		    node[0] == '\0' ? "" : " of ", node);
}

static void
story_ms(char *buf, size_t size, const json_t *line)
{
	if (story_took_ms(line) >= 0)
		story_add(buf, size, "took %lld ms", get_int(line, "ms"));
	else
		story_add(
		    buf, size, "after %lld ms of life", get_int(line, "ms"));
}

static void
story_pair(char *buf, size_t size, const json_t *line, const char *key,
    const json_t *value)
{
	const char *text = json_string_value(value);

	if (strcmp(key, "uid") == 0 && json_is_integer(value))
		story_uid(buf, size, line, json_integer_value(value));
	else if (json_is_integer(value))
		story_add(buf, size, "%s %lld", key,
		    (long long)json_integer_value(value));
	else if (text != NULL && text[0] != '\0' &&
		 (strcmp(key, "verb") == 0 || strcmp(key, "reason") == 0))
		story_add(buf, size, "%s", text);
	else if (text != NULL && text[0] != '\0')
		story_add(buf, size, "%s %s", key, text);
}

/* A step or a plan that is over, and how long it took. */
static bool
story_step(char *buf, size_t size, const json_t *line)
{
	bool step = strcmp(get_str(line, "ev"), "plan.row") == 0;
	size_t len;
	long long ms = story_after(line, &len);

	if (ms < 0)
		return false;
	story_add(buf, size, "%.*s%s, the %s took %lld ms", (int)len,
	    get_str(line, "text"), step ? " is done" : "",
	    step ? "step" : "plan", ms);
	return true;
}

/* The event's words, and its own text where that says more. */
static void
story_words(char *buf, size_t size, const json_t *line)
{
	const char *ev = get_str(line, "ev"), *text = get_str(line, "text");
	const char *words = "";
	char epoch[32];
	size_t i;

	for (i = 0; i < sizeof(story_events) / sizeof(*story_events); i++)
		if (strcmp(story_events[i].ev, ev) == 0)
			words = story_events[i].text;
	for (i = 0; i < sizeof(story_blocks) / sizeof(*story_blocks); i++)
		if (text[0] != '\0' && strcmp(story_blocks[i].token, text) == 0)
			text = story_blocks[i].text;
	(void)snprintf(
	    epoch, sizeof(epoch), "epoch %lld", get_int(line, "epoch"));
	if (words[0] != '\0' && strcmp(text, epoch) == 0)
		text = "";
	if (words[0] != '\0' || text[0] != '\0')
		story_add(buf, size, "%s%s%s", words,
		    words[0] != '\0' && text[0] != '\0' ? ": " : "", text);
}

/* By what proof this host holds is news where it takes over; what it does
 * later, as the holder, carries it, too. */
static bool
story_by_proof(const json_t *line)
{
	return get_str(line, "proof")[0] != '\0' &&
	       (!str_starts(get_str(line, "ev"), "plan.") ||
		   str_starts(get_str(line, "text"), "takeover"));
}

void
story_text(char *buf, size_t size, const json_t *line)
{
	json_t *walk = (json_t *)(uintptr_t)line, *value;
	const char *key;

	buf[0] = '\0';
	if (get_bool(line, "unlinked"))
		story_add(buf, size, "NOT AS IT WAS WRITTEN");
	if (!story_step(buf, size, line))
		story_words(buf, size, line);
	json_object_foreach(walk, key, value)
		if (strcmp(key, "ms") == 0 && json_is_integer(value))
			story_ms(buf, size, line);
		else if (!story_is_quiet(key))
			story_pair(buf, size, line, key, value);
	if (story_by_proof(line))
		story_add(buf, size, "proof %s%s%s", get_str(line, "proof"),
		    get_str(line, "proof_why")[0] == '\0' ? "" : ": ",
		    get_str(line, "proof_why"));
}

static bool
story_tm(struct tm *tm, long long ms)
{
	time_t sec = (time_t)(ms / 1000);

	return gmtime_r(&sec, tm) != NULL;
}

void
story_day(char *buf, size_t size, long long ms)
{
	struct tm tm;

	if (!story_tm(&tm, ms) ||
	    strftime(buf, size, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		buf[0] = '\0';
}

void
story_clock(char *buf, size_t size, long long ms)
{
	char text[16] = "";
	struct tm tm;

	if (story_tm(&tm, ms))
		(void)!strftime(text, sizeof(text), "%H:%M:%S", &tm);
	(void)snprintf(buf, size, "%s.%03lld", text, ms % 1000);
}
