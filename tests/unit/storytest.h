/*
 * What the hosts answer when a report is asked for, line by line.
 */
#ifndef HAWATCH_TEST_STORY_H
#define HAWATCH_TEST_STORY_H

#include <jansson.h>
#include <stddef.h>

/* 2026-11-21 07:01:02 UTC */
#define ST_T0 1795244462000LL

extern json_t *st_answer, *st_doc;

/* s1 asks, which has data as s2 has it, and a1 has none. */
void st_start(long long epoch);
json_t *st_host(size_t i);
/* ms after T0, by that host's clock; more is JSON members. */
void st_line(
    size_t i, long long ms, const char *ev, long long epoch, const char *more);
/* The sentence; the rest is in st_doc. */
const char *st_report(void);
int st_teardown(void **state);

#endif
