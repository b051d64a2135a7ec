/*
 * Whether an HTTP answer is what a check asks for: one header, the body by an
 * expression, one field of JSON. That the words are well formed was seen when
 * the configuration was read; one that is not never matches.
 */
#include "check/answer.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "hawatch/http.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

bool
answer_header(const char *want, const struct http_answer *ans)
{
	size_t len = strcspn(want, ":");
	char *name = xstrndup(want, len);
	const char *value = http_header(ans, name);

	free(name);
	if (want[len] != ':' || value == NULL)
		return false;
	want += len + 1;
	want += strspn(want, " ");
	return strcmp(want, value) == 0;
}

/* Compiled for each answer: a check has no place to free it later, and it
 * costs less than the request. */
bool
answer_body(const char *want, const char *body)
{
	regex_t re;
	bool yes;

	if (regcomp(&re, want, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	yes = regexec(&re, body, 0, NULL, 0) == 0;
	regfree(&re);
	return yes;
}

static const json_t *
answer_step(const json_t *at, const char *key)
{
	uint64_t i;

	if (json_is_array(at))
		return str_parse_u64(key, &i) == 0 ?
			   json_array_get(at, (size_t)i) :
			   NULL;
	return json_object_get(at, key);
}

static bool
answer_value(const json_t *at, const char *want)
{
	char *text;
	bool yes;

	if (json_is_string(at))
		return strcmp(json_string_value(at), want) == 0;
	text = json_dumps(at, JSON_ENCODE_ANY | JSON_COMPACT);
	yes = text != NULL && strcmp(text, want) == 0;
	free(text);
	return yes;
}

bool
answer_json(const char *want, const char *body, size_t len)
{
	size_t path_len = strcspn(want, "=");
	char *path = xstrndup(want, path_len), *rest = NULL, *key;
	struct error err;
	json_t *root = json_read(body, len, &err);
	const json_t *at = root;
	bool yes;

	for (key = strtok_r(path, ".", &rest); key != NULL && at != NULL;
	     key = strtok_r(NULL, ".", &rest))
		at = answer_step(at, key);
	yes = at != NULL && want[path_len] == '=' &&
	      answer_value(at, want + path_len + 1);
	free(path);
	json_decref(root);
	return yes;
}
