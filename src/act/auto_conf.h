/*
 * postgresql.auto.conf of an instance that does not run: what the server is to
 * follow at its next start. They wait for a disk: for the worker.
 */
#ifndef HAWATCH_AUTO_CONF_H
#define HAWATCH_AUTO_CONF_H

#include "hawatch/error.h"

/* Nobody: what is in pg_wal is replayed, and none of it goes. */
int auto_conf_aside(const char *data_directory, struct error *err) MUST_CHECK;
/* What auto_conf_aside wrote is gone, whatever the server wrote since. */
int auto_conf_back(const char *data_directory, struct error *err) MUST_CHECK;
/* Whom that string names; what auto_conf_aside wrote is gone. */
int auto_conf_follow(const char *data_directory, const char *conninfo,
    struct error *err) MUST_CHECK;
/* The primary_conninfo in the text of such a file, as the server would take it;
 * caller frees. NULL: none, or an empty one. */
char *auto_conf_conninfo(const char *text);
/* The whole file, caller frees; NULL: it could not be read. */
char *auto_conf_read(const char *data_directory, struct error *err) MUST_CHECK;

#endif
