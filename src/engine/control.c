/*
 * The Unix socket on which hactl asks the engine: where it is and who may ask.
 * What passes over a connection is in control_conn.c, what the verbs mean in
 * orders.c.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/control.h"
#include "engine/engine.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define CONTROL_GROUPS_MAX 1024
#define CONTROL_RESUME (100 * USEC_MSEC)

static int control_bind(struct control *c, struct error *err);
static int control_stale(const char *path, struct error *err);
static void control_accept_cb(void *arg, int what);
static void control_resume_cb(void *arg);
struct control *
control_new(struct loop *loop, const char *path, const char *group,
    control_fn fn, void *arg, struct error *err)
{
	struct control *c;
	const struct group *gr;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): no thread looks users up */
	gr = getgrnam(group);
	if (gr == NULL) {
		error_set(err, ERR_CONFIG,
		    "group %s does not exist: create it with "
		    "\"groupadd --system %s\"",
		    group, group);
		return NULL;
	}
	c = xcalloc(1, sizeof(*c));
	TAILQ_INIT(&c->conns);
	TAILQ_INIT(&c->remotes);
	c->loop = loop;
	c->path = xstrdup(path);
	c->gid = gr->gr_gid;
	c->fn = fn;
	c->arg = arg;
	c->next_id = 1;
	c->fd = -1;
	if (control_bind(c, err) == -1) {
		control_free(c);
		return NULL;
	}
	c->watch = watch_new(loop, c->fd, WATCH_READ, control_accept_cb, c);
	c->resume = timer_new(loop, control_resume_cb, c);
	return c;
}

void
control_free(struct control *c)
{
	struct conn *n;

	if (c == NULL)
		return;
	while ((n = TAILQ_FIRST(&c->conns)) != NULL)
		conn_drop(n, NULL);
	control_remote_free(c);
	watch_free(c->watch);
	timer_free(c->resume);
	if (c->fd != -1) {
		unlink(c->path);
		close(c->fd);
	}
	free(c->path);
	free(c);
}

/* The front must not give orders, whatever group it runs in: it is what the
 * network reaches first. */
void
control_refuse_user(struct control *c, const char *user)
{
	const struct passwd *pw;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): no thread looks users up */
	pw = getpwnam(user);
	if (pw == NULL || pw->pw_uid == 0)
		return;
	c->refused_uid = pw->pw_uid;
	c->refuses = true;
}

void
control_reply(struct control *c, uint64_t id, const char *json, bool final)
{
	struct conn *n;

	TAILQ_FOREACH(n, &c->conns, entry) {
		if (n->id == id)
			break;
	}
	if (n == NULL && control_remote_reply(c, id, json, final))
		return;
	if (n == NULL || n->final)
		return;
	n->final = final;
	conn_append(n, json);
}

bool
control_asker(const struct control *c, uint64_t id, uid_t *uid, pid_t *pid)
{
	const struct conn *n;

	TAILQ_FOREACH(n, &c->conns, entry) {
		if (n->id != id)
			continue;
		*uid = n->uid;
		*pid = n->pid;
		return true;
	}
	return false;
}

const char *
control_asked_for(const struct control *c, uint64_t id)
{
	const struct conn *n;
	const char *verb;

	if (c == NULL)
		return "";
	TAILQ_FOREACH(n, &c->conns, entry) {
		if (n->id == id)
			return n->verb;
	}
	verb = control_remote_verb(c, id);
	return verb == NULL ? "" : verb;
}

static int
control_bind(struct control *c, struct error *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	mode_t old;
	int rc;

	if (str_copy(sun.sun_path, sizeof(sun.sun_path), c->path) == -1)
		return error_set(err, ERR_CONFIG,
		    "%s: longer than %zu bytes, which a Unix socket allows: "
		    "write a shorter run_dir",
		    c->path, sizeof(sun.sun_path) - 1);
	if (control_stale(c->path, err) == -1)
		return -1;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd == -1)
		return error_sys(err, "socket for %s", c->path);
	/* Nobody can connect before listen, so the wrong owner is never
	 * served. */
	old = umask(0177);
	rc = bind(c->fd, (const struct sockaddr *)&sun, sizeof(sun));
	umask(old);
	if (rc == -1) {
		error_sys(err, "bind %s", c->path);
		close(c->fd);
		c->fd = -1;
		return -1;
	}
	if (chown(c->path, (uid_t)-1, c->gid) == -1)
		return error_sys(err, "chown %s", c->path);
	if (chmod(c->path, 0660) == -1)
		return error_sys(err, "chmod %s", c->path);
	if (listen(c->fd, CONTROL_CONNS) == -1)
		return error_sys(err, "listen %s", c->path);
	return 0;
}

/* Removes what a killed engine left; refuses to push aside a living one. */
static int
control_stale(const char *path, struct error *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct stat st;
	int fd, rc, saved;

	if (lstat(path, &st) == -1)
		return errno == ENOENT ? 0 : error_sys(err, "stat %s", path);
	if (!S_ISSOCK(st.st_mode))
		return error_set(err, ERR_CONFIG,
		    "%s: is there and is no socket: remove it", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return error_sys(err, "socket for %s", path);
	if (str_copy(sun.sun_path, sizeof(sun.sun_path), path) == -1)
		abort(); /* its caller has just copied it */
	rc = connect(fd, (const struct sockaddr *)&sun, sizeof(sun));
	saved = errno;
	close(fd);
	if (rc == 0 || saved == EAGAIN)
		return error_set(err, ERR_REFUSED,
		    "%s: another engine is listening there", path);
	if (unlink(path) == -1 && errno != ENOENT)
		return error_sys(err, "unlink %s", path);
	return 0;
}

static void
control_accept_cb(void *arg, int what)
{
	struct control *c = arg;
	int fd, i;

	for (i = 0; i < CONTROL_CONNS; i++) {
		fd = accept4(c->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd == -1)
			break;
		conn_new(c, fd);
	}
	if (i < CONTROL_CONNS &&
	    (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
		/* The socket stays readable: without a pause this would spin.
		 */
		watch_set(c->watch, 0);
		timer_arm(c->resume, CONTROL_RESUME);
	}
}

static void
control_resume_cb(void *arg)
{
	struct control *c = arg;

	watch_set(c->watch, WATCH_READ);
}

/* The groups come from the kernel, as they were when the peer connected: the
 * name service may ask a server on the network, and the loop does not wait. */
bool
control_may_ask(const struct control *c, int fd, const struct ucred *cred)
{
	gid_t groups[CONTROL_GROUPS_MAX];
	socklen_t len = sizeof(groups);
	size_t i;

	if (cred->uid == 0)
		return true;
	if (c->refuses && cred->uid == c->refused_uid)
		return false;
	if (cred->gid == c->gid)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == -1)
		return false;
	for (i = 0; i < len / sizeof(groups[0]); i++) {
		if (groups[i] == c->gid)
			return true;
	}
	return false;
}
