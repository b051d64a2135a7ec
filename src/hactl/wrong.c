/*
 * What a person should look at, from the status of all nodes: worst first,
 * each with the command that comes next. Here is what concerns the cluster;
 * wrong_register.c has the register, wrong_heir.c who could take over,
 * wrong_config.c by what the hosts run, wrong_node.c what concerns one node. A
 * rule a function; none of them decides anything.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/wrong.h"
#include "hawatch/str.h"

static struct wrong *wrong_add(struct wrong_list *l);
static bool wrong_records(const json_t *status);
static void wrong_versions(struct wrong_list *l, const json_t *nodes);
static void wrong_writers(struct wrong_list *l, const json_t *status);
static void wrong_observed(struct wrong_list *l, const json_t *nodes);
static void wrong_no_writer(struct wrong_list *l, const json_t *status);
static void wrong_holder(
    struct wrong_list *l, const json_t *status, const json_t *holder);
static void wrong_record(struct wrong_list *l, const json_t *status);

size_t
wrong_find(const json_t *status, struct wrong *list, size_t max)
{
	struct wrong_list l = { .list = list, .max = max };
	const json_t *nodes = get_at(status, "nodes");
	size_t i;

	l.register_told = get_has(status, "register.silent") ||
			  get_bool(status, "register.cold");
	l.alone = wrong_alone(&l, status);
	l.register_told = l.register_told || l.alone;
	l.observed = observe_all(nodes);
	if (l.observed)
		wrong_observed(&l, nodes);
	else if (wrong_records(status) && (!l.alone || wrong_none(status)))
		wrong_writers(&l, status);
	wrong_record(&l, status);
	wrong_paused(&l, nodes);
	wrong_durability(&l, status);
	wrong_config(&l, status);
	wrong_file(&l, status);
	wrong_members(&l, status);
	for (i = 0; i < json_array_size(nodes); i++)
		wrong_latch(&l, json_array_get(nodes, i));
	for (i = 0; i < json_array_size(nodes); i++)
		wrong_node(&l, status, json_array_get(nodes, i));
	wrong_versions(&l, nodes);
	return l.n;
}

static struct wrong *
wrong_add(struct wrong_list *l)
{
	l->last = l->n < l->max ? &l->list[l->n++] : &l->spill;
	return l->last;
}

void
wrong_text(struct wrong_list *l, const char *next, const char *fmt, ...)
{
	struct wrong *w = wrong_add(l);
	va_list ap;

	w->settles = false;
	va_start(ap, fmt);
	(void)vsnprintf(w->text, sizeof(w->text), fmt, ap);
	va_end(ap);
	(void)snprintf(w->next, sizeof(w->next), "%s", next_command(next));
}

void
wrong_settles(struct wrong_list *l)
{
	l->last->settles = true;
	(void)snprintf(l->last->next, sizeof(l->last->next), "%s",
	    next_command("hactl status --watch"));
}

bool
wrong_fresh(const json_t *node)
{
	return get_has(node, "record.age_ms") &&
	       get_int(node, "record.age_ms") < WRONG_SETTLE_MS;
}

bool
wrong_is(const json_t *obj, const char *path, const char *word)
{
	return strcmp(get_str(obj, path), word) == 0;
}

static bool
wrong_records(const json_t *status)
{
	const json_t *nodes = get_at(status, "nodes");
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++) {
		if (get_has(json_array_get(nodes, i), "record"))
			return true;
	}
	return get_has(status, "register.silent");
}

/* They work side by side, and are not meant to for long. */
static void
wrong_versions(struct wrong_list *l, const json_t *nodes)
{
	const json_t *node, *old = NULL, *new = NULL;
	char next[160];
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (get_has(node, "silent"))
			continue;
		if (old == NULL ||
		    get_int(node, "protocol") < get_int(old, "protocol"))
			old = node;
		if (new == NULL ||
		    get_int(node, "protocol") > get_int(new, "protocol"))
			new = node;
	}
	if (old == NULL || get_int(old, "protocol") == get_int(new, "protocol"))
		return;
	(void)snprintf(next, sizeof(next), "ssh %s systemctl restart hawatchd",
	    get_str(old, "node"));
	wrong_text(l, next,
	    "the hawatchd of %s is older than that of %s: they work side by "
	    "side, without what only the newer one knows. Upgrade it there "
	    "first",
	    get_str(old, "node"), get_str(new, "node"));
}

/* Exactly one node is to be open to writers. */
static void
wrong_writers(struct wrong_list *l, const json_t *status)
{
	const json_t *nodes = get_at(status, "nodes");
	int primaries = 0;
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++) {
		if (wrong_is(json_array_get(nodes, i), "role", "primary"))
			primaries++;
	}
	if (primaries == 0)
		wrong_no_writer(l, status);
	if (primaries > 1)
		wrong_text(l, "hactl register show",
		    "%d nodes say that they accept writes: stop PostgreSQL on "
		    "those that the register does not name",
		    primaries);
}

/* Where nobody is guarded there is no record to go by, only PostgreSQL. */
static void
wrong_observed(struct wrong_list *l, const json_t *nodes)
{
	int primaries = 0;
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++)
		if (wrong_is(
			json_array_get(nodes, i), "postgres.state", "primary"))
			primaries++;
	if (primaries == 0)
		wrong_text(l, "hactl report --would",
		    "no PostgreSQL that is reached accepts writes, and in mode "
		    "observe nobody takes over");
	if (primaries > 1)
		wrong_text(l, "hactl report --would",
		    "%d servers are out of recovery, and in mode observe none "
		    "is fenced: stop PostgreSQL on those that people did not "
		    "promote",
		    primaries);
}

/* Of several that may take over the one of which something is to be said. */
static bool
wrong_sooner(const json_t *node, const json_t *heir)
{
	bool lists =
	    get_in(get_at(node, "record.candidates"), get_str(node, "node"));
	bool listed =
	    get_in(get_at(heir, "record.candidates"), get_str(heir, "node"));

	if (lists != listed)
		return lists;
	if (wrong_passes(get_str(node, "claim.block")) !=
	    wrong_passes(get_str(heir, "claim.block")))
		return wrong_passes(get_str(node, "claim.block"));
	return get_has(heir, "claim.gives_way_to") &&
	       !get_has(node, "claim.gives_way_to");
}

/* Who is about to open, or why the one that could does not. */
static void
wrong_no_writer(struct wrong_list *l, const json_t *status)
{
	const json_t *nodes = get_at(status, "nodes"), *node, *heir = NULL;
	char next[120];
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (wrong_is(node, "role", "claiming")) {
			wrong_text(l, "hactl status",
			    "nobody accepts writes: %s is taking over, at "
			    "step %s",
			    get_str(node, "node"), get_str(node, "plan.row"));
			return;
		}
		if (wrong_starts(node) &&
		    wrong_is(node, "record.holder", get_str(node, "node"))) {
			wrong_text(l, "hactl status",
			    "nobody accepts writes: PostgreSQL on %s, which "
			    "holds the cluster, is being started",
			    get_str(node, "node"));
			wrong_settles(l);
			l->holder_told = true;
			return;
		}
		if (wrong_is(node, "role", "closed") &&
		    wrong_is(node, "record.holder", get_str(node, "node"))) {
			wrong_holder(l, status, node);
			return;
		}
		if (wrong_is(node, "postgres.state", "standby") &&
		    !get_bool(node, "durable.latch") &&
		    (heir == NULL || wrong_sooner(node, heir)))
			heir = node;
	}
	if (get_has(status, "register.silent") && !wrong_none(status)) {
		wrong_register_next(next, sizeof(next), status);
		wrong_text(l, next,
		    "nobody who answers accepts writes, and without the "
		    "register nobody takes over: bring %s back first",
		    wrong_etcd(status) ? "etcd" : "the arbiter");
	} else if (heir == NULL)
		wrong_text(l, "hactl register show",
		    "nobody who answers accepts writes, and no standby "
		    "answers: bring the node back that the register names as "
		    "holder");
	else
		wrong_heir(l, nodes, heir);
}

static void
wrong_holder(struct wrong_list *l, const json_t *status, const json_t *holder)
{
	const char *name = get_str(holder, "node");
	const char *why = get_str(holder, "waits_text");
	const char *then = "";
	struct wrong heard;
	char next[320];

	wrong_room_next(next, sizeof(next), holder);
	if (get_has(status, "register.silent") && !wrong_none(status)) {
		then = wrong_etcd(status) ?
			   ". Bring etcd or a candidate back" :
			   ". Bring the arbiter or a candidate back";
		wrong_register_next(next, sizeof(next), status);
	} else if (get_bool(status, "register.cold")) {
		str_cut(next, sizeof(next), "hactl register show");
	} else if (wrong_is(holder, "waits_for", "other-silent")) {
		then = wrong_fenced(next, sizeof(next), name);
		if (wrong_heard(&heard, get_at(status, "nodes"), holder)) {
			why = heard.text;
			then = "";
			str_cut(next, sizeof(next), heard.next);
		}
	}
	wrong_text(l, next, "%s%s holds the cluster and is closed%s%s%s",
	    l->alone ? "" : "nobody accepts writes: ", name,
	    why[0] == '\0' ? "" : ": ", why, then);
	l->holder_told = true;
}

static void
wrong_record(struct wrong_list *l, const json_t *status)
{
	const json_t *nodes = get_at(status, "nodes"), *node;
	const char *primary = "NODE";
	char next[120];
	size_t i;

	if (get_has(status, "register.silent") && !wrong_none(status)) {
		if (!l->alone)
			wrong_silent(l, status);
		return;
	}
	if (l->observed)
		return;
	if (get_bool(status, "register.cold") && wrong_none(status))
		wrong_copies(l, status);
	else if (get_bool(status, "register.cold"))
		wrong_cold(l, status);
	if (wrong_records(status))
		return;
	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (wrong_is(node, "postgres.state", "primary"))
			primary = get_str(node, "node");
	}
	(void)snprintf(next, sizeof(next), "ssh %s hactl init --holder %s",
	    primary, primary);
	wrong_text(l, next, "no record was ever written: nobody is let in");
}
