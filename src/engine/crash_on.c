/*
 * Crash points of a build for tests. A point is named after the plan's row in
 * which it is met and the place in the engine.
 */
#include "engine/crash.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hawatch/core.h"
#include "hawatch/str.h"

static const char *volatile crash_now = "idle";
static int crash_seen;

static const char *const places[] = { "fsync-before", "fsync-after",
	"cas-before", "cas-sent", "cas-reply", "fence-before", "fence-after",
	"act-start", "act-done" };

void
crash_row(const char *row)
{
	crash_now = row == NULL ? "idle" : row;
}

void
crash_point(const char *place)
{
	const char *want = getenv("HAWATCH_CRASH_AT");
	char here[96];
	size_t len;
	int n = 1;

	if (want == NULL)
		return;
	len = (size_t)snprintf(here, sizeof(here), "%s:%s", crash_now, place);
	if (strncmp(want, here, len) != 0 ||
	    (want[len] != '\0' && want[len] != ':'))
		return;
	if (want[len] == ':' &&
	    str_parse_int(want + len + 1, 1, INT_MAX, &n) == -1)
		return;
	if (++crash_seen == n)
		kill(getpid(), SIGKILL);
}

void
crash_list(void)
{
	const struct plan_doc *rows;
	size_t n = core_plan_doc(&rows), i, p;

	for (i = 0; i < n; i++)
		for (p = 0; p < sizeof(places) / sizeof(places[0]); p++)
			printf(
			    "%s.%s:%s\n", rows[i].plan, rows[i].row, places[p]);
	for (p = 0; p < sizeof(places) / sizeof(places[0]); p++)
		printf("idle:%s\n", places[p]);
}
