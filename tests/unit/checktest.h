/*
 * The checks of what is around the database, each for one look, on a loop of
 * their own with a client of HTTP and the real hawatch-probe.
 */
#ifndef CHECKTEST_H
#define CHECKTEST_H

#include "check/modules.h"
#include "httptest.h"

struct checktest {
	struct loop *loop;
	struct http *web;
	struct probe *probe;
	struct httptest *server;
	struct conf conf;
	struct check_env env;
	char socket[100], ca[100];
	struct check_state st;
	int settled;
	struct timer *tick;
	usec_t ticked, gap; /* the longest round of the loop */
};

extern char checktest_pki[64]; /* of httptest_pki: prod-s2; a directory */
extern char checktest_reason[160];

/* For cmocka. */
int checktest_group_setup(void **state);
int checktest_group_teardown(void **state);
int checktest_setup(void **state);
int checktest_teardown(void **state);

/* As the schema fills it. */
struct conf_check checktest_row(const char *type);
/* Takes its state and stops the loop; arg: the checktest. */
void checktest_settled(void *arg, struct check *c);
/* One look by it; its reason is "" for yes, and in checktest_reason. */
const char *checktest_once(struct checktest *f, const struct conf_check *conf);

#endif
