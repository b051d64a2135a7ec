/*
 * Two lone hosts for tests of their register: each with its copy in a file and
 * with its worker, all real. In place of fronts and a network is a wire that a
 * test can cut, in place of the core what a test says.
 */
#ifndef PAIRTEST_H
#define PAIRTEST_H

#include <semaphore.h>

#include "engine/engine.h"
#include "engine/pair_server.h"
#include "engine/register.h"

#define A 0
#define B 1

enum wire {
	WIRE_UP,
	WIRE_DOWN, /* nothing comes to this host */
	WIRE_MUTE  /* what comes is done, and its answer is lost */
};

struct pairhost {
	node_t self;
	char dir[64];
	struct conf conf;
	struct engine e;
	enum wire wire;
	bool no_calls;	     /* it cannot even begin one */
	char polled[256];    /* its last long poll, as it was sent */
	struct durable seen; /* what its node remembers, */
	bool has_seen;	     /* if it does */
	int heard;	     /* how often its core heard of the other one */
	sem_t hold;
	int holds;
	/* What its register_none has told. */
	void *reg;
	int values, fails, reports, writes, shows;
	struct reg_value value;
	char why[256], show[2048];
	bool shown; /* show is no refusal */
	enum cas_result res;
	uint64_t written; /* the id of that */
};

/* To a request that pairtest_ask made. */
struct pairanswer {
	int status; /* 0: none yet */
	char json[2048];
	struct reg_value value; /* of a read */
	enum cas_result res;	/* of a write */
};

extern struct pairtest {
	struct loop *loop;
	struct pairhost host[2];
	struct pairanswer answer[128];
	int asked;
	int unsaved, warm, refused; /* events */
} pt;

/* For cmocka: both hosts run, nothing was ever written. */
int pairtest_setup(void **state);
int pairtest_teardown(void **state);

/* As by an end of the engine, and its next start. */
void pairtest_stop(struct pairhost *h);
void pairtest_start(struct pairhost *h);
/* The same, and fails as pair_server_new does. */
struct pair_server *pairtest_try(struct pairhost *h, struct error *err);
/* What is under way to that host is lost as well. */
void pairtest_wire(struct pairhost *h, enum wire how);
void pairtest_wire_end(void);
/* Its copy, as it is now. */
const struct pair_copy *pairtest_copy(const struct pairhost *h);
/* How many requests of that host are under way. */
int pairtest_calls(const struct pairhost *h);
/* The path of its file; lives as long as the process. */
const char *pairtest_file(const struct pairhost *h, const char *suffix);
/* What is in the file now. */
uint64_t pairtest_disk(const struct pairhost *h);

/* The same bytes in another file, under its name. */
void pairtest_copied(const struct pairhost *h);

/* Its disk is slow: nothing gets there, until let. */
void pairtest_hold(struct pairhost *h);
void pairtest_let(struct pairhost *h);
/* No disk has room for more than a few bytes. */
void pairtest_full(bool full);

/* A request of that node to h, and the number of its answer. */
int pairtest_ask(
    struct pairhost *h, node_t from, const char *path, const char *body);
/* A long poll by somebody who knows what h shows. */
int pairtest_poll(struct pairhost *h, int64_t wait_ms);
/* By one who knows something else. */
int pairtest_poll_as(
    struct pairhost *h, const struct reg_value *known, int64_t wait_ms);
int pairtest_send(struct pairhost *h, node_t from, const struct do_cas *cas);

/* A write upon what h has, by that node, in whose record that nonce is. */
struct do_cas pairtest_cas(
    const struct pairhost *h, node_t by, const char *nonce);
/* One of h itself: its end is in done and res of that. */
struct pairend {
	int done;
	enum cas_result res;
};
void pairtest_write(
    struct pairhost *h, const char *nonce, bool alone, struct pairend *end);
void pairtest_end(void *arg, uint64_t id, enum cas_result res);
/* The same to its end, which is a yes. */
void pairtest_put(struct pairhost *h, const char *nonce, bool alone);

/* Its register_none begins: from now on its copy and the other one are read. */
void pairtest_join(struct pairhost *h);
/* For cmocka: both have, and both copies have n1, and know it. */
int pairtest_setup_written(void **state);
/* That is the record that it told last. */
bool pairtest_shows(const struct pairhost *h, const char *nonce);
/* Begins a write by it. */
struct do_cas pairtest_reg_put(
    struct pairhost *h, const char *nonce, nodeset_t without);
/* The same, to its end, which is that. */
void pairtest_reg_write(struct pairhost *h, const char *nonce,
    nodeset_t without, enum cas_result res);
/* What it shows to a person, and what it says to one who adopts. */
const char *pairtest_reg_show(struct pairhost *h);
const char *pairtest_reg_adopt(struct pairhost *h);
/* The end of either; arg: the host. */
void pairtest_shown(void *arg, const char *json, const char *why);

/* Rounds of the loop until something is so, with a limit. */
#define UNTIL(cond) \
	do { \
		pairtest_patience(); \
		while (!(cond)) \
			pairtest_round(#cond, __FILE__, __LINE__); \
	} while (0)
void pairtest_patience(void);
void pairtest_round(const char *what, const char *file, int line);
/* All that can happen without waiting has happened. */
void pairtest_quiet(void);
/* So has what could within that time. */
void pairtest_pass(usec_t time);

#endif
