/*
 * Of a report: from when to when nobody could write, by what proof another took
 * over, and how far its log reached.
 */
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/story_i.h"
#include "hawatch/json.h"
#include "hawatch/str.h"

#define SETTLE_MS 5000

static json_t *
story_point(const json_t *line)
{
	json_t *obj = json_object();

	json_put_string(obj, "node", get_str(line, "node"));
	json_put_string(obj, "ev", get_str(line, "ev"));
	json_put_i64(obj, "at_ms", get_int(line, "at_ms"));
	return obj;
}

/* The new holder lets clients write. */
static size_t
story_open(const struct story *s)
{
	const json_t *line;
	size_t i;

	for (i = 0; i < json_array_size(s->lines); i++) {
		line = json_array_get(s->lines, i);
		if (story_is(line, "fence.open") &&
		    get_int(line, "epoch") == s->epoch &&
		    strcmp(get_str(line, "node"), s->holder) == 0)
			break;
	}
	return i;
}

/* Its last stop before that line, or of any but the new holder where no name is
 * known: the first of what stopped it after it was open for the last time. */
static const json_t *
story_closed(const struct story *s, size_t open, const char *old)
{
	const json_t *line, *first = NULL;
	const char *node;
	size_t i;

	for (i = open; i-- > 0;) {
		line = json_array_get(s->lines, i);
		node = get_str(line, "node");
		if (old[0] != '\0' ? strcmp(node, old) != 0 :
				     strcmp(node, s->holder) == 0)
			continue;
		if (get_int(line, "epoch") < s->before)
			continue;
		if (story_is(line, "fence.open"))
			break;
		if (story_is(line, "fence.closed") ||
		    story_is(line, "postmaster.gone") ||
		    story_is(line, "lease.lost"))
			first = line;
	}
	return first;
}

/* The takeover of that epoch, as the new holder began it. */
static const json_t *
story_taken(const struct story *s)
{
	const json_t *line, *taken = NULL;
	size_t i;

	for (i = 0; i < json_array_size(s->lines); i++) {
		line = json_array_get(s->lines, i);
		if (strcmp(get_str(line, "node"), s->holder) == 0 &&
		    story_is(line, "plan.start") &&
		    str_starts(get_str(line, "text"), "takeover") &&
		    get_int(line, "epoch") >= s->before)
			taken = line;
	}
	return taken;
}

/* The old one cannot say when it ended: when it was heard last. */
static json_t *
story_lost(const json_t *taken)
{
	json_t *obj;

	if (taken == NULL || !get_has(taken, "heard_ms"))
		return NULL;
	obj = json_object();
	json_put_string(obj, "node", get_str(taken, "old"));
	json_put_i64(
	    obj, "at_ms", get_int(taken, "at_ms") - get_int(taken, "heard_ms"));
	return obj;
}

static void
story_bytes(struct story *s, const json_t *closed, const json_t *taken)
{
	lsn_t before = 0, after = 0;

	if (closed == NULL || taken == NULL ||
	    lsn_parse(get_str(closed, "wal"), &before) == -1 ||
	    lsn_parse(get_str(taken, "wal"), &after) == -1 || before == 0 ||
	    after == 0)
		return;
	json_put_lsn(s->doc, "wal_before", before);
	json_put_lsn(s->doc, "wal_after", after);
	json_put_i64(s->doc, "bytes_behind",
	    before > after ? (int64_t)(before - after) : 0);
}

/* By what right it claimed, where the line that carries all of it is missing:
 * said in the epoch before. */
static void
story_claimed(struct story *s)
{
	const json_t *line;
	size_t i;

	for (i = json_array_size(s->lines); i-- > 0;) {
		line = json_array_get(s->lines, i);
		if (!story_is(line, "claim.proof") ||
		    strcmp(get_str(line, "node"), s->holder) != 0 ||
		    get_int(line, "epoch") != s->before)
			continue;
		json_put_string(s->doc, "proof", get_str(line, "text"));
		break;
	}
}

/* What the new holder said of its takeover. */
static void
story_proof(struct story *s)
{
	const json_t *line;
	size_t i;

	for (i = 0; i < json_array_size(s->lines); i++) {
		line = json_array_get(s->lines, i);
		if (strcmp(get_str(line, "node"), s->holder) != 0)
			continue;
		if (story_is(line, "takeover.loss") &&
		    get_int(line, "epoch") == s->epoch)
			json_put_string(s->doc, "loss", get_str(line, "text"));
		if (get_str(line, "proof")[0] == '\0' ||
		    get_int(line, "epoch") != s->epoch)
			continue;
		json_put_string(s->doc, "proof", get_str(line, "proof"));
		json_put_string(
		    s->doc, "proof_why", get_str(line, "proof_why"));
		json_put_string(
		    s->doc, "durability", get_str(line, "durability"));
	}
	if (!get_has(s->doc, "proof"))
		story_claimed(s);
}

/* Its own line that it wrote the record as held, and none that it claimed it,
 * upon a register that had forgotten. */
static bool
story_rewrote(const struct story *s)
{
	bool forgot = false, held = false;
	const json_t *line;
	const char *text;
	size_t i;

	for (i = 0; i < json_array_size(s->lines); i++) {
		line = json_array_get(s->lines, i);
		text = get_str(line, "text");
		if (strcmp(get_str(line, "node"), s->holder) != 0)
			continue;
		if (story_is(line, "register.cold") ||
		    story_is(line, "register.amnesiac"))
			forgot = true;
		if (get_int(line, "epoch") != s->epoch ||
		    !story_is(line, "record.written"))
			continue;
		if (str_starts(text, "claimed "))
			return false;
		held = held || str_starts(text, "held ");
	}
	return forgot && held;
}

/* Behind what the epoch's beginning stirred up on its holder. */
static size_t
story_settled(const struct story *s)
{
	const json_t *line;
	long long begin = 0;
	size_t i;

	for (i = 0; i < json_array_size(s->lines); i++) {
		line = json_array_get(s->lines, i);
		if (begin != 0 && get_int(line, "at_ms") > begin + SETTLE_MS)
			break;
		if (begin == 0 && get_int(line, "epoch") == s->epoch &&
		    strcmp(get_str(line, "node"), s->holder) == 0)
			begin = get_int(line, "at_ms");
	}
	return i;
}

/* The holder wrote the record anew, or somebody did for it, and nothing says
 * that anybody noticed: no change of holder. */
static bool
story_again(const struct story *s)
{
	if (s->epoch <= 1 || s->holder[0] == '\0' ||
	    story_open(s) < json_array_size(s->lines) ||
	    story_closed(s, story_settled(s), s->holder) != NULL)
		return false;
	return s->old[0] == '\0' ? story_rewrote(s) :
				   strcmp(s->old, s->holder) == 0;
}

/* It lost its lease when the new holder had not heard it for long: by then no
 * commit returned that waited for that one. Where commits wait for nobody they
 * went on. */
static bool
story_cut_off(const struct story *s, const json_t *from, const json_t *lost)
{
	return from != NULL && lost != NULL && story_is(from, "lease.lost") &&
	       strcmp(get_str(s->doc, "durability"), "bounded") != 0 &&
	       get_int(lost, "at_ms") < get_int(from, "at_ms");
}

void
story_outage(struct story *s)
{
	size_t open = story_open(s), n = json_array_size(s->lines);
	const json_t *to = open < n ? json_array_get(s->lines, open) : NULL;
	const json_t *from;
	const json_t *taken = story_taken(s);
	json_t *lost;

	s->again = story_again(s);
	if (s->again) {
		json_put_string(s->doc, "old", s->holder);
		json_put_bool(s->doc, "again", true);
		return;
	}
	from = story_closed(s, open < n ? open : 0, s->old);
	lost = story_lost(taken);
	story_proof(s);
	story_bytes(s, from, taken);
	if (story_cut_off(s, from, lost))
		from = NULL;
	if (s->old[0] != '\0')
		json_put_string(s->doc, "old", s->old);
	if (to != NULL)
		json_put(s->doc, "to", story_point(to));
	if (from != NULL)
		json_put(s->doc, "from", story_point(from));
	if (lost != NULL && from == NULL)
		json_put(s->doc, "lost", lost);
	else
		json_decref(lost);
	if (from != NULL && to != NULL)
		json_put_i64(s->doc, "outage_ms",
		    get_int(to, "at_ms") - get_int(from, "at_ms"));
}
