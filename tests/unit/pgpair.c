/*
 * The pair of real servers for the tests of checks and actions; see pgpair.h.
 */
#include "pgpair.h"

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
#include "pgtest.h"

#define need(cond) \
	do { \
		if (!(cond)) \
			pgpair_die(#cond, __LINE__); \
	} while (0)

#define PAIR_WAIT_MS 20000.0

static const char *const pair_address[2] = { "127.0.17.1", "127.0.0.1" };
static const char *const pair_name[2] = { "s1", "s2" };
static char pair_bin[100];
static char pair_ctl[128];
static int pair_port;

static void pgpair_die(const char *what, int line) __attribute__((noreturn));

static void
pgpair_die(const char *what, int line)
{
	fprintf(stderr, "pgpair.c:%d: %s: %s\n", line, what, strerror(errno));
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

static const char *
pgpair_program(const char *name)
{
	static char path[4][128];
	static int turn;
	char *buf = path[turn++ % 4];

	snprintf(buf, 128, "%s/%s", pair_bin, name);
	return buf;
}

static void
pgpair_conf(struct pgpair *pair, int self)
{
	struct pghost *h = &pair->host[self];
	struct conf *conf = &h->conf;
	struct conf_postgres *pg = &conf->pg;
	int i;

	memset(conf, 0, sizeof(*conf));
	conf->cluster = "test";
	conf->mode = MODE_AUTO;
	conf->self = self;
	conf->node_count = 3;
	conf->names.cluster = "test";
	conf->names.count = 3;
	for (i = 0; i < 2; i++) {
		conf->node[i].name = pair_name[i];
		conf->node[i].address = pair_address[i];
		conf->node[i].role = ROLE_DATA;
		conf->node[i].repmgr_id = i + 1;
		conf->names.node[i] = pair_name[i];
	}
	conf->node[PAIR_A1].name = conf->names.node[PAIR_A1] = "a1";
	conf->node[PAIR_A1].address = "127.0.17.3";
	conf->node[PAIR_A1].role = ROLE_WITNESS;
	conf->ttl = 2 * USEC_SEC;
	pg->port = pair_port;
	pg->data_directory = h->data;
	pg->socket_directory = h->dir;
	pg->user = "postgres";
	pg->dbname = "postgres";
	pg->run_as = "postgres";
	pg->bin_directory = pair_bin;
	pg->backend = BACKEND_ARGV;
	pg->start[0] = pair_ctl;
	pg->start[1] = "-D";
	pg->start[2] = h->data;
	pg->start[3] = "-l";
	pg->start[4] = h->log;
	pg->start[5] = "-W";
	pg->start[6] = "start";
	pg->start_timeout = 20 * USEC_SEC;
	pg->standby_timeout = 1 * USEC_SEC;
}

static void
pghost_write(struct pghost *h, const char *name, const char *text)
{
	struct passwd *pw = getpwnam("postgres");
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", h->data, name);
	f = fopen(path, "w");
	need(f != NULL);
	fputs(text, f);
	need(fclose(f) == 0);
	need(getuid() != 0 || chown(path, pw->pw_uid, pw->pw_gid) == 0);
}

static void
pghost_settings(struct pgpair *pair, int self)
{
	struct pghost *h = &pair->host[self];
	char text[1600];

	snprintf(text, sizeof(text),
	    "listen_addresses = '%s'\nport = %d\n"
	    "unix_socket_directories = '%s'\n"
	    "wal_level = replica\nhot_standby = on\nmax_wal_senders = 5\n"
	    "wal_log_hints = on\nrestart_after_crash = off\n"
	    "shared_buffers = 16MB\nmax_connections = 40\n"
	    "wal_keep_size = 64MB\nwal_retrieve_retry_interval = 100ms\n"
	    "wal_receiver_status_interval = 1s\nautovacuum = off\n"
	    "shared_preload_libraries = 'repmgr'\n"
	    "primary_conninfo = 'host=%s port=%d user=postgres "
	    "application_name=%s'\n",
	    pair_address[self], pair_port, h->dir, pair_address[1 - self],
	    pair_port, pair_name[self]);
	pghost_write(h, "postgresql.conf", text);
	pghost_write(h, "pg_hba.conf",
	    "local all,replication all trust\nhost all all 127.0.0.0/8 trust\n"
	    "host replication all 127.0.0.0/8 trust\n");
}

static void
pgpair_copy(struct pgpair *pair, int self)
{
	struct pghost *h = &pair->host[self];
	char from[96];

	snprintf(from, sizeof(from), "%s/keep%d", pair->dir, self);
	need(pgpair_run((const char *const[]){
		 "/bin/rm", "-rf", h->data, NULL }) == 0);
	need(pgpair_run((const char *const[]){
		 "/bin/cp", "-a", from, h->data, NULL }) == 0);
}

void
pgpair_init(struct pgpair *pair)
{
	struct passwd *pw = getpwnam("postgres");
	char top[40] = "/tmp/pgpair.XXXXXX", port[12], keep[96];
	int i;

	memset(pair, 0, sizeof(*pair));
	pgtest_bin(pair_bin, sizeof(pair_bin), "initdb");
	*strrchr(pair_bin, '/') = '\0';
	snprintf(pair_ctl, sizeof(pair_ctl), "%s", pgpair_program("pg_ctl"));
	pair_port = pgtest_port();
	snprintf(port, sizeof(port), "%d", pair_port);
	need(mkdtemp(top) != NULL && chmod(top, 0755) == 0);
	snprintf(pair->dir, sizeof(pair->dir), "%s", top);
	need(getuid() != 0 || chown(pair->dir, pw->pw_uid, pw->pw_gid) == 0);
	for (i = 0; i < 2; i++) {
		struct pghost *h = &pair->host[i];

		snprintf(h->dir, sizeof(h->dir), "%s/s%d", top, i + 1);
		snprintf(h->data, sizeof(h->data), "%s/s%d/data", top, i + 1);
		snprintf(h->log, sizeof(h->log), "%s/s%d/log", top, i + 1);
		need(mkdir(h->dir, 0700) == 0);
		need(getuid() != 0 ||
		     chown(h->dir, pw->pw_uid, pw->pw_gid) == 0);
		pgpair_conf(pair, i);
	}
	need(pgpair_run((const char *const[]){ pgpair_program("initdb"), "-D",
		 pair->host[0].data, "-N", "-A", "trust", "--no-locale", "-E",
		 "UTF8", "--wal-segsize=1", "-U", "postgres", NULL }) == 0);
	pghost_settings(pair, 0);
	pghost_launch(&pair->host[0]);
	pghost_wait_ready(&pair->host[0]);
	need(pghost_sql(&pair->host[0],
		 "CREATE TABLE vote (id int PRIMARY KEY)", NULL, 0) == 0);
	need(
	    pgpair_run((const char *const[]){ pgpair_program("pg_basebackup"),
		"-h", pair->host[0].dir, "-p", port, "-U", "postgres", "-D",
		pair->host[1].data, "-c", "fast", "-X", "stream", NULL }) == 0);
	kill(pair->host[0].postmaster, SIGINT);
	pghost_reap(&pair->host[0]);
	pghost_settings(pair, 1);
	pghost_write(&pair->host[1], "standby.signal", "");
	for (i = 0; i < 2; i++) {
		snprintf(keep, sizeof(keep), "%s/keep%d", pair->dir, i);
		need(rename(pair->host[i].data, keep) == 0);
		pgpair_copy(pair, i);
	}
}

void
pgpair_free(struct pgpair *pair)
{
	pgpair_down(pair);
	need(pgpair_run((const char *const[]){
		 "/bin/sh", "-c", "rm -rf \"$0\"/*", pair->dir, NULL }) == 0);
	need(rmdir(pair->dir) == 0);
}

static void
pghost_poll(void)
{
	poll(NULL, 0, 5);
}

void
pgpair_up(struct pgpair *pair)
{
	double end = pair_ms() + PAIR_WAIT_MS;
	char n[16] = "";

	pgpair_down(pair);
	pgpair_copy(pair, 0);
	pgpair_copy(pair, 1);
	pgpair_conf(pair, 0);
	pgpair_conf(pair, 1);
	pghost_launch(&pair->host[0]);
	pghost_launch(&pair->host[1]);
	pghost_wait_ready(&pair->host[0]);
	pghost_wait_ready(&pair->host[1]);
	while (strcmp(n, "1") != 0) {
		need(pair_ms() < end);
		need(pghost_sql(&pair->host[0],
			 "SELECT count(*) FROM pg_stat_replication"
			 " WHERE state = 'streaming'",
			 n, sizeof(n)) == 0);
	}
}

void
pgpair_down(struct pgpair *pair)
{
	double end = pair_ms() + PAIR_WAIT_MS;
	int i;

	for (i = 0; i < 2; i++) {
		while (pghost_signal(&pair->host[i], SIGKILL, NULL) > 0) {
			need(pair_ms() < end);
			pghost_poll();
		}
		pghost_reap(&pair->host[i]);
	}
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
	h->postmaster =
	    pgpair_spawn((const char *const[]){ pgpair_program("postgres"),
			     "-D", h->data, NULL },
		log);
	close(log);
}

void
pghost_wait_ready(struct pghost *h)
{
	double end = pair_ms() + PAIR_WAIT_MS;

	while (pghost_sql(h, "SELECT 1", NULL, 0) != 0) {
		need(pair_ms() < end);
		pghost_poll();
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

	timer_arm(late, limit);
	loop_wake(loop);
	loop_run(loop, pump_turn, &p);
	timer_free(late);
	return p.come;
}
