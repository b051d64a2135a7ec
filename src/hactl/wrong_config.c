/*
 * That the hosts run by configurations that differ. The engines compare digests
 * alone; by which keys, is known where hactl asked for it: "differ" of a status
 * is what config diff would show on that host.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/wrong.h"

#define KEYS_SHOWN 3

/* The file is the same everywhere, or a takeover changes what may be lost. */
void
wrong_durability(struct wrong_list *l, const json_t *status)
{
	const json_t *nodes = get_at(status, "nodes"), *node, *first = NULL;
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (!get_has(node, "durability"))
			continue;
		if (first == NULL) {
			first = node;
			continue;
		}
		if (wrong_is(first, "durability.mode",
			get_str(node, "durability.mode")) &&
		    get_int(first, "durability.max_loss") ==
			get_int(node, "durability.max_loss"))
			continue;
		wrong_text(l, "hactl config diff",
		    "%s and %s differ in what may be lost: write the same "
		    "durability and max_loss in every hawatch.conf, then "
		    "restart hawatchd",
		    get_str(first, "node"), get_str(node, "node"));
		return;
	}
}

/* What this host was told of that one. */
static const json_t *
config_keys(const json_t *status, const char *name)
{
	const json_t *nodes = get_at(status, "differ"), *node;
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (wrong_is(node, "node", name))
			return get_at(node, "keys");
	}
	return NULL;
}

void
wrong_keys(char *buf, size_t size, const json_t *status, const char *one,
    const char *other, bool safety)
{
	const char *self = get_str(status, "self");
	const json_t *list, *key;
	size_t i, len = 0, n = 0;

	buf[0] = '\0';
	if (strcmp(self, one) != 0 && strcmp(self, other) != 0)
		return;
	list = config_keys(status, strcmp(self, one) == 0 ? other : one);
	for (i = 0; i < json_array_size(list); i++) {
		key = json_array_get(list, i);
		if (safety && !get_bool(key, "safety"))
			continue;
		if (n++ < KEYS_SHOWN && len < size)
			len +=
			    (size_t)snprintf(buf + len, size - len, "%s%.60s",
				n == 1 ? " (" : ", ", get_str(key, "key"));
	}
	if (n > KEYS_SHOWN && len < size)
		len += (size_t)snprintf(
		    buf + len, size - len, " and %zu more", n - KEYS_SHOWN);
	if (n > 0 && len < size)
		(void)snprintf(buf + len, size - len, ")");
}

/* Of those, one of which more is known. */
static const char *
config_other(const json_t *status, const json_t *list, const char *name)
{
	const char *self = get_str(status, "self");

	return strcmp(self, name) != 0 && get_in(list, self) ?
		   self :
		   json_string_value(json_array_get(list, 0));
}

/* The hosts compare themselves; one of them is enough to say it. */
void
wrong_config(struct wrong_list *l, const json_t *status)
{
	const json_t *nodes = get_at(status, "nodes"), *node, *list;
	char names[160], keys[WRONG_KEYS_MAX];
	const char *other;
	bool unsafe;
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (json_array_size(get_at(node, "config.differ")) == 0)
			continue;
		list = get_at(node, "config.unsafe");
		unsafe = json_array_size(list) > 0;
		if (!unsafe)
			list = get_at(node, "config.differ");
		get_list(node, "config.differ", names, sizeof(names));
		other = config_other(status, list, get_str(node, "node"));
		wrong_keys(keys, sizeof(keys), status, get_str(node, "node"),
		    other == NULL ? "" : other, unsafe);
		wrong_text(l, "hactl config diff",
		    "%s runs by another configuration than %s%s%s%s",
		    get_str(node, "node"), names,
		    unsafe ? ", in what matters for safety" : "", keys,
		    unsafe ? ": no candidate is added. One file on all hosts, "
			     "then restart hawatchd, one host after another, "
			     "in the order that hactl reload says" :
			     ": one file on all hosts, then hactl reload");
		return;
	}
}
