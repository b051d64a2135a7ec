/*
 * Who may give an order, and what every order says in the end: an answer, or
 * a refusal with the command that comes next.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/orders.h"
#include "engine/status.h"
#include "hawatch/emit.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"

void
orders_reply(struct engine *e, uint64_t id, json_t *obj)
{
	char *text = json_text(obj);

	control_reply(e->control, id, text, json_has(obj, "exit"));
	json_decref(obj);
	free(text);
}

void
orders_refuse(struct engine *e, uint64_t id, enum exitcode code,
    const char *why, const char *next)
{
	const char *operator, * verb = control_asked_for(e->control, id);
	uid_t uid = 0;
	pid_t pid = 0;
	bool may;

	operator= control_operator(e->control, id, &may);
	if (operator!= NULL)
		EMIT(order_refused, kv_s("verb", verb),
		    kv_s("operator", operator), kv_s("why", why));
	else if (control_asker(e->control, id, &uid, &pid))
		EMIT(order_refused, kv_s("verb", verb), kv_i("uid", uid),
		    kv_i("pid", pid), kv_s("why", why));
	orders_no(e, id, code, why, next);
}

void
orders_refuse_holder(struct engine *e, uint64_t id, node_t holder,
    const char *what, const char *command)
{
	const char *name = e->conf->names.node[holder];
	char *why, *next;

	why = xasprintf("by the record %s %s: run it there, or from here with "
			"--host %s",
	    name, what, name);
	next = xasprintf("ssh %s %s", name, command);
	orders_refuse(e, id, EXITCODE_REFUSED, why, next);
	free(why);
	free(next);
}

void
orders_no(struct engine *e, uint64_t id, enum exitcode code, const char *why,
    const char *next)
{
	json_t *obj = json_object();

	json_put_i64(obj, "exit", code);
	json_put_string(obj, "refused", why);
	json_put_string(obj, "next", next);
	orders_reply(e, id, obj);
}

void
orders_refuse_core(struct engine *e, uint64_t id, const char *text)
{
	const char *words = status_block_text(text), *next;
	char why[400];
	size_t len;

	if (words[0] != '\0')
		text = words;
	next = strchr(text, '\n');
	len = next == NULL ? strlen(text) : (size_t)(next - text);
	if (len >= sizeof(why))
		len = sizeof(why) - 1;
	memcpy(why, text, len);
	why[len] = '\0';
	orders_refuse(e, id, EXITCODE_REFUSED, why,
	    next == NULL ? "hactl status" : next + 1);
}

/* Who ordered what is in the log, beside what came of it. */
void
orders_taken(struct engine *e, uint64_t id, const char *verb)
{
	orders_taken_why(e, id, verb, "");
}

void
orders_taken_why(
    struct engine *e, uint64_t id, const char *verb, const char *why)
{
	const char *operator;
	uid_t uid = 0;
	pid_t pid = 0;
	bool may;

	operator= control_operator(e->control, id, &may);
	if (operator!= NULL)
		EMIT(order_taken, kv_s("verb", verb),
		    kv_s("operator", operator), kv_s("why", why));
	else if (control_asker(e->control, id, &uid, &pid))
		EMIT(order_taken, kv_s("verb", verb), kv_i("uid", uid),
		    kv_i("pid", pid), kv_s("why", why));
}

/* Of an operator who asks from another host. */
bool
orders_allowed(struct engine *e, uint64_t id, enum order_reach reach)
{
	bool may_order;
	const char *name = control_operator(e->control, id, &may_order);
	char *why;

	if (name == NULL || reach == REACH_READ ||
	    (reach == REACH_ORDER && may_order))
		return true;
	if (reach == REACH_LOCAL) {
		orders_refuse(e, id, EXITCODE_DENIED,
		    "that is asked on the host itself only", "hactl --help");
		return false;
	}
	why = xasprintf("operator %s may read only: this order needs the role "
			"operate in the configuration",
	    name);
	orders_refuse(e, id, EXITCODE_DENIED, why, "hactl status");
	free(why);
	return false;
}
