/*
 * hactl report --would: what this host's engine would have done, in mode
 * observe.
 */
#include <stdio.h>
#include <time.h>

#include "hactl/hactl.h"

#define WOULD_LIMIT (2 * USEC_SEC)

static void
would_print(const json_t *list)
{
	const json_t *obj;
	char first[40], at[24];
	struct tm tm;
	time_t sec;
	size_t i;

	if (json_array_size(list) == 0)
		printf("nothing yet\n");
	for (i = 0; i < json_array_size(list); i++) {
		obj = json_array_get(list, i);
		sec = (time_t)(get_int(obj, "at_ms") / 1000);
		at[0] = '\0';
		if (gmtime_r(&sec, &tm) != NULL)
			(void)strftime(at, sizeof(at), "%m-%d %H:%M:%S", &tm);
		(void)snprintf(first, sizeof(first), "%s.%03lld  ", at,
		    get_int(obj, "at_ms") % 1000);
		print_wrapped(first, get_str(obj, "text"));
	}
}

enum exitcode
cmd_report_would(const struct call *call)
{
	enum exitcode code;
	json_t *answer;

	if (call->args > 0 || call->opt[OPT_MARKDOWN] != NULL) {
		print_wrong("--would shows what this host noted in mode "
			    "observe, whatever the epoch, and no document",
		    "hactl report --would");
		return EXITCODE_USAGE;
	}
	code = ask_engine(
	    call, ask_request("would"), WOULD_LIMIT, NULL, NULL, &answer);
	if (code == EXITCODE_DONE && call->opt[OPT_JSON] != NULL)
		print_json(answer, code);
	else if (code == EXITCODE_DONE)
		would_print(get_at(answer, "would"));
	json_decref(answer);
	return code;
}
