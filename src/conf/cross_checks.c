/*
 * Rules between keys of the checks: what each type needs and may not have,
 * where it runs, and timings that cannot work. What a request and its answer
 * must look like is in cross_http.c.
 */
#include <stdio.h>
#include <string.h>

#include "conf/cross_i.h"
#include "hawatch/str.h"

/* Bits, for the sets below. */
enum {
	CHECK_TCP = 1 << 0,
	CHECK_POSTGRES = 1 << 1,
	CHECK_REPMGR = 1 << 2,
	CHECK_MEMCACHED = 1 << 3,
	CHECK_HTTP = 1 << 4,
	CHECK_SUPERVISOR = 1 << 5,
	CHECK_COMMAND = 1 << 6,
	CHECK_DISK = 1 << 7
};

static const struct {
	const char *name;
	int type;
} cross_check_types[] = {
	{ "tcp", CHECK_TCP },
	{ "postgres", CHECK_POSTGRES },
	{ "repmgr", CHECK_REPMGR },
	{ "memcached", CHECK_MEMCACHED },
	{ "http", CHECK_HTTP },
	{ "supervisor", CHECK_SUPERVISOR },
	{ "command", CHECK_COMMAND },
	{ "disk", CHECK_DISK },
};

/* Which types have a key, and which of them cannot do without. Of http, where
 * it goes is cross_http's. */
static const struct cross_key cross_check_keys[] = {
	{ "address", CHECK_TCP | CHECK_MEMCACHED | CHECK_HTTP,
	    CHECK_TCP | CHECK_MEMCACHED, "address = \"127.0.0.1\";" },
	{ "port", CHECK_TCP | CHECK_MEMCACHED | CHECK_HTTP,
	    CHECK_TCP | CHECK_MEMCACHED, "port = 443;" },
	{ "socket", CHECK_HTTP | CHECK_SUPERVISOR, CHECK_SUPERVISOR,
	    "socket = \"/run/supervisor.sock\";" },
	{ "tls", CHECK_HTTP, 0, NULL },
	{ "ca", CHECK_HTTP, 0, NULL },
	{ "host", CHECK_HTTP, 0, NULL },
	{ "path", CHECK_HTTP | CHECK_DISK, CHECK_HTTP | CHECK_DISK,
	    "path = \"/\";" },
	{ "nonce", CHECK_HTTP, 0, NULL },
	{ "status", CHECK_HTTP, 0, NULL },
	{ "body", CHECK_HTTP, 0, NULL },
	{ "json", CHECK_HTTP, 0, NULL },
	{ "header", CHECK_HTTP, 0, NULL },
	{ "programs", CHECK_SUPERVISOR, 0, NULL },
	{ "command", CHECK_COMMAND, CHECK_COMMAND,
	    "command = [ \"/full/path\", \"argument\" ];" },
	{ "run_as", CHECK_COMMAND, 0, NULL },
	{ "free_percent", CHECK_DISK, 0, NULL },
	{ "free_mb", CHECK_DISK, 0, NULL },
};

#define CROSS_CHECK_KEYS \
	(sizeof(cross_check_keys) / sizeof(cross_check_keys[0]))

/* A probe of a disk starts a process. */
#define DISK_INTERVAL_MIN (5 * USEC_SEC)

static void cross_check_name(struct conf_draft *d, int i);
static void cross_check_on(struct conf_draft *d, int i);
static void cross_check_times(struct conf_draft *d, int i);
static void cross_check_repmgr(struct conf_draft *d, int i);
static void cross_check_disk(struct conf_draft *d, int i);

/* 0 for one that is not known: that has been said. */
static int
cross_check_type(const char *name)
{
	size_t k;

	for (k = 0;
	     k < sizeof(cross_check_types) / sizeof(cross_check_types[0]); k++)
		if (strcmp(cross_check_types[k].name, name) == 0)
			return cross_check_types[k].type;
	return 0;
}

void
cross_checks(struct conf_draft *d)
{
	int i, type;

	for (i = 0; i < d->conf.check_count; i++) {
		d->conf.check[i].line = cross_source_line(d, "checks", i);
		type = cross_check_type(d->conf.check[i].type);
		cross_check_name(d, i);
		cross_check_times(d, i);
		if (!d->nodes_broken)
			cross_check_on(d, i);
		if (type != 0)
			cross_types(d,
			    &(struct cross_typed){ .list = "checks",
				.at = i,
				.what = "check",
				.name = d->conf.check[i].name,
				.type = type,
				.type_name = d->conf.check[i].type },
			    cross_check_keys, CROSS_CHECK_KEYS);
		if (type == CHECK_HTTP)
			cross_http(d, i);
		if (type == CHECK_REPMGR)
			cross_check_repmgr(d, i);
		if (type == CHECK_DISK)
			cross_check_disk(d, i);
	}
}

static void
cross_check_name(struct conf_draft *d, int i)
{
	char path[CROSS_PATH_MAX];
	int j;

	cross_path(path, "checks", i, "name");
	for (j = 0; j < i; j++)
		if (strcmp(d->conf.check[i].name, d->conf.check[j].name) == 0)
			draft_fault_at(d, path,
			    "check %s is there "
			    "twice; give each check a name of its own",
			    d->conf.check[i].name);
}

static void
cross_check_on(struct conf_draft *d, int i)
{
	const struct conf_check *c = &d->conf.check[i];
	bool data =
	    strcmp(c->type, "postgres") == 0 || strcmp(c->type, "repmgr") == 0;
	char path[CROSS_PATH_MAX];
	node_t n;
	int j;

	cross_path(path, "checks", i, "on");
	for (j = 0; c->on[j] != NULL; j++) {
		n = cross_find(d, c->on[j]);
		if (n == NODE_NONE)
			draft_fault_at(d, path,
			    "check %s: on has %s, which is not in nodes; write "
			    "names of nodes",
			    c->name, c->on[j]);
		else if (data && d->conf.node[n].role == ROLE_WITNESS)
			draft_fault_at(d, path,
			    "check %s: on has the witness %s, which has no "
			    "PostgreSQL; write names of data nodes",
			    c->name, c->on[j]);
	}
}

static void
cross_check_times(struct conf_draft *d, int i)
{
	const struct conf_check *c = &d->conf.check[i];
	char path[CROSS_PATH_MAX];
	char one[USEC_STR_MAX], two[USEC_STR_MAX];

	cross_path(path, "checks", i, "timeout");
	if (c->timeout > c->interval)
		draft_fault_at(d, path,
		    "check %s: timeout %s is more than "
		    "interval %s; write a timeout of at most the interval",
		    c->name, usec_str(c->timeout, one),
		    usec_str(c->interval, two));
	cross_path(path, "checks", i, "threshold");
	if (c->threshold > c->window)
		draft_fault_at(d, path,
		    "check %s: threshold %d is more than "
		    "window %d and never reached; write at most the window",
		    c->name, c->threshold, c->window);
}

static void
cross_check_repmgr(struct conf_draft *d, int i)
{
	char path[CROSS_PATH_MAX];

	if (d->conf.repmgr.enabled)
		return;
	cross_path(path, "checks", i, "type");
	draft_fault_at(d, path,
	    "check %s: type repmgr with enabled = "
	    "false in repmgr; write enabled = true, or remove the "
	    "check",
	    d->conf.check[i].name);
}

static void
cross_check_disk(struct conf_draft *d, int i)
{
	const struct conf_check *c = &d->conf.check[i];
	char path[CROSS_PATH_MAX];
	char one[USEC_STR_MAX], two[USEC_STR_MAX];

	cross_path(path, "checks", i, "path");
	if (c->path[0] != '\0' && c->path[0] != '/')
		draft_fault_at(d, path,
		    "check %s: path %s is not absolute; write a directory of "
		    "the file system, e.g. path = \"/var/lib/postgresql\";",
		    c->name, c->path);
	cross_path(path, "checks", i, "interval");
	if (c->interval < DISK_INTERVAL_MIN)
		draft_fault_at(d, path,
		    "check %s: interval %s is short for type disk, which "
		    "starts a process each time; write at least \"%s\", e.g. "
		    "interval = \"30s\";",
		    c->name, usec_str(c->interval, one),
		    usec_str(DISK_INTERVAL_MIN, two));
}
