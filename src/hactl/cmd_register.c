/*
 * hactl register: what the register holds, and a person's word that a cold
 * one is right.
 */
#include <stdio.h>
#include <stdlib.h>

#include "hactl/hactl.h"
#include "hawatch/json.h"

#define REGISTER_LIMIT (10 * USEC_SEC)

enum exitcode
cmd_register_show(const struct call *call)
{
	enum exitcode code;
	json_t *answer;
	char *text;

	code = ask_engine(call, ask_request("register-show"), REGISTER_LIMIT,
	    NULL, NULL, &answer);
	if (code == EXITCODE_DONE && call->opt[OPT_JSON] != NULL) {
		text = json_text(get_at(answer, "register"));
		printf("%s\n", text);
		free(text);
	} else if (code == EXITCODE_DONE) {
		print_object(get_at(answer, "register"), "");
	}
	json_decref(answer);
	return code;
}

enum exitcode
cmd_register_adopt(const struct call *call)
{
	enum exitcode code;
	json_t *answer;

	if (call->opt[OPT_YES] == NULL) {
		code = cmd_register_show(call);
		if (code != EXITCODE_DONE)
			return code;
		printf("\n");
		print_wrapped("",
		    "If this is a copy from before a failover, adopting it "
		    "lets the old primary back in: commits since then are "
		    "lost. Compare its epoch with that of every node in "
		    "hactl status.");
	}
	code = confirm(call, "Adopt this record?");
	if (code != EXITCODE_DONE)
		return code;
	code = ask_engine(call, ask_request("register-adopt"), REGISTER_LIMIT,
	    NULL, NULL, &answer);
	if (code == EXITCODE_DONE)
		print_object(get_at(answer, "register"), "");
	json_decref(answer);
	return code;
}
