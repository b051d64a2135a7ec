/*
 * What repmgr's commands are given to read: the operator's file and, above it,
 * what a command must not decide. repmgr reaches the local server by the Unix
 * socket, which no fence closes, and starts, stops and restarts none: a start
 * by it would go past the gate.
 */
#ifndef HAWATCH_REPMGR_CONF_H
#define HAWATCH_REPMGR_CONF_H

#include "hawatch/conf.h"
#include "hawatch/error.h"

#define REPMGR_WORDS 12 /* of a command, the last NULL included */

/* Pure. account: a connection string of repmgr.nodes, whose account is used.
 * data: the directory that the command is about. Caller frees; NULL: libpq does
 * not understand the string. */
char *repmgr_conf_text(const struct conf *conf, const char *account,
    const char *data, struct error *err) MUST_CHECK;
/* The same as a file without a name, which the child gets as its number 3 and
 * whose path argv has. -1: none. Caller closes. */
int repmgr_conf_file(const struct conf *conf, const char *account,
    const char *data, struct error *err) MUST_CHECK;
/* Puts the program and its file before words. */
void repmgr_conf_argv(const struct conf *conf, const char *const *words,
    const char *argv[REPMGR_WORDS]);

#endif
