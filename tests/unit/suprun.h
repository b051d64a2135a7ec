/*
 * Works of hawatchd on the programs of a real supervisord, each run to its end.
 */
#ifndef SUPRUN_H
#define SUPRUN_H

#include "hawatch/http.h"
#include "hawatch/loop.h"
#include "hawatch/supervisor.h"
#include "suptest.h"

#define MS(t) ((long)((t) / USEC_MSEC))

struct suprun {
	struct suptest sup;
	struct loop *loop;
	struct http *web;
	struct timer *timer;
	int done;
	enum answer ans;
	char reason[64];
	pid_t pid;
	usec_t took;
	int count;
	struct sup_program program[SUP_PROGRAMS_MAX];
	struct sup_work *work;
};

int sr_setup(void **state);
int sr_teardown(void **state);

/* These record, and stop the loop; arg is the suprun. */
void sr_on_list(void *arg, const struct sup_list *list);
void sr_on_work(void *arg, enum answer ans, const char *reason, pid_t pid);
void sr_on_left(void *arg, int count);

void sr_run_for(struct suprun *f, usec_t t);
void sr_list(struct suprun *f, usec_t deadline);
void sr_work(struct suprun *f, struct sup_goal goal);
/* How the last of these two ended. */
void sr_expect(struct suprun *f, enum answer ans, const char *reason);

/* As supervisord shows it now. */
const struct sup_program *sr_program(struct suprun *f, const char *name);
void sr_wait_state(struct suprun *f, const char *name, enum sup_state state);
pid_t sr_started(struct suprun *f, const char *name);
/* Until the script has set its trap. */
void sr_wait_ready(struct suprun *f, const char *file);
/* In its directory; valid until the next call. */
const char *sr_path(struct suprun *f, const char *name);
bool sr_lives(pid_t pid);

#endif
