/*
 * The pair of real servers for the tests of checks and actions; see pgpair.h.
 */
#include "pgpair_i.h"

#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pgtest.h"

static const char *const pair_address[4] = { "127.0.17.1", "127.0.0.1",
	"127.0.17.3", "127.0.17.4" };
static const char *const pair_name[4] = { "s1", "s2", "a1", "s3" };
static char pair_ctl[128];

struct pgpair pgpair_one;

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
	conf->node_count = pair->third ? 4 : 3;
	conf->names.cluster = "test";
	conf->names.count = conf->node_count;
	for (i = 0; i < conf->node_count; i++) {
		conf->node[i].name = pair_name[i];
		conf->node[i].address = pair_address[i];
		conf->node[i].role = ROLE_DATA;
		conf->node[i].repmgr_id = i + 1;
		conf->names.node[i] = pair_name[i];
	}
	conf->node[PAIR_A1].role = ROLE_WITNESS;
	conf->node[PAIR_A1].repmgr_id = 0;
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
	    pair_address[self], pair_port, h->dir, pair_address[self == 0],
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

/* Which of them have a server. */
static bool
pgpair_has(const struct pgpair *pair, int i)
{
	return i < PAIR_A1 || (i == PAIR_S3 && pair->third);
}

static void
pgpair_make(struct pgpair *pair)
{
	struct passwd *pw = getpwnam("postgres");
	char top[40] = "/tmp/pgpair.XXXXXX", port[12], keep[96];
	int i;

	pgtest_bin(pair_bin, sizeof(pair_bin), "initdb");
	*strrchr(pair_bin, '/') = '\0';
	snprintf(pair_ctl, sizeof(pair_ctl), "%s", pgpair_program("pg_ctl"));
	pair_port = pgtest_port();
	snprintf(port, sizeof(port), "%d", pair_port);
	need(mkdtemp(top) != NULL && chmod(top, 0755) == 0);
	snprintf(pair->dir, sizeof(pair->dir), "%s", top);
	need(getuid() != 0 || chown(pair->dir, pw->pw_uid, pw->pw_gid) == 0);
	for (i = 0; i < 4; i++) {
		struct pghost *h = &pair->host[i];

		if (!pgpair_has(pair, i))
			continue;
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
	if (pair->third) {
		need(pgpair_run((const char *const[]){ "/bin/cp", "-a",
			 pair->host[PAIR_S2].data, pair->host[PAIR_S3].data,
			 NULL }) == 0);
		pghost_settings(pair, PAIR_S3);
	}
	for (i = 0; i < 4; i++) {
		if (!pgpair_has(pair, i))
			continue;
		snprintf(keep, sizeof(keep), "%s/keep%d", pair->dir, i);
		need(rename(pair->host[i].data, keep) == 0);
		pgpair_copy(pair, i);
	}
}

void
pgpair_init(struct pgpair *pair)
{
	memset(pair, 0, sizeof(*pair));
	pgpair_make(pair);
}

void
pgpair_init_three(struct pgpair *pair)
{
	memset(pair, 0, sizeof(*pair));
	pair->third = true;
	pgpair_make(pair);
}

void
pgpair_free(struct pgpair *pair)
{
	pgpair_down(pair);
	need(pgpair_run((const char *const[]){
		 "/bin/sh", "-c", "rm -rf \"$0\"/*", pair->dir, NULL }) == 0);
	need(rmdir(pair->dir) == 0);
}

void
pgpair_up(struct pgpair *pair)
{
	double end = pair_ms() + PAIR_WAIT_MS;
	char n[16] = "";
	int i;

	pgpair_down(pair);
	for (i = 0; i < 4; i++) {
		if (!pgpair_has(pair, i))
			continue;
		pgpair_copy(pair, i);
		pgpair_conf(pair, i);
		pair->host[i].option = NULL;
		pghost_launch(&pair->host[i]);
	}
	for (i = 0; i < 4; i++)
		if (pgpair_has(pair, i))
			pghost_wait_ready(&pair->host[i]);
	while (strcmp(n, pair->third ? "2" : "1") != 0) {
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

	for (i = 0; i < 4; i++) {
		if (!pgpair_has(pair, i))
			continue;
		while (pghost_signal(&pair->host[i], SIGKILL, NULL) > 0) {
			need(pair_ms() < end);
			poll(NULL, 0, 5);
		}
		pghost_reap(&pair->host[i]);
	}
}

int
pgpair_setup(void **state)
{
	(void)state;
	pgpair_up(&pgpair_one);
	return 0;
}

int
pgpair_teardown(void **state)
{
	(void)state;
	pgpair_down(&pgpair_one);
	return 0;
}

void
pgpair_own_mounts(void)
{
	need(unshare(CLONE_NEWNS) == 0);
	need(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
}
