/*
 * What a person should look at, from the status of all nodes: worst first,
 * each with the command that comes next. A rule a function; none of them
 * decides anything.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"

struct wrong_list {
	struct wrong *list;
	size_t n, max;
	struct wrong spill; /* what no longer fits is the least */
};

static struct wrong *wrong_add(struct wrong_list *l);
static void wrong_text(struct wrong_list *l, const char *next, const char *fmt,
    ...) PRINTF_LIKE(3, 4);
static void wrong_cluster(struct wrong_list *l, const json_t *status);
static void wrong_record(struct wrong_list *l, const json_t *status);
static void wrong_node(
    struct wrong_list *l, const json_t *nodes, const json_t *node);
static void wrong_fence(struct wrong_list *l, const json_t *node);
static void wrong_postgres(struct wrong_list *l, const json_t *node);
static void wrong_candidates(
    struct wrong_list *l, const json_t *nodes, const json_t *node);
static void wrong_register(struct wrong_list *l, const json_t *node);
static void wrong_checks(struct wrong_list *l, const json_t *node);
static bool wrong_is(const json_t *obj, const char *path, const char *word);

size_t
wrong_find(const json_t *status, struct wrong *list, size_t max)
{
	struct wrong_list l = { .list = list, .max = max };
	const json_t *nodes = get_at(status, "nodes");
	size_t i;

	wrong_cluster(&l, status);
	wrong_record(&l, status);
	for (i = 0; i < json_array_size(nodes); i++)
		wrong_node(&l, nodes, json_array_get(nodes, i));
	return l.n;
}

static struct wrong *
wrong_add(struct wrong_list *l)
{
	return l->n < l->max ? &l->list[l->n++] : &l->spill;
}

static void
wrong_text(struct wrong_list *l, const char *next, const char *fmt, ...)
{
	struct wrong *w = wrong_add(l);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(w->text, sizeof(w->text), fmt, ap);
	va_end(ap);
	(void)snprintf(w->next, sizeof(w->next), "%s", next);
}

/* Exactly one node is to be open to writers. */
static void
wrong_cluster(struct wrong_list *l, const json_t *status)
{
	const json_t *nodes = get_at(status, "nodes"), *node;
	const char *heir = "NODE";
	int primaries = 0;
	char next[120];
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (wrong_is(node, "role", "primary"))
			primaries++;
		if (wrong_is(node, "postgres.state", "standby"))
			heir = get_str(node, "node");
	}
	(void)snprintf(next, sizeof(next), "hactl plan promote %s", heir);
	if (primaries == 0)
		wrong_text(l, next, "no node that answers accepts writes");
	if (primaries > 1)
		wrong_text(l,
		    "hactl register show; stop PostgreSQL on those "
		    "that it does not name",
		    "%d nodes say that they accept writes", primaries);
}

static void
wrong_record(struct wrong_list *l, const json_t *status)
{
	const json_t *nodes = get_at(status, "nodes"), *node;
	const char *primary = "NODE", *arbiter = "ARBITER";
	bool record = false;
	char next[120];
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (get_has(node, "record"))
			record = true;
		if (wrong_is(node, "postgres.state", "primary"))
			primary = get_str(node, "node");
		if (get_bool(node, "arbiter"))
			arbiter = get_str(node, "node");
	}
	if (get_has(status, "register.silent")) {
		(void)snprintf(next, sizeof(next),
		    "ssh %s systemctl status hawatchd", arbiter);
		wrong_text(l, next, "the register does not answer: %s",
		    get_str(status, "register.silent"));
	} else if (!record) {
		(void)snprintf(
		    next, sizeof(next), "hactl init --holder %s", primary);
		wrong_text(l, next, "no record was ever written");
	}
}

static void
wrong_node(struct wrong_list *l, const json_t *nodes, const json_t *node)
{
	const char *name = get_str(node, "node");
	char next[120];

	if (get_has(node, "silent")) {
		(void)snprintf(next, sizeof(next),
		    "ssh %s systemctl status hawatchd", name);
		wrong_text(l, next, "%s: its engine does not answer: %s", name,
		    get_str(node, "silent"));
		return;
	}
	if (!get_bool(node, "data"))
		return;
	wrong_fence(l, node);
	wrong_postgres(l, node);
	wrong_register(l, node);
	wrong_candidates(l, nodes, node);
	wrong_checks(l, node);
	if (!wrong_is(node, "mode", "auto"))
		wrong_text(l,
		    "set mode = \"auto\" in hawatch.conf, restart hawatchd",
		    "%s: mode %s: nothing happens by itself", name,
		    get_str(node, "mode"));
}

static void
wrong_fence(struct wrong_list *l, const json_t *node)
{
	const char *name = get_str(node, "node");
	char next[120];

	if (get_bool(node, "durable.latch")) {
		(void)snprintf(next, sizeof(next),
		    "rebuild it as a standby, then: ssh %s hactl unfence",
		    name);
		wrong_text(l, next, "%s: latched: %s", name,
		    get_str(node, "durable.latch_why"));
	}
	if (wrong_is(node, "fence.armed", "no"))
		wrong_text(l, "put that right; it is looked at again by itself",
		    "%s: cannot be fenced with certainty: %s", name,
		    get_str(node, "fence.armed_why"));
	if (wrong_is(node, "fence.writers", "unknown"))
		wrong_text(l, "nft list table inet hawatch",
		    "%s: the state of its kernel fence is not known", name);
}

static void
wrong_postgres(struct wrong_list *l, const json_t *node)
{
	const char *name = get_str(node, "node");
	const char *holder = get_str(node, "record.holder");
	char next[120];

	(void)snprintf(
	    next, sizeof(next), "ssh %s journalctl -u hawatchd -n 50", name);
	if (get_bool(node, "durable.latch"))
		return; /* then it is meant to be down */
	if (wrong_is(node, "postgres.state", "gone"))
		wrong_text(l, next, "%s: PostgreSQL does not run", name);
	else if (wrong_is(node, "postgres.state", "unknown"))
		wrong_text(l, next, "%s: PostgreSQL does not answer", name);
	else if (wrong_is(node, "postgres.state", "primary") &&
		 holder[0] != '\0' && strcmp(holder, name) != 0)
		wrong_text(l, next,
		    "%s: PostgreSQL is out of recovery, but the record names "
		    "%s: a rogue primary",
		    name, holder);
	else if (wrong_is(node, "role", "closed"))
		wrong_text(l, next, "%s: closed to writers: %s", name,
		    get_str(node, "waits_text"));
	else if (wrong_is(node, "postgres.state", "standby") &&
		 !get_bool(node, "postgres.receiver"))
		wrong_text(l, next, "%s: the standby receives nothing", name);
	if (wrong_is(node, "postgres.state", "primary") &&
	    wrong_is(node, "postgres.probe", "no"))
		wrong_text(l, next,
		    "%s: PostgreSQL does not commit a local write", name);
}

/* Seen by the holder: it is the one that adds them. */
static void
wrong_candidates(struct wrong_list *l, const json_t *nodes, const json_t *node)
{
	const json_t *list = get_at(node, "record.candidates"), *other;
	const char *heir = "STANDBY", *why = get_str(node, "waits_text");
	char next[120];
	size_t i;

	if (!wrong_is(node, "role", "primary") || json_array_size(list) > 0)
		return;
	for (i = 0; i < json_array_size(nodes); i++) {
		other = json_array_get(nodes, i);
		if (other != node && get_bool(other, "data"))
			heir = get_str(other, "node");
	}
	(void)snprintf(next, sizeof(next), "hactl plan promote %s", heir);
	wrong_text(l, next, "no standby may take over from %s%s%s",
	    get_str(node, "node"), why[0] == '\0' ? "" : ": ", why);
}

static void
wrong_register(struct wrong_list *l, const json_t *node)
{
	const char *name = get_str(node, "node");

	if (get_bool(node, "register.cold"))
		wrong_text(l,
		    "hactl register show; if its record is right: "
		    "hactl register adopt",
		    "%s: the register is cold, and refuses every change", name);
	else if (get_bool(node, "register.amnesiac"))
		wrong_text(l, "hactl register show",
		    "%s: the register shows less than this node has seen",
		    name);
	else if (!get_bool(node, "register.read"))
		wrong_text(l, "hactl register show",
		    "%s: did not read the register within the last T", name);
}

static void
wrong_checks(struct wrong_list *l, const json_t *node)
{
	const json_t *list = get_at(node, "checks"), *check;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		check = json_array_get(list, i);
		if (wrong_is(check, "up", "no"))
			wrong_text(l, "man 8 hactl, DIAGNOSTICS",
			    "%s: check %s is down: %s", get_str(node, "node"),
			    get_str(check, "name"), get_str(check, "reason"));
	}
}

static bool
wrong_is(const json_t *obj, const char *path, const char *word)
{
	return strcmp(get_str(obj, path), word) == 0;
}
