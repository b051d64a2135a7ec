/*
 * Whether a takeover would go well now: what all hosts say, looked at for this
 * one question.
 */
#include "hactl/ready.h"

#include <stdio.h>
#include <string.h>

bool
ready_by_person(const json_t *node)
{
	return get_has(node, "shoot.lease_suffices") &&
	       !get_bool(node, "shoot.lease_suffices") &&
	       !get_bool(node, "shoot.agents");
}

/* An engine of before tells but the parts. */
long long
ready_by_itself_ms(const json_t *node)
{
	long long ms = get_int(node, "claim.in_ms");

	if (get_has(node, "claim.by_itself_ms"))
		return get_int(node, "claim.by_itself_ms");
	if (strcmp(get_str(node, "record.state"), "held") == 0 &&
	    get_int(node, "record.next_in_ms") > ms)
		return get_int(node, "record.next_in_ms");
	return ms;
}

bool
ready_interval(const json_t *node)
{
	return get_int(node, "record.next_in_ms") > 0 &&
	       get_int(node, "record.next_in_ms") >= ready_by_itself_ms(node);
}

void
ready_person_text(
    char *buf, size_t size, const char *standby, const char *primary)
{
	(void)snprintf(buf, size,
	    "%s takes over only if PostgreSQL on %s ends while its hawatchd "
	    "runs. If that host is lost, nobody does by himself: a person who "
	    "knows that it is off says so: hactl promote %s --fenced WHY",
	    standby, primary, standby);
}

/* What the holder's lease alone stands against. */
static bool
ready_node(const json_t *node, const json_t *rec)
{
	const char *block = get_str(node, "claim.block");

	return get_in(get_at(rec, "candidates"), get_str(node, "node")) &&
	       (block[0] == '\0' || strcmp(block, "lease-runs") == 0 ||
		   strcmp(block, "promised") == 0) &&
	       get_bool(node, "register.read") && plan_ready(node);
}

/* But for the time since the last failover, which a server that ends need not
 * wait for. */
static bool
ready_later(const json_t *node)
{
	const char *block = get_str(node, "claim.block");

	return strcmp(get_str(node, "postgres.state"), "standby") == 0 &&
	       strcmp(get_str(node, "fence.armed"), "yes") == 0 &&
	       get_bool(node, "register.read") &&
	       (block[0] == '\0' || strcmp(block, "lease-runs") == 0 ||
		   strcmp(block, "promised") == 0 ||
		   strcmp(block, "min-interval") == 0);
}

bool
ready_takes_over(const json_t *answer, const char *node)
{
	return ready_node(status_node(answer, node), status_newest(answer));
}

void
ready_find(struct ready *r, const json_t *answer)
{
	const json_t *nodes = get_at(answer, "nodes"), *node;
	const json_t *rec = status_newest(answer), *first;
	size_t i;

	memset(r, 0, sizeof(*r));
	r->primary = r->standby = r->later = "";
	r->observed = observe_all(nodes);
	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (strcmp(get_str(node, "role"), "primary") == 0)
			r->primary = get_str(node, "node");
		else if (r->standby[0] == '\0' && ready_node(node, rec)) {
			r->standby = get_str(node, "node");
			r->by_person = ready_by_person(node);
		}
	}
	first = json_array_get(get_at(rec, "candidates"), 0);
	if (r->standby[0] == '\0' && get_has(rec, "next_in_ms") &&
	    json_is_string(first) &&
	    ready_later(status_node(answer, json_string_value(first)))) {
		r->later = json_string_value(first);
		r->later_ms = get_int(rec, "next_in_ms");
	}
	r->wrongs = wrong_find(answer, r->wrong, READY_WRONG_MAX);
}

bool
ready_holds(const struct ready *r)
{
	return r->primary[0] != '\0' && r->standby[0] != '\0' && r->wrongs == 0;
}

void
ready_print_wrong(const struct ready *r)
{
	status_wrongs(r->wrong, r->wrongs);
}
