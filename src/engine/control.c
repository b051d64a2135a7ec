/*
 * The Unix socket on which hactl asks the engine: who may ask, one line of
 * JSON in, lines of JSON out. It knows nothing of what the verbs mean, and it
 * never waits: an asker that is slow, silent or too long is dropped.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>

#include <assert.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/engine.h"
#include "hawatch/emit.h"
#include "hawatch/exitcode.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/queue.h"
#include "hawatch/str.h"

#define CONTROL_CONNS 16
#define CONTROL_REQUEST_MAX ((size_t)16384)
#define CONTROL_ANSWER_MAX ((size_t)512 * 1024)
#define CONTROL_GROUPS_MAX 1024
#define CONTROL_ARRIVE (5 * USEC_SEC)
#define CONTROL_STALL (5 * USEC_SEC)
#define CONTROL_RESUME (100 * USEC_MSEC)

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

static int control_bind(struct control *c, struct error *err);
static int control_stale(const char *path, struct error *err);
static void control_accept_cb(void *arg, int what);
static void control_resume_cb(void *arg);
static bool control_may_ask(const struct control *c, int fd,
    const struct ucred *cred);
static void conn_new(struct control *c, int fd);
static void conn_ready_cb(void *arg, int what);
static void conn_late_cb(void *arg);
static void conn_read(struct conn *n);
static void conn_request(struct conn *n, size_t len);
static void conn_write(struct conn *n);
static void conn_append(struct conn *n, const char *json);
static void conn_refuse(struct conn *n, enum exitcode code, const char *why,
    const char *next);
static void conn_drop(struct conn *n, const char *reason);
static void conn_free_cb(void *arg);

struct control *
control_new(struct loop *loop, const char *path, const char *group,
    control_fn fn, void *arg, struct error *err)
{
	struct control *c;
	const struct group *gr;

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
	c->watch =
	    watch_new(loop, c->fd, WATCH_READ, control_accept_cb, c);
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
	c->fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
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
		/* The socket stays readable: without a pause this would spin. */
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
static bool
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

static void
conn_new(struct control *c, int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	struct conn *n;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1) {
		close(fd);
		return;
	}
	n = xcalloc(1, sizeof(*n));
	n->c = c;
	n->id = c->next_id++;
	n->fd = fd;
	n->uid = cred.uid;
	n->pid = cred.pid;
	n->watch = watch_new(c->loop, fd, WATCH_READ, conn_ready_cb, n);
	n->timer = timer_new(c->loop, conn_late_cb, n);
	timer_arm(n->timer, CONTROL_ARRIVE);
	TAILQ_INSERT_TAIL(&c->conns, n, entry);
	c->count++;
	if (!control_may_ask(c, fd, &cred))
		conn_refuse(n, EXITCODE_DENIED,
		    "only root and the members of the group of the "
		    "configuration may ask, and the front never",
		    "sudo hactl status");
	else if (c->count > CONTROL_CONNS)
		conn_refuse(n, EXITCODE_NO_ENGINE,
		    "too many askers at once", "hactl ping");
}

static void
conn_ready_cb(void *arg, int what)
{
	struct conn *n = arg;

	if (n->c == NULL)
		return;
	if ((what & WATCH_WRITE) != 0)
		conn_write(n);
	if (n->c != NULL && (what & WATCH_READ) != 0 && !n->asked)
		conn_read(n);
}

static void
conn_late_cb(void *arg)
{
	struct conn *n = arg;

	if (n->c == NULL)
		return;
	conn_drop(n, n->asked ? "answer-not-read" : "request-late");
}

static void
conn_read(struct conn *n)
{
	char *end;
	ssize_t got;

	if (n->in == NULL)
		n->in = xcalloc(1, CONTROL_REQUEST_MAX + 1);
	got = recv(
	    n->fd, n->in + n->in_len, CONTROL_REQUEST_MAX - n->in_len, 0);
	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		conn_drop(n, NULL);
		return;
	}
	end = memchr(n->in + n->in_len, '\n', (size_t)got);
	n->in_len += (size_t)got;
	if (end != NULL)
		conn_request(n, (size_t)(end - n->in));
	else if (n->in_len == CONTROL_REQUEST_MAX)
		conn_refuse(n, EXITCODE_USAGE,
		    "a request is one line of at most 16384 bytes",
		    "hactl --help");
}

static void
conn_request(struct conn *n, size_t len)
{
	char verb[32];
	struct error err;
	json_t *obj;
	int rc = -1;

	n->asked = true;
	watch_set(n->watch, 0);
	timer_disarm(n->timer);
	n->in[len] = '\0';
	obj = json_read(n->in, len, &err);
	if (obj != NULL)
		rc = json_want_string(obj, "verb", verb, sizeof(verb), &err);
	json_decref(obj);
	if (rc == -1)
		conn_refuse(n, EXITCODE_USAGE, err.msg, "hactl --help");
	else
		n->c->fn(n->c->arg, n->id, verb, n->in);
}

static void
conn_append(struct conn *n, const char *json)
{
	size_t len = strlen(json);

	if (n->out_len + len + 1 > CONTROL_ANSWER_MAX) {
		conn_drop(n, "answer-too-long");
		return;
	}
	n->out = xrealloc(n->out, n->out_len + len + 1, 1);
	memcpy(n->out + n->out_len, json, len);
	n->out[n->out_len + len] = '\n';
	n->out_len += len + 1;
	conn_write(n);
}

static void
conn_write(struct conn *n)
{
	ssize_t put;

	put = send(n->fd, n->out, n->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (put == -1 && errno != EAGAIN && errno != EINTR) {
		conn_drop(n, NULL);
		return;
	}
	if (put > 0) {
		n->out_len -= (size_t)put;
		memmove(n->out, n->out + put, n->out_len);
	}
	if (n->out_len == 0 && n->final) {
		conn_drop(n, NULL);
		return;
	}
	if (n->out_len == 0)
		timer_disarm(n->timer);
	else if (put > 0 || !timer_armed(n->timer))
		timer_arm(n->timer, CONTROL_STALL);
	watch_set(n->watch, n->out_len == 0 ? 0 : WATCH_WRITE);
}

static void
conn_refuse(struct conn *n, enum exitcode code, const char *why,
    const char *next)
{
	json_t *obj = json_object();
	char *text;

	json_put_i64(obj, "exit", code);
	json_put_string(obj, "refused", why);
	json_put_string(obj, "next", next);
	text = json_text(obj);
	json_decref(obj);
	n->asked = true;
	n->final = true;
	timer_disarm(n->timer);
	conn_append(n, text);
	free(text);
}

/* Out of the list at once, so that no reply finds it; its memory goes after
 * the callbacks of this turn, one of which may be its own. */
static void
conn_drop(struct conn *n, const char *reason)
{
	struct control *c = n->c;

	assert(c != NULL);
	if (reason != NULL)
		EMIT(control_drop, kv_s("reason", reason), kv_i("uid", n->uid),
		    kv_i("pid", n->pid));
	TAILQ_REMOVE(&c->conns, n, entry);
	c->count--;
	n->c = NULL;
	watch_set(n->watch, 0);
	timer_disarm(n->timer);
	loop_reap(c->loop, conn_free_cb, n);
}

static void
conn_free_cb(void *arg)
{
	struct conn *n = arg;

	watch_free(n->watch);
	timer_free(n->timer);
	close(n->fd);
	free(n->in);
	free(n->out);
	free(n);
}
