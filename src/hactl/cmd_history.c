/*
 * hactl history: what changed the cluster, as this host has written it down,
 * and whether it is still what was written.
 */
#include <stdio.h>

#include "hactl/hactl.h"
#include "hactl/story.h"
#include "hactl/way.h"
#include "hawatch/json.h"

#define HISTORY_LIMIT (10 * USEC_SEC)

static void history_print(const json_t *answer, bool away);
static void history_broken(const json_t *answer);
static void history_holds(const json_t *answer);

enum exitcode
cmd_history(const struct call *call)
{
	json_t *request = ask_request("history"), *answer;
	bool verify = call->opt[OPT_VERIFY] != NULL;
	enum exitcode code;

	if (call->opt[OPT_ALL] != NULL)
		json_put_bool(request, "all", true);
	if (verify)
		json_put_bool(request, "verify", true);
	code = ask_engine(call, request, HISTORY_LIMIT, NULL, NULL, &answer);
	if (answer != NULL && !get_has(answer, "refused")) {
		if (call->opt[OPT_JSON] != NULL)
			print_json(answer, code);
		else if (!verify)
			history_print(answer, remote_meant(call));
		if (get_has(answer, "broken"))
			history_broken(answer);
		else if (verify && call->opt[OPT_JSON] == NULL)
			history_holds(answer);
	}
	json_decref(answer);
	return code;
}

static void
history_print(const json_t *answer, bool away)
{
	const json_t *list = get_at(answer, "records");
	json_t *line;
	char first[96], day[32], text[640];
	size_t i;

	if (json_array_size(list) == 0)
		printf("nothing is written down yet\n");
	else
		printf("%-20s %5s  %-16s %s\n", "UTC", "EPOCH", "WHAT", "HOW");
	for (i = 0; i < json_array_size(list); i++) {
		line = json_array_get(list, i);
		story_day(day, sizeof(day), get_int(line, "at_ms"));
		story_here(line, away ? "" : get_str(answer, "node"));
		story_text(text, sizeof(text), line);
		(void)snprintf(first, sizeof(first), "%-20s %5lld  %-16s ", day,
		    get_int(line, "epoch"), get_str(line, "ev"));
		print_coloured(
		    get_bool(line, "unlinked") ? COLOUR_BAD : COLOUR_NONE,
		    NULL);
		print_wrapped(first, text);
		print_coloured(COLOUR_NONE, NULL);
	}
}

static void
history_broken(const json_t *answer)
{
	char text[240];

	(void)snprintf(text, sizeof(text),
	    "the chain is broken at %s, line %lld: %s; the journal of the "
	    "system has the same events",
	    get_str(answer, "broken.file"), get_int(answer, "broken.line"),
	    get_str(answer, "broken.why"));
	print_wrong(text, "journalctl -u hawatchd");
}

static void
history_holds(const json_t *answer)
{
	print_line("the chain holds: %lld lines in %lld files",
	    get_int(answer, "lines"), get_int(answer, "files"));
	print_line("the sum of the last one is %s", get_str(answer, "sum"));
}
