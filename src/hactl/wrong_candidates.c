/*
 * Who may take over, and why another may not, with the command that comes
 * next. It is seen by the holder: it is the one that adds candidates.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/ready.h"
#include "hactl/wrong.h"
#include "hawatch/str.h"

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

	/* Where a lost host is left to people, no word changes that. */
	if (!wrong_is(node, "role", "primary") || ready_by_person(node) ||
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

/* That one runs by keys that matter for safety, and are others here. */
static bool
wrong_unsafe(const json_t *primary, const json_t *other)
{
	return get_in(get_at(primary, "config.unsafe"), get_str(other, "node"));
}

/* It was not there a moment ago, or is being made a candidate. */
static bool
wrong_comes(const json_t *primary, const json_t *other)
{
	const char *name = get_str(other, "node");
	const json_t *list = get_at(primary, "postgres.senders"), *sender;
	size_t i;

	if (get_has(other, "silent") || get_bool(other, "durable.latch") ||
	    wrong_is(other, "fence.armed", "no") ||
	    wrong_is(primary, "fence.armed", "no") ||
	    !wrong_is(other, "mode", "auto") || wrong_unsafe(primary, other))
		return false;
	if (wrong_is(primary, "adding", name) || wrong_fresh(primary))
		return true;
	for (i = 0; i < json_array_size(list); i++) {
		sender = json_array_get(list, i);
		if (wrong_is(sender, "node", name) &&
		    get_has(sender, "good_ms") &&
		    get_int(sender, "good_ms") < WRONG_SETTLE_MS)
			return true;
	}
	return false;
}

static void
wrong_no_candidate(struct wrong_list *l, const json_t *status,
    const json_t *node, const json_t *other)
{
	const char *primary = get_str(node, "node");
	const char *name = get_str(other, "node");
	const char *why = get_str(node, "waits_text");
	char next[320], list[160], then[320] = "", keys[WRONG_KEYS_MAX];

	get_list(node, "record.candidates", list, sizeof(list));
	if (get_has(other, "silent")) {
		(void)snprintf(next, sizeof(next),
		    "ssh %s systemctl status hawatchd", name);
	} else if (get_bool(other, "durable.fenced") &&
		   !get_bool(other, "durable.overtaken")) {
		(void)snprintf(
		    next, sizeof(next), "ssh %s hactl unfence", name);
	} else if (get_bool(other, "durable.latch")) {
		str_cut(then, sizeof(then),
		    ". It is added by itself once it streams");
		(void)snprintf(next, sizeof(next), "ssh %s hactl rejoin", name);
	} else if (wrong_is(other, "fence.armed", "no")) {
		str_cut(then, sizeof(then), ". It cannot be fenced");
		wrong_armed_next(next, sizeof(next), other);
	} else if (wrong_unsafe(node, other)) {
		wrong_keys(keys, sizeof(keys), status, primary, name, true);
		(void)snprintf(then, sizeof(then),
		    ". Its configuration is not that of %s in what matters for "
		    "safety%s",
		    primary, keys);
		str_cut(next, sizeof(next), "hactl config diff");
	} else if (wrong_is(node, "fence.armed", "no")) {
		(void)snprintf(then, sizeof(then),
		    ". %s adds none while it cannot be fenced with certainty",
		    primary);
		wrong_armed_next(next, sizeof(next), node);
	} else if (get_bool(other, "postgres.receiver") &&
		   !wrong_sends(node, name)) {
		(void)snprintf(then, sizeof(then),
		    ". In its primary_conninfo, host has to be %s and "
		    "application_name %s",
		    primary, name);
		(void)snprintf(next, sizeof(next),
		    "ssh %s runuser -u postgres -- psql -c \"'SHOW "
		    "primary_conninfo'\"",
		    name);
	} else if (!wrong_is(other, "mode", "auto")) {
		str_cut(then, sizeof(then), ", for its mode is not auto");
		str_cut(next, sizeof(next), "hactl reload");
	} else if (get_bool(other, "postgres.receiver")) {
		str_cut(then, sizeof(then), ". It is added by itself soon");
		(void)snprintf(next, sizeof(next),
		    "ssh %s journalctl -u hawatchd | grep standby.not-added",
		    primary);
	} else {
		str_cut(then, sizeof(then),
		    ". It is added by itself once it streams");
		(void)snprintf(next, sizeof(next),
		    "ssh %s journalctl -u hawatchd -n 50", name);
	}
	if (strcmp(list, "none") != 0)
		wrong_text(l, next,
		    "%s may not take over from %s, only %s may%s", name,
		    primary, list, then);
	else
		wrong_text(l, next,
		    "%s may not take over from %s%s%s: what is written now is "
		    "on one host%s",
		    name, primary, why[0] == '\0' ? "" : ": ", why, then);
	if (wrong_comes(node, other))
		wrong_settles(l);
}

void
wrong_candidates(struct wrong_list *l, const json_t *status, const json_t *node)
{
	const json_t *list = get_at(node, "record.candidates"), *other;
	const json_t *nodes = get_at(status, "nodes");
	bool some = json_array_size(list) > 0;
	size_t i;

	wrong_interval(l, node);
	if (!wrong_is(node, "role", "primary") || !get_has(node, "record") ||
	    wrong_is(node, "mode", "manual") || get_has(node, "paused.until"))
		return;
	for (i = 0; i < json_array_size(nodes); i++) {
		other = json_array_get(nodes, i);
		if (other != node && get_bool(other, "data") &&
		    !(l->alone && get_has(other, "silent")) &&
		    !(some && wrong_is_told(list, other)))
			wrong_no_candidate(l, status, node, other);
	}
}
