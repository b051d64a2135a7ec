/*
 * A command of an item, for the kinds that use commands.
 */
#ifndef CONVERGE_JOB_H
#define CONVERGE_JOB_H

#include "converge/converge_op.h"

/* ans: yes it ended with 0, no with something else, unknown it could not be
 * run or did not end in time; why says so in words, without its output. */
void opjob_run(struct op *op, const char *what, const char *const *argv,
    void (*done)(struct op *op, enum answer ans, const char *why));
void opjob_cancel(struct op *op);

#endif
