/*
 * One call of a method: the request, and what became of it in one word. What
 * follows from the answer is the caller's.
 */
#include "supervisor/rpc.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "hawatch/http.h"
#include "hawatch/mem.h"
#include "hawatch/reason.h"
#include "hawatch/str.h"

struct sup_rpc {
	struct http_call *call;
	char *socket;
	struct http_way way;
	void (*done)(void *arg, const struct sup_reply *reply);
	void *arg;
};

static void sup_rpc_done_cb(void *arg, const struct http_answer *ans);

struct sup_rpc *
sup_rpc_start(struct http *web, const char *socket, const char *method,
    const char *string, const bool *boolean, usec_t deadline,
    void (*done)(void *arg, const struct sup_reply *reply), void *arg,
    struct error *err)
{
	struct sup_rpc *rpc = xcalloc(1, sizeof(*rpc));
	struct http_request req = { .name = "localhost",
		.path = "/RPC2",
		.deadline = deadline,
		.answer_max = XMLRPC_SIZE_MAX };
	char *body;

	rpc->socket = xstrdup(socket);
	rpc->way.socket = rpc->socket;
	rpc->way.type = "text/xml";
	rpc->done = done;
	rpc->arg = arg;
	body = xmlrpc_request(method, string, boolean);
	req.way = &rpc->way;
	req.body = body;
	req.body_len = strlen(body);
	rpc->call = http_post(web, &req, sup_rpc_done_cb, rpc, err);
	free(body);
	if (rpc->call == NULL) {
		free(rpc->socket);
		free(rpc);
		return NULL;
	}
	return rpc;
}

void
sup_rpc_cancel(struct sup_rpc *rpc)
{
	if (rpc == NULL)
		return;
	http_cancel(rpc->call);
	free(rpc->socket);
	free(rpc);
}

static const char *
sup_rpc_read(const struct http_answer *ans, struct xmlrpc_answer *out)
{
	struct error err;

	if (ans->status == 0)
		return ans->reason;
	if (ans->status == 401)
		return reason_str(REASON_supervisor_login);
	if (ans->status != 200 ||
	    xmlrpc_parse(ans->body, ans->len, out, &err) == -1)
		return reason_str(REASON_garbage);
	if (out->fault == SUP_FAULT_SHUTDOWN)
		return reason_str(REASON_supervisor_stopping);
	return "";
}

static void
sup_rpc_done_cb(void *arg, const struct http_answer *ans)
{
	struct sup_rpc *rpc = arg;
	struct xmlrpc_answer answer = { 0 };
	struct sup_reply reply = { 0 };
	void (*done)(void *arg, const struct sup_reply *reply) = rpc->done;
	void *done_arg = rpc->arg;

	free(rpc->socket);
	free(rpc);
	reply.reason = sup_rpc_read(ans, &answer);
	reply.fault = answer.fault;
	reply.value = answer.value;
	done(done_arg, &reply);
	xmlrpc_answer_fini(&answer);
}

static int
sup_state_read(int64_t num, enum sup_state *out)
{
	static const enum sup_state states[] = { SUP_STOPPED, SUP_STARTING,
		SUP_RUNNING, SUP_BACKOFF, SUP_STOPPING, SUP_EXITED, SUP_FATAL,
		SUP_UNKNOWN };
	size_t i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (num == (int64_t)states[i]) {
			*out = states[i];
			return 0;
		}
	}
	return -1;
}

int
sup_program_read(const struct xmlrpc_value *v, struct sup_program *out)
{
	const char *name = xmlrpc_string(v, "name");
	const char *group = xmlrpc_string(v, "group");
	const char *spawnerr = xmlrpc_string(v, "spawnerr");
	const int64_t *state = xmlrpc_int(v, "state");
	const int64_t *pid = xmlrpc_int(v, "pid");
	const int64_t *start = xmlrpc_int(v, "start");
	const int64_t *now = xmlrpc_int(v, "now");

	memset(out, 0, sizeof(*out));
	if (name == NULL || group == NULL || spawnerr == NULL ||
	    state == NULL || pid == NULL || start == NULL || now == NULL)
		return -1;
	if (*pid < 0 || *pid > INT_MAX ||
	    sup_state_read(*state, &out->state) == -1)
		return -1;
	out->pid = (pid_t)*pid;
	out->start = *start;
	out->now = *now;
	str_cut(out->spawnerr, sizeof(out->spawnerr), spawnerr);
	if (str_copy(out->name, sizeof(out->name), name) == -1 ||
	    str_copy(out->group, sizeof(out->group), group) == -1)
		return 1;
	return 0;
}
