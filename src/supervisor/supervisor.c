/*
 * What supervisord's programs do: one question, one list. Nothing is started or
 * stopped here.
 */
#include "hawatch/supervisor.h"

#include <stdlib.h>
#include <string.h>

#include "hawatch/mem.h"
#include "hawatch/reason.h"
#include "supervisor/rpc.h"

struct sup_call {
	struct sup_rpc *rpc;
	void (*done)(void *arg, const struct sup_list *list);
	void *arg;
};

static void sup_list_done_cb(void *arg, const struct sup_reply *reply);

const char *
sup_state_str(enum sup_state state)
{
	switch (state) {
	case SUP_STOPPED:
		return "STOPPED";
	case SUP_STARTING:
		return "STARTING";
	case SUP_RUNNING:
		return "RUNNING";
	case SUP_BACKOFF:
		return "BACKOFF";
	case SUP_STOPPING:
		return "STOPPING";
	case SUP_EXITED:
		return "EXITED";
	case SUP_FATAL:
		return "FATAL";
	case SUP_UNKNOWN:
		break;
	}
	return "UNKNOWN";
}

const char *
sup_state_reason(enum sup_state state)
{
	switch (state) {
	case SUP_STOPPED:
		return reason_str(REASON_program_stopped);
	case SUP_STARTING:
		return reason_str(REASON_program_starting);
	case SUP_RUNNING:
		return reason_str(REASON_program_running);
	case SUP_BACKOFF:
		return reason_str(REASON_program_backoff);
	case SUP_STOPPING:
		return reason_str(REASON_program_stopping);
	case SUP_EXITED:
		return reason_str(REASON_program_exited);
	case SUP_FATAL:
		return reason_str(REASON_program_fatal);
	case SUP_UNKNOWN:
		break;
	}
	return reason_str(REASON_program_unknown);
}

struct sup_call *
sup_list_start(struct http *web, const char *socket, usec_t deadline,
    void (*done)(void *arg, const struct sup_list *list), void *arg,
    struct error *err)
{
	struct sup_call *call = xcalloc(1, sizeof(*call));

	call->done = done;
	call->arg = arg;
	call->rpc = sup_rpc_start(web, socket, "supervisor.getAllProcessInfo",
	    NULL, NULL, deadline, sup_list_done_cb, call, err);
	if (call->rpc == NULL) {
		free(call);
		return NULL;
	}
	return call;
}

void
sup_list_cancel(struct sup_call *call)
{
	if (call == NULL)
		return;
	sup_rpc_cancel(call->rpc);
	free(call);
}

/* A program whose name does not fit is left out: half a name names another. */
static const char *
sup_list_read(const struct sup_reply *reply, struct sup_program *program,
    struct sup_list *list)
{
	const struct xmlrpc_value *v;
	int rc;

	if (reply->reason[0] != '\0')
		return reply->reason;
	if (reply->fault != 0)
		return reason_str(REASON_supervisor_fault);
	if (reply->value->type != XMLRPC_ARRAY)
		return reason_str(REASON_garbage);
	for (v = reply->value->first; v != NULL; v = v->next) {
		if (list->count == SUP_PROGRAMS_MAX)
			return reason_str(REASON_too_long);
		rc = sup_program_read(v, &program[list->count]);
		if (rc == -1)
			return reason_str(REASON_garbage);
		if (rc == 0)
			list->count++;
	}
	return "";
}

static void
sup_list_done_cb(void *arg, const struct sup_reply *reply)
{
	struct sup_call *call = arg;
	struct sup_program *program;
	struct sup_list list = { 0 };
	void (*done)(void *arg, const struct sup_list *list) = call->done;
	void *done_arg = call->arg;

	free(call);
	program = xcalloc(SUP_PROGRAMS_MAX, sizeof(*program));
	list.program = program;
	list.reason = sup_list_read(reply, program, &list);
	list.ans = list.reason[0] == '\0' ? ANS_YES : ANS_UNKNOWN;
	if (list.ans != ANS_YES)
		list.count = 0;
	done(done_arg, &list);
	free(program);
}

const struct sup_program *
sup_find(const struct sup_list *list, const char *program)
{
	const char *colon = strchr(program, ':');
	const char *name = colon == NULL ? program : colon + 1;
	size_t len =
	    colon == NULL ? strlen(program) : (size_t)(colon - program);
	int i;

	for (i = 0; i < list->count; i++)
		if (strcmp(list->program[i].name, name) == 0 &&
		    strlen(list->program[i].group) == len &&
		    memcmp(list->program[i].group, program, len) == 0)
			return &list->program[i];
	return NULL;
}
