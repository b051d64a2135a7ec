/*
 * Printing what more than one verb shows of the nodes: ages, drift, who is
 * silent.
 */
#include <stdio.h>

#include "hactl/hactl.h"

void
print_age(char *buf, size_t size, const json_t *ms)
{
	long long s = json_integer_value(ms) / 1000;

	if (!json_is_integer(ms))
		(void)snprintf(buf, size, "-");
	else if (s < 100)
		(void)snprintf(buf, size, "%lld s", s);
	else if (s < 100LL * 60)
		(void)snprintf(buf, size, "%lld min", s / 60);
	else if (s < 48LL * 3600)
		(void)snprintf(buf, size, "%lld h", s / 3600);
	else
		(void)snprintf(buf, size, "%lld d", s / 86400);
}

void
print_silent(const json_t *nodes)
{
	const json_t *node;
	char first[96];
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (!get_has(node, "silent") || !get_bool(node, "data"))
			continue;
		(void)snprintf(
		    first, sizeof(first), "%s  ", get_str(node, "node"));
		print_coloured(COLOUR_BAD, NULL);
		print_wrapped(
		    first, "its engine does not answer, so nothing is known");
		print_coloured(COLOUR_NONE, NULL);
		(void)snprintf(first, sizeof(first),
		    "ssh %s systemctl status hawatchd", get_str(node, "node"));
		print_next("  next  ", first);
	}
}

void
status_no_node(const json_t *answer, const char *name, bool data)
{
	const json_t *nodes = get_at(answer, "nodes"), *node;
	char list[300] = "", text[480];
	size_t i, len = 0;

	for (i = 0; i < json_array_size(nodes) && len < sizeof(list); i++) {
		node = json_array_get(nodes, i);
		if (!data || get_bool(node, "data"))
			len += (size_t)snprintf(list + len, sizeof(list) - len,
			    "%s%s", len == 0 ? "" : ", ",
			    get_str(node, "node"));
	}
	(void)snprintf(text, sizeof(text),
	    "%s is no %snode of this cluster; those are %s", name,
	    data ? "data " : "", list);
	print_wrong(text, "hactl status");
}

void
print_drift(char *buf, size_t size, const json_t *node)
{
	const json_t *list = get_at(node, "drift.items");
	long long count = get_int(node, "drift.count");
	size_t i, seen = 0, items = json_array_size(list);

	for (i = 0; i < items; i++)
		if (get_has(json_array_get(list, i), "seen_ms"))
			seen++;
	if (items == 0)
		(void)snprintf(buf, size, "-");
	else if (count > 0)
		(void)snprintf(buf, size, "%lld of %zu", count, items);
	else
		(void)snprintf(buf, size, seen == 0 ? "not known" : "none");
}
