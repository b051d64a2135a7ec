/*
 * hactl status: every node in a line, the record, and what is wrong with the
 * command that comes next. The engine has asked the others; this only prints.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hactl/hactl.h"
#include "hawatch/json.h"
#include "hawatch/str.h"

#define STATUS_LIMIT (5 * USEC_SEC)
#define STATUS_COLUMNS 8
#define STATUS_MB ((lsn_t)1024 * 1024)

static void status_row(struct print_row *row, const json_t *node);
static void status_wal(char *buf, size_t size, const json_t *node);
static void status_lease(char *buf, size_t size, const json_t *node);
static const json_t *status_bounded(const json_t *nodes);
static void status_loss(const json_t *nodes);

enum exitcode
cmd_status(const struct call *call)
{
	enum exitcode code;
	json_t *answer;

	if (call->opt[OPT_WATCH] != NULL)
		return status_watch(call);
	code = status_ask(call, STATUS_LIMIT, &answer);
	if (code == EXITCODE_DONE && call->opt[OPT_JSON] != NULL)
		print_json(answer, code);
	else if (code == EXITCODE_DONE)
		status_print(answer);
	json_decref(answer);
	return code;
}

void
status_print(const json_t *answer)
{
	static const char *const head[STATUS_COLUMNS] = { "NODE", "ROLE",
		"POSTGRES", "TIMELINE", "WAL/LAG", "LEASE", "FENCE", "NOTE" };
	const json_t *nodes = get_at(answer, "nodes");
	struct print_row rows[NODES_MAX];
	size_t i, n = json_array_size(nodes);

	if (n > NODES_MAX)
		n = NODES_MAX;
	for (i = 0; i < n; i++)
		status_row(&rows[i], json_array_get(nodes, i));
	print_table(head, STATUS_COLUMNS, rows, n);
	putchar('\n');
	print_site(nodes);
	print_record(status_newest(answer),
	    status_bounded(nodes) == NULL ? NULL : "the holder's WAL ended at");
	status_loss(nodes);
	print_wrongs(answer);
}

static void
status_row(struct print_row *row, const json_t *node)
{
	const char *role = get_str(node, "role");
	const char *pg = get_str(node, "postgres.state");

	memset(row, 0, sizeof(*row));
	str_cut(row->cell[0], PRINT_CELL_MAX, get_str(node, "node"));
	status_role(row->cell[1], PRINT_CELL_MAX, node);
	str_cut(row->cell[2], PRINT_CELL_MAX, pg[0] == '\0' ? "-" : pg);
	status_timeline(row->cell[3], PRINT_CELL_MAX, node);
	status_wal(row->cell[4], PRINT_CELL_MAX, node);
	status_lease(row->cell[5], PRINT_CELL_MAX, node);
	status_fence(row->cell[6], PRINT_CELL_MAX, node);
	str_cut(row->cell[7], PRINT_CELL_MAX, status_note(node));
	if (strcmp(role, "primary") == 0)
		row->colour = COLOUR_GOOD;
	else if (strcmp(role, "standby") != 0 && strcmp(role, "witness") != 0 &&
		 !observe_calm(node))
		row->colour = COLOUR_BAD;
}

void
status_role(char *buf, size_t size, const json_t *node)
{
	const char *role = get_str(node, "role");

	if (get_has(node, "silent"))
		role = "silent";
	if (observe_calm(node))
		(void)snprintf(
		    buf, size, "(%s)", get_str(node, "postgres.state"));
	else
		str_cut(buf, size, role[0] == '\0' ? "?" : role);
}

void
status_timeline(char *buf, size_t size, const json_t *node)
{
	str_cut(buf, size, "-");
	if (get_int(node, "postgres.timeline") > 0)
		(void)snprintf(
		    buf, size, "%lld", get_int(node, "postgres.timeline"));
}

/* A primary shows where it is, a standby how far it is behind. */
static void
status_wal(char *buf, size_t size, const json_t *node)
{
	lsn_t end, up;

	(void)snprintf(buf, size, "-");
	if (lsn_parse(get_str(node, "postgres.wal_end"), &end) == -1 ||
	    end == 0)
		return;
	if (strcmp(get_str(node, "postgres.recovery"), "yes") != 0) {
		lsn_str(end, buf);
		return;
	}
	if (!get_bool(node, "postgres.receiver") ||
	    lsn_parse(get_str(node, "postgres.upstream"), &up) == -1)
		(void)snprintf(buf, size, "alone");
	else if (up <= end)
		(void)snprintf(buf, size, "+0");
	else if (up - end < STATUS_MB)
		(void)snprintf(buf, size, "+%llu kB",
		    (unsigned long long)(up - end + 1023) / 1024);
	else
		(void)snprintf(buf, size, "+%llu MB",
		    (unsigned long long)((up - end) / STATUS_MB));
}

static void
status_lease(char *buf, size_t size, const json_t *node)
{
	long long ms = get_int(node, "lease.left_ms");

	if (!get_bool(node, "lease.mine"))
		(void)snprintf(buf, size, "-");
	else if (get_bool(node, "lease.endless"))
		(void)snprintf(buf, size, "endless");
	else
		(void)snprintf(
		    buf, size, "%lld.%lld s", ms / 1000, ms % 1000 / 100);
}

void
status_fence(char *buf, size_t size, const json_t *node)
{
	const char *word = get_str(node, "fence.writers");

	if (word[0] == '\0' || observe_is(node))
		word = "-";
	else if (strcmp(word, "open") != 0 &&
		 get_int(node, "fence.readers_ms") > 0)
		word = "readers";
	str_cut(buf, size, word);
}

/* A standby that does not take its WAL from the holder. */
static const char *
status_astray(const json_t *node)
{
	static char note[PRINT_CELL_MAX];
	char from[64];

	if (strcmp(get_str(node, "postgres.state"), "standby") != 0 ||
	    strcmp(get_str(node, "record.state"), "held") != 0 ||
	    !get_has(node, "postgres.source"))
		return "";
	get_list(node, "postgres.source", from, sizeof(from));
	if (strcmp(from, get_str(node, "record.holder")) == 0)
		return "";
	if (get_has(node, "follow.node"))
		return "follows";
	(void)snprintf(note, sizeof(note), "from %s", from);
	return note;
}

const char *
status_note(const json_t *node)
{
	const char *note = get_str(node, "silent");

	if (note[0] != '\0')
		return note;
	if (observe_is(node))
		return "observe";
	note = get_str(node, "plan.row");
	if (note[0] != '\0')
		return note;
	note = status_astray(node);
	if (note[0] != '\0')
		return note;
	if (get_has(node, "shoot.node"))
		return "shoots";
	note = get_str(node, "waits_for");
	if (strcmp(note, "lease-runs") == 0 || strcmp(note, "promised") == 0)
		return "candidate"; /* it waits for nothing but a fault */
	if (note[0] != '\0')
		return note;
	if (get_bool(node, "arbiter"))
		return "register";
	return strcmp(get_str(node, "mode"), "auto") == 0 ?
		   "" :
		   get_str(node, "mode");
}

void
print_record(const json_t *rec, const char *lsn)
{
	char text[320], list[160], since[64];
	time_t sec = (time_t)(get_int(rec, "taken_at_ms") / 1000);
	struct tm tm;

	if (!json_is_object(rec)) {
		print_wrapped("record  ", "none was ever written");
		return;
	}
	get_list(rec, "candidates", list, sizeof(list));
	(void)snprintf(since, sizeof(since), "%s%s",
	    get_has(rec, "taken_at") ? " since " : "",
	    get_str(rec, "taken_at"));
	if (sec > 0 && gmtime_r(&sec, &tm) != NULL)
		(void)strftime(
		    since, sizeof(since), " since %Y-%m-%dT%H:%M:%SZ", &tm);
	(void)snprintf(text, sizeof(text),
	    "epoch %lld, %s by %s%s; candidates: %s", get_int(rec, "epoch"),
	    get_str(rec, "state"), get_str(rec, "holder"), since, list);
	print_wrapped("record  ", text);
	(void)snprintf(text, sizeof(text), "T %lld ms, timeline %lld, %s %s",
	    get_int(rec, "ttl_ms"), get_int(rec, "timeline"),
	    lsn != NULL		      ? lsn :
	    strcmp(list, "none") == 0 ? "WAL at least" :
					"candidates have flushed",
	    get_str(rec, "lsn"));
	print_wrapped("        ", text);
	print_record_paused(rec);
}

static const json_t *
status_bounded(const json_t *nodes)
{
	const json_t *node;
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (strcmp(get_str(node, "durability.mode"), "bounded") == 0)
			return node;
	}
	return NULL;
}

/* Where commits are told done before a standby has them, it is said. */
static void
status_loss(const json_t *nodes)
{
	const json_t *node = status_bounded(nodes);
	char text[160];

	if (node == NULL)
		return;
	(void)snprintf(text, sizeof(text),
	    "bounded: a takeover may lose %lld kB of WAL, and what was written "
	    "in the last T",
	    get_int(node, "durability.max_loss") / 1024);
	print_wrapped("loss    ", text);
}

const json_t *
status_node(const json_t *answer, const char *name)
{
	const json_t *nodes = get_at(answer, "nodes"), *node;
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (strcmp(get_str(node, "node"), name) == 0)
			return node;
	}
	return NULL;
}

/* The highest that any node believes. */
const json_t *
status_newest(const json_t *answer)
{
	const json_t *nodes = get_at(answer, "nodes"), *rec, *best = NULL;
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++) {
		rec = get_at(json_array_get(nodes, i), "record");
		if (!json_is_object(rec))
			continue;
		if (best == NULL ||
		    get_int(rec, "epoch") > get_int(best, "epoch") ||
		    (get_int(rec, "epoch") == get_int(best, "epoch") &&
			get_int(rec, "seq") > get_int(best, "seq")))
			best = rec;
	}
	return best;
}
