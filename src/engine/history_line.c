/*
 * One line of the history before it is text.
 */
#include "engine/history_line.h"

#include <stdio.h>
#include <time.h>

#include "hawatch/json.h"
#include "hawatch/str.h"

#define LINE_CUT 160 /* of each text in a line that is too long */

static void
line_at(json_t *obj, usec_t wall)
{
	time_t sec = (time_t)(wall / USEC_SEC);
	char day[32], text[48];
	struct tm tm;

	if (gmtime_r(&sec, &tm) == NULL ||
	    strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return;
	(void)snprintf(text, sizeof(text), "%s.%03dZ", day,
	    (int)(wall % USEC_SEC / USEC_MSEC));
	json_put_string(obj, "at", text);
}

json_t *
history_line(
    const char *node, const struct now *now, bool change, const char *what)
{
	json_t *line = json_object();

	line_at(line, now->wall);
	json_put_i64(line, "at_ms", now->wall / USEC_MSEC);
	json_put_string(line, "node", node);
	json_put_string(line, "ev", what);
	if (change)
		json_put_bool(line, "change", true);
	return line;
}

void
history_line_cut(json_t *line)
{
	char text[LINE_CUT];
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(line, next, key, value)
	{
		if (json_string_length(value) < sizeof(text))
			continue;
		str_cut(text, sizeof(text), json_string_value(value));
		json_put_string(line, key, text);
	}
	json_put_bool(line, "cut", true);
}
