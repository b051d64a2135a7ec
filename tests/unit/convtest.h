/*
 * A host for tests of converging: a directory with files, a configuration made
 * in memory, services that are commands and write down what they are told.
 */
#ifndef CONVTEST_H
#define CONVTEST_H

#include "hawatch/conf.h"
#include "hawatch/converge.h"

#define CONV_SELF 0
#define CONV_OTHER 1

struct convtest {
	char dir[64];
	struct loop *loop;
	struct worker *worker;
	struct http *web;
	bool want_probe;
	struct probe *probe;
	struct conf conf;
	struct converge *c;
	struct timer *timer;
	void (*point)(const char *place);
	/* Of the last run. */
	int done;
	enum answer ans;
	char reason[256];
	bool (*until)(struct convtest *t);
};

void conv_open(struct convtest *t);
void conv_close(struct convtest *t);
/* Ends and begins anew, as the engine would. */
void conv_restart(struct convtest *t);
void conv_stop(struct convtest *t);

/* All of these return what lives as long as the process. */
const char *conv_path(struct convtest *t, const char *name);
void conv_write(struct convtest *t, const char *name, const char *text);
/* "" when it is not there. */
const char *conv_text(struct convtest *t, const char *name);
void conv_expect(struct convtest *t, const char *name, const char *text);
/* How many new files lie beside theirs. */
int conv_left(struct convtest *t);
void conv_wait_left(struct convtest *t);
int conv_count(struct convtest *t, const char *name, const char *line);

struct conf_item *conv_item(
    struct convtest *t, const char *name, enum conf_item_type type);
/* "^key=.*$" is to read "key=primary" or "key=standby". */
struct conf_item *conv_line(
    struct convtest *t, const char *name, const char *file, const char *key);
/* Restarting it writes its name to "log" and copies file to "seen-NAME". */
struct conf_item *conv_service(
    struct convtest *t, const char *name, const char *file);
void conv_on(struct conf_item *item, const char *cause);

void conv_start(struct convtest *t, enum conf_item_when when, node_t primary,
    uint64_t epoch);
/* Until the run is done; its answer. */
/* What stops for a handover, to its end: ans and reason. */
void conv_quiet(struct convtest *t, uint64_t epoch);
enum answer conv_run(struct convtest *t, enum conf_item_when when,
    node_t primary, uint64_t epoch);
/* Turns the loop until that, at most for 20 s. */
bool conv_wait(struct convtest *t, bool (*until)(struct convtest *t));
void conv_turn(struct convtest *t, usec_t how_long);
struct converge_state conv_state(struct convtest *t, const char *name);

/* In a child process that may end by SIGKILL at a point: its status. */
int conv_fork(struct convtest *t, const char *place, int nth,
    void (*fn)(struct convtest *t));

#endif
