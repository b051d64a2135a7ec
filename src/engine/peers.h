/*
 * The other engines: questions, nudges, status; and the dispatch of what they
 * ask of this one.
 */
#ifndef HAWATCH_ENGINE_PEERS_H
#define HAWATCH_ENGINE_PEERS_H

#include <jansson.h>

#include "hawatch/core.h"
#include "hawatch/frontlink.h"

struct engine;
struct peers;

struct peers *peers_new(struct engine *e);
void peers_free(struct peers *p);
void peers_ask(struct peers *p, node_t node, const struct ask *ask);
void peers_nudge(struct peers *p, node_t node);
/* This host's report, taken; its answer is that node's. */
void peers_host(struct peers *p, node_t node, json_t *report);
/* Another engine's /v1/history; body is taken. */
void peers_history(struct peers *p, node_t node, char *body, usec_t deadline,
    void (*done)(void *arg, node_t node, const char *json, const char *why),
    void *arg);

/* peers_answer.c: what the others ask. */
struct asked_list;
struct asked_list *peers_asked_new(void);
void peers_asked_free(struct asked_list *l);
/* The core's answer to the question that came as the request of this id. */
void peers_answer(struct engine *e, const struct ask_answer *ans, node_t to);
/* front_request_fn; arg is the engine. */
void peers_request(void *engine, const struct front_request *req);

#endif
