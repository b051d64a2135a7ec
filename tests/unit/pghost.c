/*
 * One server of the pair: its processes, its files, psql, and the turning of
 * the loop while it works; see pgpair.h.
 */
#include "pgpair_i.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hawatch/loop.h"

#define PUMP_LOOK (10 * USEC_MSEC)

char pair_bin[100];
int pair_port;

void
pgpair_die(const char *what, int line)
{
	fprintf(stderr, "pgpair: %d: %s: %s\n", line, what, strerror(errno));
	abort();
}

double
pair_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* As PostgreSQL's user; what it says goes to out. */
static pid_t
pgpair_spawn(const char *const *argv, int out)
{
	struct passwd *pw = getpwnam("postgres");
	pid_t parent = getpid(), pid;
	sigset_t none;
	int null;

	need(pw != NULL);
	pid = fork();
	need(pid != -1);
	if (pid != 0)
		return pid;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (getuid() == 0 &&
	    (initgroups("postgres", pw->pw_gid) == -1 ||
		setgid(pw->pw_gid) == -1 || setuid(pw->pw_uid) == -1))
		_exit(127);
	/* A test that is killed leaves no server behind. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	dup2(null, 0);
	dup2(out == -1 ? null : out, 1);
	dup2(out == -1 ? null : out, 2);
	unsetenv("LD_PRELOAD");
	if (chdir("/") == -1)
		_exit(127);
	execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

int
pgpair_run(const char *const *argv)
{
	pid_t pid = pgpair_spawn(argv, -1);
	int status;

	need(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

pid_t
pgpair_start(const char *const *argv)
{
	return pgpair_spawn(argv, -1);
}

const char *
pgpair_program(const char *name)
{
	static char path[4][128];
	static int turn;
	char *buf = path[turn++ % 4];

	snprintf(buf, 128, "%s/%s", pair_bin, name);
	return buf;
}

void
pghost_launch(struct pghost *h)
{
	char lock[128];
	int log;

	/* It may name a zombie, which PostgreSQL takes for a living one. */
	snprintf(lock, sizeof(lock), "%s/.s.PGSQL.%d.lock", h->dir, pair_port);
	unlink(lock);
	log = open(h->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	need(log != -1 && fchmod(log, 0666) == 0);
	h->postmaster = pgpair_spawn(
	    (const char *const[]){ pgpair_program("postgres"), "-D", h->data,
		h->option == NULL ? NULL : "-c", h->option, NULL },
	    log);
	close(log);
}

void
pghost_wait_ready(struct pghost *h)
{
	double end = pair_ms() + PAIR_WAIT_MS;

	while (pghost_sql(h, "SELECT 1", NULL, 0) != 0) {
		need(pair_ms() < end);
		poll(NULL, 0, 5);
	}
}

void
pghost_reap(struct pghost *h)
{
	if (h->postmaster != 0)
		need(waitpid(h->postmaster, NULL, 0) == h->postmaster);
	h->postmaster = 0;
}

static bool
pghost_is(struct pghost *h, pid_t pid, const char *word)
{
	struct stat data, cwd;
	char path[64], text[256], *state;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cwd", pid);
	if (stat(h->data, &data) == -1 || stat(path, &cwd) == -1 ||
	    data.st_ino != cwd.st_ino || data.st_dev != cwd.st_dev)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/%s", pid,
	    word == NULL ? "stat" : "cmdline");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd == -1 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd != -1)
		close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	if (word != NULL)
		return strstr(text, word) != NULL;
	state = strrchr(text, ')');
	return state != NULL && state[2] != 'Z' && state[2] != 'X';
}

int
pghost_signal(struct pghost *h, int signo, const char *word)
{
	struct dirent *d;
	DIR *proc = opendir("/proc");
	int n = 0;

	need(proc != NULL);
	while ((d = readdir(proc)) != NULL)
		if (atoi(d->d_name) > 1 &&
		    pghost_is(h, (pid_t)atoi(d->d_name), word)) {
			kill((pid_t)atoi(d->d_name), signo);
			n++;
		}
	closedir(proc);
	return n;
}

int
pghost_count(struct pghost *h)
{
	return pghost_signal(h, 0, NULL);
}

bool
pghost_has(struct pghost *h, const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", h->data, name);
	return access(path, F_OK) == 0;
}

static pid_t
pghost_psql_to(struct pghost *h, const char *sql, int out)
{
	char info[200];

	snprintf(info, sizeof(info),
	    "host=%s port=%d user=postgres dbname=postgres", h->dir, pair_port);
	return pgpair_spawn(
	    (const char *const[]){ pgpair_program("psql"), "-XqAt", "-v",
		"ON_ERROR_STOP=1", "-d", info, "-c", sql, NULL },
	    out);
}

bool
pghost_true(struct pghost *h, const char *sql)
{
	char buf[16];

	return pghost_sql(h, sql, buf, sizeof(buf)) == 0 && buf[0] == 't';
}

bool
pghost_nobody_waits(void *arg)
{
	(void)arg;
	return pghost_true(&pgpair_one.host[PAIR_S1],
	    "SELECT count(*) = 0 FROM pg_stat_activity"
	    " WHERE wait_event = 'SyncRep'");
}

pid_t
pghost_psql(struct pghost *h, const char *sql)
{
	return pghost_psql_to(h, sql, -1);
}

int
pghost_sql(struct pghost *h, const char *sql, char *buf, size_t size)
{
	int fd[2], status;
	size_t used = 0;
	ssize_t n;
	pid_t pid;

	need(pipe2(fd, O_CLOEXEC) == 0);
	pid = pghost_psql_to(h, sql, buf == NULL ? -1 : fd[1]);
	close(fd[1]);
	while (buf != NULL && used < size - 1 &&
	       (n = read(fd[0], buf + used, size - 1 - used)) > 0)
		used += (size_t)n;
	close(fd[0]);
	if (buf != NULL) {
		buf[used] = '\0';
		buf[strcspn(buf, "\n")] = '\0';
	}
	need(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

struct pump {
	struct loop *loop;
	bool (*cond)(void *arg);
	void *arg;
	struct timer *look; /* what comes from outside turns no loop */
	bool come, late;
};

static void
pump_turn(void *arg, const struct now *now)
{
	struct pump *p = arg;

	(void)now;
	p->come = p->come || p->cond(p->arg);
	if (p->come || p->late)
		loop_stop(p->loop);
}

static void
pump_look_cb(void *arg)
{
	struct pump *p = arg;

	timer_arm(p->look, PUMP_LOOK);
}

static void
pump_late_cb(void *arg)
{
	struct pump *p = arg;

	p->late = true;
}

bool
pump(struct loop *loop, bool (*cond)(void *arg), void *arg, usec_t limit)
{
	struct pump p = { .loop = loop, .cond = cond, .arg = arg };
	struct timer *late = timer_new(loop, pump_late_cb, &p);

	p.look = timer_new(loop, pump_look_cb, &p);
	timer_arm(p.look, 0);
	timer_arm(late, limit);
	loop_run(loop, pump_turn, &p);
	timer_free(p.look);
	timer_free(late);
	return p.come;
}
