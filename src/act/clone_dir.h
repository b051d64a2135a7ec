/*
 * The directories of a clone: the copy beside the data directory, and what was
 * there before. All of it waits for a disk: for the worker.
 */
#ifndef HAWATCH_CLONE_DIR_H
#define HAWATCH_CLONE_DIR_H

#include <limits.h>

#include "hawatch/error.h"
#include "hawatch/types.h"

#define CLONE_OLD_KEEP 2 /* times that data streamed, of which all stays */

/* In the copy, from before it takes the data's place until all is in order:
 * whose it is, and of which epoch. pg_basebackup and pg_rewind leave out what
 * is called so, and no start of the server takes it away. */
#define CLONE_MARK "pg_internal.init.hawatch"

struct disk_work;

struct clone_dir {
	const char *data;   /* of the configuration */
	const char *source; /* the name of the node whose copy it is */
	uint64_t epoch;	    /* in which that holds */
	usec_t wall;
	uint64_t bytes;	       /* that the copy takes, about */
	const char *state_dir; /* with what a rewind has saved, or NULL */
	const struct disk_work *work; /* as which this is done, or NULL */
	char made[PATH_MAX];	      /* out: where the copy is made */
	char old[PATH_MAX];	      /* out: where the old data is then */
};

/* What an earlier attempt left of a copy is removed. whole: the data directory
 * is this copy already, which only has to be put in order. ERR_LIMIT: there is
 * no room; ERR_REFUSED: its layout allows none. */
int clone_dir_begin(
    struct clone_dir *dir, bool *whole, struct error *err) MUST_CHECK;
/* The copy, complete, takes the place of the data, as a standby's. ERR_REFUSED:
 * by now, the layout allows it no more. */
int clone_dir_place(
    struct clone_dir *dir, const char *conninfo, struct error *err) MUST_CHECK;
/* Where the data directory was a copy once, and is to be made the source's in
 * another way now: what was there before that copy is put aside, and the mark
 * is gone. */
int clone_dir_tidy(struct clone_dir *dir, struct error *err) MUST_CHECK;
/* This data streams: what was replaced for it is old from now on. Before any
 * other copy is placed. */
int clone_dir_note(const struct clone_dir *dir, struct error *err) MUST_CHECK;
/* Of what is old all stays that became so the last times; the rest goes, until
 * called off. Of both: data and work are asked. */
int clone_dir_prune(const struct clone_dir *dir, struct error *err) MUST_CHECK;

#endif
