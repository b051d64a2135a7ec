/*
 * What is kept of data before it is rewritten: <state_dir>/saved/<when>, with
 * the log that only this data has, its control file, and a listing for people.
 * All of it waits for a disk: for the worker.
 */
#ifndef HAWATCH_SAVED_H
#define HAWATCH_SAVED_H

#include <stddef.h>

#include "hawatch/error.h"
#include "hawatch/types.h"

#define SAVED_KEEP 10  /* the oldest goes then */
#define SAVED_MAX 4096 /* of a path */

struct saved_goal {
	const char *state_dir, *data_directory;
	usec_t wall;
	uint64_t epoch;
	lsn_t from; /* the last common checkpoint */
};

struct saved {
	char dir[SAVED_MAX];
	uint32_t timeline; /* the highest in it */
	uint64_t bytes;
};

/* Copies. ERR_LIMIT: there is no room. */
int saved_make(const struct saved_goal *goal, struct saved *out,
    struct error *err) MUST_CHECK;
/* The listing is there: it is complete, and others may go. */
int saved_complete(const char *dir, const char *listing, size_t len,
    struct error *err) MUST_CHECK;
/* Before the first byte is rewritten: notes that it begins; begun before, the
 * control file and the log are put back as they were. dir gets the place. */
int saved_begin(const char *state_dir, const char *data_directory, char *dir,
    size_t size, struct error *err) MUST_CHECK;
/* After: the settings that lie in the data directory are this host's own. */
int saved_own(
    const char *dir, const char *data_directory, struct error *err) MUST_CHECK;

#endif
