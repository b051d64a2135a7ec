/*
 * That failover is paused: until when, by whom and why, wherever hactl shows
 * the cluster.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "hactl/hactl.h"
#include "hactl/wrong.h"

/* The holder's word, else that of any node. */
static const json_t *
pause_of(const json_t *nodes)
{
	const json_t *node, *any = NULL;
	size_t i;

	for (i = 0; i < json_array_size(nodes); i++) {
		node = json_array_get(nodes, i);
		if (!get_has(node, "paused.until"))
			continue;
		if (wrong_is(node, "record.holder", get_str(node, "node")))
			return node;
		any = node;
	}
	return any;
}

void
wrong_paused(struct wrong_list *l, const json_t *nodes)
{
	const json_t *node = pause_of(nodes);
	char next[120], left[32];

	if (node == NULL)
		return;
	print_age(left, sizeof(left), get_at(node, "paused.left_ms"));
	(void)snprintf(next, sizeof(next), "ssh %s hactl resume",
	    get_str(node, "record.holder"));
	wrong_text(l, next,
	    "failover is paused for another %s, until %s, by %s: %s. Nobody "
	    "takes over%s",
	    left, get_str(node, "paused.until"), get_str(node, "paused.by"),
	    get_str(node, "paused.why"),
	    get_bool(node, "paused.written") ?
		", and what is written is on one host, until the work is done "
		"and it is resumed" :
		" once the register is written: it is not yet");
}

/* In the words of every place that shows it. */
static void
pause_text(char *buf, size_t size, const char *until, const json_t *paused)
{
	(void)snprintf(buf, size, "until %s by %s: %s", until,
	    get_str(paused, "by"), get_str(paused, "why"));
}

bool
pause_seen(char *buf, size_t size, const json_t *answer)
{
	const json_t *node = get_at(answer, "node");

	if (!get_has(node, "paused.until"))
		node = pause_of(get_at(answer, "nodes"));
	if (node == NULL)
		return false;
	pause_text(
	    buf, size, get_str(node, "paused.until"), get_at(node, "paused"));
	return true;
}

void
print_paused(const json_t *answer)
{
	char text[PAUSE_TEXT_MAX];

	if (pause_seen(text, sizeof(text), answer))
		print_wrapped("paused  ", text);
}

/* Of a record as the register holds it. */
void
print_record_paused(const json_t *rec)
{
	time_t sec = (time_t)(get_int(rec, "paused.until_ms") / 1000);
	char until[32], text[PAUSE_TEXT_MAX];
	struct tm tm;

	if (sec <= 0 || gmtime_r(&sec, &tm) == NULL ||
	    strftime(until, sizeof(until), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return;
	pause_text(text, sizeof(text), until, get_at(rec, "paused"));
	print_wrapped("paused  ", text);
}
