/*
 * The data of a primary that was left behind, for tests of what is done with
 * it: s1 was it, s2 has taken over. By PostgreSQL's own programs, and by
 * repmgr's commands.
 */
#ifndef FORKTEST_H
#define FORKTEST_H

#include "acttest.h"

#define FORKTEST_LIMIT (20 * USEC_SEC)

extern char forktest_state[96]; /* state_dir of s1 */
extern uint64_t forktest_epoch; /* 7, and of every action by forktest_run */

/* For cmocka, for each test. */
int forktest_setup(void **arg);
int forktest_setup_repmgr(void **arg);
int forktest_teardown(void **arg);
int forktest_teardown_repmgr(void **arg);
/* After all tests. */
void forktest_end(void);

/* As root, who alone may read what is saved; $1 s1's data, $2 the state. */
void forktest_shell(const char *text);
/* Promoted by hand: repmgr's rejoin wants to know of a primary. */
void forktest_promote(void);
/* Each of the two is a primary, and has a row that the other has not. */
void forktest_fork(void);
/* s1 dies. */
void forktest_dies(void);
/* Both of it, with the checkpoint after the promotion between them. */
void forktest_diverge(void);

/* To its end, which is a yes; g gets what was found. */
void forktest_run(struct acttest *t, enum act_kind kind, struct goal *g);
/* s1 as an isolated standby, which replays what it has and ends by itself. */
void forktest_recover(struct acttest *t);
/* Diverged, with the engine of s1 up, and that far. */
void forktest_ended(struct acttest *t);
/* The same, and it was found that it has to be rewound. */
void forktest_forked(struct acttest *t, struct goal *g);
/* s1 as the standby of s2, with what s2 has. */
void forktest_start(struct acttest *t);

/* Conditions. */
bool forktest_serves(void *arg); /* arg: a host; as a standby */
bool forktest_rewinds(void *arg);
bool forktest_done(void *arg); /* arg: the acttest */

#endif
