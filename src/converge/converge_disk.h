/*
 * Names and copies in the directory of a file that is rewritten.
 */
#ifndef CONVERGE_DISK_H
#define CONVERGE_DISK_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "hawatch/error.h"

/* The real file behind path, opened for reading, its directory and its name
 * there. Both descriptors are the caller's. -1 with neither. */
int cdisk_open(const char *path, int *dir, char base[NAME_MAX + 1],
    struct stat *st, struct error *err) MUST_CHECK;
/* All of it, followed by a 0 that is not counted; caller frees. */
char *cdisk_read(int fd, size_t max, size_t *len, struct error *err) MUST_CHECK;

/* ".base.hawatch-WHAT" and ".base.hawatch-EPOCH": hidden, so that directories
 * whose files are all read as configuration do not read these. */
int cdisk_name(char name[NAME_MAX + 1], const char *base, const char *what,
    struct error *err) MUST_CHECK;
int cdisk_backup_name(char name[NAME_MAX + 1], const char *base, uint64_t epoch,
    struct error *err) MUST_CHECK;

/* A new file of that name with owner, mode and attributes of another, on the
 * disk when it returns 0; on -1 it is not there, ERR_REFUSED: because it was
 * there before. */
int cdisk_create(int dir, const char *name, int like, const struct stat *st,
    const char *data, size_t len, struct error *err) MUST_CHECK;
/* Keeps so many backups of that file, those of the latest epochs. */
void cdisk_prune(int dir, const char *base, int keep);
/* Removes ".base.hawatch-WHAT..." of any end. */
void cdisk_tidy(int dir, const char *base, const char *what);

#endif
