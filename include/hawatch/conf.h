/*
 * The configuration: one libconfig file, the same on every host, read into
 * typed structs through the schema of src/conf/schema.c. Nobody else touches
 * libconfig. conf_load reports every error at once, each with file, line and
 * what to write instead.
 */
#ifndef HAWATCH_CONF_H
#define HAWATCH_CONF_H

#include <stddef.h>

#include "hawatch/error.h"
#include "hawatch/record.h"
#include "hawatch/types.h"

#define CONF_ARGV_MAX 24
#define CONF_CHECKS_MAX 32
#define CONF_PATH "/etc/hawatch/hawatch.conf"

enum conf_mode { MODE_OBSERVE, MODE_MANUAL, MODE_AUTO };
enum conf_role { ROLE_DATA, ROLE_WITNESS };
enum conf_backend { BACKEND_ARGV, BACKEND_PG_CTLCLUSTER, BACKEND_SYSTEMD };

struct conf_node {
	const char *name;
	const char *address; /* numeric; of peer API and replication */
	enum conf_role role;
	int repmgr_id; /* data: node_id in repmgr.nodes; 0 none */
	int priority;  /* 0..1000, the greater goes first */
};

struct conf_postgres {
	int port;
	const char *data_directory;
	const char *socket_directory; /* its mode must be 0700 */
	const char *user;	      /* database role of hawatch */
	const char *dbname;
	const char *run_as; /* operating-system user of PostgreSQL */
	const char *bin_directory;
	enum conf_backend backend;
	const char *start[CONF_ARGV_MAX]; /* argv backend; NULL-terminated */
	const char *stop[CONF_ARGV_MAX];  /* fast stop; "" none: signals */
	const char *cluster;		  /* pg_ctlcluster: "15/main" */
	const char *unit; /* systemd: "postgresql@15-main.service" */
	const char *gate; /* file that must contain "hactl gate" */
	usec_t start_timeout;
	usec_t standby_timeout; /* without a flush: lost */
};

struct conf_repmgr {
	bool enabled;
	const char *program; /* /usr/lib/postgresql/15/bin/repmgr */
	const char *config;  /* /etc/repmgr.conf */
	const char *dbname;  /* database that holds repmgr.nodes */
};

struct conf_check {
	const char *name;
	const char *type; /* "tcp", "postgres", "repmgr" */
	usec_t interval, timeout;
	int window, threshold; /* so many of the last so many make it down */
	bool health;	       /* counts for /health */
	const char *address;   /* tcp */
	int port;	       /* tcp */
	int line;	       /* of the file, for messages */
};

struct conf {
	const char *path;
	const char *cluster;
	enum conf_mode mode;
	node_t self; /* from node = or the host's name */
	int node_count;
	struct conf_node node[NODES_MAX];
	struct names names; /* of the nodes, for records */

	usec_t ttl;	     /* T */
	usec_t slack;	     /* delta, 50 ms */
	int clock_ppm;	     /* epsilon, 1000 */
	usec_t min_interval; /* between automatic failovers */

	node_t arbiter; /* the witness that serves the register */

	struct conf_postgres pg;
	struct conf_repmgr repmgr;

	int peer_port;		     /* mutual TLS, on the node's address */
	const char *ca, *cert, *key; /* cert and key: ${node} is expanded */
	const char *user;	     /* of the front */
	const char *group; /* may use the control socket beside root */

	const char *health_address; /* "" every address */
	int health_port;
	const char *ping_body;
	int connections_max; /* per listener of the front */
	usec_t idle_timeout; /* of the front's connections */

	const char *state_dir; /* /var/lib/hawatch */
	const char *run_dir;   /* /run/hawatch */

	int check_count;
	struct conf_check check[CONF_CHECKS_MAX];

	void *memory; /* owns the strings */
};

/* All that is wrong with a file, one line each: "hawatch.conf:12: ...". */
struct conf_errors {
	int count;
	char **text;
};

/* node NULL: by the file or the host's name. NULL with at least one error. */
struct conf *conf_load(
    const char *path, const char *node, struct conf_errors *errors) MUST_CHECK;
void conf_free(struct conf *conf);
void conf_errors_free(struct conf_errors *errors);

/* One row of the schema, for config check, documentation and its test. */
struct conf_doc {
	const char *key; /* "lease.ttl" */
	const char *type;
	const char *def;
	const char *doc;
};
size_t conf_schema(const struct conf_doc **rows);

nodeset_t conf_data_nodes(const struct conf *conf);
const char *conf_mode_str(enum conf_mode mode);

#endif
