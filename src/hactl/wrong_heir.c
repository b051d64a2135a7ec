/*
 * What a person should know of the standby that could take over and does not,
 * and what of it is a matter of somebody's word.
 */
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/ready.h"
#include "hactl/wrong.h"

bool
wrong_by_word(const char *token)
{
	return strcmp(token, "no-proof") == 0 ||
	       strcmp(token, "not-met") == 0 ||
	       strcmp(token, "other-silent") == 0;
}

const json_t *
wrong_other(const json_t *nodes, const json_t *node)
{
	const char *holder = get_str(node, "record.holder");
	bool self = wrong_is(node, "node", holder);
	const json_t *other;
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++) {
		other = json_array_get(nodes, i);
		if (get_bool(other, "data") &&
		    wrong_is(other, "node", holder) != self)
			return other;
	}
	return NULL;
}

bool
wrong_heard(struct wrong *w, const json_t *nodes, const json_t *node)
{
	const json_t *other = wrong_other(nodes, node);
	const char *room = get_str(other, "postgres.no_room");

	if (other == NULL || get_has(other, "silent"))
		return false;
	wrong_room_next(w->next, sizeof(w->next), other);
	(void)snprintf(w->text, sizeof(w->text),
	    "%s answers, so the word that it is off is refused. %s",
	    get_str(other, "node"),
	    room[0] == '\0' ?
		"See what keeps it" :
		"It has no room for PostgreSQL: a standby that has takes over "
		"by itself; where none has, make room");
	return true;
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
bool
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

/* Where its engine answers, that says why nothing comes of it. */
static void
wrong_holder_next(
    char *next, size_t size, const json_t *nodes, const json_t *heir)
{
	const json_t *holder = wrong_other(nodes, heir);

	if (holder == NULL || get_has(holder, "silent"))
		(void)snprintf(next, size, "ssh %s systemctl status hawatchd",
		    get_str(heir, "record.holder"));
	else
		wrong_room_next(next, size, holder);
}

/* Time is no proof for everybody; a holder that answers may release yet. */
static bool
wrong_by_itself(const json_t *nodes, const json_t *heir)
{
	return !ready_by_person(heir) ||
	       !wrong_is(heir, "record.state", "held") ||
	       !get_has(wrong_other(nodes, heir), "silent");
}

/* It is about to; a person need not wait for the interval. */
static void
wrong_heir_comes(struct wrong_list *l, const json_t *heir)
{
	const char *name = get_str(heir, "node");
	long long ms = ready_by_itself_ms(heir);
	char next[120] = "hactl status", when[96] = "";
	bool interval = ready_interval(heir);

	if (ms > 0)
		(void)snprintf(when, sizeof(when),
		    ", in %lld.%lld s at the earliest%s", ms / 1000,
		    ms % 1000 / 100, interval ? ": lease.min_interval" : "");
	if (interval)
		(void)snprintf(next, sizeof(next), "hactl promote %s", name);
	wrong_text(l, next,
	    "nobody accepts writes now; %s takes over by itself%s", name, when);
}

void
wrong_heir(struct wrong_list *l, const json_t *nodes, const json_t *heir)
{
	const char *name = get_str(heir, "node"), *text;
	const char *block = get_str(heir, "claim.block"), *then = "";
	const char *nobody = l->alone ? "nobody who answers accepts writes" :
					"nobody accepts writes";
	struct wrong heard;
	char next[320];

	if (wrong_passes(block) && !wrong_by_itself(nodes, heir)) {
		block = "no-proof";
	} else if (wrong_passes(block)) {
		wrong_heir_comes(l, heir);
		return;
	}
	text = wrong_is(heir, "claim.block", block) ?
		   get_str(heir, "claim.text") :
		   "the loss of a host is left to people here";
	if (wrong_misses(heir)) {
		wrong_holder_next(next, sizeof(next), nodes, heir);
		wrong_text(l, next,
		    "%s, and %s is no candidate of the "
		    "record: it may miss commits. Bring %s back; if it is "
		    "lost for good, see WHAT TO DO in hawatch(7)",
		    nobody, name, get_str(heir, "record.holder"));
		return;
	}
	if (wrong_by_word(block) && wrong_heard(&heard, nodes, heir)) {
		wrong_text(l, heard.next, "%s, and %s does not take over: %s",
		    nobody, name, heard.text);
		return;
	}
	if (strcmp(block, "mode") == 0 || strcmp(block, "min-interval") == 0)
		(void)snprintf(
		    next, sizeof(next), "ssh %s hactl promote %s", name, name);
	else if (wrong_is(heir, "register.type", "none") &&
		 (strcmp(block, "no-proof") == 0 ||
		     strcmp(block, "not-met") == 0))
		then = wrong_fenced(next, sizeof(next), name);
	else if (strcmp(block, "no-proof") == 0) {
		then = ". Switch its host off by hand, and only then say so";
		(void)snprintf(next, sizeof(next),
		    "ssh %s hactl promote %s --fenced HOW", name, name);
	} else
		(void)snprintf(
		    next, sizeof(next), "hactl plan promote %s", name);
	wrong_text(l, next, "%s, and %s does not take over%s%s%s", nobody, name,
	    text[0] == '\0' ? "" : ": ", text, then);
}
