/*
 * One line of the history before it is text: when, where and what.
 */
#ifndef HAWATCH_ENGINE_HISTORY_LINE_H
#define HAWATCH_ENGINE_HISTORY_LINE_H

#include <jansson.h>
#include <stdbool.h>

#include "hawatch/types.h"

/* Caller json_decref()s. */
json_t *history_line(
    const char *node, const struct now *now, bool change, const char *what);
/* A decision is not lost because something in it is long: each text is cut. */
void history_line_cut(json_t *line);

#endif
