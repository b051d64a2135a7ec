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
#define CONF_AGENTS_MAX 16
#define CONF_LIST_MAX 16
#define CONF_OPERATORS_MAX 16
#define CONF_NOTIFY_MAX 8
#define CONF_TTL_MAX (60 * USEC_SEC) /* of lease.ttl */
#define CONF_PATH "/etc/hawatch/hawatch.conf"

enum conf_mode { MODE_OBSERVE, MODE_MANUAL, MODE_AUTO };
enum conf_rejoin { CONF_REJOIN_NONE, CONF_REJOIN_REWIND, CONF_REJOIN_CLONE };
enum conf_durability { DURABILITY_STRICT, DURABILITY_BOUNDED };
enum conf_role { ROLE_DATA, ROLE_WITNESS };
/* What an operator may ask for from another host. */
enum conf_operator_role { OPERATOR_READ, OPERATOR_OPERATE };
enum conf_backend { BACKEND_ARGV, BACKEND_PG_CTLCLUSTER, BACKEND_SYSTEMD };
/* Whose commands promote, follow, rewind and clone. */
enum conf_commands { COMMANDS_NATIVE, COMMANDS_REPMGR };

struct conf_node {
	const char *name;
	const char *address;	/* numeric; of peer API and replication */
	const char *private_ip; /* for ${self.private_ip}; "": the address */
	enum conf_role role;
	int repmgr_id; /* data: node_id in repmgr.nodes; 0 none */
	int priority;  /* 0..1000, the greater goes first */
};

/* A person, or a program of one, who asks by a certificate of this name. */
struct conf_operator {
	const char *name;
	enum conf_operator_role role;
};

/* A command that tells people what happens. */
struct conf_notify {
	const char *name;
	const char *command[CONF_ARGV_MAX];
	const char *run_as; /* "": as the engine */
	usec_t timeout;
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
	enum conf_commands commands;
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

/* A key that is not at its default, as the file has it: "checks[pg].timeout".
 * Of a list itself, the names of its entries in order: "checks". */
#define CONF_DIGEST_MAX 17
struct conf_setting {
	const char *key, *text;
	bool live;   /* may change while the daemon runs */
	bool vital;  /* must be equal on all hosts */
	bool own;    /* may differ between hosts */
	bool hidden; /* may hold a secret: never shown */
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
enum conf_register_type { REGISTER_ARBITER, REGISTER_ETCD, REGISTER_NONE };

const char *conf_register_str(enum conf_register_type type);

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

/* A device that can switch a node's host off. */
struct conf_agent {
	const char *name;
	const char *node;  /* whose host */
	node_t target;	   /* the same */
	int level;	   /* 1 first; all devices of a level must be off */
	const char *agent; /* program, its options on standard input; or "" */
	const char *options[CONF_LIST_MAX]; /* "ip=10.77.9.1" */
	const char *secrets[CONF_LIST_MAX]; /* "password=/path" */
	const char *command[CONF_ARGV_MAX]; /* the action is added */
	usec_t timeout;			    /* of off and status together */
	usec_t delay;			    /* before off */
	int retries;			    /* of an off that failed */
	int line;
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
	int notify_count;
	struct conf_notify notify[CONF_NOTIFY_MAX];
	int operator_count;
	struct conf_operator operator[CONF_OPERATORS_MAX];

	/* The proofs that suffice, beside a release and a person's word. */
	bool proof_lease, proof_agent;
	usec_t agent_after; /* of silence of a holder */
	int agent_count;
	struct conf_agent agent[CONF_AGENTS_MAX];

	/* What the hosts compare: of all keys but the own ones, and of the
	 * vital ones alone. A key at its default counts for nothing, so that a
	 * new one of another version makes no difference. */
	int setting_count;
	const struct conf_setting *setting;
	char digest[CONF_DIGEST_MAX], vital[CONF_DIGEST_MAX];
	char whole[CONF_DIGEST_MAX]; /* of all, the own ones, too */

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

/* Fills what the key alone tells: live, vital, own, hidden. */
void conf_kind(struct conf_setting *s);

/* diff.c: one key that differs. A text is what the file has, or the default in
 * words; of a hidden one, only that it differs. */
struct conf_change {
	const char *key;
	char old[80], new[80];
	bool live, vital, own;
};
/* Calls fn for each; old and new are lists of settings in their order. */
void conf_diff(const struct conf_setting *old, int old_count,
    const struct conf_setting *new, int new_count,
    void (*fn)(void *arg, const struct conf_change *change), void *arg);
/* What may change while the daemon runs, in parts that change one by one; the
 * settings and digests go with the rest. */
enum conf_part { CONF_CHECKS, CONF_CONVERGE, CONF_TRAFFIC, CONF_REST };
#define CONF_PARTS (CONF_REST + 1)
/* The part that a key belongs to. */
enum conf_part conf_part(const char *key);
/* That part changes places between the two. Its strings stay with the one that
 * was read, which must live as long as they are used. */
void conf_swap(struct conf *a, struct conf *b, enum conf_part part);

nodeset_t conf_data_nodes(const struct conf *conf);
/* Whether a check or an item with this list of nodes is for that node. */
bool conf_on(const struct conf *conf, const char *const *on, node_t node);
const char *conf_mode_str(enum conf_mode mode);
/* Mode observe, and this host was never guarded: nothing is closed, nobody is
 * denied. guard.c has the reasons. */
bool conf_only_looks(const struct conf *conf);
/* -1: mode observe, and it was. */
int conf_guard_check(const struct conf *conf, struct error *err) MUST_CHECK;
/* The same; in another mode it is written down, before anything is guarded.
 * Waits for the disk. */
int conf_guard_mark(const struct conf *conf, struct error *err) MUST_CHECK;
/* Its second half, in a thread: where it could not be written before. */
int conf_guard_write(const char *state_dir, struct error *err) MUST_CHECK;
/* NULL: none of that name. */
const struct conf_operator *conf_operator(
    const struct conf *conf, const char *name);

#endif
