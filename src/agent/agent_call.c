/*
 * One run of one agent, as a child with a deadline. Its secrets are read from
 * their files by the worker thread, each time anew, so that they can be
 * changed, and a disk that hangs holds up nothing but this.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "agent/agent_i.h"
#include "hawatch/emit.h"
#include "hawatch/job.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"
#include "hawatch/worker.h"

#define CALL_IS_ON 0
#define CALL_IS_OFF 2
#define CALL_OUTPUT_MAX ((size_t)8192)

/* The worker's, until it is read. */
struct agent_load {
	struct agent_call *call; /* NULL: cancelled meanwhile */
	const struct conf_agent *conf;
	enum agent_action action;
	struct agent_input in;
};

struct agent_call {
	const struct agent_env *env;
	const struct conf_agent *conf;
	enum agent_action action;
	usec_t started, until;
	struct agent_load *load;
	struct job *job;
	struct timer *timer; /* while it is read */
	agent_call_fn done;
	void *arg;
};

const char *
agent_action_str(enum agent_action action)
{
	static const char *const words[] = { [AGENT_OFF] = "off",
		[AGENT_STATUS] = "status",
		[AGENT_MONITOR] = "monitor" };

	return words[action];
}

static void
load_free(void *arg)
{
	struct agent_load *load = arg;

	explicit_bzero(load, sizeof(*load));
	free(load);
}

/* The worker ends before the calls do. */
static void
load_drop(void *arg)
{
	struct agent_load *load = arg;

	if (load->call != NULL)
		load->call->load = NULL;
	load_free(load);
}

static void
load_work(void *arg)
{
	struct agent_load *load = arg;

	agent_input_make(&load->in, load->conf, load->action);
}

static void
call_free(struct agent_call *call)
{
	timer_free(call->timer);
	free(call);
}

/* The only way to the end of a call. */
static void
call_end(struct agent_call *call, enum answer ok, const char *text)
{
	struct agent_call *c = call;

	if (c->action != AGENT_MONITOR)
		EMIT(agent_run, kv_s("agent", c->conf->name),
		    kv_s("node", c->conf->node),
		    kv_s("action", agent_action_str(c->action)),
		    kv_s("answer", answer_str(ok)), kv_s("reason", text),
		    kv_i("ms", (clock_now().raw - c->started) / USEC_MSEC));
	c->done(c->arg, ok, text);
	if (c->load != NULL)
		c->load->call = NULL;
	call_free(c);
}

/* What an exit says: nothing, unless it is one of the protocol's. */
static enum answer
call_answer(enum agent_action action, int status)
{
	if (!WIFEXITED(status))
		return action == AGENT_STATUS ? ANS_UNKNOWN : ANS_NO;
	if (action != AGENT_STATUS)
		return WEXITSTATUS(status) == 0 ? ANS_YES : ANS_NO;
	if (WEXITSTATUS(status) == CALL_IS_OFF)
		return ANS_YES;
	return WEXITSTATUS(status) == CALL_IS_ON ? ANS_NO : ANS_UNKNOWN;
}

static void
call_job_cb(void *arg, const struct job_result *res)
{
	struct agent_call *call = arg;
	enum answer ok = ANS_UNKNOWN;
	char text[AGENT_TEXT_MAX], said[AGENT_TEXT_MAX] = "";

	call->job = NULL;
	agent_input_quote(
	    &call->load->in, res->output, res->output_len, said, sizeof(said));
	if (res->late)
		str_cut(text, sizeof(text), "it did not end in time: killed");
	else if (res->status == -1)
		(void)snprintf(
		    text, sizeof(text), "it was not started: %.100s", said);
	else {
		ok = call_answer(call->action, res->status);
		if (WIFSIGNALED(res->status))
			(void)snprintf(text, sizeof(text), "ended by signal %d",
			    WTERMSIG(res->status));
		else
			(void)snprintf(text, sizeof(text), "status %d%s%.120s",
			    WEXITSTATUS(res->status),
			    said[0] == '\0' ? "" : ": ", said);
	}
	if (ok == ANS_UNKNOWN && call->action != AGENT_STATUS)
		ok = ANS_NO;
	load_free(call->load);
	call->load = NULL;
	call_end(call, ok, text);
}

static const char **
call_argv(const struct agent_call *call)
{
	const struct conf_agent *conf = call->conf;
	const char **argv = xcalloc(CONF_ARGV_MAX + 2, sizeof(*argv));
	int i;

	if (conf->agent[0] != '\0') {
		argv[0] = conf->agent;
		return argv;
	}
	for (i = 0; conf->command[i] != NULL; i++)
		argv[i] = conf->command[i];
	argv[i] = agent_action_str(call->action);
	return argv;
}

static void
call_run(struct agent_call *call)
{
	const struct agent_input *in = &call->load->in;
	const char **argv = call_argv(call);
	struct job_spec spec = { .argv = argv,
		.input = in->text,
		.input_len = in->len,
		.deadline = call->until - clock_now().raw,
		.output_max = CALL_OUTPUT_MAX,
		.keep_fd = -1,
		.kept = call->action == AGENT_OFF };
	struct error err;

	if (spec.deadline < USEC_MSEC)
		spec.deadline = USEC_MSEC;
	call->job = job_start(call->env->loop, &spec, call_job_cb, call, &err);
	free(argv);
	if (call->job != NULL)
		return;
	load_free(call->load);
	call->load = NULL;
	call_end(
	    call, call->action == AGENT_STATUS ? ANS_UNKNOWN : ANS_NO, err.msg);
}

static void
load_done(void *arg)
{
	struct agent_load *load = arg;
	struct agent_call *call = load->call;
	char wrong[AGENT_TEXT_MAX];

	if (call == NULL) {
		load_free(load);
		return;
	}
	timer_disarm(call->timer);
	if (load->in.wrong[0] == '\0') {
		call_run(call);
		return;
	}
	str_cut(wrong, sizeof(wrong), load->in.wrong);
	call->load = NULL;
	load_free(load);
	call_end(
	    call, call->action == AGENT_STATUS ? ANS_UNKNOWN : ANS_NO, wrong);
}

static void
call_timer_cb(void *arg)
{
	struct agent_call *call = arg;

	call_end(call, call->action == AGENT_STATUS ? ANS_UNKNOWN : ANS_NO,
	    "its secrets could not be read in time");
}

struct agent_call *
agent_call_start(const struct agent_env *env, const struct conf_agent *conf,
    enum agent_action action, usec_t deadline, agent_call_fn done, void *arg)
{
	struct agent_call *call = xcalloc(1, sizeof(*call));
	struct agent_load *load = xcalloc(1, sizeof(*load));

	call->env = env;
	call->conf = conf;
	call->action = action;
	call->started = clock_now().raw;
	call->until = call->started + deadline;
	call->done = done;
	call->arg = arg;
	call->load = load;
	call->timer = timer_new(env->loop, call_timer_cb, call);
	timer_arm(call->timer, deadline);
	load->call = call;
	load->conf = conf;
	load->action = action;
	worker_submit_own(env->worker, load_work, load_done, load_drop, load);
	return call;
}

void
agent_call_cancel(struct agent_call *call)
{
	if (call == NULL)
		return;
	if (call->job != NULL) {
		job_cancel(call->job);
		load_free(call->load);
	} else if (call->load != NULL) {
		call->load->call = NULL;
	}
	call_free(call);
}
