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
#include "hawatch/str.h"

/* What is said elsewhere on the line, or of use to programs only. */
static const char *const story_quiet[] = { "schema", "at", "at_ms", "node",
	"ev", "change", "level", "epoch", "text", "unlinked", "after_ms", "wal",
	"durability", "in_force", "old", "heard_ms", "proof", "proof_why",
	"dropped", "pid" };

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

/* Who it is here; another host may know the number by another name. */
static void
story_uid(char *buf, size_t size, long long uid)
{
	const struct passwd *pw = getpwuid((uid_t)uid);

	if (pw == NULL)
		story_add(buf, size, "by uid %lld", uid);
	else
		story_add(buf, size, "by %s", pw->pw_name);
}

static void
story_pair(char *buf, size_t size, const char *key, const json_t *value)
{
	const char *text = json_string_value(value);

	if (strcmp(key, "uid") == 0 && json_is_integer(value))
		story_uid(buf, size, json_integer_value(value));
	else if (json_is_integer(value))
		story_add(buf, size, "%s %lld", key,
		    (long long)json_integer_value(value));
	else if (text != NULL && text[0] != '\0' &&
		 (strcmp(key, "verb") == 0 || strcmp(key, "reason") == 0))
		story_add(buf, size, "%s", text);
	else if (text != NULL && text[0] != '\0')
		story_add(buf, size, "%s %s", key, text);
}

void
story_text(char *buf, size_t size, const json_t *line)
{
	json_t *walk = (json_t *)(uintptr_t)line, *value;
	const char *key;

	buf[0] = '\0';
	if (get_bool(line, "unlinked"))
		story_add(buf, size, "NOT AS IT WAS WRITTEN");
	if (get_str(line, "text")[0] != '\0')
		story_add(buf, size, "%s", get_str(line, "text"));
	json_object_foreach(walk, key, value)
		if (!story_is_quiet(key))
			story_pair(buf, size, key, value);
	if (get_str(line, "proof")[0] != '\0')
		story_add(buf, size, "proof %s%s%s", get_str(line, "proof"),
		    get_str(line, "proof_why")[0] == '\0' ? "" : ": ",
		    get_str(line, "proof_why"));
	if (get_int(line, "dropped") > 0)
		story_add(buf, size, "%lld lines before it were left out",
		    get_int(line, "dropped"));
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
