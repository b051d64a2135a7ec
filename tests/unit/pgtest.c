/*
 * A real PostgreSQL for the unit tests; see pgtest.h.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pgtest.h"

#define PGTEST_WAIT_SEC 20

#define need(cond) \
	do { \
		if (!(cond)) \
			pgtest_die(#cond, __LINE__); \
	} while (0)

static void pgtest_die(const char *what, int line) __attribute__((noreturn));
static pid_t pgtest_spawn(struct pgtest *pg, const char *const *argv);
static void pgtest_child(struct pgtest *pg, const char *const *argv)
    __attribute__((noreturn));
static void pgtest_settings(struct pgtest *pg, const char *settings);
static double pgtest_now(void);
static void pgtest_pause(void);
static int pgtest_signal(struct pgtest *pg, int signo);
static bool pgtest_is_ours(const struct stat *data, const char *pid);

static void
pgtest_die(const char *what, int line)
{
	fprintf(stderr, "pgtest.c:%d: %s: %s\n", line, what, strerror(errno));
	abort();
}

void
pgtest_bin(char *buf, size_t size, const char *name)
{
	glob_t g;

	need(glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &g) == 0);
	snprintf(buf, size, "%.*s/%s",
	    (int)(strrchr(g.gl_pathv[g.gl_pathc - 1], '/') -
		  g.gl_pathv[g.gl_pathc - 1]),
	    g.gl_pathv[g.gl_pathc - 1], name);
	globfree(&g);
}

void
pgtest_init(struct pgtest *pg)
{
	char initdb[128];
	struct passwd *pw;

	memset(pg, 0, sizeof(*pg));
	pw = getuid() == 0 ? getpwnam("postgres") : getpwuid(getuid());
	need(pw != NULL);
	pg->user = strdup(pw->pw_name);
	pg->port = pgtest_port();
	snprintf(pg->dir, sizeof(pg->dir), "/tmp/pgtest.XXXXXX");
	need(mkdtemp(pg->dir) != NULL);
	if (getuid() == 0)
		need(chown(pg->dir, pw->pw_uid, pw->pw_gid) == 0);
	snprintf(pg->data, sizeof(pg->data), "%s/data", pg->dir);
	snprintf(pg->conninfo, sizeof(pg->conninfo),
	    "host=%s port=%d user=%s dbname=postgres", pg->dir, pg->port,
	    pg->user);
	pgtest_bin(initdb, sizeof(initdb), "initdb");
	need(pgtest_run(pg, (const char *const[]){ initdb, "-D", pg->data, "-N",
				"-A", "trust", "--no-locale", "-E", "UTF8",
				"-U", pg->user, NULL }) == 0);
}

void
pgtest_start(struct pgtest *pg, const char *settings)
{
	pgtest_launch(pg, settings);
	pgtest_wait_ready(pg);
}

void
pgtest_launch(struct pgtest *pg, const char *settings)
{
	char postgres[128], port[12];

	need(pg->postmaster == 0);
	pgtest_settings(pg, settings);
	pgtest_bin(postgres, sizeof(postgres), "postgres");
	snprintf(port, sizeof(port), "%d", pg->port);
	pg->postmaster = pgtest_spawn(
	    pg, (const char *const[]){ postgres, "-D", pg->data, "-k", pg->dir,
		    "-h", "127.0.0.1", "-p", port, "-F", NULL });
}

static void
pgtest_settings(struct pgtest *pg, const char *settings)
{
	char path[128];
	FILE *f;

	if (settings == NULL)
		return;
	snprintf(path, sizeof(path), "%s/postgresql.auto.conf", pg->data);
	f = fopen(path, "w");
	need(f != NULL);
	fprintf(f, "%s\n", settings);
	need(fclose(f) == 0);
}

void
pgtest_wait_ready(struct pgtest *pg)
{
	double end = pgtest_now() + PGTEST_WAIT_SEC;
	char isready[128], port[12];

	pgtest_bin(isready, sizeof(isready), "pg_isready");
	snprintf(port, sizeof(port), "%d", pg->port);
	while (pgtest_run(pg, (const char *const[]){ isready, "-q", "-h",
				  pg->dir, "-p", port, NULL }) != 0) {
		need(waitpid(pg->postmaster, NULL, WNOHANG) == 0);
		need(pgtest_now() < end);
		pgtest_pause();
	}
}

void
pgtest_stop(struct pgtest *pg, int signo)
{
	double end = pgtest_now() + PGTEST_WAIT_SEC;
	pid_t pid;

	if (pg->postmaster == 0)
		return;
	kill(pg->postmaster, signo);
	while ((pid = waitpid(pg->postmaster, NULL, WNOHANG)) == 0) {
		need(pgtest_now() < end);
		pgtest_pause();
	}
	need(pid == pg->postmaster);
	pg->postmaster = 0;
}

void
pgtest_signal_all(struct pgtest *pg, int signo)
{
	double end = pgtest_now() + PGTEST_WAIT_SEC;

	/* A zombie has no working directory and is not counted. */
	while (pgtest_signal(pg, signo) > 0 && signo == SIGKILL) {
		need(pgtest_now() < end);
		pgtest_pause();
	}
}

/* By the device and inode of the working directory, as every process of an
 * instance works in its data directory. Returns how many there were. */
static int
pgtest_signal(struct pgtest *pg, int signo)
{
	struct dirent *d;
	struct stat data;
	DIR *proc;
	int n = 0;

	if (stat(pg->data, &data) == -1)
		return 0;
	proc = opendir("/proc");
	need(proc != NULL);
	while ((d = readdir(proc)) != NULL)
		if (pgtest_is_ours(&data, d->d_name) &&
		    kill((pid_t)atoi(d->d_name), signo) == 0)
			n++;
	closedir(proc);
	return n;
}

static bool
pgtest_is_ours(const struct stat *data, const char *pid)
{
	struct stat cwd;
	char path[300];

	if (atoi(pid) <= 1)
		return false;
	snprintf(path, sizeof(path), "/proc/%s/cwd", pid);
	return stat(path, &cwd) == 0 && cwd.st_dev == data->st_dev &&
	       cwd.st_ino == data->st_ino;
}

void
pgtest_free(struct pgtest *pg)
{
	if (pg->dir[0] == '\0')
		return;
	pgtest_signal_all(pg, SIGKILL);
	pgtest_stop(pg, SIGKILL);
	need(pgtest_run(pg, (const char *const[]){
				"/bin/rm", "-rf", pg->dir, NULL }) == 0);
	free((void *)(uintptr_t)pg->user);
	memset(pg, 0, sizeof(*pg));
}

int
pgtest_port(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	need(fd != -1);
	need(bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0);
	need(getsockname(fd, (struct sockaddr *)&sin, &len) == 0);
	close(fd);
	return ntohs(sin.sin_port);
}

int
pgtest_run(struct pgtest *pg, const char *const *argv)
{
	pid_t pid = pgtest_spawn(pg, argv);
	int status;

	need(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

int
pgtest_sql(struct pgtest *pg, const char *sql)
{
	char psql[128];

	pgtest_bin(psql, sizeof(psql), "psql");
	return pgtest_run(
	    pg, (const char *const[]){ psql, "-XqAt", "-v", "ON_ERROR_STOP=1",
		    "-d", pg->conninfo, "-c", sql, NULL });
}

static pid_t
pgtest_spawn(struct pgtest *pg, const char *const *argv)
{
	pid_t parent = getpid(), pid = fork();

	need(pid != -1);
	if (pid != 0)
		return pid;
	/* A test that is killed leaves no server behind. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	pgtest_child(pg, argv);
}

static void
pgtest_child(struct pgtest *pg, const char *const *argv)
{
	struct passwd *pw = getpwnam(pg->user);
	char log[128];
	sigset_t none;
	int fd;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (pw == NULL)
		_exit(127);
	if (getuid() == 0 &&
	    (initgroups(pg->user, pw->pw_gid) == -1 ||
		setgid(pw->pw_gid) == -1 || setuid(pw->pw_uid) == -1))
		_exit(127);
	/* Changing the user cleared it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	snprintf(log, sizeof(log), "%s/log", pg->dir);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd == -1)
		fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	dup2(fd, 1);
	dup2(fd, 2);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	dup2(fd, 0);
	unsetenv("LD_PRELOAD");
	if (chdir("/") == -1)
		_exit(127);
	execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

static double
pgtest_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Between two looks at a condition that has a deadline. */
static void
pgtest_pause(void)
{
	poll(NULL, 0, 5);
}
