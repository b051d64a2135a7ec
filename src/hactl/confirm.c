/*
 * Asking before something that can lose data or availability. Without a
 * terminal nobody can answer, so the answer is no.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hactl/hactl.h"

bool
confirm_asks(const struct call *call)
{
	return call->opt[OPT_YES] == NULL && call->opt[OPT_JSON] == NULL &&
	       isatty(STDIN_FILENO);
}

enum exitcode
confirm(const struct call *call, const char *question)
{
	char line[16];

	if (call->opt[OPT_YES] != NULL)
		return EXITCODE_DONE;
	if (!confirm_asks(call)) {
		print_wrong(call->opt[OPT_JSON] != NULL ?
				"this asks before it acts, and --json is for "
				"programs" :
				"this asks before it acts, and there is no "
				"terminal to ask on",
		    "the same command with --yes");
		return EXITCODE_REFUSED;
	}
	printf("%s [yes/no] ", question);
	fflush(stdout);
	if (fgets(line, sizeof(line), stdin) != NULL &&
	    strcmp(line, "yes\n") == 0)
		return EXITCODE_DONE;
	print_wrong("not confirmed: nothing was changed", "hactl status");
	return EXITCODE_REFUSED;
}
