/*
 * The JSON of the peers' API. One pair of functions a message; the record
 * inside has its own in core/record.c.
 *
 * Hosts of this version and of the one before work side by side. What a version
 * adds, a reader that does not know it passes over; where that would be wrong,
 * the writer says which protocol its reader has to know, and an older one
 * refuses the message and says so.
 */
#include "engine/wire.h"

#include <stdlib.h>
#include <string.h>

#include "hawatch/json.h"

static int
want_node(const json_t *obj, const char *key, const struct names *names,
    node_t *out, struct error *err)
{
	char name[NODE_NAME_MAX];

	if (json_want_string(obj, key, name, sizeof(name), err) != 0)
		return -1;
	*out = names_find(names, name);
	if (*out == NODE_NONE)
		return error_set(
		    err, ERR_PROTOCOL, "%s: no node %s", key, name);
	return 0;
}

static int
want_msec(const json_t *obj, const char *key, usec_t *out, struct error *err)
{
	int64_t ms;

	if (json_want_i64(obj, key, 1, 3600000, &ms, err) != 0)
		return -1;
	*out = ms * USEC_MSEC;
	return 0;
}

static int
want_answer(
    const json_t *obj, const char *key, enum answer *out, struct error *err)
{
	int v;

	if (json_want_int(obj, key, ANS_UNKNOWN, ANS_NO, &v, err) != 0)
		return -1;
	*out = (enum answer)v;
	return 0;
}

/* The one before there were numbers is 1. */
static json_t *
begin(void)
{
	json_t *obj = json_object();

	json_put_i64(obj, "proto", WIRE_PROTOCOL);
	json_put_i64(obj, "needs", 1);
	return obj;
}

/* A message that this version understands; else NULL. */
static json_t *
read_message(const char *json, size_t len, struct error *err)
{
	json_t *obj = json_read(json, len, err);
	int proto = 1, needs = 1;

	if (obj == NULL)
		return NULL;
	if ((json_has(obj, "needs") &&
		json_want_int(obj, "needs", 1, INT32_MAX, &needs, err) != 0) ||
	    (json_has(obj, "proto") &&
		json_want_int(obj, "proto", 1, INT32_MAX, &proto, err) != 0))
		goto refuse;
	if (needs <= WIRE_PROTOCOL)
		return obj;
	error_set(err, ERR_PROTOCOL,
	    "it speaks protocol %d, which takes %d to understand, and this "
	    "hawatchd speaks %d: upgrade it on this host",
	    proto, needs, WIRE_PROTOCOL);
refuse:
	json_decref(obj);
	return NULL;
}

static void
put_host(json_t *obj, json_t *host)
{
	if (host != NULL)
		json_put(obj, "host", host);
}

char *
wire_ask_str(const struct ask *ask, const struct names *names, json_t *host)
{
	json_t *obj = begin();

	json_put_u64(obj, "id", ask->id);
	json_put_string(obj, "from", names->node[ask->from]);
	json_put_string(obj, "instance", ask->instance);
	json_put_u64(obj, "epoch", ask->epoch);
	json_put_u64(obj, "seq", ask->seq);
	json_put_i64(obj, "ttl_ms", ask->ttl / USEC_MSEC);
	json_put_lsn(obj, "lsn", ask->lsn);
	json_put_bool(obj, "abdicate", ask->abdicate);
	json_put_bool(obj, "position", ask->position);
	json_put_bool(obj, "bounded", ask->bounded);
	put_host(obj, host);
	return json_take_text(obj);
}

int
wire_ask_parse(struct ask *ask, const char *json, size_t len,
    const struct names *names, json_t **host, struct error *err)
{
	json_t *obj = read_message(json, len, err);
	int rc = -1;

	*host = NULL;
	memset(ask, 0, sizeof(*ask));
	if (obj == NULL)
		return -1;
	if (json_want_u64(obj, "id", &ask->id, err) == 0 &&
	    want_node(obj, "from", names, &ask->from, err) == 0 &&
	    json_want_string(obj, "instance", ask->instance,
		sizeof(ask->instance), err) == 0 &&
	    json_want_count(obj, "epoch", &ask->epoch, err) == 0 &&
	    json_want_count(obj, "seq", &ask->seq, err) == 0 &&
	    want_msec(obj, "ttl_ms", &ask->ttl, err) == 0 &&
	    json_want_lsn(obj, "lsn", &ask->lsn, err) == 0 &&
	    json_want_bool(obj, "abdicate", &ask->abdicate, err) == 0 &&
	    /* A peer of before there were several candidates has none. */
	    (!json_has(obj, "position") ||
		json_want_bool(obj, "position", &ask->position, err) == 0) &&
	    (!json_has(obj, "bounded") ||
		json_want_bool(obj, "bounded", &ask->bounded, err) == 0))
		rc = 0;
	if (rc == 0)
		*host = json_incref(json_object_get(obj, "host"));
	json_decref(obj);
	return rc;
}

char *
wire_answer_str(
    const struct ask_answer *ans, const struct names *names, json_t *host)
{
	json_t *obj = begin();

	json_put_u64(obj, "id", ans->id);
	json_put_string(obj, "from", names->node[ans->from]);
	json_put_bool(obj, "yes", ans->yes);
	json_put_bool(obj, "abdicated", ans->abdicated);
	json_put_string(obj, "reason", ans->reason);
	json_put_string(obj, "instance", ans->instance);
	json_put_u64(obj, "epoch", ans->epoch);
	json_put_u64(obj, "seq", ans->seq);
	json_put_i64(obj, "running", ans->running);
	json_put_i64(obj, "recovery", ans->recovery);
	json_put_i64(obj, "timeline", ans->timeline);
	json_put_lsn(obj, "wal_end", ans->wal_end);
	put_host(obj, host);
	return json_take_text(obj);
}

int
wire_answer_parse(struct ask_answer *ans, const char *json, size_t len,
    const struct names *names, json_t **host, struct error *err)
{
	json_t *obj = read_message(json, len, err);
	int rc = -1;

	*host = NULL;
	memset(ans, 0, sizeof(*ans));
	if (obj == NULL)
		return -1;
	if (json_want_u64(obj, "id", &ans->id, err) == 0 &&
	    want_node(obj, "from", names, &ans->from, err) == 0 &&
	    json_want_bool(obj, "yes", &ans->yes, err) == 0 &&
	    json_want_bool(obj, "abdicated", &ans->abdicated, err) == 0 &&
	    json_want_string(
		obj, "reason", ans->reason, sizeof(ans->reason), err) == 0 &&
	    json_want_string(obj, "instance", ans->instance,
		sizeof(ans->instance), err) == 0 &&
	    json_want_count(obj, "epoch", &ans->epoch, err) == 0 &&
	    json_want_count(obj, "seq", &ans->seq, err) == 0 &&
	    want_answer(obj, "running", &ans->running, err) == 0 &&
	    want_answer(obj, "recovery", &ans->recovery, err) == 0 &&
	    json_want_u32(obj, "timeline", &ans->timeline, err) == 0 &&
	    json_want_lsn(obj, "wal_end", &ans->wal_end, err) == 0)
		rc = 0;
	if (rc == 0)
		*host = json_incref(json_object_get(obj, "host"));
	json_decref(obj);
	return rc;
}

/* A record travels as the text that record.c makes and reads. */
static void
put_record(json_t *obj, const struct record *rec, const struct names *names)
{
	char *text;

	if (rec->state == REC_NONE)
		return;
	text = record_str(rec, names);
	json_put_string(obj, "record", text);
	free(text);
}

static int
want_record(const json_t *obj, struct record *rec, const struct names *names,
    struct error *err)
{
	char text[RECORD_MAX + 1];

	if (!json_has(obj, "record")) {
		memset(rec, 0, sizeof(*rec));
		rec->holder = NODE_NONE;
		rec->target = NODE_NONE;
		return 0;
	}
	if (json_want_string(obj, "record", text, sizeof(text), err) != 0)
		return -1;
	return record_parse(rec, text, strlen(text), names, err);
}

char *
wire_cas_str(const struct do_cas *cas, const struct names *names)
{
	json_t *obj = begin();

	json_put_u64(obj, "id", cas->id);
	json_put_string(obj, "instance", cas->instance);
	json_put_u64(obj, "revision", cas->revision);
	json_put_string(obj, "nonce", cas->nonce);
	json_put_bool(obj, "reseed", cas->reseed);
	put_record(obj, &cas->rec, names);
	return json_take_text(obj);
}

int
wire_cas_parse(struct do_cas *cas, const char *json, size_t len,
    const struct names *names, struct error *err)
{
	json_t *obj = read_message(json, len, err);
	int rc = -1;

	memset(cas, 0, sizeof(*cas));
	if (obj == NULL)
		return -1;
	if (json_want_u64(obj, "id", &cas->id, err) == 0 &&
	    json_want_string(obj, "instance", cas->instance,
		sizeof(cas->instance), err) == 0 &&
	    json_want_count(obj, "revision", &cas->revision, err) == 0 &&
	    json_want_string(
		obj, "nonce", cas->nonce, sizeof(cas->nonce), err) == 0 &&
	    json_want_bool(obj, "reseed", &cas->reseed, err) == 0 &&
	    want_record(obj, &cas->rec, names, err) == 0) {
		if (cas->rec.state == REC_NONE)
			error_set(err, ERR_PROTOCOL, "a write needs a record");
		else
			rc = 0;
	}
	json_decref(obj);
	return rc;
}

void
wire_put_set(
    json_t *obj, const char *key, nodeset_t set, const struct names *names)
{
	json_t *array = json_array();
	node_t n;

	for (n = 0; n < names->count; n++)
		if (set & NODE_BIT(n))
			json_array_append_new(
			    array, json_string(names->node[n]));
	json_put(obj, key, array);
}

int
wire_want_set(const json_t *obj, const char *key, nodeset_t *set,
    const struct names *names, struct error *err)
{
	const json_t *array = json_want_array(obj, key, err);
	const char *name;
	size_t i;
	node_t n;

	*set = 0;
	if (array == NULL)
		return -1;
	for (i = 0; i < json_array_size(array); i++) {
		name = json_string_value(json_array_get(array, i));
		n = name == NULL ? NODE_NONE : names_find(names, name);
		if (n == NODE_NONE)
			return error_set(err, ERR_PROTOCOL,
			    "%s: item %zu is no node", key, i);
		*set |= NODE_BIT(n);
	}
	return 0;
}

char *
wire_value_str(const struct reg_value *v, const struct names *names)
{
	json_t *obj = begin();

	json_put_string(obj, "instance", v->instance);
	json_put_u64(obj, "revision", v->revision);
	json_put_bool(obj, "cold", v->cold);
	json_put_string(obj, "next", v->next);
	wire_put_set(obj, "reported", v->reported, names);
	json_put_u64(obj, "floor", v->floor);
	json_put_i64(obj, "formats", RECORD_FORMAT);
	put_record(obj, &v->rec, names);
	return json_take_text(obj);
}

int
wire_value_parse(struct reg_value *v, const char *json, size_t len,
    const struct names *names, struct error *err)
{
	json_t *obj = read_message(json, len, err);
	int rc = -1, formats = 1;

	memset(v, 0, sizeof(*v));
	if (obj == NULL)
		return -1;
	if (json_want_string(
		obj, "instance", v->instance, sizeof(v->instance), err) == 0 &&
	    json_want_count(obj, "revision", &v->revision, err) == 0 &&
	    json_want_bool(obj, "cold", &v->cold, err) == 0 &&
	    json_want_string(obj, "next", v->next, sizeof(v->next), err) == 0 &&
	    wire_want_set(obj, "reported", &v->reported, names, err) == 0 &&
	    json_want_count(obj, "floor", &v->floor, err) == 0 &&
	    /* A peer of before there was a second one knows the first. */
	    (!json_has(obj, "formats") || json_want_int(obj, "formats", 1,
					      INT32_MAX, &formats, err) == 0) &&
	    want_record(obj, &v->rec, names, err) == 0)
		rc = 0;
	v->older = formats < RECORD_FORMAT;
	json_decref(obj);
	return rc;
}

static const char *const results[] = { [CAS_CONFIRMED] = "confirmed",
	[CAS_CONFLICT] = "conflict",
	[CAS_UNKNOWN] = "unknown",
	[CAS_REFUSED] = "refused" };

char *
wire_result_str(enum cas_result res, uint64_t revision, const char *instance)
{
	json_t *obj = begin();

	json_put_string(obj, "result", results[res]);
	json_put_u64(obj, "revision", revision);
	json_put_string(obj, "instance", instance);
	return json_take_text(obj);
}

int
wire_result_parse(enum cas_result *res, uint64_t *revision,
    char instance[ID_MAX], const char *json, size_t len, struct error *err)
{
	json_t *obj = read_message(json, len, err);
	char word[16];
	int rc = -1;
	size_t i;

	if (obj == NULL)
		return -1;
	if (json_want_string(obj, "result", word, sizeof(word), err) != 0 ||
	    json_want_count(obj, "revision", revision, err) != 0 ||
	    json_want_string(obj, "instance", instance, ID_MAX, err) != 0)
		goto out;
	for (i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		if (strcmp(word, results[i]) == 0) {
			*res = (enum cas_result)i;
			rc = 0;
		}
	if (rc != 0)
		error_set(err, ERR_PROTOCOL, "result is \"%s\"", word);
out:
	json_decref(obj);
	return rc;
}
