/*
 * The status of a healthy pair, one fault at a time put into it, and what hactl
 * finds wrong then.
 */
#ifndef WRONGTEST_H
#define WRONGTEST_H

#include "hactl/hactl.h"
#include "hawatch/json.h"

struct wrongtest {
	struct wrong list[40];
	size_t found;
};

extern struct wrongtest wt;

/* Of the healthy pair; caller json_decref()s. */
json_t *wt_status(void);
/* Sets nodes[i].path, where path is "a" or "a.b", and looks. */
void wt_with(size_t i, const char *path, json_t *value);
/* A line with that text, and a next command with that. */
void wt_says(const char *text, const char *next);

#endif
