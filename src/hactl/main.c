/*
 * hactl: parses its command line and runs the verb. Everything else is in the
 * verb's file.
 */
#include "hactl/hactl.h"

int
main(int argc, char **argv)
{
	struct call call;
	enum exitcode code;

	if (!verb_parse(&call, argc, argv, &code))
		code = call.verb->run(&call);
	print_json_end(&call, code);
	if (!print_flush() && code == EXITCODE_DONE)
		code = EXITCODE_LOCAL;
	return (int)code;
}
