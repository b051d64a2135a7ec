/*
 * What is kept of data before it is rewritten: <state_dir>/saved/<when>, with
 * the log that only this data has, its control file, and a listing for people.
 * It belongs to the rejoin in which it was made: what the log and the control
 * file of another time would put back over this data, nobody could repair. All
 * of it waits for a disk: for the worker.
 */
#ifndef HAWATCH_SAVED_H
#define HAWATCH_SAVED_H

#include <stddef.h>

#include "hawatch/error.h"
#include "hawatch/types.h"

#define SAVED_KEEP 10  /* the oldest goes then */
#define SAVED_MAX 4096 /* of a path */

struct disk_work;

/* How far a copy is, for another thread. */
struct saved_told {
	_Atomic uint64_t all, done; /* bytes of the log */
};

struct saved_goal {
	const char *state_dir, *data_directory;
	usec_t wall;
	uint64_t epoch; /* the holder's for whom this data is rewritten */
	lsn_t from;	/* the last common checkpoint */
	const struct disk_work *work; /* as which this is done, or NULL */
	struct saved_told *told;      /* NULL: nobody asks */
};

struct saved {
	char dir[SAVED_MAX];
	uint32_t timeline; /* the highest in it */
	uint64_t bytes;
};

/* Copies; what came of a copy that failed, now or before, is gone. ERR_LIMIT:
 * there is no room. */
int saved_make(const struct saved_goal *goal, struct saved *out,
    struct error *err) MUST_CHECK;
/* The listing is there: it is complete, and others may go, but not this one. */
int saved_complete(const char *dir, const char *listing, size_t len,
    struct error *err) MUST_CHECK;
/* Before the first byte is rewritten: notes that it begins with what was last
 * saved in this epoch; begun before, its control file and log are put back. dir
 * gets the place. ERR_REFUSED: nothing complete was saved in this epoch. */
int saved_begin(const struct saved_goal *goal, char *dir, size_t size,
    struct error *err) MUST_CHECK;
/* After: the settings that lie in the data directory are this host's own. */
int saved_own(
    const char *dir, const char *data_directory, struct error *err) MUST_CHECK;

/* The names of these, and NULL. */
extern const char *const saved_settings[];
/* The last that was saved, where a rewind began with it and this host's own
 * settings have not been put back since; else "". */
int saved_owes(const char *state_dir, char *dir, size_t size,
    struct error *err) MUST_CHECK;
/* They are in that directory, too, its owner's. */
int saved_lend(
    const char *dir, const char *directory, struct error *err) MUST_CHECK;
/* They are back in the data directory, whichever way. */
int saved_paid(const char *state_dir, struct error *err) MUST_CHECK;

#endif
