/*
 * What is asked of the history, in the thread that reads it: the newest lines,
 * those of one change of holder, or whether the chain holds.
 */
#include <string.h>

#include "engine/history.h"
#include "engine/history_limit.h"
#include "hawatch/chain.h"
#include "hawatch/json.h"

/* Around the moment in which this host first saw the epoch. */
#define FIND_BEFORE_MS 30000
#define FIND_NEAR_MS 5000 /* this much of it is kept longest */
#define FIND_AFTER_MS 600000
/* How this host's writers ended before: who was cut off first sees the epoch
 * when it is back, however long that took. */
#define FIND_ENDS 16

struct find {
	const struct history_query *q;
	json_t *lines;	    /* that may be wanted, oldest first */
	json_t *ends;	    /* how writers ended, long before these */
	long long from, to; /* ms; of the epoch, once it was seen */
	long long before;   /* the epoch before; it need not be one less */
	bool over;
	size_t count[HISTORY_KINDS], steps; /* of the lines held */
};

static long long
find_int(const json_t *obj, const char *key)
{
	return json_integer_value(json_object_get(obj, key));
}

/* The oldest line held is of long before. */
static bool
find_is_old(const struct find *f)
{
	return f->from == 0 || find_int(json_array_get(f->lines, 0), "at_ms") <
				   f->from + FIND_BEFORE_MS - FIND_NEAR_MS;
}

static int
find_kind(const struct find *f, size_t i)
{
	const json_t *line = json_array_get(f->lines, i);
	const char *ev = json_string_value(json_object_get(line, "ev"));

	return history_kind(ev == NULL ? "" : ev);
}

static void
find_drop(struct find *f, size_t i)
{
	int kind = find_kind(f, i);

	f->count[kind]--;
	if (history_rank(kind) == HISTORY_STEP)
		f->steps--;
	json_array_remove(f->lines, i);
}

/* Takes obj. */
static void
find_keep(struct find *f, json_t *obj)
{
	int kind;

	json_array_append_new(f->lines, obj);
	kind = find_kind(f, json_array_size(f->lines) - 1);
	f->count[kind]++;
	if (history_rank(kind) == HISTORY_STEP)
		f->steps++;
}

/* Which goes when there is too much: what was long before, then the last of
 * the steps, then the last of that decision which there is most of. */
static size_t
find_least(const struct find *f)
{
	size_t i;
	int kind, most = 0;

	if (f->q->epoch == 0 || find_is_old(f))
		return 0;
	for (kind = 0; kind < HISTORY_KINDS; kind++)
		if (f->count[kind] > f->count[most])
			most = kind;
	for (i = json_array_size(f->lines) - 1; i > 0; i--) {
		kind = find_kind(f, i);
		if (f->steps > 0 ? history_rank(kind) == HISTORY_STEP :
				   kind == most)
			break;
	}
	return i;
}

static bool
find_is(const json_t *line, const char *ev)
{
	const char *is = json_string_value(json_object_get(line, "ev"));

	return is != NULL && strcmp(is, ev) == 0;
}

/* From the moment on in which clients could write here for the last time, what
 * ended that is kept at hand. A standby's own ends are none of it. */
static void
find_end(struct find *f, json_t *line)
{
	bool same = json_array_size(f->ends) > 0 &&
		    find_int(json_array_get(f->ends, 0), "epoch") ==
			find_int(line, "epoch");

	bool closes =
	    find_is(line, "lease.lost") || find_is(line, "fence.closed");
	bool ends = closes || find_is(line, "postmaster.gone") ||
		    find_is(line, "register.lost");

	if (find_is(line, "fence.open") || (closes && !same))
		json_array_clear(f->ends);
	else if (!ends || !same)
		return;
	if (json_array_size(f->ends) < FIND_ENDS)
		json_array_append(f->ends, line);
}

static void
find_out(struct find *f, size_t i)
{
	if (i == 0)
		find_end(f, json_array_get(f->lines, 0));
	find_drop(f, i);
}

/* From before the epoch was first seen here to where the next begins. No more
 * than that is held: there are thousands of lines. Takes obj. */
static void
find_of_epoch(struct find *f, json_t *obj)
{
	long long at = find_int(obj, "at_ms"), epoch = find_int(obj, "epoch");

	if (f->from == 0 && epoch == (long long)f->q->epoch) {
		f->from = at - FIND_BEFORE_MS;
		f->to = at + FIND_AFTER_MS;
	}
	if (f->from == 0 && epoch != 0)
		f->before = epoch;
	f->over =
	    f->over ||
	    (f->from != 0 && (at >= f->to || epoch > (long long)f->q->epoch));
	if (f->over) {
		json_decref(obj);
		return;
	}
	find_keep(f, obj);
	if (json_array_size(f->lines) > f->q->records)
		find_out(f, find_least(f));
	while (json_array_size(f->lines) > 0 &&
	       find_int(json_array_get(f->lines, 0), "at_ms") <
		   at - FIND_BEFORE_MS &&
	       (f->from == 0 || at - FIND_BEFORE_MS <= f->from))
		find_out(f, 0);
}

static void
find_line(void *arg, const struct chain_at *at)
{
	struct find *f = arg;
	struct error err;
	json_t *obj;

	if (f->q->verify || f->over)
		return;
	if (f->q->epoch == 0 && !f->q->all &&
	    strstr(at->text, "\"change\":true") == NULL)
		return;
	obj = json_read(at->text, strlen(at->text), &err);
	if (obj == NULL)
		return;
	if (!at->linked)
		json_put_bool(obj, "unlinked", true);
	if (f->q->epoch != 0) {
		find_of_epoch(f, obj);
		return;
	}
	find_keep(f, obj);
	if (json_array_size(f->lines) > f->q->records)
		find_drop(f, 0);
}

static size_t
find_size(const json_t *obj)
{
	return json_dumpb(obj, NULL, 0, JSON_COMPACT) + 1;
}

/* In front, how the writers of the epoch before ended, which fits in any case.
 */
static void
find_bound(struct find *f)
{
	size_t sum = 0, i, at;
	json_t *line;

	for (i = json_array_size(f->ends); i-- > 0;) {
		line = json_array_get(f->ends, i);
		if (find_int(line, "epoch") != f->before)
			json_array_remove(f->ends, i);
		else
			sum += find_size(line);
	}
	for (i = 0; i < json_array_size(f->lines); i++)
		sum += find_size(json_array_get(f->lines, i));
	while (sum > f->q->bytes && json_array_size(f->lines) > 0) {
		at = find_least(f);
		sum -= find_size(json_array_get(f->lines, at));
		find_drop(f, at);
	}
	json_array_extend(f->ends, f->lines);
	json_decref(f->lines);
	f->lines = f->ends;
	f->ends = NULL;
}

json_t *
history_find(const char *path, const struct history_query *q)
{
	struct find f = { .q = q, .lines = json_array(), .ends = json_array() };
	json_t *found = json_object(), *broken;
	struct chain_seen seen;
	struct error err;

	if (chain_read(path, HISTORY_FILES, find_line, &f, &seen, &err) == -1) {
		json_put_string(found, "error", err.msg);
		json_decref(f.lines);
		json_decref(f.ends);
		return found;
	}
	/* It was never seen here: what was before something is nothing. */
	if (q->epoch != 0 && f.from == 0)
		json_array_clear(f.lines);
	else
		find_bound(&f);
	json_decref(f.ends);
	json_put_u64(found, "lines", seen.lines);
	json_put_u64(found, "files", seen.files);
	json_put_string(found, "sum", seen.last);
	if (seen.broken) {
		broken = json_object();
		json_put_string(broken, "file", seen.file);
		json_put_u64(broken, "line", seen.line);
		json_put_string(broken, "why", seen.why);
		json_put(found, "broken", broken);
	}
	json_put(found, "records", f.lines);
	return found;
}
