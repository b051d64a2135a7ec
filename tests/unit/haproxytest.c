/*
 * The real HAProxy of a test and the world around a run.
 */
#include "haproxytest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "hawatch/emit.h"
#include "hawatch/file.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define HAPT_LIMIT_MS 5000

static void hapt_exec(const char *dir);
static char *hapt_here(const char *text, const char *dir);
static void hapt_poll(int fd, short events);

void
hapt_start(struct hapt *h, const char *more, const char *proxies)
{
	char *global, *rest, *text, *path;
	struct error err;
	int fd, tries;

	str_cut(h->dir, sizeof(h->dir), "/tmp/hawatch-hap-XXXXXX");
	assert_non_null(mkdtemp(h->dir));
	(void)snprintf(h->admin, sizeof(h->admin), "%s/admin.sock", h->dir);
	global = hapt_here(more, h->dir);
	rest = hapt_here(proxies, h->dir);
	text = xasprintf("global\n stats socket %s level admin\n%s\n"
			 "defaults\n mode tcp\n timeout connect 2s\n"
			 " timeout client 60s\n timeout server 60s\n%s\n",
	    h->admin, global, rest);
	path = xasprintf("%s/haproxy.cfg", h->dir);
	assert_int_equal(file_replace(path, text, strlen(text), 0600, &err), 0);
	free(global);
	free(rest);
	free(text);
	free(path);
	h->pid = fork();
	assert_true(h->pid >= 0);
	if (h->pid == 0)
		hapt_exec(h->dir);
	for (tries = 0; tries < HAPT_LIMIT_MS / 10; tries++) {
		fd = hapt_connect(h->admin);
		if (fd != -1) {
			close(fd);
			return;
		}
		assert_int_equal(waitpid(h->pid, NULL, WNOHANG), 0);
		(void)poll(NULL, 0, 10);
	}
	fail_msg("haproxy does not answer");
}

static void
hapt_exec(const char *dir)
{
	int log;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || chdir(dir) == -1)
		_exit(126);
	log = open("log", O_WRONLY | O_CREAT, 0600);
	(void)dup2(log, 1);
	(void)dup2(log, 2);
	execlp("haproxy", "haproxy", "-db", "-f", "haproxy.cfg", (char *)NULL);
	_exit(127);
}

void
hapt_stop(struct hapt *h)
{
	char *command;

	if (h->pid <= 0)
		return;
	assert_int_equal(kill(h->pid, SIGKILL), 0);
	assert_int_equal(waitpid(h->pid, NULL, 0), h->pid);
	h->pid = 0;
	command = xasprintf("rm -rf %s", h->dir);
	assert_int_equal(system(command), 0);
	free(command);
}

void
hapt_freeze(const struct hapt *h)
{
	int status;

	assert_int_equal(kill(h->pid, SIGSTOP), 0);
	assert_int_equal(waitpid(h->pid, &status, WUNTRACED), h->pid);
	assert_true(WIFSTOPPED(status));
}

static char *
hapt_here(const char *text, const char *dir)
{
	char *out = xcalloc(1, strlen(text) * 40 + 1);
	char *to = out;

	while (*text != '\0')
		if (str_starts(text, "DIR")) {
			to = stpcpy(to, dir);
			text += 3;
		} else {
			*to++ = *text++;
		}
	return out;
}

static void
hapt_poll(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	assert_int_equal(poll(&p, 1, HAPT_LIMIT_MS), 1);
}

int
hapt_connect(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(str_copy(sun.sun_path, sizeof(sun.sun_path), path), 0);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	close(fd);
	return -1;
}

int
hapt_accept(int fd)
{
	hapt_poll(fd, POLLIN);
	return accept(fd, NULL, NULL);
}

int
hapt_closed(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char c;

	return poll(&p, 1, ms) == 1 && recv(fd, &c, 1, MSG_DONTWAIT) <= 0;
}

int
hapt_port(int *fd)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(s >= 0);
	assert_int_equal(bind(s, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(getsockname(s, (struct sockaddr *)&sin, &len), 0);
	if (fd == NULL) {
		close(s);
	} else {
		assert_int_equal(listen(s, 16), 0);
		*fd = s;
	}
	return ntohs(sin.sin_port);
}

char *
hapt_say(const struct hapt *h, const char *line)
{
	char *answer = xcalloc(1, 65536);
	size_t len = 0;
	ssize_t n;
	int fd = hapt_connect(h->admin);

	assert_true(fd >= 0);
	assert_true(dprintf(fd, "%s\n", line) > 0);
	for (;;) {
		hapt_poll(fd, POLLIN);
		n = read(fd, answer + len, 65535 - len);
		assert_true(n >= 0);
		if (n == 0)
			break;
		len += (size_t)n;
	}
	close(fd);
	return answer;
}

char *
hapt_column(const struct hapt *h, const char *backend, const char *server,
    const char *column)
{
	char *line = xasprintf("show servers state %s", backend);
	char *answer = hapt_say(h, line);
	char *rest = answer, *row, *word, *found = NULL;
	int at = -1, i;
	bool mine;

	free(line);
	while (found == NULL && (row = strsep(&rest, "\n")) != NULL) {
		mine = row[0] != '#';
		for (i = 0; (word = strsep(&row, " ")) != NULL; i++) {
			/* The header has a word more, its '#'. */
			if (!mine && strcmp(word, column) == 0)
				at = i - 1;
			if (mine && i == 3)
				mine = strcmp(word, server) == 0;
			if (mine && i > 3 && i == at)
				found = xstrdup(word);
		}
	}
	free(answer);
	assert_non_null(found);
	return found;
}

void
hapt_assert(const struct hapt *h, const char *backend, const char *server,
    const char *column, const char *want)
{
	char *is = hapt_column(h, backend, server, column);

	assert_string_equal(is, want);
	free(is);
}

void
hapt_await(const struct hapt *h, const char *backend, const char *server,
    const char *column, const char *want)
{
	int tries;
	bool so = false;
	char *is;

	for (tries = 0; tries < HAPT_LIMIT_MS / 10 && !so; tries++) {
		is = hapt_column(h, backend, server, column);
		so = strcmp(is, want) == 0;
		free(is);
		if (!so)
			(void)poll(NULL, 0, 10);
	}
	assert_true(so);
}

static void
world_sink(void *arg, enum level level, const char *line)
{
	struct world *w = arg;
	size_t len = strlen(w->events);

	(void)level;
	(void)snprintf(w->events + len, sizeof(w->events) - len, "%s\n", line);
}

static void
world_limit_cb(void *arg)
{
	struct world *w = arg;

	(void)w;
	fail_msg("the run does not end");
}

void
world_init(struct world *w)
{
	struct error err;
	struct conf *conf = &w->conf;

	memset(w, 0, sizeof(*w));
	conf->mode = MODE_AUTO;
	conf->node_count = 3;
	conf->node[0] = (struct conf_node){
		.name = "s1", .address = "127.0.0.1", .private_ip = "127.0.0.2"
	};
	conf->node[1] = (struct conf_node){
		.name = "s2", .address = "127.0.0.3", .private_ip = "127.0.0.4"
	};
	conf->node[2] = (struct conf_node){
		.name = "a1", .address = "127.0.0.5", .role = ROLE_WITNESS
	};
	w->loop = loop_new(&err);
	assert_non_null(w->loop);
	w->limit = timer_new(w->loop, world_limit_cb, w);
	emit_to(world_sink, w);
}

void
world_fini(struct world *w)
{
	traffic_free(w->traffic);
	timer_free(w->limit);
	loop_free(w->loop);
	emit_to(NULL, NULL);
}

struct conf_traffic *
world_balancer(
    struct world *w, const char *name, const char *socket, const char *backend)
{
	struct conf_traffic *t = &w->conf.traffic[w->conf.traffic_count++];

	*t = (struct conf_traffic){ .name = name,
		.type = "haproxy",
		.sockets = { socket },
		.backend = backend,
		.server = "${node}",
		.address = "",
		.timeout = 2 * USEC_SEC };
	return t;
}

void
world_done_cb(void *arg, enum answer ans, const char *reason)
{
	struct world *w = arg;

	w->ans = ans;
	w->calls++;
	str_cut(w->reason, sizeof(w->reason), reason);
	loop_stop(w->loop);
}

void
world_turn(struct world *w)
{
	timer_arm(w->limit, 10 * USEC_SEC);
	loop_run(w->loop, NULL, NULL);
	timer_disarm(w->limit);
}

void
world_run(struct world *w, node_t primary, nodeset_t out)
{
	const struct traffic_goal goal = { .primary = primary,
		.holder = primary == w->conf.self,
		.out = out };
	usec_t begun = clock_now().raw;

	if (w->traffic == NULL)
		w->traffic = traffic_new(w->loop, &w->conf);
	w->calls = 0;
	traffic_run(w->traffic, &goal, world_done_cb, w);
	assert_int_equal(w->calls, 0);
	world_turn(w);
	assert_int_equal(w->calls, 1);
	w->took = clock_now().raw - begun;
}

void
world_quiet(struct world *w)
{
	w->events[0] = '\0';
}

int
world_said(const struct world *w, const char *text)
{
	const char *s = w->events;
	int n = 0;

	while ((s = strstr(s, text)) != NULL) {
		n++;
		s++;
	}
	return n;
}
