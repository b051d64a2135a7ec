/*
 * The JSON of etcd's gateway, version 3: bytes travel as base64, 64-bit numbers
 * as decimal strings, and whatever is zero, false or empty is left out.
 *
 * When the instance under the key is not the id of the cluster that holds it,
 * the data came there by a restore, and when there is no key it is gone or was
 * never there: in both cases the register is cold.
 */
#include "engine/etcd_text.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define IMAGE_MAX 8192 /* bytes; a longer value is not ours */

static char *
text_base64(const char *text)
{
	size_t len = strlen(text);
	unsigned char *out = xcalloc(1, len / 3 * 4 + 5);

	EVP_EncodeBlock(out, (const unsigned char *)text, (int)len);
	return (char *)out;
}

/* Caller frees; NULL: it is none, too long, or has a byte 0. */
static char *
text_unbase64(const char *text)
{
	size_t len = strlen(text), pad;
	unsigned char *out;
	int n;

	if (len % 4 != 0 || len == 0 || len > IMAGE_MAX / 3 * 4)
		return NULL;
	pad = (size_t)(text[len - 1] == '=') + (text[len - 2] == '=');
	out = xcalloc(1, len / 4 * 3 + 1);
	n = EVP_DecodeBlock(out, (const unsigned char *)text, (int)len);
	if (n < (int)pad) {
		free(out);
		return NULL;
	}
	out[(size_t)n - pad] = '\0';
	if (strlen((char *)out) != (size_t)n - pad) {
		free(out);
		return NULL;
	}
	return (char *)out;
}

static void
put_base64(json_t *obj, const char *key, const char *text)
{
	char *coded = text_base64(text);

	json_put_string(obj, key, coded);
	free(coded);
}

static json_t *
text_of_key(const char *key)
{
	json_t *obj = json_object();

	put_base64(obj, "key", key);
	return obj;
}

char *
etcd_range_str(const char *key)
{
	return json_take_text(text_of_key(key));
}

char *
etcd_watch_str(const char *key)
{
	json_t *obj = json_object();

	json_put(obj, "create_request", text_of_key(key));
	return json_take_text(obj);
}

char *
etcd_login_str(const char *user, const char *password)
{
	json_t *obj = json_object();

	json_put_string(obj, "name", user);
	json_put_string(obj, "password", password);
	return json_take_text(obj);
}

static json_t *
text_list_of(const char *what, json_t *obj)
{
	json_t *list = json_array(), *one = obj;

	if (what != NULL) {
		one = json_object();
		json_put(one, what, obj);
	}
	json_array_append_new(list, one);
	return list;
}

/* The revision alone would do, were it not that a cluster that was put back
 * gives revisions again. */
static json_t *
text_compare(const char *key, const struct etcd_view *seen)
{
	json_t *one = text_of_key(key), *list;

	if (seen->revision == 0) {
		json_put_string(one, "target", "CREATE");
		json_put_string(one, "create_revision", "0");
		return text_list_of(NULL, one);
	}
	json_put_string(one, "target", "MOD");
	json_put_id(one, "mod_revision", seen->revision);
	list = text_list_of(NULL, one);
	one = text_of_key(key);
	json_put_string(one, "target", "VALUE");
	put_base64(one, "value", seen->text);
	json_array_append_new(list, one);
	return list;
}

char *
etcd_put_str(const char *key, const struct etcd_view *seen, const char *text)
{
	json_t *obj = json_object(), *put = text_of_key(key);

	put_base64(put, "value", text);
	json_put(obj, "compare", text_compare(key, seen));
	json_put(obj, "success", text_list_of("request_put", put));
	json_put(
	    obj, "failure", text_list_of("request_range", text_of_key(key)));
	return json_take_text(obj);
}

/* Of etcd itself, which counts on. */
static int
want_revision(
    const json_t *obj, const char *key, uint64_t *out, struct error *err)
{
	uint64_t revision;

	if (json_want_id(obj, key, &revision, err) != 0)
		return -1;
	if (revision > JSON_COUNT_MAX)
		return error_set(err, ERR_PROTOCOL, "no %s is %ju", key,
		    (uintmax_t)revision);
	*out = revision;
	return 0;
}

static int
want_head(const json_t *obj, struct etcd_view *v, struct error *err)
{
	const json_t *head = json_want_object(obj, "header", err);
	uint64_t id;

	if (head == NULL || json_want_id(head, "cluster_id", &id, err) != 0 ||
	    want_revision(head, "revision", &v->head, err) != 0)
		return -1;
	if (id == 0 || v->head == 0)
		return error_set(err, ERR_PROTOCOL,
		    "header: no cluster has id %ju and revision %ju",
		    (uintmax_t)id, (uintmax_t)v->head);
	(void)snprintf(v->cluster, sizeof(v->cluster), "%016jx", (uintmax_t)id);
	return 0;
}

/* What the bytes under the key are, to the cluster that showed them. */
static int
view_understand(
    struct etcd_view *v, const struct names *names, struct error *err)
{
	struct reg_value *value = &v->image.value;

	memset(&v->image, 0, sizeof(v->image));
	value->rec.holder = value->rec.target = NODE_NONE;
	if (v->text != NULL &&
	    etcd_image_parse(&v->image, v->text, names, err) != 0)
		return error_wrap(err, "what is under the key");
	value->revision = v->revision;
	value->head = v->head;
	value->cold = strcmp(value->instance, v->cluster) != 0;
	if (value->cold)
		str_cut(value->next, sizeof(value->next), v->cluster);
	return 0;
}

static int
view_key(
    struct etcd_view *v, const json_t *kv, const char *key, struct error *err)
{
	const char *got = json_string_value(json_object_get(kv, "key"));
	const char *value = json_string_value(json_object_get(kv, "value"));
	char *wanted = text_base64(key);
	bool ours = got != NULL && strcmp(got, wanted) == 0;

	free(wanted);
	if (!ours || want_revision(kv, "mod_revision", &v->revision, err) != 0)
		return error_set(err, ERR_PROTOCOL, "it shows another key");
	if (v->revision == 0 || v->revision > v->head)
		return error_set(err, ERR_PROTOCOL,
		    "the key has revision %ju, all of etcd %ju",
		    (uintmax_t)v->revision, (uintmax_t)v->head);
	v->text = value == NULL ? NULL : text_unbase64(value);
	if (v->text == NULL)
		return error_set(err, ERR_PROTOCOL,
		    "what is under the key is no text of ours");
	return 0;
}

/* An answer to a range: one key, or none. */
static int
view_range(struct etcd_view *v, const json_t *obj, const char *key,
    const struct names *names, struct error *err)
{
	const json_t *list;

	if (json_has(obj, "kvs")) {
		list = json_want_array(obj, "kvs", err);
		if (list == NULL)
			return -1;
		if (json_array_size(list) > 1)
			return error_set(
			    err, ERR_PROTOCOL, "more keys than were asked for");
		if (json_array_size(list) == 1 &&
		    view_key(v, json_array_get(list, 0), key, err) != 0)
			return -1;
	} else if (json_has(obj, "count")) {
		return error_set(
		    err, ERR_PROTOCOL, "it counts keys and shows none");
	}
	return view_understand(v, names, err);
}

void
etcd_view_fini(struct etcd_view *v)
{
	free(v->text);
	memset(v, 0, sizeof(*v));
}

int
etcd_range_parse(struct etcd_view *v, const char *key, const char *json,
    size_t len, const struct names *names, struct error *err)
{
	json_t *obj = json_read(json, len, err);
	int rc = -1;

	memset(v, 0, sizeof(*v));
	if (obj != NULL && want_head(obj, v, err) == 0 &&
	    view_range(v, obj, key, names, err) == 0)
		rc = 0;
	if (rc != 0)
		etcd_view_fini(v);
	json_decref(obj);
	return rc;
}

static int
put_taken(const json_t *obj, bool *taken, struct error *err)
{
	*taken = false;
	if (!json_has(obj, "succeeded"))
		return 0;
	return json_want_bool(obj, "succeeded", taken, err);
}

int
etcd_put_parse(struct etcd_view *v, bool *taken, const char *key,
    const char *json, size_t len, const struct names *names, struct error *err)
{
	json_t *obj = json_read(json, len, err), *list, *range;
	int rc = -1;

	memset(v, 0, sizeof(*v));
	if (obj == NULL || want_head(obj, v, err) != 0 ||
	    put_taken(obj, taken, err) != 0)
		goto out;
	if (*taken) {
		v->revision = v->head;
		rc = 0;
		goto out;
	}
	list = json_want_array(obj, "responses", err);
	range = list == NULL ? NULL :
			       json_want_object(json_array_get(list, 0),
				   "response_range", err);
	if (range != NULL)
		rc = view_range(v, range, key, names, err);
out:
	if (rc != 0)
		etcd_view_fini(v);
	json_decref(obj);
	return rc;
}

int
etcd_login_parse(
    char *token, size_t size, const char *json, size_t len, struct error *err)
{
	json_t *obj = json_read(json, len, err);
	int rc = -1;

	if (obj != NULL)
		rc = json_want_string(obj, "token", token, size, err);
	json_decref(obj);
	/* It goes into a header. */
	if (rc == 0 &&
	    (token[0] == '\0' || token[strcspn(token, "\r\n")] != '\0'))
		rc = error_set(err, ERR_PROTOCOL, "that is no token");
	return rc;
}

bool
etcd_watch_parse(const char *json, size_t len, uint64_t *head)
{
	struct error err;
	json_t *obj = json_read(json, len, &err), *result;
	struct etcd_view v;
	bool ok = false;

	result = obj == NULL ? NULL : json_object_get(obj, "result");
	if (json_is_object(result) && !json_has(result, "canceled") &&
	    want_head(result, &v, &err) == 0) {
		*head = v.head;
		ok = true;
	}
	json_decref(obj);
	return ok;
}

void
etcd_error_str(char *buf, size_t size, const char *json, size_t len)
{
	struct error err;
	json_t *obj = json_read(json, len, &err), *inner;
	const char *text;

	inner = obj == NULL ? NULL : json_object_get(obj, "error");
	text = json_string_value(
	    json_is_object(inner) ? json_object_get(inner, "message") : inner);
	str_cut(buf, size, text == NULL ? "an error without words" : text);
	json_decref(obj);
}
