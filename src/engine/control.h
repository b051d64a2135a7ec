/*
 * What the two files of the control socket share.
 */
#ifndef HAWATCH_ENGINE_CONTROL_H
#define HAWATCH_ENGINE_CONTROL_H

#include <sys/socket.h>
#include <sys/types.h>

#include "engine/engine.h"
#include "hawatch/queue.h"

#define CONTROL_CONNS 16

struct conn {
	TAILQ_ENTRY(conn) entry;
	struct control *c; /* NULL once it is on its way to be freed */
	uint64_t id;
	int fd;
	uid_t uid;
	pid_t pid;
	struct watch *watch;
	struct timer *timer; /* request to arrive, then answer to be read */
	char *in;
	size_t in_len;
	char *out;
	size_t out_len;
	bool asked; /* the line was complete: nothing more is read */
	bool final; /* closed when out is empty */
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
};

bool control_may_ask(const struct control *c, int fd, const struct ucred *cred);

/* control_conn.c. fd is taken. */
void conn_new(struct control *c, int fd);
void conn_append(struct conn *n, const char *json);
/* Out of the list at once; its memory goes at the end of the turn. */
void conn_drop(struct conn *n, const char *reason);

#endif
