/*
 * Starting the real hawatch-front as the engine does, and speaking to both of
 * its sides with deadlines. Failing here fails the test: it aborts.
 */
#include "front_harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hawatch/companion.h"
#include "hawatch/json.h"
#include "hawatch/pki.h"

#define FH_DEADLINE_SEC 10

void
fh_must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "harness: %s: %s\n", what, strerror(errno));
	abort();
}

usec_t
fh_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (usec_t)ts.tv_sec * USEC_SEC + ts.tv_nsec / 1000;
}

void
fh_pki(struct front_harness *h)
{
	struct error err = { 0 };
	char other[128];

	strcpy(h->dir, "/tmp/hawatch-front-XXXXXX");
	fh_must(mkdtemp(h->dir) != NULL, "mkdtemp");
	(void)snprintf(other, sizeof(other), "%s/other", h->dir);
	if (pki_init(h->dir, "test", &err) == -1 ||
	    pki_node(h->dir, "s1", "127.0.0.1", &err) == -1 ||
	    pki_node(h->dir, "s2", "127.0.0.2", &err) == -1 ||
	    pki_node(h->dir, "stranger", "127.0.0.3", &err) == -1 ||
	    pki_operator(h->dir, "ann", &err) == -1 ||
	    pki_operator(h->dir, "bob", &err) == -1 ||
	    pki_operator(h->dir, "eve", &err) == -1 ||
	    pki_init(other, "other", &err) == -1 ||
	    pki_operator(other, "ann", &err) == -1 ||
	    pki_node(other, "s2", "127.0.0.2", &err) == -1) {
		fprintf(stderr, "harness: %s\n", err.msg);
		abort();
	}
}

void
fh_clean(struct front_harness *h)
{
	char cmd[128];

	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", h->dir);
	fh_must(system(cmd) == 0, "rm");
}

static void
fh_program(struct front_harness *h)
{
	char dir[400];
	ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);

	fh_must(n > 0, "readlink");
	dir[n] = '\0';
	*strrchr(dir, '/') = '\0';
	(void)snprintf(h->program, sizeof(h->program),
	    "%s/../../src/front/hawatch-front", dir);
}

static void
fh_config(struct front_harness *h, int max, usec_t idle)
{
	static const char *const files[] = { "ca", "cert", "key" };
	static const char *const names[] = { "ca.pem", "s1.pem", "s1.key" };
	char path[128];
	bool root = geteuid() == 0;
	json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:i,s:i,s:i,s:I,"
			      "s:i,s:[{s:s,s:s},{s:s,s:s}],s:[s,s]}",
	    "cluster", "test", "self", "s1", "ping_body", "Web services are UP",
	    "health_address", "127.0.0.1", "peer_address", "127.0.0.1",
	    "health_port", h->health_port, "peer_port", h->peer_port, "uid",
	    root ? 65534 : (int)getuid(), "gid", root ? 65534 : (int)getgid(),
	    "connections_max", max, "idle", (json_int_t)idle, "generation", 7,
	    "nodes", "name", "s1", "address", "127.0.0.1", "name", "s2",
	    "address", "127.0.0.2", "operators", "ann", "bob");
	size_t i;

	fh_must(o != NULL, "json");
	for (i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", h->dir, names[i]);
		json_put_string(o, files[i], path);
	}
	fh_send(h, json_pack("{s:o}", "config", o));
}

void
fh_spawn(struct front_harness *h, int connections_max, usec_t idle)
{
	const gid_t extra = 4242;
	int sv[2];

	signal(SIGPIPE, SIG_IGN);
	fh_program(h);
	memset(&h->in, 0, sizeof(h->in));
	fh_must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == 0,
	    "socketpair");
	h->pid = fork();
	if (h->pid == 0) {
		/* A right that it must give up. */
		if (geteuid() == 0 && setgroups(1, &extra) == -1)
			_exit(127);
		if (sv[1] == COMPANION_FD ? fcntl(sv[1], F_SETFD, 0) == -1 :
					    dup2(sv[1], COMPANION_FD) == -1)
			_exit(127);
		execl(h->program, h->program, (char *)NULL);
		_exit(127);
	}
	fh_must(h->pid > 0, "fork");
	close(sv[1]);
	h->link = sv[0];
	fh_config(h, connections_max, idle);
}

void
fh_start(struct front_harness *h, int connections_max, usec_t idle)
{
	json_t *frame;

	h->health_port = fh_free_port();
	h->peer_port = fh_free_port();
	fh_spawn(h, connections_max, idle);
	frame = fh_next(h, FH_DEADLINE_SEC * 1000);
	fh_must(frame != NULL && json_object_get(frame, "ready") != NULL,
	    "the front is not ready");
	json_decref(frame);
}

int
fh_stop(struct front_harness *h)
{
	usec_t end = fh_now() + FH_DEADLINE_SEC * USEC_SEC;
	int status;

	if (h->link != -1)
		close(h->link);
	h->link = -1;
	frame_in_fini(&h->in);
	while (waitpid(h->pid, &status, WNOHANG) == 0) {
		fh_must(fh_now() < end, "the front does not end");
		(void)poll(NULL, 0, 5);
	}
	h->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void
fh_raw(struct front_harness *h, const void *bytes, size_t len)
{
	fh_must(send(h->link, bytes, len, MSG_NOSIGNAL) == (ssize_t)len,
	    "write the link");
}

void
fh_send(struct front_harness *h, json_t *frame)
{
	size_t len;
	char *bytes = frame_pack(frame, &len);

	fh_must(bytes != NULL, "frame");
	fh_raw(h, bytes, len);
	free(bytes);
	json_decref(frame);
}

json_t *
fh_next(struct front_harness *h, int ms)
{
	usec_t end = fh_now() + ms * USEC_MSEC, left;
	struct pollfd pfd = { .fd = h->link, .events = POLLIN };
	struct error err;
	json_t *frame;
	int rc;

	for (;;) {
		rc = frame_in_next(&h->in, &frame, &err);
		if (rc != 0)
			return rc == 1 ? frame : NULL;
		left = end - fh_now();
		if (left <= 0 ||
		    poll(&pfd, 1, (int)(left / USEC_MSEC) + 1) <= 0)
			return NULL;
		if (frame_in_read(&h->in, h->link, &err) == -1)
			return NULL;
	}
}

json_t *
fh_want(struct front_harness *h, const char *key, int ms)
{
	usec_t end = fh_now() + ms * USEC_MSEC;
	json_t *frame;

	while (
	    (frame = fh_next(h, (int)((end - fh_now()) / USEC_MSEC))) != NULL) {
		if (json_object_get(frame, key) != NULL)
			return frame;
		json_decref(frame);
	}
	return NULL;
}

void
fh_snap(struct front_harness *h, const struct fh_snap *s)
{
	const usec_t in[3] = { s->fresh, s->primary, s->standby };
	json_int_t at[3];
	int i;

	for (i = 0; i < 3; i++)
		at[i] = in[i] == 0 || in[i] == USEC_NEVER ? in[i] :
							    fh_now() + in[i];
	fh_send(h, json_pack("{s:{s:I,s:I,s:I,s:I,s:b,s:s}}", "snap", "fresh",
		       at[0], "primary", at[1], "standby", at[2], "lag",
		       (json_int_t)s->lag, "healthy", !s->unhealthy, "reasons",
		       s->reasons == NULL ? "" : s->reasons));
	fh_send(h, json_pack("{s:s}", "doc",
		       s->status == NULL ? "{\"schema\":1}" : s->status));
}

void
fh_reply(struct front_harness *h, uint64_t id, const char *body)
{
	fh_send(h, json_pack("{s:I,s:i,s:s}", "reply", (json_int_t)id, "status",
		       200, "body", body));
}

static struct sockaddr_in
fh_address(const char *address, int port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port) };

	fh_must(inet_pton(AF_INET, address, &sa.sin_addr) == 1, "address");
	return sa;
}

int
fh_free_port(void)
{
	struct sockaddr_in sa = fh_address("127.0.0.1", 0);
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	fh_must(bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 &&
		    getsockname(fd, (struct sockaddr *)&sa, &len) == 0,
	    "free port");
	close(fd);
	return ntohs(sa.sin_port);
}

/* -1: nobody listens there. */
static int
fh_open(int port, const char *from)
{
	const struct timeval tv = { FH_DEADLINE_SEC, 0 };
	struct sockaddr_in to = fh_address("127.0.0.1", port), src;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	fh_must(fd != -1, "socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (from != NULL) {
		src = fh_address(from, 0);
		fh_must(bind(fd, (struct sockaddr *)&src, sizeof(src)) == 0,
		    "bind");
	}
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	fh_must(errno == ECONNREFUSED, "connect");
	close(fd);
	return -1;
}

int
fh_connect(int port, const char *from)
{
	int fd = fh_open(port, from);

	fh_must(fd != -1, "connect");
	return fd;
}

bool
fh_write(int fd, const char *text)
{
	size_t len = strlen(text);

	return send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* Whether buf has a whole answer; HEAD answers end with their head. */
bool
fh_whole(const char *buf, size_t len)
{
	const char *end = strstr(buf, "\r\n\r\n");
	const char *field = strstr(buf, "Content-Length: ");

	return end != NULL && field != NULL &&
	       len >= (size_t)(end + 4 - buf) + strtoul(field + 16, NULL, 10);
}

int
fh_status(const char *buf)
{
	return strncmp(buf, "HTTP/1.1 ", 9) == 0 ? atoi(buf + 9) : 0;
}

int
fh_answer(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	buf[0] = '\0';
	while (len + 1 < size && !fh_whole(buf, len)) {
		n = recv(fd, buf + len, size - len - 1, 0);
		if (n <= 0)
			break;
		len += (size_t)n;
		buf[len] = '\0';
	}
	return fh_status(buf);
}

int
fh_ask(int port, const char *request, char *buf, size_t size)
{
	int fd = fh_open(port, NULL), status;

	buf[0] = '\0';
	if (fd == -1)
		return 0;
	status = fh_write(fd, request) ? fh_answer(fd, buf, size) : 0;
	close(fd);
	return status;
}

int
fh_get(int port, const char *path, char *buf, size_t size)
{
	char request[256];

	(void)snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
	return fh_ask(port, request, buf, size);
}

bool
fh_has(const char *answer, const char *text)
{
	return strstr(answer, text) != NULL;
}
