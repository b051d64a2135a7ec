/*
 * A real supervisord in a directory of its own. Its processes are known by a
 * variable of their environment, which they inherit, so that nothing that a
 * test starts outlives it.
 */
#include "suptest.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hawatch/loop.h"
#include "hawatch/supervisor.h"

static const char suptest_conf[] =
    "[unix_http_server]\n"
    "file=@/s.sock\n"
    "chmod=0700\n"
    "[supervisord]\n"
    "nodaemon=true\n"
    "user=root\n"
    "silent=true\n"
    "logfile=@/supervisord.log\n"
    "pidfile=@/supervisord.pid\n"
    "childlogdir=@\n"
    "[rpcinterface:supervisor]\n"
    "supervisor.rpcinterface_factory = "
    "supervisor.rpcinterface:make_main_rpcinterface\n";

static void
suptest_put(FILE *f, const struct suptest *s, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '@')
			fputs(s->dir, f);
		else
			fputc(*text, f);
	}
}

void
suptest_script(const struct suptest *s, const char *name, const char *text)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	f = fopen(path, "w");
	assert(f != NULL);
	suptest_put(f, s, text);
	fclose(f);
	assert(chmod(path, 0755) == 0);
}

void
suptest_new(struct suptest *s, const char *programs)
{
	memset(s, 0, sizeof(*s));
	snprintf(s->dir, sizeof(s->dir), "/tmp/suptest-XXXXXX");
	assert(mkdtemp(s->dir) != NULL);
	assert(chmod(s->dir, 0755) == 0);
	snprintf(s->socket, sizeof(s->socket), "%s/s.sock", s->dir);
	suptest_more(s, suptest_conf);
	suptest_more(s, programs);
}

void
suptest_more(const struct suptest *s, const char *text)
{
	char path[100];
	FILE *f;

	snprintf(path, sizeof(path), "%s/conf", s->dir);
	f = fopen(path, "a");
	assert(f != NULL);
	suptest_put(f, s, text);
	fclose(f);
}

void
suptest_quiet(void)
{
	int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
}

static void
suptest_exec(const struct suptest *s)
{
	char conf[100], mark[100];

	suptest_quiet();
	snprintf(conf, sizeof(conf), "%s/conf", s->dir);
	snprintf(mark, sizeof(mark), "SUPTEST=%s", s->dir);
	execle("/usr/bin/supervisord", "supervisord", "-n", "-c", conf, NULL,
	    (char *const[]){
		mark, (char *)(uintptr_t) "PATH=/usr/bin:/bin", NULL });
	_exit(127);
}

static void
suptest_nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
}

/* Any answer will do: it comes from a loop that turns, and by then the signals
 * are what they will be. */
static bool
suptest_answers(const struct suptest *s)
{
	static const char get[] = "GET / HTTP/1.0\r\n\r\n";
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = 10 };
	bool answers;
	char byte;
	int fd;

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", s->socket);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	answers = connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0 &&
		  write(fd, get, sizeof(get) - 1) == sizeof(get) - 1 &&
		  read(fd, &byte, 1) == 1;
	close(fd);
	return answers;
}

void
suptest_start(struct suptest *s)
{
	int i;

	assert(s->pid == 0);
	s->pid = fork();
	assert(s->pid != -1);
	if (s->pid == 0)
		suptest_exec(s);
	for (i = 0; !suptest_answers(s); i++) {
		assert(i < 4000);
		suptest_nap();
	}
}

/* Each turn of its loop ends one group of programs, and a turn takes a second
 * unless somebody asks for something. */
void
suptest_end(struct suptest *s, int signo)
{
	pid_t pid;
	int status;

	kill(s->pid, signo);
	while ((pid = waitpid(s->pid, &status, WNOHANG)) == 0) {
		(void)suptest_answers(s);
		suptest_nap();
	}
	assert(pid == s->pid);
	s->pid = 0;
}

static int
suptest_each(const struct suptest *s, int signo)
{
	char path[300], env[65536], mark[100];
	struct dirent *e;
	size_t len;
	FILE *f;
	DIR *d = opendir("/proc");
	int count = 0;

	snprintf(mark, sizeof(mark), "SUPTEST=%s", s->dir);
	while ((e = readdir(d)) != NULL) {
		snprintf(path, sizeof(path), "/proc/%s/environ", e->d_name);
		if (e->d_name[0] < '0' || e->d_name[0] > '9' ||
		    (f = fopen(path, "r")) == NULL)
			continue;
		len = fread(env, 1, sizeof(env), f);
		fclose(f);
		if (memmem(env, len, mark, strlen(mark) + 1) == NULL)
			continue;
		count++;
		if (signo != 0)
			kill((pid_t)atoi(e->d_name), signo);
	}
	closedir(d);
	return count;
}

int
suptest_processes(const struct suptest *s)
{
	return suptest_each(s, 0);
}

void
suptest_free(struct suptest *s)
{
	char command[100];

	if (s->pid != 0)
		suptest_end(s, SIGKILL);
	while (suptest_each(s, SIGKILL) != 0)
		suptest_nap();
	snprintf(command, sizeof(command), "rm -rf %s", s->dir);
	assert(system(command) == 0);
}

struct left {
	struct loop *loop;
	int count;
	bool done;
};

static void
left_cb(void *arg, int count)
{
	struct left *left = arg;

	left->count = count;
	left->done = true;
	loop_stop(left->loop);
}

int
suptest_left(struct loop *loop, const char *path)
{
	struct left left = { .loop = loop };

	assert(sup_left_start(loop, path, 10 * USEC_SEC, left_cb, &left));
	while (!left.done)
		loop_run(loop, NULL, NULL);
	return left.count;
}
