/*
 * The record and its JSON, nothing else: what a value means is decided in
 * watch.c and claim.c, when a register takes it in arbiter.c.
 */
#include "hawatch/record.h"

#include <string.h>

#include "hawatch/json.h"
#include "hawatch/str.h"

static const char *const rec_states[] = {
	[REC_NONE] = "none",
	[REC_HELD] = "held",
	[REC_CLAIMED] = "claimed",
	[REC_RELEASED] = "released",
};

const char *
rec_state_str(enum rec_state state)
{
	return rec_states[state];
}

node_t
names_find(const struct names *names, const char *name)
{
	node_t n;

	for (n = 0; n < names->count; n++)
		if (strcmp(names->node[n], name) == 0)
			return n;
	return NODE_NONE;
}

/* "" is NODE_NONE; a name that the configuration does not know is refused. */
static int
record_node(const json_t *obj, const char *key, const struct names *names,
    node_t *out, struct error *err)
{
	char name[NODE_NAME_MAX];

	if (json_want_string(obj, key, name, sizeof(name), err) != 0)
		return -1;
	*out = NODE_NONE;
	if (name[0] == '\0')
		return 0;
	*out = names_find(names, name);
	if (*out == NODE_NONE)
		return error_set(err, ERR_PROTOCOL,
		    "%s names node %s, which the configuration does not know; "
		    "all hosts must have the same hawatch.conf",
		    key, name);
	return 0;
}

static int
record_candidates(const json_t *obj, const struct names *names, nodeset_t *out,
    struct error *err)
{
	const json_t *array, *item;
	const char *name;
	size_t i;
	node_t n;

	array = json_want_array(obj, "candidates", err);
	if (array == NULL)
		return -1;
	*out = 0;
	for (i = 0; i < json_array_size(array); i++) {
		item = json_array_get(array, i);
		name = json_string_value(item);
		n = name == NULL ? NODE_NONE : names_find(names, name);
		if (n == NODE_NONE)
			return error_set(err, ERR_PROTOCOL,
			    "candidates[%zu] is no node of the configuration",
			    i);
		*out |= NODE_BIT(n);
	}
	return 0;
}

static int
record_state(const json_t *obj, enum rec_state *out, struct error *err)
{
	char word[16];
	int s;

	if (json_want_string(obj, "state", word, sizeof(word), err) != 0)
		return -1;
	for (s = REC_HELD; s <= REC_RELEASED; s++)
		if (strcmp(word, rec_states[s]) == 0) {
			*out = (enum rec_state)s;
			return 0;
		}
	return error_set(err, ERR_PROTOCOL,
	    "state is \"%s\", not held, "
	    "claimed or released",
	    word);
}

/* Whose record it is, and whether this version can read it. */
static int
record_header(const json_t *obj, const struct names *names, struct error *err)
{
	char cluster[NODE_NAME_MAX];
	int format;

	if (json_want_int(obj, "format", 1, INT32_MAX, &format, err) != 0)
		return -1;
	if (format > RECORD_FORMAT)
		return error_set(err, ERR_PROTOCOL,
		    "the record has format %d, this hawatchd knows %d: "
		    "upgrade it on this host",
		    format, RECORD_FORMAT);
	if (json_want_string(obj, "cluster", cluster, sizeof(cluster), err) !=
	    0)
		return -1;
	if (strcmp(cluster, names->cluster) != 0)
		return error_set(err, ERR_PROTOCOL,
		    "the record is of cluster \"%s\", not \"%s\": "
		    "this is another cluster's register",
		    cluster, names->cluster);
	return 0;
}

/* Missing: there is none. */
static int
record_paused(const json_t *obj, struct record *r, struct error *err)
{
	const json_t *paused = json_object_get(obj, "paused");
	int64_t ms;

	if (paused == NULL)
		return 0;
	if (json_want_i64(
		paused, "until_ms", 1, INT64_MAX / USEC_MSEC, &ms, err) != 0 ||
	    json_want_string(paused, "why", r->paused_why,
		sizeof(r->paused_why), err) != 0 ||
	    json_want_string(
		paused, "by", r->paused_by, sizeof(r->paused_by), err) != 0)
		return -1;
	r->paused_until = ms * USEC_MSEC;
	return 0;
}

int
record_parse_own(struct record *rec, const char *json, size_t len,
    const struct names *names, struct error *err)
{
	struct record r;
	json_t *obj;
	int64_t ttl_ms, taken_ms;
	int rc = -1;

	memset(&r, 0, sizeof(r));
	if (len > RECORD_MAX)
		return error_set(err, ERR_LIMIT,
		    "a record of %zu bytes, more "
		    "than %d",
		    len, RECORD_MAX);
	obj = json_read(json, len, err);
	if (obj == NULL)
		return -1;
	if (record_header(obj, names, err) != 0 ||
	    json_want_u64(obj, "epoch", &r.epoch, err) != 0 ||
	    json_want_u64(obj, "seq", &r.seq, err) != 0 ||
	    record_state(obj, &r.state, err) != 0 ||
	    record_node(obj, "holder", names, &r.holder, err) != 0 ||
	    record_node(obj, "target", names, &r.target, err) != 0 ||
	    record_candidates(obj, names, &r.candidates, err) != 0 ||
	    json_want_i64(obj, "ttl_ms", 1, 3600000, &ttl_ms, err) != 0 ||
	    json_want_string(obj, "nonce", r.nonce, sizeof(r.nonce), err) !=
		0 ||
	    json_want_u32(obj, "timeline", &r.timeline, err) != 0 ||
	    json_want_id(obj, "system_id", &r.system_id, err) != 0 ||
	    json_want_lsn(obj, "lsn", &r.lsn, err) != 0 ||
	    json_want_i64(obj, "taken_at_ms", 0, INT64_MAX / USEC_MSEC,
		&taken_ms, err) != 0 ||
	    json_want_bool(obj, "counted", &r.counted, err) != 0 ||
	    json_want_u64(obj, "acked", &r.acked, err) != 0 ||
	    record_node(obj, "written_by", names, &r.written_by, err) != 0 ||
	    record_paused(obj, &r, err) != 0)
		goto out;
	if (r.holder == NODE_NONE || r.epoch == 0 || r.nonce[0] == '\0') {
		error_set(err, ERR_PROTOCOL,
		    "a record needs a holder, an "
		    "epoch above 0 and a nonce");
		goto out;
	}
	r.ttl = ttl_ms * USEC_MSEC;
	r.taken_at = taken_ms * USEC_MSEC;
	*rec = r;
	rc = 0;
out:
	json_decref(obj);
	return rc;
}

int
record_parse(struct record *rec, const char *json, size_t len,
    const struct names *names, struct error *err)
{
	struct record r;

	if (record_parse_own(&r, json, len, names, err) != 0)
		return -1;
	if (r.epoch > JSON_COUNT_MAX || r.seq > JSON_COUNT_MAX)
		return error_set(err, ERR_PROTOCOL,
		    "no record has epoch %ju and seq %ju", (uintmax_t)r.epoch,
		    (uintmax_t)r.seq);
	*rec = r;
	return 0;
}

static const char *
record_name(const struct names *names, node_t n)
{
	return n == NODE_NONE ? "" : names->node[n];
}

char *
record_str(const struct record *rec, const struct names *names)
{
	json_t *obj = json_object(), *cand = json_array(), *paused;
	char *text;
	node_t n;

	json_put_i64(obj, "format", rec->paused_until != 0 ? 2 : 1);
	json_put_string(obj, "cluster", names->cluster);
	json_put_u64(obj, "epoch", rec->epoch);
	json_put_u64(obj, "seq", rec->seq);
	json_put_string(obj, "state", rec_state_str(rec->state));
	json_put_string(obj, "holder", record_name(names, rec->holder));
	json_put_string(obj, "target", record_name(names, rec->target));
	for (n = 0; n < names->count; n++)
		if (rec->candidates & NODE_BIT(n))
			json_array_append_new(
			    cand, json_string(names->node[n]));
	json_put(obj, "candidates", cand);
	json_put_i64(obj, "ttl_ms", rec->ttl / USEC_MSEC);
	json_put_string(obj, "nonce", rec->nonce);
	json_put_i64(obj, "timeline", rec->timeline);
	json_put_id(obj, "system_id", rec->system_id);
	json_put_lsn(obj, "lsn", rec->lsn);
	json_put_i64(obj, "taken_at_ms", rec->taken_at / USEC_MSEC);
	json_put_bool(obj, "counted", rec->counted);
	json_put_u64(obj, "acked", rec->acked);
	json_put_string(obj, "written_by", record_name(names, rec->written_by));
	if (rec->paused_until != 0) {
		paused = json_object();
		json_put_i64(paused, "until_ms", rec->paused_until / USEC_MSEC);
		json_put_string(paused, "why", rec->paused_why);
		json_put_string(paused, "by", rec->paused_by);
		json_put(obj, "paused", paused);
	}
	text = json_text(obj);
	json_decref(obj);
	return text;
}
