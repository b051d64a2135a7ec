/*
 * What the files of the control socket share, and how operators of other
 * hosts come to it.
 */
#ifndef HAWATCH_ENGINE_CONTROL_H
#define HAWATCH_ENGINE_CONTROL_H

#include <sys/socket.h>
#include <sys/types.h>

#include "engine/engine.h"
#include "hawatch/exitcode.h"
#include "hawatch/queue.h"

#define CONTROL_CONNS 16
#define CONTROL_VERB_MAX 32
#define CONTROL_REQUEST_MAX ((size_t)16384)
#define CONTROL_ANSWER_MAX ((size_t)512 * 1024)

struct conn {
	TAILQ_ENTRY(conn) entry;
	struct control *c; /* NULL once it is on its way to be freed */
	uint64_t id;
	int fd;
	uid_t uid;
	pid_t pid;
	char verb[CONTROL_VERB_MAX];
	struct watch *watch;
	struct timer *timer; /* request to arrive, then answer to be read */
	char *in;
	size_t in_len;
	char *out;
	size_t out_len;
	bool asked; /* the line was complete: nothing more is read */
	bool final; /* closed when out is empty */
};

/* An operator's request, which came through the front. */
struct control_asked {
	const char *name;
	bool may_order;
	uint64_t request; /* the front's number of it */
	/* A line of the answer; after the last nothing more comes. */
	void (*line)(void *arg, uint64_t request, const char *json, bool last);
	void *arg;
};

struct remote {
	TAILQ_ENTRY(remote) entry;
	uint64_t id;
	struct control_asked asked; /* its name is name */
	char name[NODE_NAME_MAX];
	char verb[CONTROL_VERB_MAX];
	size_t sent;
};

struct control {
	struct loop *loop;
	char *path;
	int fd;
	gid_t gid;
	uid_t refused_uid;
	bool refuses;
	struct watch *watch;
	struct timer *resume; /* after accept ran out of descriptors */
	control_fn fn;
	void *arg;
	uint64_t next_id;
	int count;
	TAILQ_HEAD(, conn) conns;
	TAILQ_HEAD(, remote) remotes;
};

bool control_may_ask(const struct control *c, int fd, const struct ucred *cred);

/* control_remote.c: the same request as on the socket. It is answered through
 * asked->line, perhaps before this returns. */
void control_remote(struct control *c, const struct control_asked *asked,
    const char *body, size_t len);
/* False: that is nobody's id. */
bool control_remote_reply(
    struct control *c, uint64_t id, const char *json, bool final);
void control_remote_free(struct control *c);
/* NULL: that is nobody's id. */
const char *control_remote_verb(const struct control *c, uint64_t id);

/* control_conn.c: what is asked, of a request in buf with a 0 after it. */
int control_verb(const char *buf, size_t len, char *verb, size_t size,
    struct error *err) MUST_CHECK;
/* The line that refuses; caller frees. */
char *control_refusal(
    enum exitcode code, const char *why, const char *next) MUST_CHECK;

/* fd is taken. */
void conn_new(struct control *c, int fd);
void conn_append(struct conn *n, const char *json);
/* Out of the list at once; its memory goes at the end of the turn. */
void conn_drop(struct conn *n, const char *reason);

#endif
