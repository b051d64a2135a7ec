/*
 * Private to the files of a clone's directories.
 */
#ifndef HAWATCH_CLONE_DIR_I_H
#define HAWATCH_CLONE_DIR_I_H

#include "act/clone_dir.h"
#include "act/kept.h"

/* dir and name one after the other; out has PATH_MAX bytes. */
int clone_path(
    char *out, const char *dir, const char *name, struct error *err) MUST_CHECK;
/* What is called so in the directory top. */
int clone_entry(
    char *out, const char *top, const char *name, struct error *err) MUST_CHECK;
/* What lies beside as old data; top (PATH_MAX) gets the directory above, prefix
 * (NAME_MAX + 1) how it is called. kept_free afterwards. */
int clone_kept(const struct clone_dir *dir, char *top, char *prefix,
    struct kept_list *kept, struct error *err) MUST_CHECK;
/* All that is below path on its file system, unless called off. */
int clone_remove(
    const struct clone_dir *dir, char *path, struct error *err) MUST_CHECK;
/* A file in dir, its owner's: with all of that text, or not there. name begins
 * with a slash. */
int clone_put(const char *dir, const char *name, const char *text,
    struct error *err) MUST_CHECK;

/* May this directory change places with another one? ERR_REFUSED: no, whatever
 * a program is told; the message says to a person what is in the way. */
int clone_layout(const char *data, struct error *err) MUST_CHECK;
/* Two directories beside it did. */
int clone_trial(const char *data, struct error *err) MUST_CHECK;
int clone_exchange(const char *a, const char *b, struct error *err) MUST_CHECK;

/* What this host has of its own in the data directory is in the copy. */
int clone_settings(const struct clone_dir *dir, struct error *err) MUST_CHECK;

#endif
