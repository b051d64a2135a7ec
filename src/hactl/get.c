/*
 * Values out of the engine's answers by a path like "fence.writers". What is
 * absent or of another type is empty: an older engine may not know it.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"

const json_t *
get_at(const json_t *obj, const char *path)
{
	char key[64];
	size_t len;

	while (obj != NULL && *path != '\0') {
		len = strcspn(path, ".");
		if (len >= sizeof(key))
			return NULL;
		memcpy(key, path, len);
		key[len] = '\0';
		obj = json_object_get(obj, key);
		path += len;
		if (*path == '.')
			path++;
	}
	return obj;
}

const char *
get_str(const json_t *obj, const char *path)
{
	const char *text = json_string_value(get_at(obj, path));

	return text == NULL ? "" : text;
}

long long
get_int(const json_t *obj, const char *path)
{
	return json_integer_value(get_at(obj, path));
}

bool
get_bool(const json_t *obj, const char *path)
{
	return json_is_true(get_at(obj, path));
}

bool
get_has(const json_t *obj, const char *path)
{
	const json_t *value = get_at(obj, path);

	return value != NULL && !json_is_null(value);
}

bool
get_in(const json_t *list, const char *name)
{
	const char *text;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		text = json_string_value(json_array_get(list, i));
		if (text != NULL && strcmp(text, name) == 0)
			return true;
	}
	return false;
}

void
get_list(const json_t *obj, const char *path, char *buf, size_t size)
{
	const json_t *list = get_at(obj, path);
	const char *text;
	size_t i, len = 0;

	(void)snprintf(buf, size, "none");
	for (i = 0; i < json_array_size(list); i++) {
		text = json_string_value(json_array_get(list, i));
		if (text == NULL || len >= size)
			continue;
		len += (size_t)snprintf(
		    buf + len, size - len, "%s%s", i == 0 ? "" : ", ", text);
	}
}
