/*
 * What a person does about a new file that only restarts bring.
 *
 * First the files are made one. Who is restarted by a file of its own may
 * differ from the others in what matters for safety: no candidate may, and such
 * a holder has none, until a person finds out why.
 *
 * Then one host after another. The holder is the last: a standby may be without
 * its engine at any time, and when the keys matter for safety it is no
 * candidate until both run by them; a holder without candidates has a lease
 * without an end, which no restart outlasts.
 */
#include "engine/orders_restart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/collect.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"

#define RESTART_NAMES_MAX (NODES_MAX * (NODE_NAME_MAX + 2))

enum restart_turn { TURN_WITNESS, TURN_STANDBY, TURN_HOLDER };

static const char *
restart_text(const struct collect *c, node_t n, const char *key)
{
	const char *text =
	    json_string_value(json_object_get(collect_at(c, n), key));

	return text == NULL ? "" : text;
}

bool
restart_needed(const struct collect *c, node_t n)
{
	return restart_text(c, n, "restart")[0] != '\0';
}

static enum restart_turn
restart_turn(const struct conf *conf, const struct collect *c, node_t n)
{
	if (conf->node[n].role != ROLE_DATA)
		return TURN_WITNESS;
	if (json_is_true(json_object_get(collect_at(c, n), "holder")))
		return TURN_HOLDER;
	return TURN_STANDBY;
}

static void
restart_name(char *buf, size_t size, const char *name)
{
	size_t len = strlen(buf);

	(void)snprintf(
	    buf + len, size - len, "%s%s", len == 0 ? "" : ", ", name);
}

/* All that need it, in their order; returns the first. */
static node_t
restart_order(const struct conf *conf, const struct collect *c, char *names)
{
	node_t n, first = NODE_NONE;
	int turn;

	names[0] = '\0';
	for (turn = TURN_WITNESS; turn <= TURN_HOLDER; turn++)
		for (n = 0; n < conf->node_count; n++) {
			if (!restart_needed(c, n) ||
			    (int)restart_turn(conf, c, n) != turn)
				continue;
			if (first == NODE_NONE)
				first = n;
			restart_name(
			    names, RESTART_NAMES_MAX, conf->node[n].name);
		}
	return first;
}

node_t
restart_first(const struct conf *conf, const struct collect *c)
{
	char names[RESTART_NAMES_MAX];

	return restart_order(conf, c, names);
}

/* Whose file is new: this host's rather than another's. */
static node_t
restart_from(const struct conf *conf, const struct collect *c)
{
	node_t n;

	if (restart_needed(c, conf->self))
		return conf->self;
	for (n = 0; n < conf->node_count && !restart_needed(c, n); n++)
		;
	return n;
}

/* Who read another file, and who says nothing of his. */
static nodeset_t
restart_others(const struct conf *conf, const struct collect *c, node_t from,
    nodeset_t *silent)
{
	const char *file = restart_text(c, from, "shared"), *theirs;
	nodeset_t others = 0;
	node_t n;

	*silent = 0;
	for (n = 0; n < conf->node_count; n++) {
		theirs = restart_text(c, n, "shared");
		if (theirs[0] == '\0')
			*silent |= NODE_BIT(n);
		else if (strcmp(theirs, file) != 0)
			others |= NODE_BIT(n);
	}
	return others;
}

static void
restart_names(const struct conf *conf, nodeset_t set, char *names)
{
	node_t n;

	names[0] = '\0';
	for (n = 0; n < conf->node_count; n++)
		if ((set & NODE_BIT(n)) != 0)
			restart_name(
			    names, RESTART_NAMES_MAX, conf->node[n].name);
}

/* As scp takes it on this host. Caller frees. */
static char *
restart_place(const struct conf *conf, node_t n)
{
	return n == conf->self ?
		   xstrdup(conf->path) :
		   xasprintf("%s:%s", conf->node[n].name, conf->path);
}

static void
restart_copy(
    const struct conf *conf, node_t from, nodeset_t others, json_t *obj)
{
	char *next = xstrdup(""), *longer, *there, *here;
	json_t *copy = json_object(), *to = json_array();
	node_t n;

	here = restart_place(conf, from);
	for (n = 0; n < conf->node_count; n++) {
		if ((others & NODE_BIT(n)) == 0)
			continue;
		there = restart_place(conf, n);
		longer = xasprintf("%sscp %s %s && ", next, here, there);
		json_array_append_new(to, json_string(conf->node[n].name));
		free(there);
		free(next);
		next = longer;
	}
	longer = xasprintf("%shactl reload", next);
	json_put_string(obj, "next", longer);
	json_put_string(copy, "from", conf->node[from].name);
	json_put(copy, "to", to);
	json_put(obj, "copy", copy);
	free(longer);
	free(next);
	free(here);
}

static void
restart_say_copy(const struct conf *conf, const struct collect *c, node_t from,
    nodeset_t others, const char *silent, json_t *obj)
{
	bool safety =
	    json_is_true(json_object_get(collect_at(c, from), "safety"));
	const char *name = conf->node[from].name;
	char names[RESTART_NAMES_MAX], *why;

	restart_names(conf, others, names);
	why = xasprintf(
	    "%s: %s changes by a restart alone, and the file of %s is another "
	    "one: restarted now, %s would differ from them%s. Copy its file "
	    "to them first, if it is right, or put the old one back there; "
	    "only then restart, in the order that hactl reload says%s; nothing "
	    "was changed on any host",
	    name, restart_text(c, from, "restart"), names, name,
	    safety ? " in what matters for safety, which no candidate may" : "",
	    silent);
	json_put_string(obj, "refused", why);
	free(why);
	restart_copy(conf, from, others, obj);
}

static void
restart_say_order(const struct conf *conf, const struct collect *c, node_t from,
    const char *silent, json_t *obj)
{
	char names[RESTART_NAMES_MAX], *why, *next;
	node_t first = restart_order(conf, c, names);
	bool several = strchr(names, ',') != NULL;

	why = xasprintf(
	    "%s changes by a restart alone, and the file is the same on all "
	    "hosts%s: restart hawatchd on %s%s; nothing was changed on any "
	    "host",
	    restart_text(c, from, "restart"), silent, names,
	    several ? ", in this order, one host after another, each when the "
		      "one before it answers again" :
		      "");
	/* On this host hactl leaves ssh out; elsewhere it may have been asked
	 * from. */
	next = xasprintf(
	    "ssh %s systemctl restart hawatchd", conf->node[first].name);
	json_put_string(obj, "refused", why);
	json_put_string(obj, "next", next);
	free(next);
	free(why);
}

void
restart_say(const struct conf *conf, const struct collect *c, json_t *obj)
{
	node_t from = restart_from(conf, c);
	char names[RESTART_NAMES_MAX], *unknown;
	nodeset_t silent, others;

	others = restart_others(conf, c, from, &silent);
	restart_names(conf, silent, names);
	unknown = silent == 0 ? xstrdup("") :
				xasprintf(" (%s does not answer, and has to "
					  "have the same one, too)",
				    names);
	if (others != 0)
		restart_say_copy(conf, c, from, others, unknown, obj);
	else
		restart_say_order(conf, c, from, unknown, obj);
	free(unknown);
}
