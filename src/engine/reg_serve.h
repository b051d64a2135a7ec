/*
 * What a server of a register does, whatever its rules: changes go to a file of
 * this host one at a time, and only when one is on disk does it become what
 * readers see and is its asker told; a reader may wait for the next. The rules
 * are those of arbiter_server.c and of pair_server.c.
 *
 * A full disk refuses writes; an fsync that fails ends the process, since then
 * nobody knows what the disk holds.
 */
#ifndef HAWATCH_ENGINE_REG_SERVE_H
#define HAWATCH_ENGINE_REG_SERVE_H

#include "hawatch/arbiter.h"
#include "hawatch/error.h"
#include "hawatch/frontlink.h"
#include "hawatch/queue.h"

struct engine;

/* The first member of what a server makes of it; freed here. */
struct reg_change {
	TAILQ_ENTRY(reg_change) entry;
	uint64_t id; /* of the request, or of the caller */
	bool hides;  /* before its end nobody is shown what is there */
};

struct reg_rules {
	/* What a reader is told. */
	void (*show)(const void *server, struct reg_value *v);
	/* True: image has to be written, and ended will come. Else its asker
	 * was told, and that is all. */
	bool (*apply)(
	    void *server, struct reg_change *c, struct arbiter *image);
	/* err NULL: the image is on disk, and is what there is. */
	void (*ended)(
	    void *server, struct reg_change *c, const struct error *err);
};

struct reg_serve {
	struct engine *e;
	const struct reg_rules *rules;
	void *server;
	char *path;
	struct reg_change *current; /* on its way to the disk; NULL: none */
	char *text;		    /* these three are the worker's meanwhile */
	struct error err;
	int result;
	int queued, waiting;
	TAILQ_HEAD(, reg_change) queue;
	TAILQ_HEAD(, reg_wait) waits;
	bool wake; /* who waits is to be told, as soon as nothing is hidden */
};

void serve_init(struct reg_serve *s, struct engine *e,
    const struct reg_rules *rules, void *server);
/* The worker is freed before. */
void serve_fini(struct reg_serve *s);

/* Both take what they are given. A request is refused where too many wait. */
void serve_change(struct reg_serve *s, struct reg_change *c);
void serve_request(struct reg_serve *s, struct reg_change *c);
/* Answers with the value: at once if it is another than the one that is named
 * there, else when it is, or at the time that is named. */
void serve_read(struct reg_serve *s, const struct front_request *req);
/* Refuses what cannot be read, and a record of another node than from. */
int serve_parse(const struct reg_serve *s, struct do_cas *cas, node_t from,
    const struct front_request *req, struct error *err) MUST_CHECK;
/* Answers those who have waited long enough; returns when the next have. */
usec_t serve_turn(struct reg_serve *s, usec_t now);

/* Takes body. */
void serve_reply(struct reg_serve *s, uint64_t id, int status, char *body);
void serve_refuse(
    struct reg_serve *s, uint64_t id, int status, const char *why);
/* A request that no node of ours makes. */
void serve_reject(struct reg_serve *s, const struct front_request *req,
    const struct error *err);

#endif
