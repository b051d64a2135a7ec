/*
 * hactl report: one change of holder, second by second, for people. Without a
 * number the last one: what wrote the record again and left the primary where
 * it was is said beside it.
 */
#include <stdlib.h>
#include <string.h>

#include "hactl/hactl.h"
#include "hactl/story.h"
#include "hactl/way.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define REPORT_LIMIT (10 * USEC_SEC)
#define REPORT_STATUS (3 * USEC_SEC)
#define REPORT_BACK 8 /* epochs that are looked through for the last change */

/* *doc is NULL unless there is something to show; what is wrong was said. */
static enum exitcode
report_ask(const struct call *call, uint64_t epoch, json_t **doc)
{
	json_t *request = ask_request("report"), *answer;
	enum exitcode code;

	*doc = NULL;
	json_put_u64(request, "epoch", epoch);
	code = ask_engine(call, request, REPORT_LIMIT, NULL, NULL, &answer);
	if (code == EXITCODE_DONE) {
		json_put_bool(answer, "away", remote_meant(call));
		*doc = story_report(answer);
		if (json_array_size(get_at(*doc, "timeline")) == 0) {
			print_wrong("no host that answers has written anything "
				    "down of that epoch",
			    "hactl history");
			code = EXITCODE_REFUSED;
			json_decref(*doc);
			*doc = NULL;
		}
	}
	json_decref(answer);
	return code;
}

/* Takes doc, the report of an epoch in which no holder changed; the last one
 * in which one did, with this one beside it, or doc if nobody knows of any. */
static json_t *
report_back(const struct call *call, json_t *doc)
{
	json_t *found = doc, *older, *later = json_array(), *one;
	int i;

	json_incref(doc);
	print_hold(true);
	for (i = 0; i < REPORT_BACK && get_bool(found, "again"); i++) {
		one = json_object();
		json_put_i64(one, "epoch", get_int(found, "epoch"));
		json_put_string(one, "summary", get_str(found, "summary"));
		json_array_append_new(later, one);
		if (get_int(found, "before") == 0 ||
		    report_ask(call, (uint64_t)get_int(found, "before"),
			&older) != EXITCODE_DONE)
			break;
		json_decref(found);
		found = older;
	}
	print_hold(false);
	if (get_bool(found, "again")) {
		json_decref(found);
		json_decref(later);
		return doc;
	}
	json_put(found, "later", later);
	json_decref(doc);
	return found;
}

enum exitcode
cmd_report(const struct call *call)
{
	char text[PAUSE_TEXT_MAX];
	json_t *status, *doc;
	enum exitcode code;
	uint64_t epoch = 0;

	if (call->opt[OPT_WOULD] != NULL)
		return cmd_report_would(call);
	if (call->args > 0 &&
	    (str_parse_u64(call->arg[0], &epoch) == -1 || epoch == 0)) {
		print_wrong("the epoch is a number from 1 on; hactl history "
			    "shows it beside each change",
		    "hactl history");
		return EXITCODE_USAGE;
	}
	/* What holds now, beside what was; without an answer it is left out. A
	 * witness knows the last epoch by the data nodes alone. */
	print_hold(true);
	(void)ask_engine(
	    call, ask_request("status"), REPORT_STATUS, NULL, NULL, &status);
	print_hold(false);
	if (epoch == 0)
		epoch = (uint64_t)get_int(status_newest(status), "epoch");
	code = report_ask(call, epoch, &doc);
	if (doc != NULL && call->args == 0 && get_bool(doc, "again"))
		doc = report_back(call, doc);
	if (doc != NULL && pause_seen(text, sizeof(text), status))
		json_put_string(doc, "paused", text);
	if (doc != NULL && call->opt[OPT_JSON] != NULL)
		print_json(doc, code);
	else if (doc != NULL)
		story_print(doc, call->opt[OPT_MARKDOWN] != NULL);
	json_decref(doc);
	json_decref(status);
	return code;
}
