/*
 * hactl drill: the primary hands over to its standby and takes back, and both
 * outages are measured. It gives an order to either host, so it is for an
 * operator, who can reach both; and only where nothing is wrong before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hactl/hactl.h"
#include "hactl/order_ask.h"
#include "hactl/ready.h"
#include "hactl/story.h"
#include "hactl/way.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define DRILL_ASK (5 * USEC_SEC)
#define DRILL_SETTLE (300 * USEC_SEC)
#define DRILL_EVERY_NS 500000000L

struct drill {
	const struct call *call;
	char name[2]
		 [NODE_NAME_MAX]; /* the primary, and who is it for a while */
	json_t *legs;
	char why[240]; /* the order's own words, where it was refused; "" */
};

/* The same words to that host. */
static enum exitcode
drill_ask(
    const struct drill *d, const char *host, json_t *request, json_t **answer)
{
	struct call call = *d->call;
	enum exitcode code;

	call.opt[OPT_HOST] = host;
	code = ask_engine(&call, request, DRILL_ASK, NULL, NULL, answer);
	next_away(d->call);
	return code;
}

static enum exitcode
drill_begin(struct drill *d)
{
	enum exitcode code;
	json_t *answer;
	struct ready r;
	int i;

	code = drill_ask(
	    d, d->call->opt[OPT_HOST], ask_request("status"), &answer);
	if (code != EXITCODE_DONE)
		goto out;
	ready_find(&r, answer);
	str_cut(d->name[0], NODE_NAME_MAX, r.primary);
	str_cut(d->name[1], NODE_NAME_MAX,
	    d->call->args > 0 ? d->call->arg[0] : r.standby);
	if (!ready_holds(&r) || !ready_takes_over(answer, d->name[1])) {
		if (d->call->opt[OPT_JSON] == NULL)
			ready_print_wrong(&r);
		print_wrong(
		    "a drill is for a cluster in which nothing is wrong",
		    "hactl preflight");
		code = EXITCODE_REFUSED;
	}
out:
	json_decref(answer);
	/* Before the first order, for the second one needs the other. */
	for (i = 0; i < 2 && code == EXITCODE_DONE; i++) {
		code = drill_ask(d, d->name[i], ask_request("ping"), &answer);
		json_decref(answer);
	}
	return code;
}

/* Until the old one could take over from the new one. What else is wrong by
 * then does not keep the cluster from going back, and is said in the end. */
static enum exitcode
drill_settle(const struct drill *d, const char *primary, const char *standby,
    uint64_t *epoch)
{
	const struct timespec every = { .tv_nsec = DRILL_EVERY_NS };
	usec_t until = ask_now() + DRILL_SETTLE;
	json_t *answer;
	struct ready r;
	bool holds;

	do {
		nanosleep(&every, NULL);
		print_hold(true);
		(void)drill_ask(d, primary, ask_request("status"), &answer);
		print_hold(false);
		ready_find(&r, answer);
		holds = strcmp(r.primary, primary) == 0 &&
			ready_takes_over(answer, standby);
		*epoch = (uint64_t)get_int(status_newest(answer), "epoch");
		if (!holds && ask_now() >= until &&
		    d->call->opt[OPT_JSON] == NULL)
			ready_print_wrong(&r);
		json_decref(answer);
	} while (!holds && ask_now() < until);
	return holds ? EXITCODE_DONE : EXITCODE_UNKNOWN;
}

/* As the report has it; -1: not known. */
static long long
drill_outage(const struct drill *d, const char *host, uint64_t epoch)
{
	json_t *request = ask_request("report"), *answer, *doc;
	long long ms = -1;

	json_put_u64(request, "epoch", epoch);
	if (drill_ask(d, host, request, &answer) == EXITCODE_DONE) {
		doc = story_report(answer);
		if (get_has(doc, "outage_ms"))
			ms = get_int(doc, "outage_ms");
		json_decref(doc);
	}
	json_decref(answer);
	return ms;
}

/* One way. */
static enum exitcode
drill_leg(struct drill *d, int from)
{
	const char *old = d->name[from], *new = d->name[1 - from];
	struct call call = *d->call;
	json_t *request = ask_request("switchover"), *last, *leg;
	enum exitcode code;
	uint64_t epoch;
	char *next;

	call.opt[OPT_HOST] = old;
	json_put_string(request, "node", new);
	if (call.opt[OPT_JSON] == NULL)
		print_line("%s hands over to %s", old, new);
	code = order_give(&call, request, ORDER_LIMIT, &last);
	if (call.opt[OPT_JSON] == NULL && last != NULL)
		order_done(last);
	str_cut(d->why, sizeof(d->why), get_str(last, "refused"));
	json_decref(last);
	if (code == EXITCODE_DONE) {
		code = drill_settle(d, new, old, &epoch);
		if (code == EXITCODE_DONE) {
			leg = json_object();
			json_put_string(leg, "from", old);
			json_put_string(leg, "to", new);
			json_put_u64(leg, "epoch", epoch);
			json_put_i64(
			    leg, "outage_ms", drill_outage(d, new, epoch));
			json_array_append_new(d->legs, leg);
			return code;
		}
		next = xasprintf("hactl --host %s status", new);
		print_wrong("the drill stops here: the cluster is not ready "
			    "again in time",
		    next);
		free(next);
	} else if (from == 1) {
		next = xasprintf("hactl --host %s switchover %s", old, new);
		print_wrong(
		    "the drill stops half way: who took over keeps it", next);
		free(next);
	}
	return code;
}

/* What the way there and back has left behind. */
static void
drill_left(const struct drill *d)
{
	json_t *answer;
	struct ready r;

	if (drill_ask(d, d->name[0], ask_request("status"), &answer) ==
	    EXITCODE_DONE) {
		ready_find(&r, answer);
		ready_print_wrong(&r);
	}
	json_decref(answer);
}

static void
drill_print(const struct drill *d, enum exitcode code)
{
	const json_t *leg;
	char ms[32], report[48];
	json_t *obj;
	size_t i;

	if (d->call->opt[OPT_JSON] != NULL) {
		obj = json_object();
		json_put(obj, "legs", json_incref(d->legs));
		if (d->why[0] != '\0')
			json_put_string(obj, "why", d->why);
		if (code != EXITCODE_DONE)
			print_json_wrong(obj);
		print_json(obj, code);
		json_decref(obj);
		return;
	}
	for (i = 0; i < json_array_size(d->legs); i++) {
		leg = json_array_get(d->legs, i);
		str_cut(ms, sizeof(ms), "?");
		if (get_int(leg, "outage_ms") >= 0)
			print_ms(ms, sizeof(ms), get_int(leg, "outage_ms"));
		(void)snprintf(report, sizeof(report), "hactl report %lld",
		    get_int(leg, "epoch"));
		print_line("%s to %s: nobody could write for %s",
		    get_str(leg, "from"), get_str(leg, "to"), ms);
		print_next("  next  ", report);
	}
	drill_left(d);
}

enum exitcode
cmd_drill(const struct call *call)
{
	struct drill d = { .call = call };
	enum exitcode code;
	char *text;

	if (!remote_meant(call)) {
		print_wrong("a drill gives an order to either host, which an "
			    "operator can from one place: --client is missing",
		    verb_again("", " --client ~/.config/hawatch/client.conf"));
		return EXITCODE_REFUSED;
	}
	code = drill_begin(&d);
	if (code != EXITCODE_DONE)
		return code;
	text = xasprintf("%s hands over to %s, and takes back when all is well "
			 "again. Each time every connection to the database "
			 "ends, and writers wait for less than a second.",
	    d.name[0], d.name[1]);
	if (confirm_asks(call))
		print_wrapped("", text);
	free(text);
	code = confirm(call, "Begin?");
	if (code != EXITCODE_DONE)
		return code;
	d.legs = json_array();
	code = drill_leg(&d, 0);
	if (code == EXITCODE_DONE)
		code = drill_leg(&d, 1);
	if (json_array_size(d.legs) > 0)
		drill_print(&d, code);
	json_decref(d.legs);
	return code;
}
