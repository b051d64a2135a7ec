/*
 * The configuration: one libconfig file, the same on every host, read into
 * typed structs through the schema of src/conf/schema_rows.c. Nobody else
 * touches libconfig. conf_load reports every error at once, each with file,
 * line and what to write instead.
 */
#ifndef HAWATCH_CONF_H
#define HAWATCH_CONF_H

#include <stddef.h>

#include "hawatch/error.h"
#include "hawatch/record.h"
#include "hawatch/types.h"

#define CONF_ARGV_MAX 24
#define CONF_CHECKS_MAX 32
#define CONF_ITEMS_MAX 64
#define CONF_TRAFFIC_MAX 8
#define CONF_LIST_MAX 16
#define CONF_PATH "/etc/hawatch/hawatch.conf"

enum conf_mode { MODE_OBSERVE, MODE_MANUAL, MODE_AUTO };
enum conf_rejoin { CONF_REJOIN_NONE, CONF_REJOIN_REWIND, CONF_REJOIN_CLONE };
enum conf_durability { DURABILITY_STRICT, DURABILITY_BOUNDED };
enum conf_role { ROLE_DATA, ROLE_WITNESS };
enum conf_backend { BACKEND_ARGV, BACKEND_PG_CTLCLUSTER, BACKEND_SYSTEMD };

struct conf_node {
	const char *name;
	const char *address;	/* numeric; of peer API and replication */
	const char *private_ip; /* for ${self.private_ip}; "": the address */
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

/* Keys that a type does not use are at their default; cross-checks refuse one
 * that is given. Lists are NULL-terminated. */
struct conf_check {
	const char *name;
	const char *type; /* "tcp", "postgres", "repmgr", "memcached", "http",
			     "supervisor", "command", "disk" */
	usec_t interval, timeout;
	int window, threshold; /* so many of the last so many make it down */
	bool health;	       /* counts for /health */
	bool shared;	       /* ... only while another host passes it */
	bool verify;	       /* must pass at the end of a takeover */
	const char *on[CONF_LIST_MAX]; /* nodes; none: every data node */
	const char *address;	       /* tcp, memcached, http */
	int port;		       /* tcp, memcached, http */
	const char *socket;	       /* http, supervisor: Unix socket */
	bool tls;		       /* http */
	const char *ca;		       /* http: "": the system's */
	const char *host;   /* http: name of the request and certificate */
	const char *path;   /* http: with the query; disk: a directory */
	const char *nonce;  /* http: query parameter that defeats caches */
	int status;	    /* http: expected */
	const char *body;   /* http: ERE that the body matches; "" any */
	const char *json;   /* http: "events.id=1"; "" none */
	const char *header; /* http: "X-Cache-Status: MISS"; "" none */
	const char *programs[CONF_LIST_MAX]; /* supervisor: must run */
	const char *command[CONF_ARGV_MAX];
	const char *run_as; /* command: "": as the engine */
	int free_percent;   /* disk: least free space */
	int free_mb;
	int line; /* of the file, for messages */
};

/* What must be true on a host in its role: one item of converge. */
enum conf_item_type { ITEM_LINE, ITEM_SERVICE, ITEM_COMMAND, ITEM_CACHE };
/* When: of the promotion; or when its primary hands over. */
enum conf_item_when { ITEM_AFTER, ITEM_BEFORE, ITEM_HANDOVER, ITEM_WHENS };
enum conf_item_many { MANY_ERROR, MANY_FIRST };

struct conf_item {
	const char *name;
	enum conf_item_type type;
	enum conf_item_when when;
	const char *on[CONF_LIST_MAX]; /* nodes; none: every data node */
	bool required;		       /* BEFORE: no promotion without it */
	bool independent; /* does not wait for the items above it */
	usec_t timeout;
	/* line: what the matching line is to read; \\1 to \\9 are parts of
	 * the match. service: "running", "stopped" or "" (leave alone).
	 * command, cache: "yes" or "" (leave alone). */
	const char *primary, *standby;
	const char *handover;	  /* service: "stopped", before its primary is
				     handed over, or "" */
	const char *file, *match; /* line: POSIX extended expression */
	enum conf_item_many many; /* line */
	const char *restart_on[CONF_LIST_MAX]; /* service: items */
	const char *program; /* service: of supervisord, "group:name" */
	const char *socket;  /* service: of supervisord */
	const char *sweep; /* service: stopped means, too, that no process with
			      this path in its argv, nor one of its group,
			      lives */
	const char *start[CONF_ARGV_MAX], *stop[CONF_ARGV_MAX];
	const char *restart[CONF_ARGV_MAX];
	const char *test[CONF_ARGV_MAX]; /* service: 0 runs; command: 0 holds */
	const char *fix[CONF_ARGV_MAX];	 /* command */
	const char *run_as;
	const char *address; /* cache */
	int port;	     /* cache */
	int line;	     /* of the file, for messages */
};

/* A balancer that hawatch steers. */
enum conf_traffic_from { FROM_HOLDER, FROM_EVERY };
enum conf_traffic_out { OUT_MAINT, OUT_DRAIN };

struct conf_traffic {
	const char *name;
	const char *type;		    /* "haproxy" */
	enum conf_traffic_from from;	    /* who steers it */
	const char *sockets[CONF_LIST_MAX]; /* paths, or "10.77.0.9:9999" */
	const char *backend;
	const char *server;  /* "${node}", or with address one name */
	const char *address; /* "": states; "${primary.address}": set it */
	int port;
	enum conf_traffic_out out; /* what a server is that gets nothing */
	usec_t timeout;
	int line;
};

/* What a standby copies from the primary beside the database. */
enum conf_differ { DIFFER_REFUSE, DIFFER_GO_ON };

struct conf_files {
	const char *paths[CONF_LIST_MAX]; /* directories; none: no files */
	const char *pull[CONF_ARGV_MAX];  /* with variables */
	const char *run_as;
	usec_t timeout; /* of the pull, and of reading what is there */
	enum conf_differ differ;
};

/* Where the record of the holder is kept. Keys that a type does not use are at
 * their default. */
enum conf_register_type { REGISTER_ARBITER, REGISTER_ETCD };

struct conf_register {
	enum conf_register_type type;
	/* etcd: "10.77.0.11:2379"; NULL-terminated */
	const char *endpoints[CONF_LIST_MAX];
	const char *server_name; /* in the members' certificates; "" address */
	const char *prefix;	 /* of the key; the cluster's name follows */
	const char *ca;		 /* "": no TLS */
	const char *cert, *key;	 /* "": none; ${node} is expanded */
	const char *user;	 /* "": etcd asks for none */
	const char *password_file;
};

struct conf {
	const char *path;
	const char *cluster;
	enum conf_mode mode;
	node_t self; /* from node = or the host's name */
	int node_count;
	struct conf_node node[NODES_MAX];
	struct names names; /* of the nodes, for records */

	enum conf_durability durability;
	lsn_t max_loss;		 /* bytes of WAL; bounded only, else 0 */
	enum conf_rejoin rejoin; /* what diverged, without a person */

	usec_t ttl;	     /* T */
	usec_t slack;	     /* delta, 50 ms */
	int clock_ppm;	     /* epsilon, 1000 */
	usec_t min_interval; /* between automatic failovers */

	struct conf_register reg;
	node_t arbiter; /* the witness that serves the register, or none */

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
	int item_count;
	struct conf_item item[CONF_ITEMS_MAX];
	int traffic_count;
	struct conf_traffic traffic[CONF_TRAFFIC_MAX];
	struct conf_files files;

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
/* Whether a check or an item with this list of nodes is for that node. */
bool conf_on(const struct conf *conf, const char *const *on, node_t node);
const char *conf_mode_str(enum conf_mode mode);

#endif
