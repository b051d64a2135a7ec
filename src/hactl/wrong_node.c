/*
 * What a person should look at on one node, with the command that comes next.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/wrong.h"

static void wrong_observe(struct wrong_list *l, const json_t *node);
static void wrong_silent_node(struct wrong_list *l, const json_t *node);
static void wrong_postgres(
    struct wrong_list *l, const json_t *nodes, const json_t *node);
static void wrong_room(struct wrong_list *l, const json_t *node);
static bool wrong_has_primary(const json_t *nodes);
static void wrong_follow(struct wrong_list *l, const json_t *node);
static void wrong_settings(struct wrong_list *l, const json_t *node);
static void wrong_register(struct wrong_list *l, const json_t *node);

void
wrong_node(struct wrong_list *l, const json_t *status, const json_t *node)
{
	const json_t *nodes = get_at(status, "nodes");
	const char *name = get_str(node, "node");

	if (get_has(node, "silent")) {
		wrong_silent_node(l, node);
		return;
	}
	if (!get_bool(node, "data"))
		return;
	if (observe_is(node)) {
		wrong_observe(l, node);
		return;
	}
	wrong_fence(l, node);
	wrong_room(l, node);
	wrong_postgres(l, nodes, node);
	wrong_follow(l, node);
	wrong_settings(l, node);
	wrong_register(l, node);
	wrong_candidates(l, status, node);
	wrong_site(l, node);
	if (wrong_is(node, "mode", "manual"))
		wrong_text(l, "hactl reload",
		    "%s: mode manual: it does not take over by itself, and as "
		    "holder lists no candidates, until hawatch.conf says mode "
		    "= \"auto\"",
		    name);
}

/* It only looks on: nothing is guarded there, so nothing is amiss, unless
 * others guard. */
static void
wrong_observe(struct wrong_list *l, const json_t *node)
{
	const char *name = get_str(node, "node");
	char next[120];

	wrong_room(l, node);
	if (!observe_calm(node)) {
		(void)snprintf(next, sizeof(next),
		    "ssh %s journalctl -u hawatchd -n 50", name);
		wrong_text(l, next, "%s: PostgreSQL does not %s", name,
		    wrong_is(node, "postgres.state", "gone") ? "run" :
							       "answer");
	}
	wrong_site(l, node);
	if (!l->observed)
		wrong_text(l, "hactl report --would",
		    "%s: mode observe: nothing happens by itself, until "
		    "hawatch.conf says mode = \"auto\" and hawatchd is "
		    "restarted",
		    name);
}

static void
wrong_silent_node(struct wrong_list *l, const json_t *node)
{
	const char *name = get_str(node, "node");
	const char *why = get_str(node, "silent"), *text = wrong_reason(why);
	bool unreachable = strcmp(why, "connect-timeout") == 0 ||
			   strcmp(why, "unreachable") == 0;
	char next[120];

	if ((get_bool(node, "arbiter") && l->register_told) || l->alone)
		return;
	if (strncmp(why, "tls-", 4) == 0)
		(void)snprintf(
		    next, sizeof(next), "ssh %s hactl pki check", name);
	else
		(void)snprintf(next, sizeof(next),
		    "ssh %s systemctl status hawatchd", name);
	wrong_text(l, next, "%s: its engine does not answer: %s%s%s%s", name,
	    why, text[0] == '\0' ? "" : ": ", text,
	    unreachable ? ". Is the host up, and its network?" : "");
}

void
wrong_latch(struct wrong_list *l, const json_t *node)
{
	const char *name = get_str(node, "node");
	const char *why = get_str(node, "durable.latch_why");
	const char *end = strchr(why, ';');
	char next[200];

	if (wrong_is(node, "plan.name", "rejoin")) {
		wrong_text(l, "hactl status",
		    "%s: is made a standby again, at step %s%s%s", name,
		    get_str(node, "plan.row"),
		    get_str(node, "plan.progress")[0] == '\0' ? "" : ": ",
		    get_str(node, "plan.progress"));
	} else if (get_bool(node, "durable.fenced") &&
		   get_bool(node, "durable.overtaken")) {
		(void)snprintf(next, sizeof(next), "ssh %s hactl rejoin", name);
		wrong_text(l, next,
		    "%s: stays stopped: %s; %s has taken over since, so this "
		    "data is to be made a standby's",
		    name, why, get_str(node, "record.holder"));
	} else if (get_bool(node, "durable.fenced")) {
		(void)snprintf(
		    next, sizeof(next), "ssh %s hactl unfence", name);
		wrong_text(l, next,
		    "%s: stays stopped until the work is done: %s", name, why);
	} else if (get_bool(node, "durable.latch")) {
		(void)snprintf(next, sizeof(next), "ssh %s hactl rejoin", name);
		wrong_text(l, next, "%s: stays stopped: %.*s", name,
		    end == NULL ? (int)strlen(why) : (int)(end - why), why);
	}
}

bool
wrong_starts(const json_t *node)
{
	return wrong_is(node, "plan.row", "start") &&
	       get_int(node, "plan.since_ms") < WRONG_SETTLE_MS;
}

/* It may not have connected yet. */
static bool
wrong_started(const json_t *node)
{
	return get_has(node, "postgres.up_ms") &&
	       get_int(node, "postgres.up_ms") < WRONG_SETTLE_MS;
}

static void
wrong_postgres(struct wrong_list *l, const json_t *nodes, const json_t *node)
{
	const char *name = get_str(node, "node");
	const char *holder = get_str(node, "record.holder");
	const char *why = get_str(node, "waits_text");
	char next[120];

	(void)snprintf(
	    next, sizeof(next), "ssh %s journalctl -u hawatchd -n 50", name);
	if (get_bool(node, "durable.latch"))
		return; /* then it is meant to be down */
	if (wrong_starts(node)) {
		if (l->holder_told && strcmp(holder, name) == 0)
			return;
		wrong_text(
		    l, "hactl status", "%s: PostgreSQL is being started", name);
		wrong_settles(l);
	} else if (wrong_is(node, "postgres.state", "gone"))
		wrong_text(l, next, "%s: PostgreSQL does not run%s%s", name,
		    why[0] == '\0' ? "" : ": ", why);
	else if (wrong_is(node, "plan.row", "start"))
		wrong_text(
		    l, next, "%s: PostgreSQL is being started for long", name);
	else if (wrong_is(node, "postgres.state", "unknown"))
		wrong_text(l, next, "%s: PostgreSQL does not answer", name);
	else if (wrong_is(node, "postgres.state", "primary") &&
		 holder[0] != '\0' && strcmp(holder, name) != 0)
		wrong_text(l, next,
		    "%s: PostgreSQL is out of recovery, but the record names "
		    "%s: a rogue primary",
		    name, holder);
	else if (wrong_is(node, "role", "closed") && get_has(node, "record") &&
		 !l->holder_told)
		wrong_text(l, next, "%s: closed to writers%s%s", name,
		    why[0] == '\0' ? "" : ": ", why);
	else if (wrong_is(node, "postgres.state", "standby") &&
		 !get_bool(node, "postgres.receiver") &&
		 wrong_has_primary(nodes)) {
		(void)snprintf(next, sizeof(next),
		    "ssh %s runuser -u postgres -- psql -xc \"'TABLE "
		    "pg_stat_wal_receiver'\"",
		    name);
		wrong_text(l, next,
		    "%s: the standby receives nothing from the primary; "
		    "PostgreSQL's own log there says why, so may its "
		    "primary_conninfo",
		    name);
		if (wrong_fresh(node) || get_has(node, "follow.node") ||
		    wrong_started(node))
			wrong_settles(l);
	}
	if (wrong_is(node, "postgres.state", "primary") &&
	    wrong_is(node, "postgres.probe", "no") &&
	    get_str(node, "postgres.no_room")[0] == '\0')
		wrong_text(l, next,
		    "%s: PostgreSQL does not commit a local write", name);
}

void
wrong_room_next(char *next, size_t size, const json_t *node)
{
	const char *name = get_str(node, "node");

	if (get_str(node, "postgres.no_room")[0] != '\0')
		(void)snprintf(next, size, "ssh %s df -h %s", name,
		    get_str(node, "postgres.no_room_at"));
	else
		(void)snprintf(
		    next, size, "ssh %s journalctl -u hawatchd -n 50", name);
}

/* A full disk under PostgreSQL, which may have been stopped for it. */
static void
wrong_room(struct wrong_list *l, const json_t *node)
{
	const char *name = get_str(node, "node");
	const char *why = get_str(node, "postgres.no_room");
	char next[320];

	if (why[0] == '\0')
		return;
	wrong_room_next(next, sizeof(next), node);
	wrong_text(l, next, "%s: no room for PostgreSQL: %s: %s", name, why,
	    wrong_reason(why));
}

/* A standby that could not be pointed to the holder. */
static void
wrong_follow(struct wrong_list *l, const json_t *node)
{
	const char *name = get_str(node, "node");
	const char *why = get_str(node, "follow.why"), *text;
	char source[160], next[120];

	if (why[0] == '\0' || !wrong_is(node, "record.state", "held"))
		return;
	get_list(node, "postgres.source", source, sizeof(source));
	if (wrong_is(node, "record.holder", source))
		return;
	text = wrong_reason(why);
	(void)snprintf(
	    next, sizeof(next), "ssh %s journalctl -u hawatchd -n 50", name);
	wrong_text(l, next, "%s: is not made to follow %s: %s%s%s", name,
	    get_str(node, "record.holder"), why, text[0] == '\0' ? "" : ": ",
	    text);
}

/* Once a setting, with the first place of several. */
static void
wrong_settings(struct wrong_list *l, const json_t *node)
{
	const json_t *list = get_at(node, "postgres.settings"), *obj;
	size_t i, j, n = json_array_size(list), same;
	const char *why, *where;

	for (i = 0; i < n; i++) {
		obj = json_array_get(list, i);
		why = get_str(obj, "reason");
		where = get_str(obj, "where");
		if (wrong_is(obj, "level", "notes") ||
		    (i > 0 &&
			wrong_is(json_array_get(list, i - 1), "reason", why)))
			continue;
		same = 0;
		for (j = i + 1; j < n; j++)
			same +=
			    wrong_is(json_array_get(list, j), "reason", why);
		wrong_text(l, "hactl status",
		    "%s: %s%s%s%s%s%s: %s. Put that right in PostgreSQL; it is "
		    "looked at again within a minute",
		    get_str(node, "node"),
		    wrong_is(obj, "level", "blocks") ?
			"may not take over, nor add candidates: " :
			"",
		    why, where[0] == '\0' ? "" : " (", where,
		    same > 0 ? " and others" : "", where[0] == '\0' ? "" : ")",
		    wrong_reason(why));
	}
}

static bool
wrong_has_primary(const json_t *nodes)
{
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++) {
		if (wrong_is(json_array_get(nodes, i), "role", "primary"))
			return true;
	}
	return false;
}

static void
wrong_register(struct wrong_list *l, const json_t *node)
{
	const char *name = get_str(node, "node");

	if (l->register_told)
		return;
	if (get_bool(node, "register.cold"))
		wrong_text(l, "hactl register show",
		    "%s: the register is cold, and refuses every change; if "
		    "its record is right: hactl register adopt",
		    name);
	else if (get_bool(node, "register.amnesiac"))
		wrong_amnesiac(l, node);
	else if (!get_bool(node, "register.read"))
		wrong_text(l, "hactl register show",
		    "%s: did not read the register within the last T", name);
}

const char *
wrong_reason(const char *token)
{
	static const struct {
		const char *token, *text;
	} rows[] = {
#define REASON(id, token, text) { token, text },
#include "hawatch/reasons.def"
#undef REASON
	};
	size_t i, len = strcspn(token, " :");

	/* "http-status 502", "program-fatal:iam" */
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (strncmp(rows[i].token, token, len) == 0 &&
		    rows[i].token[len] == '\0')
			return rows[i].text;
	}
	return "";
}
