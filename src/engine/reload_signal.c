/*
 * What came of SIGHUP: nobody waits for an answer, so the log has it. All hosts
 * find their files right first, as with the order; then what this one changes
 * is shown, and taken over here alone, since a signal is sent to one host.
 */
#include <stdlib.h>

#include "engine/engine.h"
#include "engine/orders.h"
#include "engine/reload.h"
#include "hawatch/emit.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"

void
reload_signal(struct engine *e)
{
	orders_reload_signal(e);
}

void
reload_signal_refused(const char *why, const char *next)
{
	EMIT(config_refused, kv_s("reason", why), kv_s("next", next));
}

void
reload_signal_same(void)
{
	EMIT(config_reloaded, kv_s("keys", ""));
}

void
reload_signal_shows(const json_t *said)
{
	const json_t *list = json_object_get(said, "changes"), *c;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		c = json_array_get(list, i);
		EMIT(config_change,
		    kv_s("key", json_string_value(json_object_get(c, "key"))),
		    kv_s("old", json_string_value(json_object_get(c, "old"))),
		    kv_s("new", json_string_value(json_object_get(c, "new"))));
	}
}

/* What that host has against it, and what is to be done there. */
void
reload_signal_log(const struct engine *e, node_t n, const json_t *said)
{
	const char *name = e->conf->node[n].name;
	const json_t *list = json_object_get(said, "errors");
	const char *next = json_string_value(json_object_get(said, "next"));
	const char *why = json_string_value(json_object_get(said, "refused"));
	char *do_it, *text;
	size_t i = 0;

	if (next == NULL)
		next = "hactl config check";
	/* What comes before a restart, and which is first, the order says. */
	do_it = json_has(said, "restart") ? xstrdup("hactl reload") :
		n == e->conf->self	  ? xstrdup(next) :
					    xasprintf("ssh %s %s", name, next);
	do {
		if (i < json_array_size(list))
			why = json_string_value(json_array_get(list, i));
		text = xasprintf(
		    "%s: %s", name, why == NULL ? "it does not say why" : why);
		reload_signal_refused(text, do_it);
		free(text);
	} while (++i < json_array_size(list));
	free(do_it);
}
