/*
 * Events to lines of logfmt. Quoting is done here and only here, so that no
 * value, wherever it comes from, can begin a line or a key of its own. The
 * sink and the threshold are the process's, like its standard error; nothing
 * else in hawatch is global.
 */
#include "hawatch/emit.h"

#include <stdio.h>
#include <string.h>

#include "hawatch/str.h"

#define EMIT_LINE_MAX 2048
#define EMIT_VALUE_MAX 1024

struct emit_line {
	char text[EMIT_LINE_MAX];
	size_t len;
};

static void emit_pair(struct emit_line *line, const char *key, const char *s);
static bool emit_is_plain(const char *s);
static void emit_quote(char *dst, size_t size, const char *s);

static const struct {
	const char *name;
	enum level level;
} emit_events[EMIT_COUNT] = {
#define EVENT(id, name, level, keys) [EMIT_##id] = { name, level },
#include "hawatch/events.def"
#undef EVENT
};

static const char *const emit_levels[] = {
	[L_DEBUG] = "debug",
	[L_INFO] = "info",
	[L_NOTICE] = "notice",
	[L_WARN] = "warn",
	[L_ERROR] = "error",
};

static emit_sink_fn emit_sink = sink_stderr;
static void *emit_sink_arg;
static emit_tap_fn emit_tap_to;
static void *emit_tap_arg;
static enum level emit_least = L_INFO;

void
emit(enum event_name ev, const struct kv *kv, size_t n)
{
	struct emit_line line = { .len = 0 };
	enum level level = emit_level(ev);
	char number[24];
	size_t i;

	if (emit_tap_to != NULL)
		emit_tap_to(emit_tap_arg, ev, kv, n);
	if (level < emit_least)
		return;
	emit_pair(&line, "ev", emit_name(ev));
	emit_pair(&line, "level", emit_levels[level]);
	for (i = 0; i < n; i++) {
		if (kv[i].str != NULL) {
			emit_pair(&line, kv[i].key, kv[i].str);
			continue;
		}
		(void)snprintf(number, sizeof(number), "%lld", kv[i].num);
		emit_pair(&line, kv[i].key, number);
	}
	emit_sink(emit_sink_arg, level, line.text);
}

const char *
emit_name(enum event_name ev)
{
	return emit_events[ev].name;
}

enum level
emit_level(enum event_name ev)
{
	return emit_events[ev].level;
}

void
emit_to(emit_sink_fn fn, void *arg)
{
	emit_sink = fn;
	emit_sink_arg = arg;
}

void
emit_tap(emit_tap_fn fn, void *arg)
{
	emit_tap_to = fn;
	emit_tap_arg = arg;
}

void
emit_threshold(enum level level)
{
	emit_least = level;
}

/* A pair that does not fit is left out whole; the rest may still fit. */
static void
emit_pair(struct emit_line *line, const char *key, const char *s)
{
	char value[EMIT_VALUE_MAX];
	size_t room = sizeof(line->text) - line->len;
	int n;

	emit_quote(value, sizeof(value), s);
	n = snprintf(line->text + line->len, room, "%s%s=%s",
	    line->len == 0 ? "" : " ", key, value);
	if (n < 0 || (size_t)n >= room) {
		line->text[line->len] = '\0';
		return;
	}
	line->len += (size_t)n;
}

static bool
emit_is_plain(const char *s)
{
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s >= 0x7f || strchr("\"\\=", *s) != NULL)
			return false;
	return true;
}

/* A value that is too long ends in "..." inside its quotes. */
static void
emit_quote(char *dst, size_t size, const char *s)
{
	size_t used = 0;
	size_t len;
	char one[8];

	if (emit_is_plain(s) && str_copy(dst, size, s) == 0)
		return;
	dst[used++] = '"';
	while (*s != '\0') {
		len = str_utf8(s);
		if (*s == '"' || *s == '\\')
			(void)snprintf(one, sizeof(one), "\\%c", *s);
		else if (*s == '\n')
			(void)snprintf(one, sizeof(one), "\\n");
		else if (*s == '\t')
			(void)snprintf(one, sizeof(one), "\\t");
		else if (len == 0)
			(void)snprintf(one, sizeof(one), "\\x%02x",
			    (unsigned)(unsigned char)*s);
		else
			(void)snprintf(one, sizeof(one), "%.*s", (int)len, s);
		if (used + strlen(one) + sizeof("...\"") > size) {
			memcpy(dst + used, "...", 3);
			used += 3;
			break;
		}
		memcpy(dst + used, one, strlen(one));
		used += strlen(one);
		s += len == 0 ? 1 : len;
	}
	dst[used++] = '"';
	dst[used] = '\0';
}
