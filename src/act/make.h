/*
 * What the two ways have in common to make data the primary's: a question to
 * its server, work for the disk, a program that may run for hours, one after
 * the other and each to be called off. It is the first member of their memory.
 */
#ifndef HAWATCH_MAKE_H
#define HAWATCH_MAKE_H

#include "act/child.h"
#include "act/primary_ask.h"
#include "hawatch/act.h"

struct disk_work;

struct make {
	struct primary_ask *ask;
	struct disk_work *work;
	struct child *child;
	struct primary_said said;
	bool done; /* since this was asked */
};

/* For struct act_ops. What was made by an earlier life is not asked: it is in
 * the core's notes, and what is made twice is the same. */
int make_observe(struct act *a, struct error *err);
void make_cancel(struct act *a);

/* repmgr's command in the place of a program, which gets the string that
 * reaches the goal's node as words[at]. data: the directory it is about. */
void make_repmgr(struct act *a, const char *data, const char **words, size_t at,
    child_fn done);

/* How a piece of work that failed ends the action: no, where it would fail in
 * the same way again, after hours of copying; else it is done once more. */
enum answer make_answer(const struct error *err);

/* The end of the last piece of work. */
void make_made(struct act *a, bool ok, const struct error *err);

#endif
