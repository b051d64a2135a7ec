/*
 * The rows of the schema. A new key is a row here, a field in conf.h, a line
 * in conf/hawatch.conf and an entry in hawatch.conf(5); tests compare them.
 */
#include "conf/schema.h"

#include "conf/draft.h"
#include "hawatch/conf.h"

#define AT(field) offsetof(struct conf_draft, field)
#define REG(field) AT(conf.reg.field)
#define PG(field) offsetof(struct conf_draft, conf.pg.field)
#define NODE(field) offsetof(struct conf_node, field)
#define CHECK(field) offsetof(struct conf_check, field)
#define ITEM(field) offsetof(struct conf_item, field)
#define FILES(field) offsetof(struct conf_draft, conf.files.field)
#define TRAFFIC(field) offsetof(struct conf_traffic, field)
#define OPERATOR(field) offsetof(struct conf_operator, field)
#define NOTIFY(field) offsetof(struct conf_notify, field)
#define AGENT(field) offsetof(struct conf_agent, field)
#define DAY (24 * (3600 * USEC_SEC))
#define PORT .type = CT_INT, .min = 1, .max = 65535
#define SOCKET_DIR_MAX 88 /* a socket's path has 107 bytes */

static const char *const words_mode[] = { [MODE_OBSERVE] = "observe",
	[MODE_MANUAL] = "manual",
	[MODE_AUTO] = "auto",
	NULL };
static const char *const words_durability[] = {
	[DURABILITY_STRICT] = "strict", [DURABILITY_BOUNDED] = "bounded", NULL
};
static const char *const words_register[] = { [REGISTER_ARBITER] = "arbiter",
	[REGISTER_ETCD] = "etcd",
	[REGISTER_NONE] = "none",
	NULL };
static const char *const words_rejoin[] = { [CONF_REJOIN_NONE] = "none",
	[CONF_REJOIN_REWIND] = "rewind",
	[CONF_REJOIN_CLONE] = "clone",
	NULL };
static const char *const words_role[] = {
	[ROLE_DATA] = "data", [ROLE_WITNESS] = "witness", NULL
};
static const char *const words_commands[] = {
	[COMMANDS_NATIVE] = "native", [COMMANDS_REPMGR] = "repmgr", NULL
};
static const char *const words_backend[] = { [BACKEND_ARGV] = "argv",
	[BACKEND_PG_CTLCLUSTER] = "pg_ctlcluster",
	[BACKEND_SYSTEMD] = "systemd",
	NULL };
static const char *const words_check[] = { "tcp", "postgres", "repmgr",
	"memcached", "http", "supervisor", "command", "disk", NULL };
static const char *const words_item[] = { [ITEM_LINE] = "line",
	[ITEM_SERVICE] = "service",
	[ITEM_COMMAND] = "command",
	[ITEM_CACHE] = "cache",
	NULL };
static const char *const words_when[] = {
	[ITEM_AFTER] = "after", [ITEM_BEFORE] = "before", NULL
};
static const char *const words_many[] = {
	[MANY_ERROR] = "error", [MANY_FIRST] = "first", NULL
};
static const char *const words_traffic[] = { "haproxy", NULL };
static const char *const words_from[] = {
	[FROM_HOLDER] = "holder", [FROM_EVERY] = "every", NULL
};
static const char *const words_out[] = {
	[OUT_MAINT] = "maint", [OUT_DRAIN] = "drain", NULL
};

static const char *const words_operator[] = {
	[OPERATOR_READ] = "read", [OPERATOR_OPERATE] = "operate", NULL
};
static const char *const words_differ[] = {
	[DIFFER_REFUSE] = "refuse", [DIFFER_GO_ON] = "go-on", NULL
};

/* clang-format off */
const struct conf_group conf_groups[] = {
{ .name = "" },
{ .name = "nodes", .vital = true, .offset = AT(conf.node), .stride = sizeof(struct conf_node),
  .count = AT(conf.node_count), .broken = AT(nodes_broken), .max = NODES_MAX, .required = true,
  .example = "nodes = ( { name = \"prod-s1\"; address = \"10.77.0.1\"; }, ... );" },
{ .name = "lease" },
{ .name = "register" },
{ .name = "postgres" },
{ .name = "repmgr" },
{ .name = "peer" },
{ .name = "front" },
{ .name = "control" },
{ .name = "checks", .live = true, .offset = AT(conf.check), .stride = sizeof(struct conf_check),
  .count = AT(conf.check_count), .broken = AT(checks_broken), .max = CONF_CHECKS_MAX,
  .example = "checks = ( { name = \"pg\"; type = \"postgres\"; }, ... );" },
{ .name = "converge", .live = true, .offset = AT(conf.item), .stride = sizeof(struct conf_item),
  .count = AT(conf.item_count), .broken = AT(items_broken), .max = CONF_ITEMS_MAX,
  .example = "converge = ( { name = \"app-db\"; type = \"line\"; ... }, ... );" },
{ .name = "traffic", .live = true, .offset = AT(conf.traffic), .stride = sizeof(struct conf_traffic),
  .count = AT(conf.traffic_count), .broken = AT(traffic_broken), .max = CONF_TRAFFIC_MAX,
  .example = "traffic = ( { name = \"lb\"; type = \"haproxy\"; ... }, ... );" },
{ .name = "files" },
{ .name = "notify", .offset = AT(conf.notify), .stride = sizeof(struct conf_notify),
  .count = AT(conf.notify_count), .broken = AT(notify_broken), .max = CONF_NOTIFY_MAX,
  .example = "notify = ( { name = \"mail\"; command = [ ... ]; }, ... );" },
{ .name = "operators", .offset = AT(conf.operator), .stride = sizeof(struct conf_operator),
  .count = AT(conf.operator_count), .broken = AT(operators_broken), .max = CONF_OPERATORS_MAX,
  .example = "operators = ( { name = \"ann\"; role = \"operate\"; }, ... );" },
{ .name = "agents", .vital = true, .offset = AT(conf.agent), .stride = sizeof(struct conf_agent),
  .count = AT(conf.agent_count), .broken = AT(agents_broken), .max = CONF_AGENTS_MAX,
  .example = "agents = ( { name = \"bmc-s1\"; node = \"prod-s1\"; ... }, ... );" },
};
const size_t conf_group_count = sizeof(conf_groups) / sizeof(conf_groups[0]);

const struct conf_row conf_rows[] = {
{ "cluster", CT_NAME, AT(conf.cluster), .max = 63, .required = true, .example = "\"votes\"",
  .vital = true, .doc = "Name of the cluster; the register's record and peers of another cluster are refused by it." },
{ "mode", CT_ENUM, AT(conf.mode), .words = words_mode, .required = true, .example = "\"auto\"",
  .live = true, .doc = "What the daemon may do: observe decides and touches nothing, manual fences this host and waits for orders, auto takes over by itself." },
{ "node", CT_NAME, AT(node), .max = NODE_NAME_MAX - 1, .example = "\"prod-s1\"",
  .own = true, .doc = "Which of the nodes this host is; without it, the host's name, whole or up to its first dot." },
{ "durability", CT_ENUM, AT(conf.durability), .words = words_durability, .def = "strict",
  .vital = true, .doc = "What a takeover may lose: strict, no acknowledged commit; bounded, the last commits, at most so much write-ahead log as max_loss and what was written in the last lease.ttl." },
{ "max_loss", CT_BYTES, AT(conf.max_loss), .min = (int64_t)64 * 1024, .max = (int64_t)1 << 40, .example = "\"16MB\"",
  .vital = true, .doc = "How much write-ahead log a standby may lack and still take over; with durability bounded only, and required there." },
{ "rejoin", CT_ENUM, AT(conf.rejoin), .words = words_rejoin, .def = "none",
  .live = true, .doc = "What hawatchd does by itself with the data of a primary that was replaced: none leaves it for hactl rejoin; rewind saves what only that data has, then makes it the new primary's; clone does the same, and copies all of it where a rewind is impossible." },
{ "proofs", CT_NAMES, AT(proofs), .max = 3, .example = "[ \"released\", \"lease\", \"agent\" ]",
  .vital = true, .doc = "Which proofs that the old primary can acknowledge nothing suffice for an automatic takeover: released (it said so itself), lease (its lease has run out), agent (its host was seen off by fence agents); without it, released and lease." },
{ "agent_after", CT_USEC, AT(conf.agent_after), .min = 200 * USEC_MSEC, .max = 600 * USEC_SEC, .def = "3s",
  .doc = "For how long a holder must be silent, at the register and to this node, before a candidate has its host switched off; at least half of lease.ttl." },
{ "state_dir", CT_PATH, AT(conf.state_dir), .max = 4000, .def = "/var/lib/hawatch",
  .doc = "Directory of what must survive a restart: journal, highest epoch, arbiter's register." },
{ "run_dir", CT_PATH, AT(conf.run_dir), .max = SOCKET_DIR_MAX, .def = "/run/hawatch",
  .doc = "Directory of the control socket hactl.sock." },

{ "nodes.name", CT_NAME, NODE(name), .max = NODE_NAME_MAX - 1, .required = true, .example = "\"prod-s1\"",
  .doc = "Name of the node, as in its certificate and in repmgr.nodes." },
{ "nodes.address", CT_ADDRESS, NODE(address), .min = 1, .required = true, .example = "\"10.77.0.1\"",
  .vital = true, .doc = "Numeric address at which the other nodes reach its peer API and its PostgreSQL." },
{ "nodes.private_ip", CT_ADDRESS, NODE(private_ip), .min = 0, .def = "", .example = "\"172.31.43.83\"",
  .doc = "Numeric address that ${self.private_ip} and ${primary.private_ip} stand for; empty: the same as address." },
{ "nodes.role", CT_ENUM, NODE(role), .words = words_role, .def = "data",
  .vital = true, .doc = "data has a PostgreSQL instance, witness has none." },
{ "nodes.repmgr_id", CT_INT, NODE(repmgr_id), .min = 0, .max = INT32_MAX, .def = "0", .example = "1",
  .doc = "node_id of a data node in repmgr.nodes; 0 only without repmgr." },
{ "nodes.priority", CT_INT, NODE(priority), .min = 0, .max = 1000, .def = "100",
  .doc = "Which of several equally advanced standbys takes over: the one with the greater number." },

{ "lease.ttl", CT_USEC, AT(conf.ttl), .min = 500 * USEC_MSEC, .max = CONF_TTL_MAX, .def = "5s",
  .doc = "T: for how long one confirmation lets the primary accept writes, and so how long a lost host is waited for." },
{ "lease.slack", CT_USEC, AT(conf.slack), .min = USEC_MSEC, .max = 5 * USEC_SEC, .def = "50ms",
  .vital = true, .doc = "Allowance for late scheduling, added to every wait of a candidate." },
{ "lease.clock_ppm", CT_INT, AT(conf.clock_ppm), .min = 100, .max = 100000, .def = "1000", .unit = "parts per million",
  .vital = true, .doc = "How much faster or slower than true time a host's clock may run." },
{ "lease.min_interval", CT_USEC, AT(conf.min_interval), .min = 0, .max = 7 * DAY, .def = "10min",
  .live = true, .doc = "Least time between two automatic failovers, unless a person has acknowledged the last one with hactl ack." },

{ "register.type", CT_ENUM, REG(type), .words = words_register, .def = "arbiter",
  .doc = "Where the record of the holder is kept: arbiter, in the hawatchd of a witness; etcd, in a cluster of etcd that is there; none, for two lone hosts: in a copy on each of them (TWO LONE HOSTS in hawatch(7))." },
{ "register.node", CT_NAME, AT(register_node), .max = NODE_NAME_MAX - 1, .example = "\"prod-a1\"",
  .vital = true, .doc = "The witness that serves the register; type arbiter only, and required there." },
{ "register.endpoints", CT_NAMES, REG(endpoints), .max = CONF_LIST_MAX - 1, .example = "[ \"10.77.0.11:2379\", \"10.77.0.12:2379\", \"10.77.0.13:2379\" ]",
  .vital = true, .doc = "Where the members of etcd serve clients, all of them, numeric; type etcd only, and required there." },
{ "register.server_name", CT_STRING, REG(server_name), .min = 0, .max = 253, .def = "", .example = "\"etcd.example.com\"",
  .doc = "Name that every member's certificate has; empty: each has its own address; type etcd only." },
{ "register.prefix", CT_STRING, REG(prefix), .min = 1, .max = 200, .def = "/hawatch/",
  .vital = true, .doc = "What comes before the cluster's name in the one key that is used; type etcd only." },
{ "register.ca", CT_PATH, REG(ca), .min = 0, .max = 4000, .def = "", .example = "\"/etc/hawatch/etcd/ca.pem\"",
  .doc = "The only authority that the members' certificates may be of; empty: without TLS; type etcd only." },
{ "register.cert", CT_NODE_PATH, REG(cert), .min = 0, .max = 4000, .def = "", .example = "\"/etc/hawatch/etcd/${node}.pem\"",
  .doc = "This node's certificate as a client of etcd; ${node} becomes its name; empty: none; type etcd only." },
{ "register.key", CT_NODE_PATH, REG(key), .min = 0, .max = 4000, .def = "", .example = "\"/etc/hawatch/etcd/${node}.key\"",
  .doc = "Private key of register.cert, mode 0600; ${node} becomes this node's name; type etcd only." },
{ "register.user", CT_STRING, REG(user), .min = 0, .max = 63, .def = "", .example = "\"hawatch\"",
  .doc = "Whom etcd knows as the reader and writer of the key; empty: etcd has no authentication; type etcd only." },
{ "register.password_file", CT_PATH, REG(password_file), .min = 0, .max = 4000, .def = "", .example = "\"/etc/hawatch/etcd/password\"",
  .doc = "File of mode 0600 whose first line is that user's password; type etcd only." },

{ "postgres.port", PORT, .offset = PG(port), .def = "5432",
  .doc = "The only TCP port of the instance; the fence closes it." },
{ "postgres.data_directory", CT_PATH, PG(data_directory), .max = 4000, .required = true, .example = "\"/var/lib/postgresql/15/main\"",
  .doc = "Data directory of the instance." },
{ "postgres.socket_directory", CT_PATH, PG(socket_directory), .max = SOCKET_DIR_MAX, .required = true, .example = "\"/run/hawatch-pg\"",
  .doc = "The only Unix socket directory of the instance, of mode 0700: a local client must not get round the fence." },
{ "postgres.user", CT_NAME, PG(user), .max = 63, .def = "hawatch",
  .doc = "Database role of hawatch." },
{ "postgres.dbname", CT_NAME, PG(dbname), .max = 63, .def = "postgres",
  .doc = "Database to which hawatch connects." },
{ "postgres.run_as", CT_NAME, PG(run_as), .max = 32, .def = "postgres",
  .doc = "Operating-system user of PostgreSQL." },
{ "postgres.bin_directory", CT_PATH, PG(bin_directory), .max = 4000, .def = "/usr/lib/postgresql/15/bin",
  .doc = "Directory of the programs of the instance's version: pg_ctl, pg_controldata, pg_rewind, pg_basebackup, pg_waldump." },
{ "postgres.backend", CT_ENUM, PG(backend), .words = words_backend, .required = true, .example = "\"pg_ctlcluster\"",
  .doc = "How the instance is started and stopped: by the commands of start and stop, by pg_ctlcluster, or by its systemd unit." },
{ "postgres.commands", CT_ENUM, PG(commands), .words = words_commands, .def = "native",
  .doc = "Whose commands promote this instance, let it follow, rewind and clone it: native, PostgreSQL's own; repmgr, those of repmgr, which are slower." },
{ "postgres.start", CT_ARGV, PG(start), .max = CONF_ARGV_MAX - 1, .example = "[ \"/usr/lib/postgresql/15/bin/pg_ctl\", \"start\", ... ]",
  .doc = "Command that starts the instance, run as run_as; backend argv only." },
{ "postgres.stop", CT_ARGV, PG(stop), .max = CONF_ARGV_MAX - 1, .example = "[ \"/usr/lib/postgresql/15/bin/pg_ctl\", \"stop\", ... ]",
  .doc = "Command that stops the instance fast; without it the postmaster is signalled; backend argv only." },
{ "postgres.cluster", CT_STRING, PG(cluster), .min = 0, .max = 80, .def = "", .example = "\"15/main\"",
  .doc = "Version and name of the cluster; backend pg_ctlcluster only." },
{ "postgres.unit", CT_STRING, PG(unit), .min = 0, .max = 120, .def = "", .example = "\"postgresql@15-main.service\"",
  .doc = "Unit of the instance, not the empty postgresql.service; backend systemd only." },
{ "postgres.gate", CT_PATH, PG(gate), .min = 0, .max = 4000, .def = "", .example = "\"/etc/systemd/system/postgresql@.service.d/hawatch.conf\"",
  .doc = "File that must contain \"hactl gate\", so that nobody else starts the instance as primary; may be left out with backend argv." },
{ "postgres.start_timeout", CT_USEC, PG(start_timeout), .min = USEC_SEC, .max = DAY, .def = "5min",
  .doc = "For how long a start, with its crash recovery, is waited for." },
{ "postgres.standby_timeout", CT_USEC, PG(standby_timeout), .min = 100 * USEC_MSEC, .max = 60 * USEC_SEC, .def = "500ms",
  .doc = "A standby that has flushed nothing for so long while something was to be flushed is lost, and writes go on without it." },

{ "repmgr.enabled", CT_BOOL, AT(conf.repmgr.enabled), .def = "true",
  .doc = "Whether repmgr's metadata is checked, and brought in line after a promotion." },
{ "repmgr.program", CT_PATH, AT(conf.repmgr.program), .max = 4000, .def = "/usr/lib/postgresql/15/bin/repmgr",
  .doc = "The repmgr program." },
{ "repmgr.config", CT_PATH, AT(conf.repmgr.config), .max = 4000, .def = "/etc/repmgr.conf",
  .doc = "repmgr's own configuration file on each data node." },
{ "repmgr.dbname", CT_NAME, AT(conf.repmgr.dbname), .max = 63, .def = "repmgr",
  .doc = "Database that holds repmgr.nodes." },

{ "peer.port", PORT, .offset = AT(conf.peer_port), .def = "7400",
  .doc = "Port of the peer API, mutual TLS, on the node's address." },
{ "peer.ca", CT_PATH, AT(conf.ca), .max = 4000, .def = "/etc/hawatch/pki/ca.pem",
  .doc = "Certificate of the authority that signs the nodes' certificates." },
{ "peer.cert", CT_NODE_PATH, AT(conf.cert), .max = 4000, .def = "/etc/hawatch/pki/${node}.pem",
  .doc = "This node's certificate; ${node} becomes its name." },
{ "peer.key", CT_NODE_PATH, AT(conf.key), .max = 4000, .def = "/etc/hawatch/pki/${node}.key",
  .doc = "This node's private key, mode 0600; ${node} becomes its name." },

{ "front.user", CT_NAME, AT(conf.user), .max = 32, .def = "hawatch",
  .doc = "Unprivileged user of the process that listens on the network." },
{ "front.address", CT_ADDRESS, AT(conf.health_address), .min = 0, .def = "", .example = "\"10.77.0.1\"",
  .doc = "Numeric address of the health endpoint; empty: every address of the host." },
{ "front.port", PORT, .offset = AT(conf.health_port), .def = "8008",
  .doc = "Port of the health endpoint, plain HTTP." },
{ "front.ping_body", CT_STRING, AT(conf.ping_body), .min = 0, .max = 256, .def = "Web services are UP",
  .doc = "What /ping answers when this host should get traffic." },
{ "front.connections", CT_INT, AT(conf.connections_max), .min = 16, .max = 65536, .def = "1024",
  .doc = "Most connections at a time, for each listener; where all are taken, who says nothing or is slow gives way." },
{ "front.idle_timeout", CT_USEC, AT(conf.idle_timeout), .min = 100 * USEC_MSEC, .max = 3600 * USEC_SEC, .def = "10s",
  .doc = "A connection that says nothing for so long is closed." },

{ "control.group", CT_NAME, AT(conf.group), .max = 32, .def = "hawatch",
  .doc = "Group whose members may use hactl, beside root." },

{ "checks.name", CT_NAME, CHECK(name), .max = 63, .required = true, .example = "\"pg\"",
  .doc = "Name of the check in status, metrics and log." },
{ "checks.type", CT_WORD, CHECK(type), .words = words_check, .required = true, .example = "\"tcp\"",
  .doc = "What is asked: tcp connects, postgres queries the local instance, repmgr compares repmgr.nodes, memcached sets, gets and deletes a key, http makes a request, supervisor asks for programs, command runs one, disk looks for free space." },
{ "checks.on", CT_NAMES, CHECK(on), .max = CONF_LIST_MAX - 1, .example = "[ \"prod-s1\", \"prod-s2\" ]",
  .doc = "Names of the nodes that run this check; without it, every data node." },
{ "checks.address", CT_HOST, CHECK(address), .min = 0, .def = "", .example = "\"127.0.0.1\"",
  .doc = "Address to connect to, numeric, or that of the host that holds the cluster or of this one; tcp, memcached and http only." },
{ "checks.port", CT_INT, CHECK(port), .min = 0, .max = 65535, .def = "0", .example = "443",
  .doc = "Port to connect to; tcp, memcached and http only." },
{ "checks.socket", CT_PATH, CHECK(socket), .min = 0, .max = SOCKET_DIR_MAX, .def = "", .example = "\"/run/supervisor.sock\"",
  .doc = "Unix socket to connect to: of supervisord, or for http instead of address and port." },
{ "checks.tls", CT_BOOL, CHECK(tls), .def = "false",
  .doc = "Whether the request goes over TLS with the certificate verified; http only." },
{ "checks.ca", CT_PATH, CHECK(ca), .min = 0, .max = 4000, .def = "", .example = "\"/etc/ssl/site-ca.pem\"",
  .doc = "File of the only authorities that may have signed the certificate; empty: the system's; http with tls only." },
{ "checks.host", CT_NAME, CHECK(host), .min = 0, .max = 253, .def = "localhost", .example = "\"vote.example.com\"",
  .doc = "Host of the request, and with tls the name that the certificate must carry; http only." },
{ "checks.path", CT_STRING, CHECK(path), .min = 0, .max = 1000, .def = "", .example = "\"/iam/api/auth-event/1/\"",
  .hidden = true, .doc = "http: path and query of the request; disk: a directory of the file system." },
{ "checks.nonce", CT_NAME, CHECK(nonce), .min = 0, .max = 32, .def = "", .example = "\"hactl\"",
  .doc = "Name of a query parameter with a value that is new in each request, so that no cache answers; empty: none; http only." },
{ "checks.status", CT_INT, CHECK(status), .min = 100, .max = 599, .def = "200",
  .doc = "Status that the answer must have; http only." },
{ "checks.body", CT_STRING, CHECK(body), .min = 0, .max = 1000, .def = "", .example = "\"^OK\"",
  .hidden = true, .doc = "Extended regular expression that the body must match; empty: any; http only." },
{ "checks.json", CT_STRING, CHECK(json), .min = 0, .max = 1000, .def = "", .example = "\"events.id=1\"",
  .hidden = true, .doc = "Field of the JSON body, by its path, and the value that it must have; empty: none; http only." },
{ "checks.header", CT_STRING, CHECK(header), .min = 0, .max = 1000, .def = "", .example = "\"X-Cache-Status: MISS\"",
  .hidden = true, .doc = "Header that the answer must have, with its value; empty: none; http only." },
{ "checks.programs", CT_NAMES, CHECK(programs), .max = CONF_LIST_MAX - 1, .example = "[ \"ballot-box\", \"iam\" ]",
  .doc = "Programs of supervisord that must be running; without it, only supervisord itself; supervisor only." },
{ "checks.command", CT_ARGV, CHECK(command), .max = CONF_ARGV_MAX - 1, .example = "[ \"/usr/bin/test\", \"-e\", \"/run/app.pid\" ]",
  .doc = "Program with its arguments that must end with 0; command only." },
{ "checks.run_as", CT_NAME, CHECK(run_as), .min = 0, .max = 32, .def = "", .example = "\"nobody\"",
  .doc = "Operating-system user of the program; empty: the daemon's; command only." },
{ "checks.free_percent", CT_INT, CHECK(free_percent), .min = 0, .max = 100, .def = "5", .unit = "per cent",
  .doc = "Least free space of the file system; disk only." },
{ "checks.free_mb", CT_INT, CHECK(free_mb), .min = 0, .max = 1000000000, .def = "0", .unit = "MiB",
  .doc = "Least free space of the file system; disk only." },
{ "checks.interval", CT_USEC, CHECK(interval), .min = 50 * USEC_MSEC, .max = DAY, .def = "1s",
  .doc = "Time between the starts of two probes." },
{ "checks.timeout", CT_USEC, CHECK(timeout), .min = 10 * USEC_MSEC, .max = 3600 * USEC_SEC, .def = "800ms",
  .doc = "Limit of one whole probe; not above interval." },
{ "checks.window", CT_INT, CHECK(window), .min = 1, .max = 64, .def = "5",
  .doc = "How many of the last results are looked at." },
{ "checks.threshold", CT_INT, CHECK(threshold), .min = 1, .max = 64, .def = "3",
  .doc = "How many bad ones among them make the check down; not above window." },
{ "checks.health", CT_BOOL, CHECK(health), .def = "false",
  .doc = "Whether /health answers 503 while this check is down." },
{ "checks.shared", CT_BOOL, CHECK(shared), .def = "false",
  .doc = "Whether it asks for something that several hosts use: it then counts for /health only while another host passes it." },
{ "checks.verify", CT_BOOL, CHECK(verify), .def = "false",
  .doc = "Whether it must pass on the new primary before a takeover is over." },

{ "converge.name", CT_NAME, ITEM(name), .max = 63, .required = true, .example = "\"app-db\"",
  .doc = "Name of the item in status, log and restart_on." },
{ "converge.type", CT_ENUM, ITEM(type), .words = words_item, .required = true, .example = "\"line\"",
  .doc = "What is to be true: a line of a file, the state of a service, the success of a command, or a cache that is empty." },
{ "converge.on", CT_NAMES, ITEM(on), .max = CONF_LIST_MAX - 1, .example = "[ \"prod-s1\", \"prod-s2\" ]",
  .doc = "Names of the nodes that the item is for; without it, every data node." },
{ "converge.when", CT_ENUM, ITEM(when), .words = words_when, .def = "after",
  .doc = "Whether it is brought about after the new primary accepts writes, or before it is promoted." },
{ "converge.required", CT_BOOL, ITEM(required), .def = "false",
  .doc = "Whether a takeover is given up when the item cannot be brought about; with when = before only." },
{ "converge.independent", CT_BOOL, ITEM(independent), .def = "false",
  .doc = "Whether it is brought about beside the items above it, instead of after them; those of restart_on always come first." },
{ "converge.timeout", CT_USEC, ITEM(timeout), .min = 100 * USEC_MSEC, .max = 3600 * USEC_SEC, .def = "30s",
  .doc = "For how long it is tried before the next items go on without it." },
{ "converge.primary", CT_STRING, ITEM(primary), .min = 0, .max = 2000, .def = "", .example = "\"db.host=localhost\"",
  .hidden = true, .doc = "What is to be true where the primary is: of a line, its text; of a service, running or stopped; of a command or cache, yes; empty: left alone." },
{ "converge.standby", CT_STRING, ITEM(standby), .min = 0, .max = 2000, .def = "", .example = "\"db.host=${primary.name}\"",
  .hidden = true, .doc = "The same for the other nodes." },
{ "converge.handover", CT_STRING, ITEM(handover), .min = 0, .max = 16, .def = "", .example = "\"stopped\"",
  .doc = "What is to be true where the primary is, before it is handed over by a switchover: stopped, or empty: left alone; service only." },
{ "converge.file", CT_PATH, ITEM(file), .min = 0, .max = 4000, .def = "", .example = "\"/etc/memcached.conf\"",
  .doc = "File whose line it is; line only." },
{ "converge.match", CT_STRING, ITEM(match), .min = 0, .max = 1000, .def = "", .example = "\"^db\\\\.host=.*$\"",
  .hidden = true, .doc = "Extended regular expression of the line that is replaced as a whole; line only." },
{ "converge.many", CT_ENUM, ITEM(many), .words = words_many, .def = "error",
  .doc = "What several matching lines are: an error, or the first is kept and the others are dropped; line only." },
{ "converge.restart_on", CT_NAMES, ITEM(restart_on), .max = CONF_LIST_MAX - 1, .example = "[ \"app-db\" ]",
  .doc = "Items after whose change the service is restarted; service only." },
{ "converge.program", CT_STRING, ITEM(program), .min = 0, .max = 120, .def = "", .example = "\"ballot-box\"",
  .doc = "Program of supervisord, with its group before a colon if that has another name; service only." },
{ "converge.socket", CT_PATH, ITEM(socket), .min = 0, .max = SOCKET_DIR_MAX, .def = "/run/supervisor.sock",
  .doc = "Unix socket of supervisord; service only." },
{ "converge.sweep", CT_PATH, ITEM(sweep), .min = 0, .max = 4000, .def = "", .example = "\"/usr/bin/syncdirs_from_master.sh\"",
  .doc = "Path of a program of which, once stopped, no process and no process of its group may live; service only." },
{ "converge.start", CT_ARGV, ITEM(start), .max = CONF_ARGV_MAX - 1, .example = "[ \"/usr/sbin/service\", \"memcached\", \"start\" ]",
  .doc = "Command that starts it; a service without program only." },
{ "converge.stop", CT_ARGV, ITEM(stop), .max = CONF_ARGV_MAX - 1, .example = "[ \"/usr/sbin/service\", \"memcached\", \"stop\" ]",
  .doc = "Command that stops it; a service without program only." },
{ "converge.restart", CT_ARGV, ITEM(restart), .max = CONF_ARGV_MAX - 1, .example = "[ \"/usr/sbin/service\", \"memcached\", \"restart\" ]",
  .doc = "Command that restarts it; a service without program only." },
{ "converge.test", CT_ARGV, ITEM(test), .max = CONF_ARGV_MAX - 1, .example = "[ \"/usr/sbin/service\", \"memcached\", \"status\" ]",
  .doc = "Command that ends with 0 if a service without program runs, or if what a command brings about is so." },
{ "converge.fix", CT_ARGV, ITEM(fix), .max = CONF_ARGV_MAX - 1, .example = "[ \"/usr/local/sbin/fix\" ]",
  .doc = "Command that brings about what test looks for; command only." },
{ "converge.run_as", CT_NAME, ITEM(run_as), .min = 0, .max = 32, .def = "", .example = "\"nobody\"",
  .doc = "Operating-system user of the commands; empty: the daemon's; service and command only." },
{ "converge.address", CT_ADDRESS, ITEM(address), .min = 0, .def = "", .example = "\"127.0.0.1\"",
  .doc = "Numeric address of the memcached that is to be empty; cache only." },
{ "converge.port", CT_INT, ITEM(port), .min = 0, .max = 65535, .def = "11211",
  .doc = "Port of the memcached that is to be empty; cache only." },

{ "traffic.name", CT_NAME, TRAFFIC(name), .max = 63, .required = true, .example = "\"lb\"",
  .doc = "Name of the balancer in status and log." },
{ "traffic.type", CT_WORD, TRAFFIC(type), .words = words_traffic, .required = true, .example = "\"haproxy\"",
  .doc = "What it is: haproxy, steered by its runtime API." },
{ "traffic.from", CT_ENUM, TRAFFIC(from), .words = words_from, .def = "holder",
  .doc = "Who steers it: the holder of the cluster, for a balancer of all, or every data node, for one on each host." },
{ "traffic.sockets", CT_NAMES, TRAFFIC(sockets), .max = CONF_LIST_MAX - 1, .required = true, .example = "[ \"/run/haproxy/admin.sock\" ]",
  .doc = "Its admin sockets, each a path or a numeric address with a port; all of them are steered." },
{ "traffic.backend", CT_NAME, TRAFFIC(backend), .max = 120, .required = true, .example = "\"web\"",
  .doc = "Name of the backend." },
{ "traffic.server", CT_STRING, TRAFFIC(server), .min = 1, .max = 120, .def = "${node}",
  .doc = "Name of a node's server in the backend; with address, the one server that is pointed to the primary." },
{ "traffic.address", CT_STRING, TRAFFIC(address), .min = 0, .max = 120, .def = "", .example = "\"${primary.address}\"",
  .doc = "Address that the server is to have; empty: the servers of nodes that should get nothing are taken out instead." },
{ "traffic.port", CT_INT, TRAFFIC(port), .min = 0, .max = 65535, .def = "0", .example = "5432",
  .doc = "Port that the server is to have; with address only." },
{ "traffic.out", CT_ENUM, TRAFFIC(out), .words = words_out, .def = "maint",
  .doc = "What a server is put into that should get nothing; without address only." },
{ "traffic.timeout", CT_USEC, TRAFFIC(timeout), .min = 50 * USEC_MSEC, .max = 60 * USEC_SEC, .def = "2s",
  .doc = "Limit of one exchange with one socket." },

{ "files.paths", CT_NAMES, FILES(paths), .max = CONF_LIST_MAX - 1, .example = "[ \"/home/ballotbox/datastore\" ]",
  .doc = "Directories that a standby copies from the primary; before a switchover the target pulls once more, and both hosts are to have the same in them; without it nothing is pulled." },
{ "files.pull", CT_ARGV, FILES(pull), .max = CONF_ARGV_MAX - 1, .example = "[ \"/usr/bin/rsync\", \"-a\", \"${primary.name}:/srv/data/\", \"/srv/data/\" ]",
  .doc = "Command that copies them once, run by the target; ${primary.name} is the host that hands over." },
{ "files.run_as", CT_NAME, FILES(run_as), .min = 0, .max = 32, .def = "", .example = "\"ballotbox\"",
  .doc = "Operating-system user of the pull; empty: the daemon's." },
{ "files.timeout", CT_USEC, FILES(timeout), .min = USEC_SEC, .max = 30 * USEC_SEC, .def = "20s",
  .doc = "Limit of the pull, and of reading what is there, each." },
{ "files.differ", CT_ENUM, FILES(differ), .words = words_differ, .def = "refuse",
  .doc = "What becomes of the switchover when a second pull leaves a difference, or fails: refuse, or go-on." },

{ "notify.name", CT_NAME, NOTIFY(name), .max = 63, .required = true, .example = "\"mail\"",
  .doc = "Name of the command, in log and output." },
{ "notify.command", CT_ARGV, NOTIFY(command), .max = CONF_ARGV_MAX - 1, .required = true, .example = "[ \"/usr/local/sbin/tell-people\" ]",
  .doc = "Command that is run for what a person should hear of, with a line of text and a line of JSON on its standard input." },
{ "notify.run_as", CT_NAME, NOTIFY(run_as), .min = 0, .max = 32, .def = "", .example = "\"nobody\"",
  .doc = "Operating-system user of the command; empty: the daemon's." },
{ "notify.timeout", CT_USEC, NOTIFY(timeout), .min = 100 * USEC_MSEC, .max = 60 * USEC_SEC, .def = "10s",
  .doc = "Limit of one run, after which it is killed." },

{ "operators.name", CT_NAME, OPERATOR(name), .max = NODE_NAME_MAX - 1, .required = true, .example = "\"ann\"",
  .doc = "Name in the certificate with which hactl asks from another host; no node's." },
{ "operators.role", CT_ENUM, OPERATOR(role), .words = words_operator, .def = "read",
  .doc = "What this operator may do from another host: read asks and changes nothing, operate gives every order too." },

{ "agents.name", CT_NAME, AGENT(name), .max = 63, .required = true, .example = "\"bmc-s1\"",
  .vital = true, .doc = "Name of the device in status and log." },
{ "agents.node", CT_NAME, AGENT(node), .max = NODE_NAME_MAX - 1, .required = true, .example = "\"prod-s1\"",
  .vital = true, .doc = "The data node whose host it switches off; its own agents are run by the others." },
{ "agents.level", CT_INT, AGENT(level), .min = 1, .max = 9, .def = "1",
  .vital = true, .doc = "Devices of one level must all be off; when one of them is not, those of the next level are tried." },
{ "agents.agent", CT_PATH, AGENT(agent), .min = 0, .max = 4000, .def = "", .example = "\"/usr/sbin/fence_ipmilan\"",
  .vital = true, .doc = "Fence agent of ClusterLabs: its action, options and secrets come on its standard input." },
{ "agents.options", CT_NAMES, AGENT(options), .max = CONF_LIST_MAX - 1, .example = "[ \"ip=10.77.9.1\", \"username=hawatch\" ]",
  .vital = true, .doc = "Options of the agent, each key=value; no password; agent only." },
{ "agents.secrets", CT_NAMES, AGENT(secrets), .max = CONF_LIST_MAX - 1, .example = "[ \"password=/etc/hawatch/bmc-s1.pw\" ]",
  .doc = "Options whose values are in files, each key=path; the file holds one line and has mode 0600; agent only." },
{ "agents.command", CT_ARGV, AGENT(command), .max = CONF_ARGV_MAX - 1, .example = "[ \"/usr/local/sbin/power\", \"prod-s1\" ]",
  .vital = true, .doc = "Command instead of an agent: off, status or monitor is added to it; it ends as an agent does." },
{ "agents.timeout", CT_USEC, AGENT(timeout), .min = 200 * USEC_MSEC, .max = 600 * USEC_SEC, .def = "20s",
  .doc = "Limit of switching off and of seeing it off, with all that is tried again; what runs longer is killed." },
{ "agents.delay", CT_USEC, AGENT(delay), .min = 0, .max = 60 * USEC_SEC, .def = "0s",
  .doc = "For how long it is waited before off, so that of two who shoot at each other one is first." },
{ "agents.retries", CT_INT, AGENT(retries), .min = 0, .max = 10, .def = "1",
  .doc = "How often an off that failed is tried again." },
};
/* clang-format on */
const size_t conf_row_count = sizeof(conf_rows) / sizeof(conf_rows[0]);

size_t
conf_schema(const struct conf_doc **rows)
{
	static struct conf_doc docs[sizeof(conf_rows) / sizeof(conf_rows[0])];
	static char types[sizeof(conf_rows) / sizeof(conf_rows[0])][128];
	size_t i;

	for (i = 0; i < conf_row_count; i++) {
		conf_row_type(&conf_rows[i], types[i], sizeof(types[i]));
		docs[i] = (struct conf_doc){ .key = conf_rows[i].key,
			.type = types[i],
			.def = conf_rows[i].def,
			.doc = conf_rows[i].doc };
	}
	*rows = docs;
	return conf_row_count;
}
