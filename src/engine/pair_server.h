/*
 * This host's copy of the register of two lone hosts (core/pair.c): on disk,
 * for the engine here, and served to the other host's.
 */
#ifndef HAWATCH_ENGINE_PAIR_SERVER_H
#define HAWATCH_ENGINE_PAIR_SERVER_H

#include "hawatch/error.h"
#include "hawatch/frontlink.h"
#include "hawatch/pair.h"

struct engine;
struct pair_server;

/* What became of a change: it is on disk, or it was none. unknown: it may be on
 * disk. */
typedef void (*pair_done)(void *arg, uint64_t id, enum cas_result res);

struct pair_server *pair_server_new(struct engine *e, struct error *err);
void pair_server_free(struct pair_server *s);
/* changed: another one was written than by the calls below. */
void pair_server_watch(
    struct pair_server *s, void (*changed)(void *arg), void *arg);
/* As it is on disk; pair_look and pair_sure may be told of it. */
struct pair_copy *pair_server_copy(struct pair_server *s);
/* Of the engine here. done comes later, or at once, and with that id. */
void pair_server_cas(struct pair_server *s, const struct do_cas *cas,
    bool alone, uint64_t id, pair_done done, void *arg);
void pair_server_take(struct pair_server *s, const struct reg_value *other,
    uint64_t id, pair_done done, void *arg);
void pair_server_adopt(struct pair_server *s, const struct reg_value *other,
    uint64_t id, pair_done done, void *arg);
/* done comes no more. */
void pair_server_forget(struct pair_server *s, void *arg);

/* As arbiter_server_request and arbiter_server_turn. */
bool pair_server_request(
    struct pair_server *s, node_t from, const struct front_request *req);
usec_t pair_server_turn(struct pair_server *s, usec_t now);

#endif
