/*
 * What must hold for a takeover by a node, each condition beside what was
 * observed there.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/plan.h"
#include "hactl/ready.h"
#include "hawatch/str.h"

static void
plan_condition(bool known, bool holds, const char *what, const char *seen)
{
	char first[64];

	(void)snprintf(first, sizeof(first), "  %-4s %-36s ",
	    !known ? "?" :
	    holds  ? "yes" :
		     "no",
	    what);
	if (known && !holds)
		print_coloured(COLOUR_BAD, NULL);
	print_wrapped(first, seen);
	if (known && !holds)
		print_coloured(COLOUR_NONE, NULL);
}

static void
plan_condition_record(const json_t *node)
{
	const json_t *rec = get_at(node, "record");
	char seen[300], list[160];
	bool listed;

	if (!json_is_object(rec)) {
		plan_condition(
		    true, false, "there is a record", "none is known");
		return;
	}
	get_list(rec, "candidates", list, sizeof(list));
	(void)snprintf(seen, sizeof(seen),
	    "epoch %lld, %s by %s, candidates: %s", get_int(rec, "epoch"),
	    get_str(rec, "state"), get_str(rec, "holder"), list);
	listed =
	    get_in(get_at(rec, "candidates"), get_str(node, "node")) ||
	    (strcmp(get_str(rec, "state"), "released") == 0 &&
		strcmp(get_str(rec, "holder"), get_str(node, "node")) == 0);
	plan_condition(true, listed, "the record lists it", seen);
}

/* What it has to have: in strict all that the record says, in bounded not
 * much less than the furthest that it was ever told. 0: not known. */
static lsn_t
plan_needed(const json_t *node, char *text, size_t size)
{
	lsn_t need = 0, told = 0,
	      loss = (lsn_t)get_int(node, "durability.max_loss");
	char lsn[LSN_STR_MAX];

	(void)snprintf(text, size, "unknown");
	if (lsn_parse(get_str(node, "record.lsn"), &need) == -1)
		return 0;
	if (loss > 0 &&
	    get_int(node, "durable.told_epoch") ==
		get_int(node, "record.epoch") &&
	    lsn_parse(get_str(node, "durable.told"), &told) == 0 && told > need)
		need = told;
	(void)snprintf(text, size, "%s%s", lsn_str(need, lsn),
	    loss > 0 ? " less max_loss" : "");
	if (loss > 0)
		need = need > loss ? need - loss : 1;
	return need;
}

static void
plan_condition_wal(const json_t *node)
{
	const char *mine = get_str(node, "postgres.wal_end");
	char seen[200], floor[80];
	lsn_t have = 0, need = plan_needed(node, floor, sizeof(floor));
	bool known;

	known = lsn_parse(mine, &have) == 0 && need != 0 && have != 0;
	/* While it receives, what was seen of it is older than the demand;
	 * the takeover looks again. */
	known = known && (have >= need || !get_bool(node, "postgres.receiver"));
	(void)snprintf(seen, sizeof(seen), "%s here %lld ms ago, %s demanded%s",
	    have == 0 ? "unknown" : mine, get_int(node, "postgres.seen_ms"),
	    floor,
	    known || have == 0 ? "" : "; it streams, and step 4 looks again");
	plan_condition(known, have >= need, "its WAL is far enough", seen);
	(void)snprintf(seen, sizeof(seen), "%lld here, %lld in the record",
	    get_int(node, "postgres.timeline"),
	    get_int(node, "record.timeline"));
	plan_condition(get_int(node, "postgres.timeline") > 0,
	    get_int(node, "postgres.timeline") ==
		get_int(node, "record.timeline"),
	    "it is on the record's timeline", seen);
	(void)snprintf(seen, sizeof(seen), "%s here, %s in the record",
	    get_str(node, "postgres.system_id"),
	    get_str(node, "record.system_id"));
	plan_condition(strcmp(get_str(node, "postgres.system_id"), "0") != 0,
	    strcmp(get_str(node, "postgres.system_id"),
		get_str(node, "record.system_id")) == 0,
	    "it is of the record's system", seen);
}

static void
plan_condition_time(const json_t *node)
{
	char seen[80] = "nothing more to wait for", ms[32];

	if (get_has(node, "claim.in_ms")) {
		print_ms(ms, sizeof(ms), get_int(node, "claim.in_ms"));
		(void)snprintf(seen, sizeof(seen), "in %s at the earliest", ms);
	}
	plan_condition(true, !get_has(node, "claim.in_ms"),
	    "the holder's lease has run out", seen);
	(void)snprintf(seen, sizeof(seen), "nothing is promised");
	if (get_has(node, "promised_ms")) {
		print_ms(ms, sizeof(ms), get_int(node, "promised_ms"));
		(void)snprintf(seen, sizeof(seen), "for another %s", ms);
	}
	plan_condition(true, !get_has(node, "promised_ms"),
	    "its promises to the holder are over", seen);
}

/* Only at that moment do they ask each other. */
static void
plan_condition_first(const json_t *node)
{
	const char *other = get_str(node, "claim.gives_way_to");
	char seen[160];

	if (json_array_size(get_at(node, "record.candidates")) < 2)
		return;
	if (other[0] != '\0')
		(void)snprintf(seen, sizeof(seen),
		    "it gives way to %s, for half a T", other);
	else
		(void)snprintf(seen, sizeof(seen),
		    "the candidates ask each other then; the furthest claims, "
		    "else the one of greater priority");
	plan_condition(
	    other[0] != '\0', false, "it goes before the others", seen);
}

/* Only what the daemon does by itself has to keep the interval. */
static void
plan_condition_interval(const json_t *node)
{
	char seen[160];

	/* It does nothing by itself that has to. */
	if (ready_by_person(node))
		return;
	(void)snprintf(seen, sizeof(seen),
	    get_has(node, "record.next_in_ms") ?
		"by itself not for another %lld s; hactl ack on %s, or hactl "
		"promote" :
		"no failover is too recent",
	    get_int(node, "record.next_in_ms") / 1000,
	    get_str(node, "record.holder"));
	plan_condition(true, !get_has(node, "record.next_in_ms"),
	    "the last failover is long ago", seen);
}

/* Those of the holder's host, as they answered their monitor. */
static enum answer
plan_agents(const json_t *node, char *seen, size_t size)
{
	const json_t *list = get_at(node, "agents"), *agent;
	enum answer all = ANS_YES;
	const char *ok;
	size_t i;

	(void)snprintf(seen, size, "they do");
	for (i = 0; i < json_array_size(list); i++) {
		agent = json_array_get(list, i);
		ok = get_str(agent, "ok");
		if (strcmp(get_str(agent, "node"),
			get_str(node, "record.holder")) != 0 ||
		    strcmp(ok, "yes") == 0 || all == ANS_NO)
			continue;
		all = strcmp(ok, "no") == 0 ? ANS_NO : ANS_UNKNOWN;
		(void)snprintf(seen, size, "%s: %s", get_str(agent, "name"),
		    all == ANS_NO ? get_str(agent, "reason") : "not asked yet");
	}
	return all;
}

static void
plan_condition_agents(const json_t *node)
{
	char seen[300];
	enum answer all = plan_agents(node, seen, sizeof(seen));

	plan_condition(all != ANS_UNKNOWN, all == ANS_YES,
	    "the holder's fence agents answer", seen);
}

/* If the host of the holder is lost; a server that ends is another matter. */
static void
plan_condition_proofs(const json_t *node)
{
	bool lease = get_bool(node, "shoot.lease_suffices");
	bool agents = get_bool(node, "shoot.agents");

	if (!get_has(node, "shoot.lease_suffices"))
		return;
	plan_condition(true, lease || agents,
	    "its proofs suffice for a lost host",
	    lease && agents ? "the end of the lease, or fence agents" :
	    lease	    ? "the end of the lease" :
	    agents	    ? "fence agents" :
			      "none but a person's word: --fenced");
}

void
plan_conditions(const json_t *node)
{
	char seen[200];

	plan_condition(true, strcmp(get_str(node, "mode"), "auto") == 0,
	    "its mode is auto", get_str(node, "mode"));
	(void)snprintf(seen, sizeof(seen), "revision %lld%s",
	    get_int(node, "register.revision"),
	    get_bool(node, "register.read") ? "" : ", not read within T");
	plan_condition(true, get_bool(node, "register.read"),
	    "it reads the register", seen);
	plan_condition(true,
	    !get_bool(node, "register.cold") &&
		!get_bool(node, "register.amnesiac"),
	    "the register is warm and remembers",
	    get_bool(node, "register.cold")	? "cold" :
	    get_bool(node, "register.amnesiac") ? "amnesiac" :
						  "it does");
	plan_condition_record(node);
	if (get_has(node, "record")) {
		plan_condition_wal(node);
		plan_condition_time(node);
	}
	plan_condition_first(node);
	plan_condition(true, !get_bool(node, "durable.claim"),
	    "no earlier claim is unresolved",
	    get_bool(node, "durable.claim") ? "one is" : "none is");
	plan_condition(true, !get_bool(node, "durable.latch"),
	    "it is not latched",
	    get_bool(node, "durable.latch") ?
		get_str(node, "durable.latch_why") :
		"it is not");
	plan_condition_interval(node);
	(void)snprintf(seen, sizeof(seen), "%s%s%s",
	    get_str(node, "fence.armed"),
	    get_str(node, "fence.armed_why")[0] == '\0' ? "" : ": ",
	    get_str(node, "fence.armed_why"));
	plan_condition(strcmp(get_str(node, "fence.armed"), "unknown") != 0,
	    strcmp(get_str(node, "fence.armed"), "yes") == 0,
	    "it can be fenced itself (armed)", seen);
	plan_condition_proofs(node);
	if (get_bool(node, "shoot.agents"))
		plan_condition_agents(node);
}

bool
plan_ready(const json_t *node)
{
	char seen[300];

	/* Where the end of the lease is no proof, nothing comes without. */
	if (get_bool(node, "shoot.agents") &&
	    !get_bool(node, "shoot.lease_suffices") &&
	    plan_agents(node, seen, sizeof(seen)) == ANS_NO)
		return false;
	/* The end of a server, which needs no proof, need not wait either. */
	return strcmp(get_str(node, "fence.armed"), "yes") == 0 &&
	       strcmp(get_str(node, "postgres.state"), "standby") == 0 &&
	       (ready_by_person(node) || !get_has(node, "record.next_in_ms"));
}
