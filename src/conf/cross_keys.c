/*
 * Rules between keys of the lease, PostgreSQL and the ports.
 */
#include <stdio.h>
#include <string.h>

#include "conf/cross_i.h"
#include "conf/draft.h"
#include "hawatch/str.h"

static void cross_cluster(struct conf_draft *d, const char *backend);
static void cross_unit(struct conf_draft *d, const char *backend);
static bool cross_needed(struct conf_draft *d, const char *key,
    const char *backend, const char *write);
static void cross_unused(
    struct conf_draft *d, const char *key, const char *backend);
static void cross_port_pair(struct conf_draft *d, const char *key, int port,
    const char *other, int other_port);
static bool cross_within(const char *path, const char *dir);

void
cross_timing(struct conf_draft *d)
{
	const struct conf *conf = &d->conf;
	char ttl[USEC_STR_MAX], other[USEC_STR_MAX];

	if (conf->ttl == 0)
		return;
	usec_str(conf->ttl, ttl);
	if (conf->ttl % USEC_MSEC != 0)
		draft_fault_at(d, "lease.ttl",
		    "lease.ttl is %s; write whole "
		    "milliseconds, the record knows no less",
		    ttl);
	if (conf->slack * 4 > conf->ttl)
		draft_fault_at(d, "lease.slack",
		    "lease.slack %s is more than "
		    "a quarter of lease.ttl %s; write a smaller slack, or a "
		    "ttl of at least %s",
		    usec_str(conf->slack, other), ttl,
		    usec_str(conf->slack * 4, (char[USEC_STR_MAX]){ 0 }));
	if (conf->pg.standby_timeout > conf->ttl)
		draft_fault_at(d, "postgres.standby_timeout",
		    "postgres.standby_timeout %s is more than lease.ttl %s; "
		    "write at most the ttl: until then no commit returns",
		    usec_str(conf->pg.standby_timeout, other), ttl);
}

void
cross_ports(struct conf_draft *d)
{
	const struct conf *conf = &d->conf;

	cross_port_pair(
	    d, "peer.port", conf->peer_port, "postgres.port", conf->pg.port);
	cross_port_pair(
	    d, "front.port", conf->health_port, "postgres.port", conf->pg.port);
	cross_port_pair(
	    d, "front.port", conf->health_port, "peer.port", conf->peer_port);
}

static void
cross_port_pair(struct conf_draft *d, const char *key, int port,
    const char *other, int other_port)
{
	if (port == 0 || port != other_port)
		return;
	draft_fault_at(d, draft_given(d, key) ? key : other,
	    "%s and %s are both %d; write different ports", key, other, port);
}

static void
cross_commands(struct conf_draft *d)
{
	if (d->conf.pg.commands == COMMANDS_REPMGR && !d->conf.repmgr.enabled)
		draft_fault_at(d, "postgres.commands",
		    "commands is \"repmgr\", with enabled = false in repmgr; "
		    "write enabled = true, or commands = \"native\"");
}

void
cross_postgres(struct conf_draft *d)
{
	static const char *const names[] = { [BACKEND_ARGV] = "argv",
		[BACKEND_PG_CTLCLUSTER] = "pg_ctlcluster",
		[BACKEND_SYSTEMD] = "systemd" };
	const char *backend = names[d->conf.pg.backend];
	const char *given;

	cross_commands(d);
	/* A backend that is not known says so; nothing follows from it. */
	if (config_lookup_string(&d->file, "postgres.backend", &given) !=
		CONFIG_TRUE ||
	    strcmp(given, backend) != 0)
		return;
	if (d->conf.pg.backend == BACKEND_ARGV) {
		cross_needed(d, "postgres.start", backend,
		    "start = [ \"/full/path\", \"argument\" ];");
	} else {
		cross_unused(d, "postgres.start", backend);
		cross_unused(d, "postgres.stop", backend);
		cross_needed(d, "postgres.gate", backend,
		    "as gate the file that calls \"hactl gate\" before "
		    "PostgreSQL starts");
	}
	if (d->conf.pg.backend == BACKEND_PG_CTLCLUSTER)
		cross_cluster(d, backend);
	else
		cross_unused(d, "postgres.cluster", backend);
	if (d->conf.pg.backend == BACKEND_SYSTEMD)
		cross_unit(d, backend);
	else
		cross_unused(d, "postgres.unit", backend);
}

static void
cross_cluster(struct conf_draft *d, const char *backend)
{
	const char *cluster = d->conf.pg.cluster;
	const char *slash = strchr(cluster, '/');

	if (!cross_needed(
		d, "postgres.cluster", backend, "cluster = \"15/main\";"))
		return;
	if (slash == NULL || slash == cluster || slash[1] == '\0' ||
	    strchr(slash + 1, '/') != NULL)
		draft_fault_at(d, "postgres.cluster",
		    "postgres.cluster is "
		    "\"%s\"; write version and name, e.g. cluster = "
		    "\"15/main\";",
		    cluster);
}

static void
cross_unit(struct conf_draft *d, const char *backend)
{
	static const char end[] = ".service";
	const char *unit = d->conf.pg.unit;
	size_t len = strlen(unit);

	if (!cross_needed(d, "postgres.unit", backend,
		"unit = \"postgresql@15-main.service\";"))
		return;
	if (len < sizeof(end) ||
	    strcmp(unit + len - (sizeof(end) - 1), end) != 0)
		draft_fault_at(d, "postgres.unit",
		    "postgres.unit is \"%s\"; "
		    "write the unit's whole name, e.g. unit = "
		    "\"postgresql@15-main.service\";",
		    unit);
	else if (strcmp(unit, "postgresql.service") == 0)
		draft_fault_at(d, "postgres.unit",
		    "postgresql.service starts "
		    "nothing itself on Debian and is always active; write the "
		    "cluster's unit, e.g. \"postgresql@15-main.service\"");
}

static bool
cross_needed(struct conf_draft *d, const char *key, const char *backend,
    const char *write)
{
	if (draft_given(d, key))
		return true;
	draft_fault_at(d, key, "%s is missing with backend \"%s\"; write %s",
	    key, backend, write);
	return false;
}

static void
cross_unused(struct conf_draft *d, const char *key, const char *backend)
{
	if (draft_given(d, key))
		draft_fault_at(d, key,
		    "%s is not used with backend \"%s\"; "
		    "remove it, or write the backend that it belongs to",
		    key, backend);
}

/* What a rewind or a clone of the data directory would take away with it. */
void
cross_directories(struct conf_draft *d)
{
	const char *data = d->conf.pg.data_directory;

	if (data == NULL)
		return;
	if (d->conf.state_dir != NULL && cross_within(d->conf.state_dir, data))
		draft_fault_at(d, "state_dir",
		    "state_dir is within "
		    "postgres.data_directory; write a directory outside of it");
	if (d->conf.run_dir != NULL && cross_within(d->conf.run_dir, data))
		draft_fault_at(d, "run_dir",
		    "run_dir is within "
		    "postgres.data_directory; write a directory outside of it");
}

static bool
cross_within(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return str_starts(path, dir) && (path[len] == '\0' || path[len] == '/');
}
