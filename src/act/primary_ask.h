/*
 * What the holder's server says of itself before this node's data is made its
 * own, and how the programs that do so connect to it.
 */
#ifndef HAWATCH_PRIMARY_ASK_H
#define HAWATCH_PRIMARY_ASK_H

#include "hawatch/act.h"
#include "hawatch/conf.h"

struct primary_ask;

struct primary_said {
	bool primary;
	uint64_t system_id;
	uint32_t timeline;
	uint32_t checkpoint; /* timeline of its last checkpoint */
	lsn_t flushed;
	uint64_t bytes;	     /* of its databases */
	bool tablespaces;    /* beside the usual two */
	char conninfo[1024]; /* of repmgr.nodes; "" without repmgr */
};

/* ok no or unknown: why is a token or a text. Freed before done is called. */
typedef void (*primary_ask_fn)(struct act *a, enum answer ok,
    const struct primary_said *said, const char *why);
/* The server of the goal's node. */
struct primary_ask *primary_ask_start(
    struct act *a, primary_ask_fn done, struct error *err) MUST_CHECK;
void primary_ask_cancel(struct primary_ask *ask);

/* Caller frees. The string that reaches that server as whoever may read all
 * files, for a command line, which every account of the host can read: without
 * its password. NULL: libpq does not understand it. */
char *primary_ask_source(
    struct act *a, const struct primary_said *said, struct error *err);
/* That password, as the variable from which libpq takes it, for the program's
 * environment. Caller frees; NULL: there is none. */
char *primary_ask_secret(const struct primary_said *said);
/* Caller frees. What the standby is to have as primary_conninfo, from base or,
 * when that is NULL, from what repmgr has. NULL: libpq does not understand it.
 */
char *primary_ask_follow(
    const struct conf *conf, node_t node, const char *base, struct error *err);

#endif
