/*
 * What the files of this folder share: one run of one agent.
 */
#ifndef HAWATCH_AGENT_I_H
#define HAWATCH_AGENT_I_H

#include "hawatch/agent.h"

#define AGENT_TEXT_MAX 160

enum agent_action { AGENT_OFF, AGENT_STATUS, AGENT_MONITOR };

/* ok: of off and monitor, whether it ended with 0; of status, whether the host
 * is off: yes, no (it is on), or unknown. text: why not, or what it printed
 * last, without any secret. */
typedef void (*agent_call_fn)(void *arg, enum answer ok, const char *text);

struct agent_env {
	struct loop *loop;
	struct worker *worker;
};

/* done is called once, not before this returned, and not long after the
 * deadline, unless it is cancelled; the call is freed after. */
struct agent_call;
struct agent_call *agent_call_start(const struct agent_env *env,
    const struct conf_agent *conf, enum agent_action action, usec_t deadline,
    agent_call_fn done, void *arg);
void agent_call_cancel(struct agent_call *call);
const char *agent_action_str(enum agent_action action);

/* agent_input.c: what an agent is given to read. Waits for a disk. */
#define AGENT_INPUT_MAX 8192
struct agent_input {
	char text[AGENT_INPUT_MAX];
	size_t len;
	char secret[CONF_LIST_MAX][512]; /* "" ends */
	char wrong[AGENT_TEXT_MAX];	 /* why there is none; "" */
};
void agent_input_make(struct agent_input *in, const struct conf_agent *conf,
    enum agent_action action);
/* The last line of output, printable, without what is secret. */
void agent_input_quote(const struct agent_input *in, const char *output,
    size_t len, char *text, size_t size);

#endif
