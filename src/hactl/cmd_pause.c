/*
 * The orders of maintenance: pause, resume, fence. Each says who gives it.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hactl/hactl.h"
#include "hactl/order_ask.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

/* The engine bounds its orders itself, below this. */
#define PAUSE_LIMIT ORDER_WAIT(ORDER_WATCH_SHORT)
#define PAUSE_MAX (24 * 3600 * USEC_SEC) /* the engine refuses more, too */

/* The same with another time; of the two ways to give it. */
static void
pause_again(const char *why, const char *text, const char *other)
{
	char *one = xasprintf("--for %s", text), *with;

	with = xasprintf("--for %s", other);
	if (strcmp(verb_again_with(one, with), "hactl --help") == 0)
		one[strlen("--for")] = '=';
	print_wrong(why, verb_again_with(one, with));
	free(one);
	free(with);
}

/* "30m" as "30min"; -1 with why printed. */
static int
pause_for(const char *text, usec_t *out)
{
	size_t len = strlen(text);
	bool minutes = len > 1 && len < 16 && text[len - 1] == 'm';
	bool bare = len > 0 && len < 16 && strspn(text, "0123456789") == len;
	char *whole = xasprintf("%s%s", text, minutes ? "in" : "");
	char *why, *with;
	int rc = usec_parse(whole, out);

	free(whole);
	if (!bare && rc == 0 && *out >= USEC_SEC && *out <= PAUSE_MAX)
		return 0;
	if (bare) {
		why = xasprintf("%s has no unit: minutes are %sm", text, text);
		with = xasprintf("%sm", text);
	} else {
		why =
		    xstrdup("--for takes a time from 1s to 24h: a pause that "
			    "is forgotten leaves the cluster without failover; "
			    "order it once more before it ends");
		with = xstrdup("24h");
	}
	pause_again(why, text, with);
	free(why);
	free(with);
	return -1;
}

static int
pause_why(const char *why, const char *verb)
{
	char *next;

	if (why[0] != '\0' && strlen(why) < 120)
		return 0;
	next = xasprintf("hactl %s \"WHY\"", verb);
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
	    pause_why(call->arg[0], "pause --for 30m") == -1)
		return EXITCODE_USAGE;
	request = ask_request("pause");
	json_put_i64(request, "for_s", time / USEC_SEC);
	json_put_string(request, "why", call->arg[0]);
	pause_by(request);
	code = order_confirm(call,
	    &(struct order_ask){ .request = request,
		.what = "While failover is paused nobody takes over from the "
			"primary, and commits wait for no standby: what is "
			"written meanwhile is on one host until the standby "
			"has it. If that host is lost, a person has to bring "
			"it back. It ends by itself, or by hactl resume.",
		.question = "Pause it?" });
	if (code != EXITCODE_DONE) {
		json_decref(request);
		return code;
	}
	return order_run(call, request, PAUSE_LIMIT);
}

enum exitcode
cmd_resume(const struct call *call)
{
	return order_run(call, ask_request("resume"), PAUSE_LIMIT);
}

/* Where it cannot be told, it may be the primary. */
static char *
fence_means(const struct call *call)
{
	json_t *status = order_status(call);
	const char *self = get_str(status, "self");
	bool standby =
	    strcmp(get_str(status_node(status, self), "role"), "standby") == 0;
	char *text;

	text = xasprintf(
	    "This host is closed, its PostgreSQL stopped, and it stays so "
	    "until hactl unfence, also after a reboot. %s",
	    standby ?
		"It is a standby: the primary goes on, and readers here are "
		"shut out. While no other is a candidate nobody could take "
		"over, and what is written is on one host." :
		"As the primary it gives the cluster to a candidate, without "
		"the care of hactl switchover: every connection ends, and "
		"this data may have to be rebuilt. Without a candidate "
		"nobody serves.");
	json_decref(status);
	return text;
}

enum exitcode
cmd_fence(const struct call *call)
{
	enum exitcode code;
	json_t *request;
	char *text;

	if (pause_why(call->arg[0], "fence") == -1)
		return EXITCODE_USAGE;
	request = ask_request("fence");
	json_put_string(request, "why", call->arg[0]);
	pause_by(request);
	text = fence_means(call);
	code = order_confirm(call, &(struct order_ask){ .request = request,
				       .what = text,
				       .question = "Fence this host?" });
	free(text);
	if (code != EXITCODE_DONE) {
		json_decref(request);
		return code;
	}
	return order_run(call, request, PAUSE_LIMIT);
}
