/* The arbiter's file: the register with what tells its origin. */
#ifndef HAWATCH_ENGINE_ARBITER_FILE_H
#define HAWATCH_ENGINE_ARBITER_FILE_H

#include "hawatch/arbiter.h"

/* origin tells whether it is the very file that was written here. */
int arbiter_file_load(const char *path, const struct names *names,
    struct arbiter *a, struct arbiter_origin *origin,
    struct error *err) MUST_CHECK;
/* Temporary file, fsync, rename, fsync of the directory. ERR_FSYNC: nobody
 * knows what the disk holds. For the worker's thread. */
int arbiter_file_save(
    const char *path, const char *text, struct error *err) MUST_CHECK;
/* Text of the image; the inode is put in by arbiter_file_save. */
char *arbiter_file_str(const struct arbiter *a, const struct names *names);

#endif
