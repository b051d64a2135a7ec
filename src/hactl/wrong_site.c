/*
 * What a person should look at around the database of one node: checks, items
 * that are not as its role demands, balancers.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/wrong.h"

static void wrong_checks(struct wrong_list *l, const json_t *node);
static bool wrong_of_database(const json_t *check);
static void wrong_check(
    struct wrong_list *l, const json_t *node, const json_t *check);
static void wrong_check_next(
    char *next, size_t size, const json_t *node, const json_t *check);
static void wrong_drift(struct wrong_list *l, const json_t *node);
static const char *wrong_stale(const json_t *node);
static void wrong_traffic(struct wrong_list *l, const json_t *node);

void
wrong_site(struct wrong_list *l, const json_t *node)
{
	wrong_checks(l, node);
	wrong_drift(l, node);
	wrong_traffic(l, node);
}

/* Where PostgreSQL does not run, its checks say nothing new. */
static void
wrong_checks(struct wrong_list *l, const json_t *node)
{
	const json_t *list = get_at(node, "checks"), *check;
	bool runs = !get_bool(node, "durable.latch") &&
		    !wrong_is(node, "postgres.state", "gone") &&
		    !wrong_is(node, "postgres.state", "unknown");
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		check = json_array_get(list, i);
		if (wrong_is(check, "up", "no") &&
		    (runs || !wrong_of_database(check)))
			wrong_check(l, node, check);
	}
}

static bool
wrong_of_database(const json_t *check)
{
	return wrong_is(check, "type", "postgres") ||
	       wrong_is(check, "type", "repmgr");
}

static void
wrong_check(struct wrong_list *l, const json_t *node, const json_t *check)
{
	const char *name = get_str(node, "node");
	const char *why = get_str(check, "reason"), *text = wrong_reason(why);
	bool spared =
	    get_in(get_at(node, "health.spared"), get_str(check, "name"));
	char next[160];

	wrong_check_next(next, sizeof(next), node, check);
	wrong_text(l, next, "%s: check %s is down%s%s%s%s%s", name,
	    get_str(check, "name"),
	    why[0] == '\0' ? ", and its last probe was good" : ": ", why,
	    text[0] == '\0' ? "" : ": ", text,
	    spared ? "; no other host is better, so "
		     "/health does not count it" :
	    get_bool(check, "health") && get_has(node, "health") ?
		     "; /health says 503" :
		     "");
}

static void
wrong_check_next(
    char *next, size_t size, const json_t *node, const json_t *check)
{
	const char *name = get_str(node, "node");
	const char *why = get_str(check, "reason");

	if (strcmp(why, "repmgr-type") == 0 ||
	    strcmp(why, "repmgr-inactive") == 0)
		(void)snprintf(next, size,
		    "ssh %s repmgr %s register --force, as PostgreSQL's user",
		    name,
		    wrong_is(node, "postgres.state", "primary") ? "primary" :
								  "standby");
	else if (wrong_is(check, "type", "supervisor"))
		(void)snprintf(next, size, "ssh %s supervisorctl status", name);
	else if (wrong_is(check, "type", "memcached"))
		(void)snprintf(
		    next, size, "ssh %s service memcached status", name);
	else if (wrong_is(check, "type", "disk"))
		(void)snprintf(next, size, "ssh %s df -h", name);
	else
		(void)snprintf(next, size, "hactl checks%s",
		    why[0] == '\0' ? ", again in some seconds" : "");
}

/* What could not be brought about in this epoch. */
static const char *
wrong_stale(const json_t *node)
{
	const char *reasons = get_str(node, "health.reasons");
	const char *last = strrchr(reasons, ',');

	/* It is the last one. */
	if (strcmp(last == NULL ? reasons : last + 1, "converge") == 0)
		return ", and could not be brought about; /health says 503";
	return ", and could not be brought about; no other host is better, so "
	       "/health does not count it";
}

/* Between changes of role nothing is changed by itself. */
static void
wrong_drift(struct wrong_list *l, const json_t *node)
{
	const json_t *list = get_at(node, "drift.items"), *item;
	const char *name = get_str(node, "node");
	bool stale = get_bool(node, "drift.stale");
	char names[160] = "", next[120];
	size_t i, len = 0, n = 0;

	for (i = 0; i < json_array_size(list); i++) {
		item = json_array_get(list, i);
		if (!wrong_is(item, "holds", "no"))
			continue;
		n++;
		if (len < sizeof(names))
			len += (size_t)snprintf(names + len,
			    sizeof(names) - len, "%s%s", len == 0 ? "" : ", ",
			    get_str(item, "name"));
	}
	if (get_bool(node, "site.converging"))
		return;
	if (get_str(node, "site.why")[0] != '\0') {
		(void)snprintf(
		    next, sizeof(next), "ssh %s hactl drift --apply", name);
		wrong_text(l, next,
		    "%s: could not be brought to its role, and is tried again "
		    "each minute: %s",
		    name, get_str(node, "site.why"));
		return;
	}
	if (n == 0 && !stale)
		return;
	(void)snprintf(next, sizeof(next),
	    "hactl drift; to change it: ssh %s hactl drift --apply", name);
	wrong_text(l, next,
	    "%s: %zu of %zu items not as its role demands%s%s%s", name, n,
	    json_array_size(list), n == 0 ? "" : ": ", names,
	    stale ? wrong_stale(node) : "");
}

static void
wrong_traffic(struct wrong_list *l, const json_t *node)
{
	const json_t *list = get_at(node, "traffic"), *obj;
	const char *name = get_str(node, "node"), *why;
	char next[120];
	size_t i;

	(void)snprintf(next, sizeof(next),
	    "ssh %s journalctl -u hawatchd | grep traffic", name);
	for (i = 0; i < json_array_size(list); i++) {
		obj = json_array_get(list, i);
		why = get_str(obj, "reason");
		/* Whose business it is not has no reason. */
		if (wrong_is(obj, "ok", "yes") || why[0] == '\0')
			continue;
		wrong_text(l, next, "%s: balancer %s is not as wanted: %s",
		    name, get_str(obj, "name"), why);
	}
}
