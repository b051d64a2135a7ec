/*
 * What tests of hactl's findings share.
 */
#include "wrongtest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define RECORD \
	"\"record\":{\"epoch\":2,\"seq\":5,\"state\":\"held\"," \
	"\"holder\":\"s1\",\"candidates\":[\"s2\"]}"
#define DATA \
	"\"data\":true,\"mode\":\"auto\",\"waits_text\":\"\"," \
	"\"register\":{\"read\":true,\"cold\":false,\"amnesiac\":false}," \
	"\"durable\":{\"latch\":false}," RECORD

static const char healthy[] =
    "{\"register\":{\"revision\":1},\"nodes\":["
    "{\"node\":\"s1\",\"role\":\"primary\"," DATA ","
    "\"fence\":{\"writers\":\"open\",\"armed\":\"yes\"},"
    "\"postgres\":{\"state\":\"primary\",\"probe\":\"yes\"}},"
    "{\"node\":\"s2\",\"role\":\"standby\"," DATA ","
    "\"fence\":{\"writers\":\"closed\",\"armed\":\"yes\"},"
    "\"postgres\":{\"state\":\"standby\",\"receiver\":true}},"
    "{\"node\":\"a1\",\"role\":\"witness\",\"data\":false,"
    "\"arbiter\":true,\"mode\":\"auto\"}]}";

struct wrongtest wt;

json_t *
wt_status(void)
{
	struct error err;
	json_t *obj = json_read(healthy, strlen(healthy), &err);

	if (obj == NULL)
		fail_msg("%s", err.msg);
	return obj;
}

void
wt_with(size_t i, const char *path, json_t *value)
{
	json_t *obj = wt_status(), *at;
	const char *dot = strchr(path, '.');
	char group[32];

	at = json_array_get(json_object_get(obj, "nodes"), i);
	if (dot != NULL) {
		(void)snprintf(
		    group, sizeof(group), "%.*s", (int)(dot - path), path);
		at = json_object_get(at, group);
		path = dot + 1;
	}
	assert_non_null(at);
	json_object_set_new(at, path, value);
	wt.found = wrong_find(obj, wt.list, 40);
	json_decref(obj);
}

/* As it stands there, with nothing around it: it is copied. */
static void
pasteable(const char *next)
{
	static const char *const commands[] = { "hactl ", "ssh ", "etcdctl ",
		"man ", "psql " };
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strncmp(next, commands[i], strlen(commands[i])) == 0)
			break;
	if (i == sizeof(commands) / sizeof(commands[0]) ||
	    strstr(next, "; ") != NULL || strstr(next, ", ") != NULL)
		fail_msg("not to be pasted: %s", next);
}

void
wt_says(const char *text, const char *next)
{
	size_t i;

	for (i = 0; i < wt.found; i++) {
		pasteable(wt.list[i].next);
		if (strstr(wt.list[i].text, text) != NULL) {
			if (strstr(wt.list[i].next, next) == NULL)
				fail_msg("next: %s", wt.list[i].next);
			return;
		}
	}
	fail_msg("nothing says \"%s\"; first: %s", text,
	    wt.found > 0 ? wt.list[0].text : "none");
}
