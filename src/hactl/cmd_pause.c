/*
 * The orders of maintenance: pause, resume, fence. Each says who gives it.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hactl/hactl.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

/* The engine bounds its orders itself, well below this. */
#define PAUSE_LIMIT (120 * USEC_SEC)
#define PAUSE_MAX (24 * 3600 * USEC_SEC) /* the engine refuses more, too */

/* "30m" as "30min"; -1 with why printed. */
static int
pause_for(const char *text, usec_t *out)
{
	size_t len = strlen(text);
	bool minutes = len > 1 && len < 16 && text[len - 1] == 'm';
	char *whole = xasprintf("%s%s", text, minutes ? "in" : "");
	int rc = usec_parse(whole, out);

	free(whole);
	if (rc == 0 && *out >= USEC_SEC && *out <= PAUSE_MAX)
		return 0;
	print_wrong("--for takes a time from 1s to 24h: a pause that is "
		    "forgotten leaves the cluster without failover",
	    "hactl pause --for 30m WHY; once more before it ends");
	return -1;
}

static int
pause_why(const char *why, const char *verb)
{
	char *next;

	if (why[0] != '\0' && strlen(why) < 120)
		return 0;
	next = xasprintf("hactl %s --help", verb);
	print_wrong("why takes 1 to 119 bytes: others read it meanwhile", next);
	free(next);
	return -1;
}

/* Who is at the keyboard, not whom sudo made of him. */
static void
pause_by(json_t *request)
{
	const char *name = getenv("SUDO_USER");
	const struct passwd *pw;

	if (name == NULL || name[0] == '\0') {
		pw = getpwuid(getuid());
		name = pw == NULL ? NULL : pw->pw_name;
	}
	if (name != NULL && strlen(name) < 64)
		json_put_string(request, "by", name);
}

enum exitcode
cmd_pause(const struct call *call)
{
	enum exitcode code;
	json_t *request;
	usec_t time;

	if (pause_for(call->opt[OPT_FOR], &time) == -1 ||
	    pause_why(call->arg[0], "pause") == -1)
		return EXITCODE_USAGE;
	if (confirm_asks(call))
		print_wrapped("",
		    "While failover is paused nobody takes over from the "
		    "primary, and commits wait for no standby: what is written "
		    "meanwhile is on one host until the standby has it. If "
		    "that host is lost, a person has to bring it back. It ends "
		    "by itself, or by hactl resume.");
	code = confirm(call, "Pause it?");
	if (code != EXITCODE_DONE)
		return code;
	request = ask_request("pause");
	json_put_i64(request, "for_s", time / USEC_SEC);
	json_put_string(request, "why", call->arg[0]);
	pause_by(request);
	return order_run(call, request, PAUSE_LIMIT);
}

enum exitcode
cmd_resume(const struct call *call)
{
	return order_run(call, ask_request("resume"), PAUSE_LIMIT);
}

enum exitcode
cmd_fence(const struct call *call)
{
	enum exitcode code;
	json_t *request;

	if (pause_why(call->arg[0], "fence") == -1)
		return EXITCODE_USAGE;
	if (confirm_asks(call))
		print_wrapped("",
		    "This host is closed, its PostgreSQL stopped, and it stays "
		    "so until hactl unfence, also after a reboot. As the "
		    "primary it gives the cluster to a candidate, without "
		    "the care of hactl switchover: every connection ends, and "
		    "this data may have to be rebuilt. Without a candidate "
		    "nobody serves.");
	code = confirm(call, "Fence this host?");
	if (code != EXITCODE_DONE)
		return code;
	request = ask_request("fence");
	json_put_string(request, "why", call->arg[0]);
	pause_by(request);
	return order_run(call, request, PAUSE_LIMIT);
}
