/*
 * The arbiter: serves the register of core/arbiter.c to the peers, from a file
 * of this host. What a reader or writer sees is on disk first.
 */
#ifndef HAWATCH_ENGINE_ARBITER_SERVER_H
#define HAWATCH_ENGINE_ARBITER_SERVER_H

#include "hawatch/error.h"
#include "hawatch/frontlink.h"

struct engine;
struct arbiter_server;

struct arbiter_server *arbiter_server_new(struct engine *e, struct error *err);
void arbiter_server_free(struct arbiter_server *s);
/* True when the path is one of the register's. from is the node that the
 * certificate named. */
bool arbiter_server_request(
    struct arbiter_server *s, node_t from, const struct front_request *req);
/* As it is shown to everybody. */
const struct record *arbiter_server_record(const struct arbiter_server *s);
/* Ends long polls whose time has come; returns when the next ends. */
usec_t arbiter_server_turn(struct arbiter_server *s, usec_t now);

#endif
