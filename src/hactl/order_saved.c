/*
 * What a rejoin kept of the data that it replaced, as this host wrote it down:
 * where, how much, for how long, and how to look at it.
 */
#include <stdlib.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/order_ask.h"
#include "hactl/way.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"

#define SAVED_LIMIT (5 * USEC_SEC)

/* Since the order was taken; clocks need not agree for that. */
static const json_t *
saved_line(const json_t *history, const char *ev)
{
	const json_t *list = get_at(history, "records"), *line;
	size_t i;

	for (i = json_array_size(list); i-- > 0;) {
		line = json_array_get(list, i);
		if (strcmp(get_str(line, "ev"), ev) == 0)
			return line;
		if (strcmp(get_str(line, "ev"), "order.taken") == 0 &&
		    strcmp(get_str(line, "verb"), "rejoin") == 0)
			break;
	}
	return NULL;
}

static void
saved_put(json_t *last, const char *key, const json_t *history, const char *ev)
{
	const json_t *line = saved_line(history, ev);
	json_t *obj;

	if (line == NULL)
		return;
	obj = json_object();
	json_put_string(obj, "node", get_str(history, "node"));
	json_put_string(obj, "where", get_str(line, "where"));
	if (get_has(line, "bytes"))
		json_put_i64(obj, "bytes", get_int(line, "bytes"));
	json_put(last, key, obj);
}

void
order_saved(const struct call *call, json_t *last)
{
	json_t *history;

	print_hold(true);
	(void)ask_engine(
	    call, ask_request("history"), SAVED_LIMIT, NULL, NULL, &history);
	print_hold(false);
	saved_put(last, "saved", history, "rejoin.saved");
	saved_put(last, "kept", history, "rejoin.kept");
	json_decref(history);
}

void
order_print_saved(const json_t *last)
{
	const char *where = get_str(last, "saved.where");
	const char *node = get_str(last, "saved.node");
	char *text;

	if (get_has(last, "kept")) {
		text = xasprintf("the data as it was, whole: %s on %s. Of "
				 "such, those of the last two times stay",
		    get_str(last, "kept.where"), get_str(last, "kept.node"));
		print_wrapped("      kept  ", text);
		free(text);
	}
	if (!get_has(last, "saved"))
		return;
	text = xasprintf("%lld bytes of write-ahead log, from the last "
			 "checkpoint that the primary has, too, and in listing "
			 "what is in them: %s on %s. The newest ten of these "
			 "stay; hactl history names each. To look at it:",
	    get_int(last, "saved.bytes"), where, node);
	print_wrapped("     saved  ", text);
	free(text);
	next_self(node);
	text = xasprintf("ssh %s less %s/listing", node, where);
	print_next("  ", next_command(text));
	free(text);
}
