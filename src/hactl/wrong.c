/*
 * What a person should look at, from the status of all nodes: worst first,
 * each with the command that comes next. Here is what concerns the cluster;
 * wrong_register.c has the register, wrong_node.c what concerns one node. A
 * rule a function; none of them decides anything.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/wrong.h"

static struct wrong *wrong_add(struct wrong_list *l);
static bool wrong_records(const json_t *status);
static void wrong_durability(struct wrong_list *l, const json_t *status);
static void wrong_versions(struct wrong_list *l, const json_t *nodes);
static void wrong_writers(struct wrong_list *l, const json_t *status);
static void wrong_no_writer(struct wrong_list *l, const json_t *status);
static void wrong_holder(
    struct wrong_list *l, const json_t *status, const json_t *holder);
static void wrong_heir(struct wrong_list *l, const json_t *heir);
static bool wrong_misses(const json_t *heir);
static bool wrong_passes(const char *block);
static void wrong_record(struct wrong_list *l, const json_t *status);

size_t
wrong_find(const json_t *status, struct wrong *list, size_t max)
{
	struct wrong_list l = { .list = list, .max = max };
	const json_t *nodes = get_at(status, "nodes");
	size_t i;

	l.register_told = get_has(status, "register.silent") ||
			  get_bool(status, "register.cold");
	if (wrong_records(status))
		wrong_writers(&l, status);
	wrong_record(&l, status);
	wrong_paused(&l, nodes);
	wrong_durability(&l, status);
	wrong_members(&l, status);
	for (i = 0; i < json_array_size(nodes); i++)
		wrong_node(&l, nodes, json_array_get(nodes, i));
	wrong_versions(&l, nodes);
	return l.n;
}

static struct wrong *
wrong_add(struct wrong_list *l)
{
	return l->n < l->max ? &l->list[l->n++] : &l->spill;
}

void
wrong_text(struct wrong_list *l, const char *next, const char *fmt, ...)
{
	struct wrong *w = wrong_add(l);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(w->text, sizeof(w->text), fmt, ap);
	va_end(ap);
	(void)snprintf(w->next, sizeof(w->next), "%s", next);
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

/* The file is the same everywhere, or a takeover changes what may be lost. */
static void
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
		wrong_text(l,
		    "write the same durability and max_loss in every "
		    "hawatch.conf, restart hawatchd",
		    "%s and %s differ in what may be lost",
		    get_str(first, "node"), get_str(node, "node"));
		return;
	}
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
	(void)snprintf(next, sizeof(next),
	    "upgrade hawatchd on %s, and restart it there",
	    get_str(old, "node"));
	wrong_text(l, next,
	    "the hawatchd of %s is older than that of %s: they work side by "
	    "side, without what only the newer one knows",
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
		wrong_text(l,
		    "hactl register show; stop PostgreSQL on those "
		    "that it does not name",
		    "%d nodes say that they accept writes", primaries);
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
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (wrong_is(node, "role", "claiming")) {
			wrong_text(l, "hactl status, again in a moment",
			    "nobody accepts writes: %s is taking over, at "
			    "step %s",
			    get_str(node, "node"), get_str(node, "plan.row"));
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
	if (get_has(status, "register.silent"))
		wrong_text(l,
		    wrong_etcd(status) ? "bring etcd back first" :
					 "bring the arbiter back first",
		    "nobody who answers accepts writes, and without the "
		    "register nobody takes over");
	else if (heir == NULL)
		wrong_text(l,
		    "hactl register show; bring the node back that "
		    "it names as holder",
		    "nobody who answers accepts writes, and no standby "
		    "answers");
	else
		wrong_heir(l, heir);
}

static void
wrong_holder(struct wrong_list *l, const json_t *status, const json_t *holder)
{
	const char *name = get_str(holder, "node");
	const char *why = get_str(holder, "waits_text");
	char next[120];

	(void)snprintf(
	    next, sizeof(next), "ssh %s journalctl -u hawatchd -n 50", name);
	wrong_text(l,
	    get_has(status, "register.silent") ?
		(wrong_etcd(status) ? "bring etcd or a candidate back" :
				      "bring the arbiter or a candidate back") :
	    get_bool(status, "register.cold") ? "hactl register show" :
						next,
	    "nobody accepts writes: %s holds the cluster and is closed%s%s",
	    name, why[0] == '\0' ? "" : ": ", why);
	l->holder_told = true;
}

static void
wrong_heir(struct wrong_list *l, const json_t *heir)
{
	const char *name = get_str(heir, "node"), *text;
	const char *block = get_str(heir, "claim.block");
	char next[200], when[64] = "";

	if (wrong_passes(block)) {
		if (get_has(heir, "claim.in_ms"))
			(void)snprintf(when, sizeof(when),
			    ", in %lld.%lld s at the earliest",
			    get_int(heir, "claim.in_ms") / 1000,
			    get_int(heir, "claim.in_ms") % 1000 / 100);
		wrong_text(l, "hactl status, again in some seconds",
		    "nobody accepts writes now; %s takes over by itself%s",
		    name, when);
		return;
	}
	text = get_str(heir, "claim.text");
	if (wrong_misses(heir)) {
		(void)snprintf(next, sizeof(next),
		    "bring %s back; if it is lost for good, see WHAT TO DO "
		    "in man 7 hawatch",
		    get_str(heir, "record.holder"));
		wrong_text(l, next,
		    "nobody accepts writes, and %s is no candidate of the "
		    "record: it may miss commits",
		    name);
		return;
	}
	if (strcmp(block, "mode") == 0 || strcmp(block, "min-interval") == 0)
		(void)snprintf(
		    next, sizeof(next), "ssh %s hactl promote %s", name, name);
	else
		(void)snprintf(
		    next, sizeof(next), "hactl plan promote %s", name);
	wrong_text(l, next,
	    "nobody accepts writes, and %s does not take over%s%s", name,
	    text[0] == '\0' ? "" : ": ", text);
}

static bool
wrong_misses(const json_t *heir)
{
	return wrong_is(heir, "record.state", "held") &&
	       !wrong_is(heir, "record.holder", get_str(heir, "node")) &&
	       !get_in(
		   get_at(heir, "record.candidates"), get_str(heir, "node"));
}

/* What time alone removes. */
static bool
wrong_passes(const char *block)
{
	static const char *const words[] = { "lease-runs", "promised",
		"hold-off", "target-first", "claim-unresolved", "not-saved",
		"postgres-unknown", "asks-others", "gives-way" };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(words[i], block) == 0)
			return true;
	}
	return false;
}

static void
wrong_record(struct wrong_list *l, const json_t *status)
{
	const json_t *nodes = get_at(status, "nodes"), *node;
	const char *primary = "NODE";
	char next[120];
	size_t i;

	if (get_has(status, "register.silent")) {
		wrong_silent(l, status);
		return;
	}
	if (get_bool(status, "register.cold"))
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
