/*
 * One hawatch-front for the tests of a file: certificates once, a new process
 * for each test.
 */
#ifndef FRONTTEST_H
#define FRONTTEST_H

#include "front_harness.h"

extern struct front_harness fh;

int fh_group_setup(void **state);
int fh_group_teardown(void **state);
int fh_test_start(void **state);
/* Where the test has not ended it. */
int fh_test_stop(void **state);

/* The next request to the engine must be this one; returns its id. body NULL:
 * any. */
uint64_t fh_request(const char *peer, const char *path, const char *body);
/* The next line for the log must be of that, with that in its reason. */
void fh_log(const char *what, const char *why);

#endif
