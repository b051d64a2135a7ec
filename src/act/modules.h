/*
 * The action modules, one const instance for each kind, listed in acts.c.
 */
#ifndef HAWATCH_ACT_MODULES_H
#define HAWATCH_ACT_MODULES_H

#include "hawatch/act.h"

extern const struct act_ops act_stop;
extern const struct act_ops act_signal;
extern const struct act_ops act_begin;
extern const struct act_ops act_names;
extern const struct act_ops act_waiting;
extern const struct act_ops act_promote;
extern const struct act_ops act_settle;
extern const struct act_ops act_metadata;
extern const struct act_ops act_checkpoint;
extern const struct act_ops act_commit;
extern const struct act_ops act_follow;
extern const struct act_ops act_pullers;
extern const struct act_ops act_converge;
extern const struct act_ops act_traffic;
extern const struct act_ops act_site;
extern const struct act_ops act_quiet;
extern const struct act_ops act_files;
extern const struct act_ops act_aside;
extern const struct act_ops act_compare;
extern const struct act_ops act_save;
extern const struct act_ops act_rewind;
extern const struct act_ops act_clone;
extern const struct act_ops act_fence;

#endif
