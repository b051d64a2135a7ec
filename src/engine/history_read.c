/*
 * What is asked of the history, in the thread that reads it: the newest lines,
 * those of one change of holder, or whether the chain holds.
 */
#include <string.h>

#include "engine/history.h"
#include "hawatch/chain.h"
#include "hawatch/json.h"

/* Around the moment in which this host first saw the epoch. */
#define FIND_BEFORE_MS 30000
#define FIND_NEAR_MS 5000 /* this much of it is kept longest */
#define FIND_AFTER_MS 600000

struct find {
	const struct history_query *q;
	json_t *lines;	    /* that may be wanted, oldest first */
	long long from, to; /* ms; of the epoch, once it was seen */
	bool over;
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
	f->over =
	    f->over ||
	    (f->from != 0 && (at >= f->to || epoch > (long long)f->q->epoch));
	if (json_array_size(f->lines) == f->q->records && find_is_old(f))
		json_array_remove(f->lines, 0);
	if (f->over || json_array_size(f->lines) == f->q->records) {
		json_decref(obj);
		return;
	}
	json_array_append_new(f->lines, obj);
	while (json_array_size(f->lines) > 0 &&
	       find_int(json_array_get(f->lines, 0), "at_ms") <
		   at - FIND_BEFORE_MS &&
	       (f->from == 0 || at - FIND_BEFORE_MS <= f->from))
		json_array_remove(f->lines, 0);
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
	json_array_append_new(f->lines, obj);
	if (json_array_size(f->lines) > f->q->records)
		json_array_remove(f->lines, 0);
}

static size_t
find_size(const json_t *obj)
{
	return json_dumpb(obj, NULL, 0, JSON_COMPACT) + 1;
}

/* The oldest go first; of an epoch, what was long before, then the last. */
static void
find_bound(struct find *f)
{
	size_t sum = 0, i, at;

	for (i = 0; i < json_array_size(f->lines); i++)
		sum += find_size(json_array_get(f->lines, i));
	while (sum > f->q->bytes) {
		at = f->q->epoch == 0 || find_is_old(f) ?
			 0 :
			 json_array_size(f->lines) - 1;
		sum -= find_size(json_array_get(f->lines, at));
		json_array_remove(f->lines, at);
	}
}

json_t *
history_find(const char *path, const struct history_query *q)
{
	struct find f = { .q = q, .lines = json_array() };
	json_t *found = json_object(), *broken;
	struct chain_seen seen;
	struct error err;

	if (chain_read(path, HISTORY_FILES, find_line, &f, &seen, &err) == -1) {
		json_put_string(found, "error", err.msg);
		json_decref(f.lines);
		return found;
	}
	/* It was never seen here: what was before something is nothing. */
	if (q->epoch != 0 && f.from == 0)
		json_array_clear(f.lines);
	find_bound(&f);
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
