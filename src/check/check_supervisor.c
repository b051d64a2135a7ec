/*
 * Check "supervisor": supervisord answers and each program of the list runs.
 * One question tells both: a supervisord that stops or restarts answers it with
 * a fault.
 *
 * A program on its way, STARTING or STOPPING, makes the answer unknown: a
 * restart says nothing about the host. Where it does not end, the check's state
 * grows old and is unknown by that. A program that ends again and again is seen
 * in BACKOFF, and that counts.
 */
#include <stdio.h>
#include <string.h>

#include "check/modules.h"
#include "hawatch/reason.h"
#include "hawatch/str.h"
#include "hawatch/supervisor.h"

/* "program-fatal:ballot-box program-exited:iam" */
#define CHECK_SUPERVISOR_REASON_MAX 160

struct check_supervisor_priv {
	struct sup_call *call; /* while a probe runs */
};

static int check_supervisor_start(struct check *c, struct error *err);
static void check_supervisor_cancel(struct check *c);

const struct check_ops check_supervisor = {
	.name = "supervisor",
	.priv_size = sizeof(struct check_supervisor_priv),
	.start = check_supervisor_start,
	.cancel = check_supervisor_cancel,
};

static void
check_supervisor_cancel(struct check *c)
{
	struct check_supervisor_priv *p = check_priv(c);

	sup_list_cancel(p->call);
	p->call = NULL;
}

static enum answer
check_supervisor_program(const struct sup_program *p)
{
	if (p == NULL)
		return ANS_NO;
	switch (p->state) {
	case SUP_RUNNING:
		return ANS_YES;
	case SUP_STARTING:
	case SUP_STOPPING:
		return ANS_UNKNOWN;
	case SUP_STOPPED:
	case SUP_BACKOFF:
	case SUP_EXITED:
	case SUP_FATAL:
	case SUP_UNKNOWN:
		break;
	}
	return ANS_NO;
}

/* One no is no; the reason has every program that gives the answer. */
static enum answer
check_supervisor_all(const struct conf_check *conf, const struct sup_list *list,
    char *reason, size_t size)
{
	const struct sup_program *p;
	enum answer ans, all = ANS_YES;
	size_t len = 0;
	int i, n;

	reason[0] = '\0';
	for (i = 0; i < CONF_LIST_MAX && conf->programs[i] != NULL; i++) {
		p = sup_find(list, conf->programs[i]);
		ans = check_supervisor_program(p);
		if (ans == ANS_YES || (ans == ANS_UNKNOWN && all == ANS_NO))
			continue;
		if (ans == ANS_NO && all != ANS_NO)
			len = 0;
		all = ans;
		n = snprintf(reason + len, size - len, "%s%s:%s",
		    len == 0 ? "" : " ",
		    p == NULL ? reason_str(REASON_program_missing) :
				sup_state_reason(p->state),
		    conf->programs[i]);
		if (n < 0 || (size_t)n >= size - len)
			reason[len] = '\0'; /* what fits, whole */
		else
			len += (size_t)n;
	}
	return all;
}

static void
check_supervisor_done_cb(void *arg, const struct sup_list *list)
{
	struct check *c = arg;
	struct check_supervisor_priv *p = check_priv(c);
	char reason[CHECK_SUPERVISOR_REASON_MAX];
	enum answer ans;

	p->call = NULL;
	if (list->ans != ANS_YES) {
		check_done(c, ANS_NO, list->reason);
		return;
	}
	ans = check_supervisor_all(check_conf(c), list, reason, sizeof(reason));
	check_done(c, ans, reason);
}

static int
check_supervisor_start(struct check *c, struct error *err)
{
	struct check_supervisor_priv *p = check_priv(c);
	const struct conf_check *conf = check_conf(c);

	p->call = sup_list_start(check_env(c)->web, conf->socket, conf->timeout,
	    check_supervisor_done_cb, c, err);
	return p->call == NULL ? -1 : 0;
}
