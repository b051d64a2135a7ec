/*
 * The status, and what a second question tells of it: by which keys the hosts
 * differ. The engines tell each other digests alone.
 */
#include <string.h>

#include "hactl/hactl.h"
#include "hawatch/json.h"

#define STATUS_DIFF_LIMIT (3 * USEC_SEC)

static bool
status_differs(const json_t *answer)
{
	const json_t *nodes = get_at(answer, "nodes");
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++)
		if (json_array_size(
			get_at(json_array_get(nodes, i), "config.differ")) > 0)
			return true;
	return false;
}

/* Without an answer, or by one of another host, it is told without the keys. */
static void
status_keys(const struct call *call, json_t *answer)
{
	json_t *diff;

	print_hold(true);
	(void)ask_engine(call, ask_request("config-diff"), STATUS_DIFF_LIMIT,
	    NULL, NULL, &diff);
	print_hold(false);
	if (get_has(diff, "nodes") &&
	    strcmp(get_str(diff, "self"), get_str(answer, "self")) == 0)
		json_put(answer, "differ",
		    json_incref(json_object_get(diff, "nodes")));
	json_decref(diff);
}

enum exitcode
status_ask(const struct call *call, usec_t limit, json_t **answer)
{
	enum exitcode code;

	code =
	    ask_engine(call, ask_request("status"), limit, NULL, NULL, answer);
	if (code == EXITCODE_DONE && status_differs(*answer))
		status_keys(call, *answer);
	return code;
}
