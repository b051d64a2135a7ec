/*
 * hactl plan switchover: what the steps of the host that hands over are about
 * on this site, and what was seen of it just now.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/plan.h"

/* Of the primary's PostgreSQL only where the engine of that host was asked. */
static void
handover_checkpoint(const json_t *answer)
{
	char text[PLAN_SEEN_MAX];

	if (!get_has(answer, "look.checkpoint_s")) {
		plan_seen_line(
		    "asked on the primary, this says how long ago the "
		    "last one was");
		return;
	}
	(void)snprintf(text, sizeof(text),
	    "now: the last one began %lld s ago, with %lld MiB written since; "
	    "clients write while this one runs",
	    get_int(answer, "look.checkpoint_s"),
	    get_int(answer, "look.wal_bytes") / 1024 / 1024);
	plan_seen_line(text);
}

static void
handover_stopped(const json_t *answer)
{
	char text[PLAN_SEEN_MAX];

	if (get_int(answer, "look.transaction_s") > 0) {
		(void)snprintf(text, sizeof(text),
		    "now: a transaction is open for %lld s, and would be "
		    "rolled back",
		    get_int(answer, "look.transaction_s"));
		plan_seen_line(text);
	}
	if (get_int(answer, "look.archive_ready") > 0) {
		(void)snprintf(text, sizeof(text),
		    "now: %lld files wait for the archiver",
		    get_int(answer, "look.archive_ready"));
		plan_seen_line(text);
	}
	if (get_str(answer, "look.slots")[0] != '\0') {
		(void)snprintf(text, sizeof(text),
		    "now: logical slots that the target does not have: %s",
		    get_str(answer, "look.slots"));
		plan_seen_line(text);
	}
}

/* What a promotion there would be given up for. */
static void
handover_heir(const json_t *answer)
{
	const json_t *list = get_at(answer, "node.drift.items"), *item;
	char text[PLAN_SEEN_MAX];
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		item = json_array_get(list, i);
		if (!get_bool(item, "required"))
			continue;
		(void)snprintf(text, sizeof(text), "required there: %s: %s%s%s",
		    get_str(item, "name"),
		    strcmp(get_str(item, "holds"), "yes") == 0 ?
			"holds" :
		    strcmp(get_str(item, "holds"), "no") == 0 ?
			"does not hold" :
			"not known",
		    get_str(item, "reason")[0] == '\0' ? "" : ": ",
		    get_str(item, "reason"));
		plan_seen_line(text);
	}
}

static void
handover_drain(const json_t *answer)
{
	const json_t *list = get_at(answer, "traffic"), *t;
	char text[PLAN_SEEN_MAX];
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		t = json_array_get(list, i);
		if (get_bool(t, "every"))
			continue;
		(void)snprintf(text, sizeof(text),
		    "%s: this host's server drains, if another stays",
		    get_str(t, "name"));
		plan_seen_line(text);
	}
}

static void
handover_quiet(const json_t *answer)
{
	const json_t *list = get_at(answer, "handover"), *item;
	char text[PLAN_SEEN_MAX];
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		item = json_array_get(list, i);
		(void)snprintf(text, sizeof(text), "%s: %s is %s",
		    get_str(item, "name"), get_str(item, "what"),
		    get_str(item, "becomes"));
		plan_seen_line(text);
	}
	if (json_array_size(list) == 0)
		plan_seen_line("no item has handover: nothing stops");
}

static void
handover_files(const json_t *answer)
{
	const json_t *list = get_at(answer, "files.paths");
	char text[PLAN_SEEN_MAX];
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		(void)snprintf(text, sizeof(text),
		    "%s is pulled, then the same on both hosts%s",
		    json_string_value(json_array_get(list, i)),
		    get_bool(answer, "files.refuse") ? ", or it is given up" :
						       ", or that is said");
		plan_seen_line(text);
	}
	if (json_array_size(list) == 0)
		plan_seen_line("there is no group files: nothing is pulled");
}

void
plan_seen_handover(const json_t *answer, const char *row)
{
	static const struct {
		const char *row;
		void (*seen)(const json_t *answer);
	} rows[] = {
		{ "heir", handover_heir },
		{ "checkpoint", handover_checkpoint },
		{ "drain", handover_drain },
		{ "quiet", handover_quiet },
		{ "files", handover_files },
		{ "stopped", handover_stopped },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].row, row) == 0)
			rows[i].seen(answer);
}
