/*
 * An append-only file of lines, each of which is chained to the one before: it
 * begins with a sum over that one's sum and its own text, so that no line can
 * be changed, taken out or put in without all later ones being changed, too.
 * When the file is full it becomes PATH.1, what was that PATH.2, and so on; the
 * chain goes on from one file to the next, and the oldest is removed.
 *
 * Everything here waits for the disk: it is for a thread, and for hactl.
 */
#ifndef HAWATCH_CHAIN_H
#define HAWATCH_CHAIN_H

#include <stddef.h>

#include "hawatch/error.h"

#define CHAIN_LINE_MAX ((size_t)4096) /* of the text of a line */
#define CHAIN_SUM_MAX 65

struct chain;

/* Nothing is opened before the first line is written. full: bytes of a file;
 * files: so many, with the one that is written to. */
struct chain *chain_new(const char *path, size_t full, int files);
void chain_free(struct chain *c);
/* The text has no newline, and fits; durable when this returned 0. On -1 the
 * file is as it was, or a later call makes it so: nothing half remains. */
int chain_append(
    struct chain *c, const char *text, struct error *err) MUST_CHECK;
/* The same for several, of which *done are in when it returns. */
int chain_append_all(struct chain *c, char *const *texts, size_t n,
    size_t *done, struct error *err) MUST_CHECK;

struct chain_at {
	const char *file; /* its name */
	size_t line;	  /* from 1, the file's head counted */
	const char *text;
	bool linked; /* it is what was written after the one before */
};
struct chain_seen {
	size_t files, lines;
	bool broken;
	char file[64]; /* of the first broken link; */
	size_t line;
	char why[80];
	char last[CHAIN_SUM_MAX]; /* the sum of the last line */
};
/* Every line, oldest first, also those after a broken link. each may be NULL.
 * -1: a file that is there could not be read. */
int chain_read(const char *path, int files,
    void (*each)(void *arg, const struct chain_at *at), void *arg,
    struct chain_seen *seen, struct error *err) MUST_CHECK;

#endif
