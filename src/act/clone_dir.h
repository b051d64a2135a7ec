/*
 * The directories of a clone: the copy beside the data directory, and what was
 * there before. All of it waits for a disk: for the worker.
 */
#ifndef HAWATCH_CLONE_DIR_H
#define HAWATCH_CLONE_DIR_H

#include <limits.h>

#include "hawatch/error.h"
#include "hawatch/types.h"

#define CLONE_OLD_KEEP 1 /* beside the one that was just replaced */

struct clone_dir {
	const char *data; /* of the configuration */
	usec_t wall;
	uint64_t bytes;	     /* that the copy takes, about */
	char made[PATH_MAX]; /* out: where the copy is made */
	char old[PATH_MAX];  /* out: where the old data is then */
};

/* What an earlier attempt left of a copy is removed. whole: the data directory
 * is a copy already, which only has to be put in order. ERR_LIMIT: there is no
 * room; ERR_REFUSED: its layout allows none. */
int clone_dir_begin(
    struct clone_dir *dir, bool *whole, struct error *err) MUST_CHECK;
/* The copy, complete, takes the place of the data, as a standby's. */
int clone_dir_place(
    struct clone_dir *dir, const char *conninfo, struct error *err) MUST_CHECK;

#endif
