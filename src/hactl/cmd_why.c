/*
 * hactl why: of each data node, what it does and because of what, and what
 * keeps it from more: from taking over, from letting clients write, from
 * getting traffic. It says what the engine says, and judges nothing.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/ready.h"
#include "hactl/wrong.h"
#include "hawatch/json.h"

#define WHY_LIMIT (5 * USEC_SEC)
#define WHY_TEXT 640

static json_t *why_node(const json_t *nodes, const json_t *node);
static void why_say(json_t *list, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void why_writes(json_t *list, const json_t *node);
static void why_claim(json_t *list, const json_t *nodes, const json_t *node);
static void why_alone(json_t *list, const json_t *nodes, const json_t *node);
static void why_rest(json_t *list, const json_t *node);
static void why_observes(json_t *list, const json_t *node);
static void why_print(const json_t *nodes);

enum exitcode
cmd_why(const struct call *call)
{
	json_t *answer, *nodes = json_array(), *doc;
	const json_t *list, *node;
	char paused[PAUSE_TEXT_MAX];
	enum exitcode code;
	size_t i;

	code = ask_engine(
	    call, ask_request("status"), WHY_LIMIT, NULL, NULL, &answer);
	list = get_at(answer, "nodes");
	for (i = 0; i < json_array_size(list); i++) {
		node = json_array_get(list, i);
		if (get_bool(node, "data") &&
		    (call->args == 0 ||
			strcmp(get_str(node, "node"), call->arg[0]) == 0))
			json_array_append_new(nodes, why_node(list, node));
	}
	if (code == EXITCODE_DONE && json_array_size(nodes) == 0) {
		status_no_node(
		    answer, call->args == 0 ? "" : call->arg[0], true);
		code = EXITCODE_USAGE;
	} else if (code == EXITCODE_DONE && call->opt[OPT_JSON] != NULL) {
		doc = json_object();
		json_put(doc, "nodes", json_incref(nodes));
		if (pause_seen(paused, sizeof(paused), answer))
			json_put_string(doc, "paused", paused);
		print_json(doc, code);
		json_decref(doc);
	} else if (code == EXITCODE_DONE) {
		why_print(nodes);
		print_paused(answer);
	}
	json_decref(nodes);
	json_decref(answer);
	return code;
}

static json_t *
why_node(const json_t *nodes, const json_t *node)
{
	json_t *obj = json_object(), *list = json_array();

	json_put_string(obj, "node", get_str(node, "node"));
	if (get_has(node, "silent")) {
		json_put_string(obj, "duty", "silent");
		why_say(list, "its engine does not answer: %s",
		    get_str(node, "silent"));
	} else if (observe_is(node)) {
		json_put_string(obj, "duty", "observe");
		why_observes(list, node);
	} else {
		json_put_string(obj, "duty", get_str(node, "duty.name"));
		why_say(list, "%s", get_str(node, "duty.why"));
		why_writes(list, node);
		why_claim(list, nodes, node);
		why_alone(list, nodes, node);
		why_rest(list, node);
	}
	json_put(obj, "why", list);
	return obj;
}

/* What its tables say of it would be so in another mode only. */
static void
why_observes(json_t *list, const json_t *node)
{
	char against[OBSERVE_AGAINST_MAX];

	observe_against(node, against, sizeof(against));
	why_say(list,
	    "mode observe: nothing is changed here, nobody is fenced or let "
	    "in, and it takes over nothing; PostgreSQL here is %s",
	    get_str(node, "postgres.state"));
	if (against[0] != '\0')
		why_say(list, "against mode auto stands: %s", against);
	else
		why_say(list, "nothing stands against mode auto");
	if (get_has(node, "health") && !get_bool(node, "health.ok"))
		why_say(list, "it gets no traffic: %s",
		    get_str(node, "health.reasons"));
}

static void
why_say(json_t *list, const char *fmt, ...)
{
	char text[WHY_TEXT];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (text[0] != '\0')
		json_array_append_new(list, json_string(text));
}

static void
why_writes(json_t *list, const json_t *node)
{
	const char *text = get_str(node, "waits_text");
	const char *block = get_str(node, "waits_for");

	if (strcmp(get_str(node, "role"), "primary") == 0)
		why_say(list, "clients can write here");
	else if (strcmp(get_str(node, "postgres.state"), "primary") == 0)
		why_say(list, "clients cannot write here: its fence is %s",
		    get_str(node, "fence.writers"));
	if (get_has(node, "plan"))
		why_say(list, "the plan %s is at %s, for %lld ms",
		    get_str(node, "plan.name"), get_str(node, "plan.row"),
		    get_int(node, "plan.since_ms"));
	if (text[0] != '\0' && !get_bool(node, "durable.latch") &&
	    strcmp(text, get_str(node, "claim.text")) != 0)
		why_say(list, "it waits: %s", text);
	if (get_bool(node, "durable.latch"))
		why_say(list, "it is latched: %s",
		    get_str(node, "durable.latch_why"));
	/* Where it would rejoin by itself, and does not any more. */
	if (strcmp(block, "copies-fail") == 0 ||
	    strcmp(block, "rejoin-stuck") == 0)
		why_say(list, "it does not rejoin: %s: %s", block, text);
}

/* Of a candidate: the end of the holder's lease changes nothing. */
static bool
why_needs_person(const json_t *nodes, const json_t *node)
{
	const char *name = get_str(node, "node");

	return ready_by_person(node) &&
	       wrong_passes(get_str(node, "claim.block")) &&
	       get_in(get_at(node, "record.candidates"), name) &&
	       !get_has(wrong_other(nodes, node), "silent");
}

static void
why_when(json_t *list, const json_t *node)
{
	long long ms = ready_by_itself_ms(node);
	char when[32];

	if (ms < 10000)
		(void)snprintf(when, sizeof(when), "%lld ms", ms);
	else
		(void)snprintf(when, sizeof(when), "%lld s", (ms + 999) / 1000);
	if (ready_interval(node))
		why_say(list,
		    "it could in %s at the earliest: until then the last "
		    "takeover is less than lease.min_interval ago; hactl ack "
		    "on %s ends that, and hactl promote %s does not wait",
		    when, get_str(node, "record.holder"),
		    get_str(node, "node"));
	else
		why_say(list, "it could in %s at the earliest", when);
}

static void
why_claim(json_t *list, const json_t *nodes, const json_t *node)
{
	const char *block = get_str(node, "claim.block");
	char text[WHY_TEXT];

	/* The latch itself was told. */
	if (get_bool(node, "durable.latch") ||
	    strcmp(block, "is-holder") == 0 ||
	    strcmp(get_str(node, "role"), "primary") == 0)
		return;
	if (block[0] == '\0')
		why_say(list, "nothing stands against a takeover by it");
	else
		why_say(list, "it does not take over now: %s: %s", block,
		    get_str(node, "claim.text"));
	if (why_needs_person(nodes, node)) {
		ready_person_text(text, sizeof(text), get_str(node, "node"),
		    get_str(node, "record.holder"));
		why_say(list, "%s", text);
	} else if (!get_bool(node, "register.read") &&
		   strcmp(get_str(node, "register.type"), "none") != 0)
		why_say(list, "it does not read the register, and without it "
			      "nobody takes over");
	else if (ready_by_itself_ms(node) > 0 && !ready_by_person(node) &&
		 (wrong_passes(block) || strcmp(block, "min-interval") == 0))
		why_when(list, node);
}

/* What goes on only by somebody's word; of two lone hosts, the order for it. */
static void
why_alone(json_t *list, const json_t *nodes, const json_t *node)
{
	struct wrong heard;

	if (get_str(node, "register.without")[0] != '\0')
		why_say(list, "it goes on without %s, whose host is off",
		    get_str(node, "register.without"));
	if (!wrong_by_word(get_str(node, "waits_for")) &&
	    !wrong_by_word(get_str(node, "claim.block")))
		return;
	if (wrong_heard(&heard, nodes, node))
		why_say(list, "%s: %s", heard.text, next_command(heard.next));
	else if (strcmp(get_str(node, "register.type"), "none") == 0)
		why_say(list,
		    "once a person has made sure that the other host is off: "
		    "hactl promote %s --fenced WHY",
		    get_str(node, "node"));
}

static void
why_rest(json_t *list, const json_t *node)
{
	if (strcmp(get_str(node, "fence.armed"), "yes") != 0 &&
	    get_str(node, "fence.armed_why")[0] != '\0')
		why_say(list, "it could not be fenced with certainty: %s",
		    get_str(node, "fence.armed_why"));
	if (get_str(node, "follow.why")[0] != '\0')
		why_say(list, "it is not made to follow the holder: %s",
		    get_str(node, "follow.why"));
	if (get_has(node, "health") && !get_bool(node, "health.ok"))
		why_say(list, "it gets no traffic: %s",
		    get_str(node, "health.reasons"));
	if (get_str(node, "site.why")[0] != '\0')
		why_say(list, "it is not as its role demands: %s",
		    get_str(node, "site.why"));
}

static void
why_print(const json_t *nodes)
{
	const json_t *node, *list;
	size_t i, j;

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		list = get_at(node, "why");
		print_line(
		    "%s: %s", get_str(node, "node"), get_str(node, "duty"));
		for (j = 0; j < json_array_size(list); j++)
			print_wrapped("    - ",
			    json_string_value(json_array_get(list, j)));
	}
}
