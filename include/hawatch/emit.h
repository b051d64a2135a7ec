/*
 * Typed events: the one way in which the daemon says that something happened.
 * Every event is a line of events.def; log, hactl and tests read them. Output
 * is logfmt: ev=lease.lost level=warn epoch=3 reason=no-renewal. A sink never
 * blocks: it drops and counts.
 */
#ifndef HAWATCH_EMIT_H
#define HAWATCH_EMIT_H

#include <stddef.h>

#include "hawatch/types.h"

enum level { L_DEBUG, L_INFO, L_NOTICE, L_WARN, L_ERROR };

enum event_name {
#define EVENT(id, name, level, keys) EMIT_##id,
#include "hawatch/events.def"
#undef EVENT
	EMIT_COUNT
};

struct kv {
	const char *key;
	const char *str; /* NULL: num is the value */
	long long num;
};

/* A value that is not there is the empty string, never the number 0. */
static inline struct kv
kv_s(const char *key, const char *str)
{
	return (struct kv){ .key = key, .str = str == NULL ? "" : str };
}

#define kv_i(k, v) ((struct kv){ .key = (k), .num = (long long)(v) })

/* EMIT(check_change, kv_s("node", name), kv_i("ms", took)); secrets have no
 * kv_ on purpose. */
#define EMIT(id, ...) \
	emit(EMIT_##id, (const struct kv[]){ __VA_ARGS__ }, \
	    sizeof((const struct kv[]){ __VA_ARGS__ }) / sizeof(struct kv))

void emit(enum event_name ev, const struct kv *kv, size_t n);
const char *emit_name(enum event_name ev);
enum level emit_level(enum event_name ev);

/* Where the lines go. A sink gets a whole line without its newline. */
typedef void (*emit_sink_fn)(void *arg, enum level level, const char *line);
void emit_to(emit_sink_fn fn, void *arg);
/* Lines below this level are not made; the default is L_INFO. */
void emit_threshold(enum level level);

/* Gets every event, also those below the level; NULL: nobody. */
typedef void (*emit_tap_fn)(
    void *arg, enum event_name ev, const struct kv *kv, size_t n);
void emit_tap(emit_tap_fn fn, void *arg);

/* Ready-made sinks: standard error (non-blocking, drops and counts), syslog. */
void sink_stderr(void *arg, enum level level, const char *line);
void sink_syslog(void *arg, enum level level, const char *line);

#endif
