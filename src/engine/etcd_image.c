/*
 * What is kept under the key in etcd: the register as the arbiter has it in
 * its file, the record and the instance that it was written to.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/etcd_text.h"
#include "engine/wire.h"
#include "hawatch/json.h"

#define IMAGE_FORMAT 1

static int
image_record(const json_t *obj, struct record *rec, const struct names *names,
    struct error *err)
{
	const json_t *inner;
	char *text;
	int rc;

	if (!json_has(obj, "record")) {
		memset(rec, 0, sizeof(*rec));
		rec->holder = rec->target = NODE_NONE;
		return 0;
	}
	inner = json_want_object(obj, "record", err);
	if (inner == NULL)
		return -1;
	text = json_text(inner);
	rc = record_parse(rec, text, strlen(text), names, err);
	free(text);
	return rc;
}

int
etcd_image_parse(struct arbiter *a, const char *text, const struct names *names,
    struct error *err)
{
	struct reg_value *v = &a->value;
	json_t *obj = json_read(text, strlen(text), err);
	int format, rc = -1;

	if (obj == NULL)
		return -1;
	if (json_want_int(obj, "hawatch", 1, INT32_MAX, &format, err) != 0)
		goto out;
	if (format > IMAGE_FORMAT) {
		error_set(err, ERR_PROTOCOL,
		    "format %d, this hawatchd knows %d: upgrade it on this "
		    "host",
		    format, IMAGE_FORMAT);
		goto out;
	}
	if (json_want_string(
		obj, "instance", v->instance, sizeof(v->instance), err) == 0 &&
	    wire_want_set(obj, "reported", &v->reported, names, err) == 0 &&
	    wire_want_set(obj, "ahead", &a->ahead, names, err) == 0 &&
	    json_want_count(obj, "floor", &v->floor, err) == 0 &&
	    image_record(obj, &v->rec, names, err) == 0)
		rc = 0;
out:
	json_decref(obj);
	return rc;
}

char *
etcd_image_str(const struct arbiter *a, const struct names *names)
{
	const struct reg_value *v = &a->value;
	json_t *obj = json_object();
	struct error err;
	char *text;

	json_put_i64(obj, "hawatch", IMAGE_FORMAT);
	json_put_string(obj, "instance", v->instance);
	wire_put_set(obj, "reported", v->reported, names);
	wire_put_set(obj, "ahead", a->ahead, names);
	json_put_u64(obj, "floor", v->floor);
	if (v->rec.state != REC_NONE) {
		text = record_str(&v->rec, names);
		json_put(obj, "record", json_read(text, strlen(text), &err));
		free(text);
	}
	return json_take_text(obj);
}
