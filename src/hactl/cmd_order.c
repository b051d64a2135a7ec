/*
 * The orders: promote, switchover, init, rejoin, unfence, ack. Each asks before
 * it acts where data or availability are at stake, and shows every step as it
 * happens.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hactl/hactl.h"
#include "hactl/order_ask.h"
#include "hactl/ready.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

/* How long each step took is known when the next one begins. */
struct order_seen {
	bool json;
	char step[48];
	long long since; /* ms, of that step */
	usec_t began;	 /* by the clock of ask_now: that step */
	json_t *took;	 /* step: ms */
};

static void order_line(void *arg, const json_t *obj);
static void order_end(
    const struct call *call, json_t *last, enum exitcode code);
static void order_step(struct order_seen *seen, const char *step, long long ms);
static void order_took(const json_t *took);
static void order_tick(void *arg, bool over);

enum exitcode
cmd_promote(const struct call *call)
{
	const char *why = call->opt[OPT_FENCED];
	json_t *request;
	enum exitcode code;
	char *text;

	text = xasprintf("%s is to become the primary%s", call->arg[0],
	    why == NULL ?
		". Given on the primary, that is a switchover: writers wait "
		"for less than a second. Given there, it is as soon as the "
		"old primary's lease has run out, refused while the primary "
		"answers; nothing happens while commits may be missing." :
		". You say that the old primary is off. If it is not, there "
		"will be two primaries; commits that this node never "
		"received are lost.");
	request = ask_request("promote");
	json_put_string(request, "node", call->arg[0]);
	if (why != NULL)
		json_put_string(request, "fenced", why);
	code = order_confirm(call, &(struct order_ask){ .request = request,
				       .what = text,
				       .plan = order_promote_plan(call),
				       .question = "Promote it?" });
	free(text);
	if (code != EXITCODE_DONE) {
		json_decref(request);
		return code;
	}
	return order_run(call, request, ORDER_LIMIT);
}

enum exitcode
cmd_switchover(const struct call *call)
{
	json_t *request = ask_request("switchover");
	enum exitcode code;
	char *text;

	if (call->args > 0)
		json_put_string(request, "node", call->arg[0]);
	text = xasprintf("%s is to take over from this primary, which becomes "
			 "its standby. Every connection to the database ends, "
			 "and writers wait for less than a second. What fails "
			 "before the other may claim is taken back.",
	    call->args == 0 ? "The only candidate" : call->arg[0]);
	code = order_confirm(call, &(struct order_ask){ .request = request,
				       .what = text,
				       .plan = "switchover",
				       .question = "Hand over?" });
	free(text);
	if (code != EXITCODE_DONE) {
		json_decref(request);
		return code;
	}
	if (call->opt[OPT_END_TRANSACTIONS] != NULL)
		json_put_bool(request, "end_transactions", true);
	if (call->opt[OPT_LEAVE_ARCHIVE] != NULL)
		json_put_bool(request, "leave_archive", true);
	if (call->opt[OPT_LEAVE_SLOTS] != NULL)
		json_put_bool(request, "leave_slots", true);
	return order_run(call, request, ORDER_LIMIT);
}

enum exitcode
cmd_init(const struct call *call)
{
	json_t *request;
	enum exitcode code;
	char *text;

	text = xasprintf("The first record will say that %s holds the "
			 "cluster: what its PostgreSQL holds is then the "
			 "truth, and all others have to follow it.",
	    call->opt[OPT_HOLDER]);
	request = ask_request("init");
	json_put_string(request, "node", call->opt[OPT_HOLDER]);
	code = order_confirm(call,
	    &(struct order_ask){
		.request = request, .what = text, .question = "Write it?" });
	free(text);
	if (code != EXITCODE_DONE) {
		json_decref(request);
		return code;
	}
	return order_run(call, request, ORDER_LIMIT);
}

static json_t *
order_rejoin(const struct call *call, const char *verb)
{
	json_t *request = ask_request(verb);

	if (call->opt[OPT_CLONE] != NULL)
		json_put_bool(request, "clone", true);
	return request;
}

enum exitcode
cmd_rejoin(const struct call *call)
{
	bool quiet = call->opt[OPT_YES] != NULL || call->opt[OPT_JSON] != NULL;
	enum exitcode code;
	json_t *last;

	/* Nobody is asked about what would be refused then. */
	if (!quiet) {
		code = order_run(
		    call, order_rejoin(call, "rejoin-may"), ORDER_LIMIT);
		if (code != EXITCODE_DONE)
			return code;
		print_wrapped("",
		    "What PostgreSQL on this host has written and the primary "
		    "has not is saved in the state directory; then the data is "
		    "made the primary's. Each step ends when this is so:");
		order_print_steps("rejoin");
	}
	code = confirm(call, "Rejoin?");
	if (code != EXITCODE_DONE)
		return code;
	code =
	    order_give(call, order_rejoin(call, "rejoin"), ORDER_LIMIT, &last);
	if (code == EXITCODE_DONE)
		order_saved(call, last);
	order_end(call, last, code);
	if (code == EXITCODE_DONE && call->opt[OPT_JSON] == NULL)
		order_print_saved(last);
	json_decref(last);
	return code;
}

/* Why this host is latched decides what it means. */
static const char *
order_unfence_means(const json_t *node)
{
	if (get_bool(node, "durable.fenced") &&
	    get_bool(node, "postgres.standby_signal"))
		return "A person fenced this standby: nothing has diverged. "
		       "The engine starts PostgreSQL again, which follows the "
		       "primary, and makes it a candidate when it has all.";
	if (get_bool(node, "durable.fenced"))
		return "A person fenced this host: it comes back as it is, "
		       "unless another has taken over since.";
	return "A latched host stays stopped since its data may have "
	       "diverged, or a stop of PostgreSQL could not be proved. Clear "
	       "the latch only after its data was rebuilt as a standby's: the "
	       "engine then starts PostgreSQL again.";
}

enum exitcode
cmd_unfence(const struct call *call)
{
	json_t *request = ask_request("unfence"), *status = order_status(call);
	enum exitcode code;

	code = order_confirm(call, &(struct order_ask){ .request = request,
				       .what = order_unfence_means(status_node(
					   status, get_str(status, "self"))),
				       .question = "Clear it?" });
	json_decref(status);
	if (code != EXITCODE_DONE) {
		json_decref(request);
		return code;
	}
	return order_run(call, request, ORDER_LIMIT);
}

enum exitcode
cmd_notify(const struct call *call)
{
	return order_run(call, ask_request("notify-test"), ORDER_LIMIT);
}

enum exitcode
cmd_ack(const struct call *call)
{
	return order_run(call, ask_request("ack"), ORDER_LIMIT);
}

enum exitcode
order_give(
    const struct call *call, json_t *request, usec_t limit, json_t **last)
{
	struct order_seen seen = { .json = call->opt[OPT_JSON] != NULL,
		.took = json_object() };
	enum exitcode code;

	if (!seen.json && isatty(STDOUT_FILENO))
		ask_tick(order_tick, &seen);
	code = ask_engine(call, request, limit, order_line, &seen, last);
	ask_tick(NULL, NULL);
	if (*last != NULL) {
		order_step(&seen, "", get_int(*last, "ms"));
		json_put(*last, "took_ms", json_incref(seen.took));
	}
	json_decref(seen.took);
	return code;
}

void
order_done(const json_t *last)
{
	char ms[32], *text;

	if (!json_has(last, "done"))
		return;
	order_took(get_at(last, "took_ms"));
	print_ms(ms, sizeof(ms), get_int(last, "ms"));
	text = xasprintf("%10s  ", ms);
	print_coloured(COLOUR_GOOD, NULL);
	print_wrapped(text, get_str(last, "done"));
	print_coloured(COLOUR_NONE, NULL);
	free(text);
}

static void
order_end(const struct call *call, json_t *last, enum exitcode code)
{
	if (call->opt[OPT_JSON] != NULL && last != NULL)
		print_json(last, code);
	else if (last != NULL)
		order_done(last);
}

enum exitcode
order_run(const struct call *call, json_t *request, usec_t limit)
{
	enum exitcode code;
	json_t *last;

	code = order_give(call, request, limit, &last);
	order_end(call, last, code);
	json_decref(last);
	return code;
}

/* A step that comes again has the time of both. */
static void
order_step(struct order_seen *seen, const char *step, long long ms)
{
	if (seen->step[0] != '\0' && ms >= seen->since)
		json_put_i64(seen->took, seen->step,
		    get_int(seen->took, seen->step) + ms - seen->since);
	str_cut(seen->step, sizeof(seen->step), step);
	seen->since = ms;
	seen->began = ask_now();
}

/* How long the step takes so far, in a line that the next one replaces. */
static void
order_tick(void *arg, bool over)
{
	const struct order_seen *seen = arg;
	usec_t took = ask_now() - seen->began;
	char ms[32];

	if (over) {
		printf("\r\033[K");
		fflush(stdout);
		return;
	}
	if (seen->step[0] == '\0' || took < USEC_SEC / 2)
		return;
	print_ms(ms, sizeof(ms), took / USEC_MSEC);
	printf("\r%24s  for %.*s s", "...", (int)strlen(ms) - 4, ms);
	fflush(stdout);
}

/* What nobody would feel is left out. */
static void
order_took(const json_t *took)
{
	json_t *walk = (json_t *)(uintptr_t)took;
	char text[640], ms[32];
	size_t len = 0, n = 0;
	const char *step;
	json_t *value;

	json_object_foreach(walk, step, value) {
		n++;
		if (json_integer_value(value) < 10 || len >= sizeof(text))
			continue;
		print_ms(ms, sizeof(ms), json_integer_value(value));
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s%s %s", len == 0 ? "" : ", ", step, ms);
	}
	if (n > 1 && len > 0)
		print_wrapped("            took: ", text);
}

static void
order_line(void *arg, const json_t *obj)
{
	struct order_seen *seen = arg;
	char first[96], ms[32];

	if (json_has(obj, "step"))
		order_step(seen, get_str(obj, "step"), get_int(obj, "ms"));
	if (seen->json) {
		print_json_line(obj);
		return;
	}
	print_ms(ms, sizeof(ms), get_int(obj, "ms"));
	if (json_has(obj, "step")) {
		(void)snprintf(first, sizeof(first), "%10s  %-14s ", ms,
		    get_str(obj, "step"));
		print_wrapped(first, get_str(obj, "goal"));
	} else if (json_has(obj, "waits")) {
		(void)snprintf(
		    first, sizeof(first), "%10s  %-14s ", ms, "waits for");
		print_wrapped(first, get_str(obj, "text"));
	} else if (json_has(obj, "note")) {
		(void)snprintf(
		    first, sizeof(first), "%10s  %-14s ", ms, "note");
		print_wrapped(first, get_str(obj, "note"));
	}
	fflush(stdout);
}
