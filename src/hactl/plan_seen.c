/*
 * hactl plan promote: what was seen just now of each step's goal, and what the
 * steps that belong to this site would do on that host.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/plan.h"
#include "hactl/ready.h"
#include "hawatch/str.h"

void
plan_seen_line(const char *text)
{
	print_wrapped("                                 - ", text);
}

static void
seen_claim(const json_t *node, char *buf, size_t size)
{
	const char *text = get_str(node, "claim.text");

	(void)snprintf(buf, size, "%s",
	    text[0] == '\0' ? "nothing stands against it" : text);
}

/* What the policy of proofs makes of it. */
static const char *
seen_agents(const json_t *node)
{
	if (ready_by_person(node))
		return ", which is no proof here: the record must be released, "
		       "or a person must say that the holder's host is off";
	if (!get_bool(node, "shoot.agents"))
		return "";
	return get_bool(node, "shoot.lease_suffices") ?
		   "; or fence agents see the holder's host off" :
		   ", which is not enough: fence agents must see the holder's "
		   "host off";
}

static void
seen_proof(const json_t *node, char *buf, size_t size)
{
	const char *state = get_str(node, "record.state");
	char ms[32];

	if (strcmp(state, "released") == 0) {
		(void)snprintf(buf, size, "the record is released");
	} else if (get_has(node, "shoot.off")) {
		(void)snprintf(buf, size, "%s was seen off by its agents",
		    get_str(node, "shoot.off"));
	} else if (get_has(node, "claim.in_ms")) {
		print_ms(ms, sizeof(ms), get_int(node, "claim.in_ms"));
		(void)snprintf(buf, size, "the lease runs for %s at least%s",
		    ms, seen_agents(node));
	} else {
		(void)snprintf(
		    buf, size, "the lease has run out%s", seen_agents(node));
	}
}

static void
seen_running(const json_t *node, char *buf, size_t size)
{
	(void)snprintf(buf, size, "it is %s, timeline %lld",
	    get_str(node, "postgres.state"),
	    get_int(node, "postgres.timeline"));
}

static void
seen_wal(const json_t *node, char *buf, size_t size)
{
	(void)snprintf(buf, size, "%s here, %s demanded",
	    get_str(node, "postgres.wal_end"),
	    get_has(node, "record") ? get_str(node, "record.lsn") :
				      "nothing yet");
}

static void
seen_readers(const json_t *node, char *buf, size_t size)
{
	(void)snprintf(buf, size,
	    get_int(node, "fence.readers_ms") > 0 ? "it is there" :
						    "it is not there");
}

static void
seen_names(const json_t *node, char *buf, size_t size)
{
	char list[160];

	get_list(node, "postgres.sync_names", list, sizeof(list));
	(void)snprintf(buf, size, "synchronous standbys set here: %s", list);
}

static void
seen_mark(const json_t *node, char *buf, size_t size)
{
	(void)snprintf(buf, size,
	    get_int(node, "durable.primary_epoch") > 0 ?
		"it says so, of epoch %lld" :
		"it says a standby's",
	    get_int(node, "durable.primary_epoch"));
}

static void
seen_recovery(const json_t *node, char *buf, size_t size)
{
	(void)snprintf(
	    buf, size, "in recovery: %s", get_str(node, "postgres.recovery"));
}

static void
seen_held(const json_t *node, char *buf, size_t size)
{
	char list[160];

	if (!get_has(node, "record")) {
		(void)snprintf(buf, size, "there is no record yet");
		return;
	}
	get_list(node, "record.candidates", list, sizeof(list));
	(void)snprintf(buf, size, "epoch %lld, %s by %s, candidates: %s",
	    get_int(node, "record.epoch"), get_str(node, "record.state"),
	    get_str(node, "record.holder"), list);
}

static void
seen_open(const json_t *node, char *buf, size_t size)
{
	(void)snprintf(buf, size, "the port is %s to writers; armed: %s",
	    get_str(node, "fence.writers"), get_str(node, "fence.armed"));
}

static void
seen_probe(const json_t *node, char *buf, size_t size)
{
	(void)snprintf(buf, size, "its last local write: %s",
	    get_str(node, "postgres.probe"));
}

static void
seen_repmgr(const json_t *node, char *buf, size_t size)
{
	const json_t *list = get_at(node, "checks"), *check;
	size_t i;

	(void)snprintf(buf, size, "no check of type repmgr");
	for (i = 0; i < json_array_size(list); i++) {
		check = json_array_get(list, i);
		if (strcmp(get_str(check, "type"), "repmgr") == 0)
			(void)snprintf(buf, size, "check %s is %s",
			    get_str(check, "name"), plan_state(check));
	}
}

static const struct {
	const char *row;
	void (*seen)(const json_t *node, char *buf, size_t size);
} seen_rows[] = {
	{ "claim", seen_claim },
	{ "prove", seen_proof },
	{ "running", seen_running },
	{ "wal", seen_wal },
	{ "readers", seen_readers },
	{ "names", seen_names },
	{ "mark", seen_mark },
	{ "promote", seen_recovery },
	{ "held", seen_held },
	{ "relax", seen_names },
	{ "settle", seen_probe },
	{ "open", seen_open },
	{ "commit", seen_open },
	{ "metadata", seen_repmgr },
	{ "checkpoint", seen_running },
};

const char *
plan_state(const json_t *check)
{
	const char *up = get_str(check, "up");

	return strcmp(up, "yes") == 0 ? "up" :
	       strcmp(up, "no") == 0  ? "down" :
					"not known";
}

/* What the host says of an object of that name. */
static const json_t *
seen_find(const json_t *list, const char *name)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		if (strcmp(get_str(json_array_get(list, i), "name"), name) == 0)
			return json_array_get(list, i);
	}
	return NULL;
}

/* Parts of the line that stay, "\1", as they are in it. */
static void
seen_becomes(char *buf, size_t size, const char *text)
{
	size_t len = 0;

	for (; *text != '\0' && len + 4 < size; text++) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '9') {
			str_cut(buf + len, size - len, "...");
			len += 3;
			text++;
		} else {
			buf[len++] = *text;
		}
	}
	buf[len] = '\0';
}

static void
seen_item(const json_t *item, const json_t *node)
{
	const json_t *state =
	    seen_find(get_at(node, "drift.items"), get_str(item, "name"));
	const char *holds = get_str(state, "holds");
	char text[2 * PLAN_SEEN_MAX], becomes[PLAN_SEEN_MAX - 100];

	seen_becomes(becomes, sizeof(becomes), get_str(item, "becomes"));
	(void)snprintf(text, sizeof(text), "%s: %s %s \"%s\"%s; now: %s",
	    get_str(item, "name"), get_str(item, "what"),
	    get_bool(item, "same") ? "stays" : "becomes", becomes,
	    get_bool(item, "required") ? " (required)" : "",
	    strcmp(holds, "yes") == 0 ? "as its present role demands" :
	    strcmp(holds, "no") == 0  ? get_str(state, "reason") :
					"not known");
	plan_seen_line(text);
}

static void
seen_items(const json_t *answer, bool before)
{
	const json_t *list = get_at(answer, "items"), *item;
	bool any = false;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		item = json_array_get(list, i);
		if (get_bool(item, "before") != before)
			continue;
		seen_item(item, get_at(answer, "node"));
		any = true;
	}
	if (!any)
		plan_seen_line("nothing: no item is configured for it");
}

static void
seen_traffic(const json_t *answer)
{
	const json_t *list = get_at(answer, "traffic"), *obj, *state;
	char text[PLAN_SEEN_MAX];
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		obj = json_array_get(list, i);
		state = seen_find(
		    get_at(answer, "node.traffic"), get_str(obj, "name"));
		(void)snprintf(text, sizeof(text), "%s: %s%s; now %s",
		    get_str(obj, "name"), get_str(obj, "becomes"),
		    get_bool(obj, "every") ? " (on every host)" : "",
		    strcmp(get_str(state, "ok"), "yes") == 0 ?
			"read back as wanted" :
		    get_str(state, "reason")[0] != '\0' ?
			get_str(state, "reason") :
			"not looked at by this host");
		plan_seen_line(text);
	}
	if (i == 0)
		plan_seen_line("nothing: no balancer is configured");
}

static void
seen_verify(const json_t *answer)
{
	const json_t *list = get_at(answer, "verify"), *check;
	char text[PLAN_SEEN_MAX];
	const char *name;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		name = json_string_value(json_array_get(list, i));
		if (name == NULL)
			continue;
		check = seen_find(get_at(answer, "node.checks"), name);
		(void)snprintf(text, sizeof(text), "check %s; now %s%s%s", name,
		    plan_state(check),
		    get_str(check, "reason")[0] == '\0' ? "" : ": ",
		    get_str(check, "reason"));
		plan_seen_line(text);
	}
	if (i == 0)
		plan_seen_line("nothing: no check is marked verify");
}

void
plan_seen(const json_t *answer, const char *row)
{
	char buf[PLAN_SEEN_MAX] = "", text[PLAN_SEEN_MAX + 8];
	size_t i;

	if (strcmp(row, "pullers") == 0)
		seen_items(answer, true);
	else if (strcmp(row, "converge") == 0)
		seen_items(answer, false);
	else if (strcmp(row, "traffic") == 0)
		seen_traffic(answer);
	else if (strcmp(row, "verify") == 0)
		seen_verify(answer);
	for (i = 0; i < sizeof(seen_rows) / sizeof(*seen_rows); i++) {
		if (strcmp(seen_rows[i].row, row) != 0)
			continue;
		seen_rows[i].seen(get_at(answer, "node"), buf, sizeof(buf));
		(void)snprintf(text, sizeof(text), "now: %s", buf);
		plan_seen_line(text);
	}
}
