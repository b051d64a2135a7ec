/*
 * What a person should look at on one node, with the command that comes next.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/wrong.h"

static void wrong_silent_node(struct wrong_list *l, const json_t *node);
static void wrong_fence(struct wrong_list *l, const json_t *node);
static void wrong_postgres(
    struct wrong_list *l, const json_t *nodes, const json_t *node);
static void wrong_room(struct wrong_list *l, const json_t *node);
static bool wrong_has_primary(const json_t *nodes);
static void wrong_follow(struct wrong_list *l, const json_t *node);
static void wrong_settings(struct wrong_list *l, const json_t *node);
static void wrong_candidates(
    struct wrong_list *l, const json_t *nodes, const json_t *node);
static bool wrong_is_told(const json_t *candidates, const json_t *other);
static void wrong_interval(struct wrong_list *l, const json_t *node);
static void wrong_no_candidate(
    struct wrong_list *l, const json_t *node, const json_t *other);
static bool wrong_sends(const json_t *primary, const char *name);
static void wrong_register(struct wrong_list *l, const json_t *node);

void
wrong_node(struct wrong_list *l, const json_t *nodes, const json_t *node)
{
	const char *name = get_str(node, "node");

	if (get_has(node, "silent")) {
		wrong_silent_node(l, node);
		return;
	}
	if (!get_bool(node, "data"))
		return;
	wrong_fence(l, node);
	wrong_room(l, node);
	wrong_postgres(l, nodes, node);
	wrong_follow(l, node);
	wrong_settings(l, node);
	wrong_register(l, node);
	wrong_candidates(l, nodes, node);
	wrong_site(l, node);
	if (wrong_is(node, "mode", "manual"))
		wrong_text(l,
		    "mode = \"auto\" in hawatch.conf, restart hawatchd",
		    "%s: mode manual: it does not take over by itself, and as "
		    "holder lists no candidates",
		    name);
	else if (!wrong_is(node, "mode", "auto"))
		wrong_text(l,
		    "mode = \"auto\" in hawatch.conf, restart hawatchd",
		    "%s: mode %s: nothing happens by itself", name,
		    get_str(node, "mode"));
}

static void
wrong_silent_node(struct wrong_list *l, const json_t *node)
{
	const char *name = get_str(node, "node");
	const char *why = get_str(node, "silent"), *text = wrong_reason(why);
	char next[120];

	if (get_bool(node, "arbiter") && l->register_told)
		return;
	if (strncmp(why, "tls-", 4) == 0)
		(void)snprintf(
		    next, sizeof(next), "ssh %s hactl pki check", name);
	else
		(void)snprintf(next, sizeof(next),
		    "%sssh %s systemctl status hawatchd",
		    strcmp(why, "connect-timeout") == 0 ||
			    strcmp(why, "unreachable") == 0 ?
			"is the host up, and its network? then: " :
			"",
		    name);
	wrong_text(l, next, "%s: its engine does not answer: %s%s%s", name, why,
	    text[0] == '\0' ? "" : ": ", text);
}

/* Then the setting itself is told. */
static bool
wrong_by_setting(const json_t *node)
{
	const json_t *list = get_at(node, "postgres.settings");

	return wrong_is(json_array_get(list, 0), "level", "blocks") &&
	       strncmp(get_str(node, "fence.armed_why"), "a setting ", 10) == 0;
}

static void
wrong_fence(struct wrong_list *l, const json_t *node)
{
	const char *name = get_str(node, "node");
	const char *why = get_str(node, "durable.latch_why");
	const char *end = strchr(why, ';');
	char next[200];

	if (wrong_is(node, "plan.name", "rejoin")) {
		wrong_text(l, "hactl status, again in a moment",
		    "%s: is made a standby again, at step %s%s%s", name,
		    get_str(node, "plan.row"),
		    get_str(node, "plan.progress")[0] == '\0' ? "" : ": ",
		    get_str(node, "plan.progress"));
	} else if (get_bool(node, "durable.fenced")) {
		(void)snprintf(next, sizeof(next),
		    "ssh %s hactl unfence, once the work is done", name);
		wrong_text(l, next, "%s: stays stopped: %s", name, why);
	} else if (get_bool(node, "durable.latch")) {
		(void)snprintf(next, sizeof(next), "ssh %s hactl rejoin", name);
		wrong_text(l, next, "%s: stays stopped: %.*s", name,
		    end == NULL ? (int)strlen(why) : (int)(end - why), why);
	}
	if (wrong_is(node, "fence.armed", "no") && !wrong_by_setting(node))
		wrong_text(l, "put that right; it is looked at again by itself",
		    "%s: cannot be fenced with certainty: %s", name,
		    get_str(node, "fence.armed_why"));
	if (wrong_is(node, "fence.writers", "unknown"))
		wrong_text(l, "nft list table inet hawatch",
		    "%s: the state of its kernel fence is not known", name);
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
	if (wrong_is(node, "postgres.state", "gone"))
		wrong_text(l, next, "%s: PostgreSQL does not run%s%s", name,
		    why[0] == '\0' ? "" : ": ", why);
	else if (wrong_is(node, "plan.row", "start"))
		wrong_text(l, "hactl status, again in a moment",
		    "%s: PostgreSQL is being started", name);
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
		 wrong_has_primary(nodes))
		wrong_text(l,
		    "PostgreSQL's own log there says why; so may SHOW "
		    "primary_conninfo",
		    "%s: the standby receives nothing from the primary", name);
	if (wrong_is(node, "postgres.state", "primary") &&
	    wrong_is(node, "postgres.probe", "no") &&
	    get_str(node, "postgres.no_room")[0] == '\0')
		wrong_text(l, next,
		    "%s: PostgreSQL does not commit a local write", name);
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
	(void)snprintf(next, sizeof(next), "ssh %s df -h %s", name,
	    get_str(node, "postgres.no_room_at"));
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
		wrong_text(l,
		    "put that right in PostgreSQL; it is looked at again "
		    "within a minute",
		    "%s: %s%s%s%s%s%s: %s", get_str(node, "node"),
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

/* Seen by the holder: it is the one that adds them. */
static void
wrong_candidates(struct wrong_list *l, const json_t *nodes, const json_t *node)
{
	const json_t *list = get_at(node, "record.candidates"), *other;
	bool some = json_array_size(list) > 0;
	size_t i;

	wrong_interval(l, node);
	if (!wrong_is(node, "role", "primary") || !get_has(node, "record") ||
	    wrong_is(node, "mode", "manual") || get_has(node, "paused.until"))
		return;
	for (i = 0; i < json_array_size(nodes); i++) {
		other = json_array_get(nodes, i);
		if (other != node && get_bool(other, "data") &&
		    !(some && wrong_is_told(list, other)))
			wrong_no_candidate(l, node, other);
	}
}

/* While another one may take over: what else is told of it is enough. */
static bool
wrong_is_told(const json_t *candidates, const json_t *other)
{
	return get_in(candidates, get_str(other, "node")) ||
	       get_has(other, "silent") || get_bool(other, "durable.latch") ||
	       wrong_is(other, "fence.armed", "no") ||
	       !wrong_is(other, "postgres.state", "standby") ||
	       !get_bool(other, "postgres.receiver");
}

/* A candidate that is there, and yet not by itself. */
static void
wrong_interval(struct wrong_list *l, const json_t *node)
{
	const char *name = get_str(node, "node");
	char next[120], list[160];

	if (!wrong_is(node, "role", "primary") ||
	    json_array_size(get_at(node, "record.candidates")) == 0 ||
	    !get_has(node, "record.next_in_ms"))
		return;
	get_list(node, "record.candidates", list, sizeof(list));
	(void)snprintf(next, sizeof(next), "ssh %s hactl ack", name);
	wrong_text(l, next,
	    "%s: the last failover was not acknowledged: for another %lld s, "
	    "%s does not take over by itself if this host is lost",
	    name, get_int(node, "record.next_in_ms") / 1000, list);
}

static void
wrong_no_candidate(
    struct wrong_list *l, const json_t *node, const json_t *other)
{
	const char *primary = get_str(node, "node");
	const char *name = get_str(other, "node");
	const char *why = get_str(node, "waits_text");
	char next[200], list[160];

	get_list(node, "record.candidates", list, sizeof(list));
	if (get_has(other, "silent"))
		(void)snprintf(next, sizeof(next),
		    "ssh %s systemctl status hawatchd", name);
	else if (get_bool(other, "durable.fenced"))
		(void)snprintf(next, sizeof(next),
		    "ssh %s hactl unfence, once the work is done", name);
	else if (get_bool(other, "durable.latch"))
		(void)snprintf(next, sizeof(next),
		    "rebuild %s; it is added by itself once it streams", name);
	else if (wrong_is(other, "fence.armed", "no"))
		(void)snprintf(next, sizeof(next),
		    "put right why %s cannot be fenced", name);
	else if (get_bool(other, "postgres.receiver") &&
		 !wrong_sends(node, name))
		(void)snprintf(next, sizeof(next),
		    "on %s: SHOW primary_conninfo; its host has to be %s, "
		    "its application_name %s",
		    name, primary, name);
	else if (get_bool(other, "postgres.receiver"))
		(void)snprintf(next, sizeof(next),
		    "it is added by itself; if not soon: ssh %s journalctl -u "
		    "hawatchd | grep standby.not-added",
		    primary);
	else if (!wrong_is(other, "postgres.state", "standby"))
		(void)snprintf(next, sizeof(next),
		    "%s is added by itself once it streams", name);
	else
		(void)snprintf(next, sizeof(next),
		    "make %s stream from %s; it is then added by itself", name,
		    primary);
	if (strcmp(list, "none") != 0)
		wrong_text(l, next, "%s may not take over from %s, only %s may",
		    name, primary, list);
	else
		wrong_text(l, next,
		    "%s may not take over from %s%s%s: what is written now is "
		    "on one host",
		    name, primary, why[0] == '\0' ? "" : ": ", why);
}

/* A standby may stream from another host, or under another name. */
static bool
wrong_sends(const json_t *primary, const char *name)
{
	const json_t *list = get_at(primary, "postgres.senders");
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		if (wrong_is(json_array_get(list, i), "node", name))
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
		wrong_text(l,
		    "hactl register show; if its record is right: "
		    "hactl register adopt",
		    "%s: the register is cold, and refuses every change", name);
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
