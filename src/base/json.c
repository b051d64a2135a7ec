/*
 * Getters and setters over jansson. The getters answer for bytes that come
 * from elsewhere: peers, the register, state files. They never guess.
 */
#include "hawatch/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hawatch/mem.h"
#include "hawatch/str.h"

static const char *json_type_str(const json_t *value);
static json_t *json_want(
    const json_t *obj, const char *key, json_type type, struct error *err);

json_t *
json_read(const char *text, size_t len, struct error *err)
{
	json_error_t why;
	json_t *obj;

	obj = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	if (obj == NULL) {
		error_set(err, ERR_PROTOCOL, "not JSON at byte %d: %s",
		    why.position, why.text);
		return NULL;
	}
	if (!json_is_object(obj)) {
		error_set(err, ERR_PROTOCOL,
		    "JSON %s where an object is expected", json_type_str(obj));
		json_decref(obj);
		return NULL;
	}
	return obj;
}

int
json_only(const json_t *obj, const char *const *keys, struct error *err)
{
	/* jansson's iterator wants a mutable object and does not change it. */
	json_t *walk = json_incref((json_t *)(uintptr_t)obj);
	const char *key;
	json_t *value;
	size_t i;
	int rc = 0;

	json_object_foreach(walk, key, value) {
		for (i = 0; keys[i] != NULL; i++)
			if (strcmp(keys[i], key) == 0)
				break;
		if (keys[i] == NULL) {
			rc = error_set(
			    err, ERR_PROTOCOL, "unknown key \"%.64s\"", key);
			break;
		}
	}
	json_decref(walk);
	return rc;
}

bool
json_has(const json_t *obj, const char *key)
{
	const json_t *value = json_object_get(obj, key);

	return value != NULL && !json_is_null(value);
}

const char *
json_string_at(const json_t *obj, const char *key)
{
	const char *text = json_string_value(json_object_get(obj, key));

	return text == NULL ? "" : text;
}

int
json_want_string(const json_t *obj, const char *key, char *buf, size_t size,
    struct error *err)
{
	const json_t *value = json_want(obj, key, JSON_STRING, err);
	const char *text;

	if (value == NULL)
		return -1;
	text = json_string_value(value);
	/* Leaves buf alone when the text does not fit. */
	if (strlen(text) >= size || str_copy(buf, size, text) == -1)
		return error_set(err, ERR_LIMIT,
		    "\"%s\" has %zu bytes, the most is %zu", key, strlen(text),
		    size == 0 ? 0 : size - 1);
	return 0;
}

int
json_want_bool(const json_t *obj, const char *key, bool *out, struct error *err)
{
	const json_t *value = json_object_get(obj, key);

	if (!json_is_boolean(value))
		return error_set(err, ERR_PROTOCOL,
		    "\"%s\" is %s where true or false is expected", key,
		    json_type_str(value));
	*out = json_is_true(value);
	return 0;
}

int
json_want_i64(const json_t *obj, const char *key, int64_t min, int64_t max,
    int64_t *out, struct error *err)
{
	const json_t *value = json_want(obj, key, JSON_INTEGER, err);
	int64_t number;

	if (value == NULL)
		return -1;
	number = json_integer_value(value);
	if (number < min || number > max)
		return error_set(err, ERR_LIMIT,
		    "\"%s\" is %" PRId64 ", not within %" PRId64 " to %" PRId64,
		    key, number, min, max);
	*out = number;
	return 0;
}

int
json_want_int(const json_t *obj, const char *key, int min, int max, int *out,
    struct error *err)
{
	int64_t number = 0;

	if (json_want_i64(obj, key, min, max, &number, err) == -1)
		return -1;
	*out = (int)number;
	return 0;
}

int
json_want_u64(
    const json_t *obj, const char *key, uint64_t *out, struct error *err)
{
	int64_t number = 0;

	if (json_want_i64(obj, key, 0, INT64_MAX, &number, err) == -1)
		return -1;
	*out = (uint64_t)number;
	return 0;
}

int
json_want_count(
    const json_t *obj, const char *key, uint64_t *out, struct error *err)
{
	int64_t number = 0;

	if (json_want_i64(obj, key, 0, (int64_t)JSON_COUNT_MAX, &number, err) ==
	    -1)
		return -1;
	*out = (uint64_t)number;
	return 0;
}

int
json_want_u32(
    const json_t *obj, const char *key, uint32_t *out, struct error *err)
{
	int64_t number = 0;

	if (json_want_i64(obj, key, 0, UINT32_MAX, &number, err) == -1)
		return -1;
	*out = (uint32_t)number;
	return 0;
}

int
json_want_id(
    const json_t *obj, const char *key, uint64_t *out, struct error *err)
{
	char text[24];

	if (json_want_string(obj, key, text, sizeof(text), err) == -1)
		return -1;
	if (str_parse_u64(text, out) == -1)
		return error_set(err, ERR_PROTOCOL,
		    "\"%s\" is \"%s\" where decimal digits are expected", key,
		    text);
	return 0;
}

int
json_want_lsn(const json_t *obj, const char *key, lsn_t *out, struct error *err)
{
	char text[LSN_STR_MAX];

	if (json_want_string(obj, key, text, sizeof(text), err) == -1)
		return -1;
	if (lsn_parse(text, out) == -1)
		return error_set(err, ERR_PROTOCOL,
		    "\"%s\" is \"%s\" where a position like \"16/B374D848\" "
		    "is expected",
		    key, text);
	return 0;
}

json_t *
json_want_array(const json_t *obj, const char *key, struct error *err)
{
	return json_want(obj, key, JSON_ARRAY, err);
}

json_t *
json_want_object(const json_t *obj, const char *key, struct error *err)
{
	return json_want(obj, key, JSON_OBJECT, err);
}

void
json_put(json_t *obj, const char *key, json_t *value)
{
	if (value == NULL || json_object_set_new(obj, key, value) == -1)
		abort();
}

void
json_put_string(json_t *obj, const char *key, const char *text)
{
	json_t *value = json_string(text);
	char *copy;
	size_t i, len;

	if (value == NULL) {
		copy = xstrdup(text);
		for (i = 0; copy[i] != '\0'; i += len) {
			len = str_utf8(copy + i);
			if (len == 0) {
				copy[i] = '?';
				len = 1;
			}
		}
		value = json_string(copy);
		free(copy);
	}
	json_put(obj, key, value);
}

void
json_put_i64(json_t *obj, const char *key, int64_t value)
{
	json_put(obj, key, json_integer(value));
}

void
json_put_u64(json_t *obj, const char *key, uint64_t value)
{
	if (value > INT64_MAX)
		abort();
	json_put(obj, key, json_integer((json_int_t)value));
}

void
json_put_bool(json_t *obj, const char *key, bool value)
{
	json_put(obj, key, json_boolean(value));
}

void
json_put_id(json_t *obj, const char *key, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	json_put_string(obj, key, text);
}

void
json_put_lsn(json_t *obj, const char *key, lsn_t value)
{
	char text[LSN_STR_MAX];

	json_put_string(obj, key, lsn_str(value, text));
}

char *
json_text(const json_t *obj)
{
	char *text = json_dumps(obj, JSON_COMPACT);

	if (text == NULL)
		abort();
	return text;
}

char *
json_take_text(json_t *obj)
{
	char *text = json_text(obj);

	json_decref(obj);
	return text;
}

static json_t *
json_want(const json_t *obj, const char *key, json_type type, struct error *err)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object",
		[JSON_ARRAY] = "an array",
		[JSON_STRING] = "a string",
		[JSON_INTEGER] = "an integer",
	};
	json_t *value = json_object_get(obj, key);

	if (value != NULL && json_typeof(value) == type)
		return value;
	error_set(err, ERR_PROTOCOL, "\"%s\" is %s where %s is expected", key,
	    json_type_str(value), names[type]);
	return NULL;
}

static const char *
json_type_str(const json_t *value)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object",
		[JSON_ARRAY] = "an array",
		[JSON_STRING] = "a string",
		[JSON_INTEGER] = "an integer",
		[JSON_REAL] = "a real number",
		[JSON_TRUE] = "true",
		[JSON_FALSE] = "false",
		[JSON_NULL] = "null",
	};

	return value == NULL ? "missing" : names[json_typeof(value)];
}
