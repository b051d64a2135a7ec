/*
 * Private to saved.c, saved_back.c and saved_copy.c.
 */
#ifndef HAWATCH_SAVED_I_H
#define HAWATCH_SAVED_I_H

#include <sys/types.h>

#include "act/saved.h"

/* out has SAVED_MAX bytes. */
int saved_path(
    char *out, const char *dir, const char *name, struct error *err) MUST_CHECK;
/* A file in it. */
bool saved_has(const char *dir, const char *name);
/* What is called so is replaced by a whole copy, on the disk when it returns,
 * or stays; names are not on the disk. owner -1, -1: as we are. work, or NULL,
 * may be called off meanwhile. */
int saved_copy(const char *from, const char *to, uid_t uid, gid_t gid,
    const struct disk_work *work, struct error *err) MUST_CHECK;
/* The settings that lie in that directory. */
int saved_each(const char *from, const char *to, uid_t uid, gid_t gid,
    struct error *err) MUST_CHECK;

#endif
