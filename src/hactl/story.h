/*
 * What hactl history and hactl report share: a line of a host's history in
 * words, and the report that is made of all of them.
 */
#ifndef HAWATCH_HACTL_STORY_H
#define HAWATCH_HACTL_STORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* What happened, without when and where. */
void story_text(char *buf, size_t size, const json_t *line);
/* How long that took which was over at its time; -1: it took none, or nobody
 * said. */
long long story_took_ms(const json_t *line);
/* A line of this host, where node is its name: who gave an order, by uid, has
 * a name here. "": another host answers, and its numbers are not known. */
void story_here(json_t *line, const char *node);
/* "2026-11-21 00:12:13", "00:12:13.123"; UTC. */
void story_day(char *buf, size_t size, long long ms);
void story_clock(char *buf, size_t size, long long ms);

/* The report as one object, from the engine's answer, with "away" if another
 * host gave it: clocks put beside each other, lines in order, the outage.
 * Caller json_decref()s. */
json_t *story_report(const json_t *answer);
/* story_print.c: that, for people. */
void story_print(const json_t *doc, bool markdown);

#endif
