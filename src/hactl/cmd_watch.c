/*
 * hactl status --watch: the same, again and again. A terminal is redrawn each
 * second; elsewhere only what has changed is printed, so that a file holds the
 * story. It goes on while the engine is silent: then somebody is watching.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hactl/hactl.h"
#include "hawatch/clock.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define WATCH_LIMIT (3 * USEC_SEC)
#define WATCH_EVERY_NS 1000000000L
#define WATCH_WRONG_MAX 40
#define WATCH_LINE 640
#define WATCH_AT 16

/* What was told last, one line a node, one of the record, one a wrong. */
struct watch_told {
	char node[NODES_MAX][WATCH_LINE];
	char record[WATCH_LINE];
	struct wrong wrong[WATCH_WRONG_MAX];
	size_t wrongs;
	bool silent;
};

static void watch_end_cb(int signo);
static void watch_draw(const struct call *call, json_t *answer);
static bool watch_tell(
    const struct call *call, struct watch_told *told, const json_t *answer);
static void watch_node(char *line, const json_t *node);
static void watch_record(char *line, const json_t *answer);
static bool watch_wrongs(
    const struct call *call, struct watch_told *told, const json_t *answer);
static bool watch_has(const struct wrong *list, size_t n, const char *text);
static bool watch_same(const char *a, const char *b);
static void watch_say(const char *what, const char *text);

enum exitcode
status_watch(const struct call *call)
{
	const struct timespec every = { .tv_nsec = WATCH_EVERY_NS - 1 };
	bool screen = isatty(STDOUT_FILENO) && call->opt[OPT_JSON] == NULL;
	struct watch_told *told = xcalloc(1, sizeof(*told));
	enum exitcode code;
	json_t *answer;
	bool first = true;

	signal(SIGINT, watch_end_cb);
	signal(SIGTERM, watch_end_cb);
	for (;;) {
		print_hold(!first);
		code = ask_engine(call, ask_request("status"), WATCH_LIMIT,
		    NULL, NULL, &answer);
		print_hold(false);
		if (code != EXITCODE_DONE && first)
			break;
		first = false;
		if (screen)
			watch_draw(call, answer);
		else if (watch_tell(call, told, answer) &&
			 call->opt[OPT_JSON] != NULL && answer != NULL)
			print_json_line(answer);
		json_decref(answer);
		answer = NULL;
		if (!print_flush()) {
			code = EXITCODE_LOCAL;
			break;
		}
		nanosleep(&every, NULL);
	}
	json_decref(answer);
	free(told);
	return code;
}

/* A person has seen enough. Nothing is half done, so nothing is waited for. */
static void
watch_end_cb(int signo)
{
	static const char reset[] = "\033[0m\n";

	if (isatty(STDOUT_FILENO))
		(void)!write(STDOUT_FILENO, reset, sizeof(reset) - 1);
	_exit(EXITCODE_DONE);
}

/* The time of day. */
static void
watch_at(char at[WATCH_AT])
{
	time_t sec = (time_t)(clock_read(CLOCK_REALTIME) / USEC_SEC);
	struct tm tm;

	if (localtime_r(&sec, &tm) == NULL ||
	    strftime(at, WATCH_AT, "%H:%M:%S", &tm) == 0)
		at[0] = '\0';
}

/* One write a frame, or it flickers. */
static void
watch_draw(const struct call *call, json_t *answer)
{
	static char frame[65536];
	char at[WATCH_AT];

	setvbuf(stdout, frame, _IOFBF, sizeof(frame));
	watch_at(at);
	printf("\033[H\033[J%s  every second; ^C ends\n\n", at);
	if (answer == NULL) {
		print_coloured(COLOUR_BAD, NULL);
		print_wrapped("", "the engine does not answer");
		print_coloured(COLOUR_NONE, NULL);
		print_wrapped("  next  ", "systemctl status hawatchd");
	} else {
		status_print(answer);
	}
}

/* True when something changed. */
static bool
watch_tell(
    const struct call *call, struct watch_told *told, const json_t *answer)
{
	const json_t *nodes = get_at(answer, "nodes");
	bool json = call->opt[OPT_JSON] != NULL, changed = false;
	char line[WATCH_LINE];
	size_t i;

	if (answer == NULL) {
		if (!told->silent && !json)
			watch_say("hactl", "the engine does not answer; next: "
					   "systemctl status hawatchd");
		told->silent = true;
		return false;
	}
	if (told->silent && !json)
		watch_say("hactl", "the engine answers again");
	told->silent = false;
	for (i = 0; i < json_array_size(nodes) && i < NODES_MAX; i++) {
		watch_node(line, json_array_get(nodes, i));
		if (strcmp(line, told->node[i]) == 0)
			continue;
		str_cut(told->node[i], WATCH_LINE, line);
		changed = true;
		if (!json)
			watch_say(
			    get_str(json_array_get(nodes, i), "node"), line);
	}
	watch_record(line, answer);
	if (strcmp(line, told->record) != 0) {
		str_cut(told->record, WATCH_LINE, line);
		changed = true;
		if (!json)
			watch_say("record", line);
	}
	return watch_wrongs(call, told, answer) || changed;
}

/* Without what moves all the time. */
static void
watch_node(char *line, const json_t *node)
{
	const char *note = status_note(node);
	char role[40], timeline[24], fence[24];

	if (get_has(node, "silent")) {
		(void)snprintf(
		    line, WATCH_LINE, "silent: %s", get_str(node, "silent"));
		return;
	}
	if (!get_bool(node, "data")) {
		(void)snprintf(line, WATCH_LINE, "%s", get_str(node, "role"));
		return;
	}
	status_role(role, sizeof(role), node);
	status_timeline(timeline, sizeof(timeline), node);
	status_fence(fence, sizeof(fence), node);
	(void)snprintf(line, WATCH_LINE,
	    "%s; PostgreSQL %s, timeline %s; fence %s%s%s%s%s", role,
	    get_str(node, "postgres.state"), timeline, fence,
	    get_has(node, "health") ? "; health " : "",
	    !get_has(node, "health")	? "" :
	    get_bool(node, "health.ok") ? "200" :
					  "503",
	    note[0] == '\0' ? "" : "; ", note);
}

static void
watch_record(char *line, const json_t *answer)
{
	const json_t *rec = status_newest(answer);
	char list[160];

	get_list(rec, "candidates", list, sizeof(list));
	if (rec == NULL)
		(void)snprintf(line, WATCH_LINE, "none was ever written");
	else
		(void)snprintf(line, WATCH_LINE,
		    "epoch %lld, %s by %s; candidates: %s",
		    get_int(rec, "epoch"), get_str(rec, "state"),
		    get_str(rec, "holder"), list);
}

static bool
watch_wrongs(
    const struct call *call, struct watch_told *told, const json_t *answer)
{
	struct wrong *list = xcalloc(WATCH_WRONG_MAX, sizeof(*list));
	bool json = call->opt[OPT_JSON] != NULL, changed = false;
	size_t i, n = wrong_find(answer, list, WATCH_WRONG_MAX);

	for (i = 0; i < n; i++) {
		if (watch_has(told->wrong, told->wrongs, list[i].text))
			continue;
		changed = true;
		if (json)
			continue;
		watch_say(list[i].settles ? "settles" : "wrong", list[i].text);
		print_next("            next  ", list[i].next);
	}
	for (i = 0; i < told->wrongs; i++) {
		if (watch_has(list, n, told->wrong[i].text))
			continue;
		changed = true;
		if (!json)
			watch_say("over", told->wrong[i].text);
	}
	memcpy(told->wrong, list, n * sizeof(*list));
	told->wrongs = n;
	free(list);
	return changed;
}

static bool
watch_has(const struct wrong *list, size_t n, const char *text)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (watch_same(list[i].text, text))
			return true;
	}
	return false;
}

/* But for the numbers in them, which count down. */
static bool
watch_same(const char *a, const char *b)
{
	while (*a != '\0' && *b != '\0') {
		a += strspn(a, "0123456789");
		b += strspn(b, "0123456789");
		if (*a != *b)
			return false;
		if (*a == '\0')
			break;
		a++;
		b++;
	}
	return *a == *b;
}

static void
watch_say(const char *what, const char *text)
{
	char first[NODE_NAME_MAX + 24], at[WATCH_AT];

	watch_at(at);
	(void)snprintf(first, sizeof(first), "%s  %-8s ", at, what);
	print_wrapped(first, text);
}
