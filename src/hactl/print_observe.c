/*
 * Hosts in mode observe: they change nothing, so that much of what would be
 * wrong elsewhere is as it should be, and what stands against another mode is
 * what a person wants to know.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hawatch/str.h"

bool
observe_is(const json_t *node)
{
	return strcmp(get_str(node, "mode"), "observe") == 0 &&
	       get_bool(node, "data");
}

bool
observe_calm(const json_t *node)
{
	const char *pg = get_str(node, "postgres.state");

	return observe_is(node) &&
	       (strcmp(pg, "primary") == 0 || strcmp(pg, "standby") == 0);
}

bool
observe_all(const json_t *nodes)
{
	const json_t *node;
	bool any = false;
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (!get_bool(node, "data") || get_has(node, "silent"))
			continue;
		if (!observe_is(node))
			return false;
		any = true;
	}
	return any;
}

const char *
observe_armed(const json_t *node)
{
	const char *why = get_str(node, "fence.armed_why");

	return strncmp(why, "mode observe ", 13) == 0 ? "" : why;
}

static void
observe_add(char *buf, size_t size, const char *what, const char *where)
{
	size_t len = strlen(buf);

	if (len < size)
		(void)snprintf(buf + len, size - len, "%s%s%s%s%s",
		    len == 0 ? "" : "; ", what, where[0] == '\0' ? "" : " (",
		    where, where[0] == '\0' ? "" : ")");
}

void
observe_against(const json_t *node, char *buf, size_t size)
{
	const json_t *list = get_at(node, "postgres.settings"), *obj;
	const char *armed = observe_armed(node);
	char names[160];
	size_t i;

	buf[0] = '\0';
	if (armed[0] != '\0')
		observe_add(buf, size, armed, "");
	for (i = 0; i < json_array_size(list); i++) {
		obj = json_array_get(list, i);
		if (strcmp(get_str(obj, "level"), "notes") != 0)
			observe_add(buf, size, get_str(obj, "reason"),
			    get_str(obj, "where"));
	}
	get_list(node, "config.unsafe", names, sizeof(names));
	if (json_array_size(get_at(node, "config.unsafe")) > 0)
		observe_add(
		    buf, size, "another configuration than that of", names);
}

static void
observe_say(const char *names, const char *against, const char *next)
{
	char text[OBSERVE_AGAINST_MAX + 200];

	(void)snprintf(text, sizeof(text), "%s: nothing is changed here. %s%s",
	    names,
	    against[0] == '\0' ? "Nothing stands against mode auto" :
				 "Against mode auto stands: ",
	    against);
	print_wrapped("observe ", text);
	print_next("  next  ", next);
}

static void
observe_one(const json_t *node, const char *against)
{
	const char *name = get_str(node, "node");
	char next[120] = "man 7 hawatch";

	if (strncmp(against, "repmgrd ", 8) == 0)
		(void)snprintf(next, sizeof(next),
		    "ssh %s systemctl disable --now repmgrd", name);
	observe_say(name, against, next);
}

void
print_observe(const json_t *nodes)
{
	char against[OBSERVE_AGAINST_MAX], names[200] = "";
	const json_t *node;
	size_t i, len = 0;

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (!observe_is(node))
			continue;
		observe_against(node, against, sizeof(against));
		if (against[0] != '\0')
			observe_one(node, against);
		else if (len < sizeof(names))
			len += (size_t)snprintf(names + len,
			    sizeof(names) - len, "%s%s", len == 0 ? "" : ", ",
			    get_str(node, "node"));
	}
	if (len > 0)
		observe_say(names, "", "hactl report --would");
}
