/*
 * Rules between keys of the items of converge: what each type needs and may
 * not have, what is demanded of it in each role, and who is restarted after
 * whom. The texts of lines are in cross_lines.c.
 */
#include <stdio.h>
#include <string.h>

#include "conf/cross_i.h"

#define LINE (1 << ITEM_LINE)
#define SERVICE (1 << ITEM_SERVICE)
#define COMMAND (1 << ITEM_COMMAND)
#define CACHE (1 << ITEM_CACHE)

static const char *const cross_type[] = { [ITEM_LINE] = "line",
	[ITEM_SERVICE] = "service",
	[ITEM_COMMAND] = "command",
	[ITEM_CACHE] = "cache" };

/* Which types have a key, and which of them cannot do without. */
static const struct cross_key cross_item_keys[] = {
	{ "file", LINE, LINE, "file = \"/etc/memcached.conf\";" },
	{ "match", LINE, LINE, "match = \"^db\\\\.host=.*$\";" },
	{ "many", LINE, 0, NULL },
	{ "restart_on", SERVICE, 0, NULL },
	{ "handover", SERVICE, 0, NULL },
	{ "program", SERVICE, 0, NULL },
	{ "socket", SERVICE, 0, NULL },
	{ "sweep", SERVICE, 0, NULL },
	{ "start", SERVICE, 0, NULL },
	{ "stop", SERVICE, 0, NULL },
	{ "restart", SERVICE, 0, NULL },
	{ "test", SERVICE | COMMAND, COMMAND,
	    "test = [ \"/full/path\", \"argument\" ];" },
	{ "fix", COMMAND, COMMAND, "fix = [ \"/full/path\", \"argument\" ];" },
	{ "run_as", SERVICE | COMMAND, 0, NULL },
	{ "address", CACHE, CACHE, "address = \"127.0.0.1\";" },
	{ "port", CACHE, 0, NULL },
};

#define CROSS_ITEM_KEYS (sizeof(cross_item_keys) / sizeof(cross_item_keys[0]))

static void cross_item_name(struct conf_draft *d, int i);
static void cross_item_roles(struct conf_draft *d, int i);
static void cross_item_service(struct conf_draft *d, int i);
static void cross_item_commands(struct conf_draft *d, int i);
static void cross_item_restart_on(struct conf_draft *d, int i);

void
cross_items(struct conf_draft *d)
{
	int i;

	for (i = 0; i < d->conf.item_count; i++) {
		d->conf.item[i].line = cross_source_line(d, "converge", i);
		cross_item_name(d, i);
		cross_types(d,
		    &(struct cross_typed){ .list = "converge",
			.at = i,
			.what = "item",
			.name = d->conf.item[i].name,
			.type = 1 << d->conf.item[i].type,
			.type_name = cross_type[d->conf.item[i].type] },
		    cross_item_keys, CROSS_ITEM_KEYS);
		cross_item_roles(d, i);
		if (d->conf.item[i].type == ITEM_SERVICE)
			cross_item_service(d, i);
		if (d->conf.item[i].type == ITEM_LINE)
			cross_line(d, i);
	}
}

static bool
cross_item_given(const struct conf_draft *d, int i, const char *key)
{
	char path[CROSS_PATH_MAX];

	cross_path(path, "converge", i, key);
	return draft_given(d, path);
}

static void
cross_item_name(struct conf_draft *d, int i)
{
	const struct conf_item *item = &d->conf.item[i];
	char path[CROSS_PATH_MAX];
	int j;

	cross_path(path, "converge", i, "name");
	for (j = 0; j < i; j++)
		if (strcmp(d->conf.item[j].name, item->name) == 0)
			draft_fault_at(d, path,
			    "item %s is there twice; give each item a name of "
			    "its own",
			    item->name);
	cross_path(path, "converge", i, "on");
	for (j = 0; item->on[j] != NULL; j++)
		if (cross_find(d, item->on[j]) == NODE_NONE)
			draft_fault_at(d, path,
			    "item %s: on has %s, which is not in nodes; write "
			    "names of nodes",
			    item->name, item->on[j]);
	cross_path(path, "converge", i, "required");
	if (item->required && item->when != ITEM_BEFORE)
		draft_fault_at(d, path,
		    "item %s: required goes with when = \"before\" only; what "
		    "comes after a promotion cannot prevent it: remove it, or "
		    "write when = \"before\";",
		    item->name);
}

static void
cross_item_value(
    struct conf_draft *d, int i, const char *role, const char *value)
{
	const struct conf_item *item = &d->conf.item[i];
	char path[CROSS_PATH_MAX];
	bool service = item->type == ITEM_SERVICE;

	if (value[0] == '\0' || item->type == ITEM_LINE)
		return;
	if (service ?
		strcmp(value, "running") == 0 || strcmp(value, "stopped") == 0 :
		strcmp(value, "yes") == 0)
		return;
	cross_path(path, "converge", i, role);
	draft_fault_at(d, path,
	    "item %s: %s is \"%s\"; write %s, or \"\" to leave it alone",
	    item->name, role, value,
	    service ? "\"running\" or \"stopped\"" : "\"yes\"");
}

static void
cross_item_roles(struct conf_draft *d, int i)
{
	const struct conf_item *item = &d->conf.item[i];
	char path[CROSS_PATH_MAX];

	cross_path(path, "converge", i, "primary");
	if (item->primary[0] == '\0' && item->standby[0] == '\0')
		draft_fault_at(d, path,
		    "item %s demands nothing in any role; write primary, "
		    "standby, or both",
		    item->name);
	cross_item_value(d, i, "primary", item->primary);
	cross_item_value(d, i, "standby", item->standby);
	cross_path(path, "converge", i, "handover");
	if (item->type == ITEM_SERVICE && item->handover[0] != '\0' &&
	    strcmp(item->handover, "stopped") != 0)
		draft_fault_at(d, path,
		    "item %s: handover is \"%s\"; write \"stopped\", or \"\" "
		    "to leave it alone",
		    item->name, item->handover);
}

static bool
cross_item_is(const struct conf_item *item, const char *value)
{
	return strcmp(item->primary, value) == 0 ||
	       strcmp(item->standby, value) == 0 ||
	       strcmp(item->handover, value) == 0;
}

static void
cross_item_service(struct conf_draft *d, int i)
{
	static const char *const commands[] = { "start", "stop", "restart",
		"test", "run_as" };
	static const char *const programs[] = { "socket", "sweep" };
	const struct conf_item *item = &d->conf.item[i];
	bool program = item->program[0] != '\0';
	const char *const *keys = program ? commands : programs;
	size_t n = program ? 5 : 2, k;
	char path[CROSS_PATH_MAX];

	for (k = 0; k < n; k++) {
		cross_path(path, "converge", i, keys[k]);
		if (draft_given(d, path))
			draft_fault_at(d, path,
			    "item %s: %s is for a service %s program only; "
			    "remove it, or %s",
			    item->name, keys[k], program ? "without" : "with",
			    program ? "program" : "write program = ...;");
	}
	cross_path(path, "converge", i, "sweep");
	if (program && item->sweep[0] != '\0' &&
	    !cross_item_is(item, "stopped"))
		draft_fault_at(d, path,
		    "item %s: sweep is for a role in which it is stopped; "
		    "remove it, or write \"stopped\" for one",
		    item->name);
	if (!program)
		cross_item_commands(d, i);
	cross_item_restart_on(d, i);
}

static void
cross_item_command(struct conf_draft *d, int i, const char *key,
    const char *for_what, const char *or_what)
{
	char path[CROSS_PATH_MAX];

	cross_path(path, "converge", i, key);
	draft_fault_at(d, path,
	    "item %s: %s is missing for %s; write %s = [ \"/full/path\", "
	    "\"argument\" ];%s",
	    d->conf.item[i].name, key, for_what, key, or_what);
}

static void
cross_item_commands(struct conf_draft *d, int i)
{
	const struct conf_item *item = &d->conf.item[i];
	bool start = cross_item_given(d, i, "start");
	bool stop = cross_item_given(d, i, "stop");
	bool restart = cross_item_given(d, i, "restart");

	if (!start && !stop && !restart) {
		cross_item_command(d, i, "restart", "a service",
		    ", or program = \"...\"; for one of supervisord");
		return;
	}
	if (cross_item_is(item, "running") && !start && !restart)
		cross_item_command(
		    d, i, "start", "a role in which it runs", ", or restart");
	if (cross_item_is(item, "stopped") && !stop)
		cross_item_command(
		    d, i, "stop", "a role in which it is stopped", "");
	if (cross_item_is(item, "stopped") && !cross_item_given(d, i, "test"))
		cross_item_command(
		    d, i, "test", "a role in which it is stopped", "");
	if (item->restart_on[0] != NULL && !restart && !(start && stop))
		cross_item_command(
		    d, i, "restart", "restart_on", ", or both start and stop");
}

static void
cross_item_cause(struct conf_draft *d, int i, const char *name)
{
	const struct conf_item *item = &d->conf.item[i];
	char path[CROSS_PATH_MAX];
	int j;

	cross_path(path, "converge", i, "restart_on");
	for (j = 0; j < d->conf.item_count; j++)
		if (strcmp(d->conf.item[j].name, name) == 0)
			break;
	if (j == d->conf.item_count)
		draft_fault_at(d, path,
		    "item %s: restart_on has %s, which is no item; write "
		    "names of items",
		    item->name, name);
	else if (j == i)
		draft_fault_at(d, path,
		    "item %s: restart_on has the item itself; write names of "
		    "other items",
		    item->name);
	else if (j > i && d->conf.item[j].type != ITEM_LINE)
		draft_fault_at(d, path,
		    "item %s: restart_on has %s, which comes after it; write "
		    "that item above this one",
		    item->name, name);
}

static void
cross_item_restart_on(struct conf_draft *d, int i)
{
	const struct conf_item *item = &d->conf.item[i];
	char path[CROSS_PATH_MAX];
	int j;

	for (j = 0; item->restart_on[j] != NULL; j++)
		cross_item_cause(d, i, item->restart_on[j]);
	cross_path(path, "converge", i, "restart_on");
	if (j > 0 && !cross_item_is(item, "running"))
		draft_fault_at(d, path,
		    "item %s: restart_on is for a role in which it is "
		    "running; remove it, or write \"running\" for one",
		    item->name);
}
