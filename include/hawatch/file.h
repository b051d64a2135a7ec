/*
 * Whole files. file_replace waits for the disk: it is for the worker thread
 * and for hactl, never for the loop.
 */
#ifndef HAWATCH_FILE_H
#define HAWATCH_FILE_H

#include <dirent.h>
#include <stddef.h>
#include <sys/types.h>

#include "hawatch/error.h"

/* The content, followed by a 0 that is not counted; caller frees. Refuses
 * what is not a regular file and what is longer than max. len may be NULL. */
char *file_read(
    const char *path, size_t max, size_t *len, struct error *err) MUST_CHECK;

/* Old content or new content, never a mixture, and the new one survives a
 * loss of power once this returned 0. On -1 with ERR_SYS the old content is
 * in place; with ERR_FSYNC nobody knows what the disk holds. */
int file_replace(const char *path, const void *data, size_t len, mode_t mode,
    struct error *err) MUST_CHECK;

/* All of it; -1 with errno. */
int file_write(int fd, const void *data, size_t len) MUST_CHECK;

/* 1: the next name of an open directory, borrowed until the next call. 0: those
 * were all. -1: it cannot be read further. path: for the error. */
int file_next(DIR *dir, const char *path, struct dirent **entry,
    struct error *err) MUST_CHECK;

/* Makes names in the directory of path durable: after rename or unlink. */
int file_sync_dir(const char *path, struct error *err) MUST_CHECK;

#endif
