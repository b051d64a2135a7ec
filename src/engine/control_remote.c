/*
 * Operators of other hosts at the control socket: the front hands their
 * requests in, and takes the answers line by line. From here on they are
 * requests like any other. One that was taken keeps its place until it is
 * answered, whether the asker still listens or not: so never more than these
 * few are worked on, however often somebody asks and hangs up.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/control.h"
#include "hawatch/emit.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define REMOTES_MAX 16
#define REMOTES_OF_ONE 8

static struct remote *
remote_find(const struct control *c, uint64_t id)
{
	struct remote *r;

	TAILQ_FOREACH(r, &c->remotes, entry) {
		if (r->id == id)
			return r;
	}
	return NULL;
}

/* One operator's scripts leave room for the others. */
static bool
remote_room(const struct control *c, const char *name)
{
	const struct remote *r;
	int all = 0, his = 0;

	TAILQ_FOREACH(r, &c->remotes, entry) {
		all++;
		his += strcmp(r->name, name) == 0;
	}
	return all < REMOTES_MAX && his < REMOTES_OF_ONE;
}

static void
remote_free(struct control *c, struct remote *r)
{
	TAILQ_REMOVE(&c->remotes, r, entry);
	free(r);
}

/* verb "": it could not be read. */
static void
remote_refuse(const struct control_asked *asked, const char *verb,
    enum exitcode code, const char *why, const char *next)
{
	char *text = control_refusal(code, why, next);

	EMIT(order_refused, kv_s("verb", verb), kv_s("operator", asked->name),
	    kv_s("why", why));
	asked->line(asked->arg, asked->request, text, true);
	free(text);
}

void
control_remote(struct control *c, const struct control_asked *asked,
    const char *body, size_t len)
{
	struct remote *r;
	struct error err;
	char verb[CONTROL_VERB_MAX];

	if (len >= CONTROL_REQUEST_MAX) {
		remote_refuse(asked, "", EXITCODE_USAGE,
		    "a request is one line of at most 16384 bytes",
		    "hactl --help");
		return;
	}
	if (control_verb(body, len, verb, sizeof(verb), &err) == -1) {
		remote_refuse(
		    asked, "", EXITCODE_USAGE, err.msg, "hactl --help");
		return;
	}
	if (!remote_room(c, asked->name)) {
		remote_refuse(asked, verb, EXITCODE_NO_ENGINE,
		    "too many askers at once", "hactl ping");
		return;
	}
	r = xcalloc(1, sizeof(*r));
	r->id = c->next_id++;
	r->asked = *asked;
	str_cut(r->name, sizeof(r->name), asked->name);
	str_cut(r->verb, sizeof(r->verb), verb);
	r->asked.name = r->name;
	TAILQ_INSERT_TAIL(&c->remotes, r, entry);
	c->fn(c->arg, r->id, verb, body);
}

bool
control_remote_reply(
    struct control *c, uint64_t id, const char *json, bool final)
{
	struct remote *r = remote_find(c, id);

	if (r == NULL)
		return false;
	r->sent += strlen(json) + 1;
	if (r->sent > CONTROL_ANSWER_MAX) {
		remote_refuse(&r->asked, r->verb, EXITCODE_LOCAL,
		    "the answer is longer than 512 kB", "hactl status");
		remote_free(c, r);
		return true;
	}
	r->asked.line(r->asked.arg, r->asked.request, json, final);
	if (final)
		remote_free(c, r);
	return true;
}

const char *
control_operator(const struct control *c, uint64_t id, bool *may_order)
{
	const struct remote *r = c == NULL ? NULL : remote_find(c, id);

	*may_order = r == NULL || r->asked.may_order;
	return r == NULL ? NULL : r->name;
}

const char *
control_remote_verb(const struct control *c, uint64_t id)
{
	const struct remote *r = remote_find(c, id);

	return r == NULL ? NULL : r->verb;
}

void
control_remote_free(struct control *c)
{
	struct remote *r;

	while ((r = TAILQ_FIRST(&c->remotes)) != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): taken out */
		remote_free(c, r);
}
