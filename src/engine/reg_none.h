/*
 * What the files of this kind of register share: reg_none.c reads both copies,
 * reg_none_write.c writes them.
 */
#ifndef HAWATCH_ENGINE_REG_NONE_H
#define HAWATCH_ENGINE_REG_NONE_H

#include "engine/pair_server.h"
#include "engine/register.h"

struct none_write {
	bool on;
	struct do_cas cas;
	struct http_call *call;
	usec_t until;
};

struct reg_none {
	struct register_env env;
	const struct conf_node *node; /* the other one */
	node_t other;
	struct timer *again, *ready; /* the poll; a write that waits */
	struct http_call *poll, *read, *show;
	usec_t poll_sent, read_sent;
	bool silent;
	struct reg_value seen; /* what the other copy said last; */
	usec_t seen_sent;      /* to a question of then */
	struct none_write write;
	register_shown shown;
	void *shown_arg;
	bool adopting;
};

/* reg_none.c */
struct http_call *none_post(struct reg_none *r, const char *path, char *body,
    usec_t deadline, void (*done)(void *, const struct http_answer *));
void none_read(void *reg);

/* reg_none_write.c */
void none_cas(void *reg, const struct do_cas *cas);
void none_ready_cb(void *arg);

#endif
