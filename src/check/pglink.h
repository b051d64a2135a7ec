/*
 * How hawatch connects to PostgreSQL, in one place, and the typed reading of
 * what comes back.
 */
#ifndef HAWATCH_PGLINK_H
#define HAWATCH_PGLINK_H

#include "hawatch/conf.h"
#include "hawatch/pgc.h"
#include "hawatch/types.h"

struct loop;

/* The local instance by its Unix socket. dbname NULL: the configured one;
 * options NULL: none. Caller pgc_free()s. */
struct pgc *pglink_local(struct loop *loop, const struct conf *conf,
    const char *dbname, const char *options);
/* A node's instance by its address and port. */
struct pgc *pglink_node(struct loop *loop, const struct conf *conf, node_t node,
    const char *options);

/* The same address, however it is written. */
bool pglink_same_address(const char *a, const char *b);

/* The node whose server that is, by address or by the node's name, and port.
 * NODE_NONE: none, or more than one server. */
node_t pglink_source(const struct conf *conf, const char *conninfo);

/* -1 when NULL or not of the type. */
int pglink_bool(
    const struct pgc_result *r, int row, int col, bool *out) MUST_CHECK;
int pglink_num(
    const struct pgc_result *r, int row, int col, int64_t *out) MUST_CHECK;
/* A position as a decimal number of bytes; NULL is 0. */
int pglink_lsn(
    const struct pgc_result *r, int row, int col, lsn_t *out) MUST_CHECK;

#endif
