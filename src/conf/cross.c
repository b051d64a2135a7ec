/*
 * Rules between keys: who is who, timings that cannot work, addresses and
 * ports that clash, keys that do not go together. Knows no single value's
 * range; that is in the schema.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/cross_i.h"
#include "conf/draft.h"
#include "hawatch/str.h"

static void cross_durability(struct conf_draft *d);
static void cross_nodes(struct conf_draft *d);
static void cross_node_pair(struct conf_draft *d, int i, int j);
static void cross_node(struct conf_draft *d, int i);
static void cross_self(struct conf_draft *d, const char *node);
static bool cross_nowhere(const char *address);
static bool cross_same_address(const char *a, const char *b);

void
conf_cross(struct conf_draft *d, const char *node)
{
	cross_durability(d);
	if (!d->nodes_broken) {
		cross_nodes(d);
		cross_self(d, node);
	}
	cross_register(d);
	cross_timing(d);
	cross_ports(d);
	cross_postgres(d);
	cross_directories(d);
	if (!d->checks_broken)
		cross_checks(d);
	if (!d->nodes_broken && !d->items_broken)
		cross_items(d);
	if (!d->nodes_broken && !d->traffic_broken)
		cross_traffic(d);
	cross_files(d);
	if (!d->notify_broken)
		cross_notify(d);
	if (!d->nodes_broken && !d->operators_broken)
		cross_operators(d);
	if (!d->nodes_broken && !d->agents_broken)
		cross_agents(d);
	cross_proofs(d);
	cross_expand(d, "peer.cert", &d->conf.cert);
	cross_expand(d, "peer.key", &d->conf.key);
	cross_expand(d, "register.cert", &d->conf.reg.cert);
	cross_expand(d, "register.key", &d->conf.reg.key);
}

void
cross_path(char *buf, const char *list, int i, const char *key)
{
	(void)snprintf(buf, CROSS_PATH_MAX, "%s.[%d].%s", list, i, key);
}

int
cross_source_line(const struct conf_draft *d, const char *list, int i)
{
	char path[CROSS_PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s.[%d]", list, i);
	return (int)config_setting_source_line(config_lookup(&d->file, path));
}

static void
cross_durability(struct conf_draft *d)
{
	bool bounded = d->conf.durability == DURABILITY_BOUNDED;

	if (bounded && !draft_given(d, "max_loss"))
		draft_fault_at(d, "durability",
		    "durability is \"bounded\" without a bound; write how "
		    "much write-ahead log a takeover may lose, e.g. max_loss "
		    "= \"16MB\"; or durability = \"strict\"; (no "
		    "acknowledged commit is ever lost)");
	if (!bounded && draft_given(d, "max_loss"))
		draft_fault_at(d, "max_loss",
		    "max_loss is given, but with durability strict nothing "
		    "may be lost; take it away, or write durability = "
		    "\"bounded\";");
}

static void
cross_nodes(struct conf_draft *d)
{
	struct conf *conf = &d->conf;
	int i, j, data = 0;

	conf->names.cluster = conf->cluster;
	conf->names.count = conf->node_count;
	for (i = 0; i < conf->node_count; i++) {
		conf->names.node[i] = conf->node[i].name;
		if (conf->node[i].private_ip[0] == '\0')
			conf->node[i].private_ip = conf->node[i].address;
		data += conf->node[i].role == ROLE_DATA;
		cross_node(d, i);
		for (j = 0; j < i; j++)
			cross_node_pair(d, j, i);
	}
	if (data == 0)
		draft_fault_at(d, "nodes",
		    "nodes has no data node; write at "
		    "least one with role = \"data\";");
}

static void
cross_node(struct conf_draft *d, int i)
{
	const struct conf_node *node = &d->conf.node[i];
	char path[CROSS_PATH_MAX];

	cross_path(path, "nodes", i, "repmgr_id");
	if (node->role == ROLE_DATA && node->repmgr_id == 0 &&
	    d->conf.repmgr.enabled)
		draft_fault_at(d, path,
		    "data node %s has no repmgr_id; write "
		    "repmgr_id = its node_id in repmgr.nodes, or enabled = "
		    "false in repmgr",
		    node->name);
	if (node->role == ROLE_WITNESS && node->repmgr_id != 0)
		draft_fault_at(d, path,
		    "witness %s has repmgr_id %d, but no "
		    "PostgreSQL; remove it, or write role = \"data\"",
		    node->name, node->repmgr_id);
	cross_path(path, "nodes", i, "address");
	if (cross_nowhere(node->address))
		draft_fault_at(d, path,
		    "node %s has the address %s, which is "
		    "no host's; write the one at which the other nodes reach "
		    "it",
		    node->name, node->address);
	else if (cross_nowhere(node->private_ip)) {
		cross_path(path, "nodes", i, "private_ip");
		draft_fault_at(d, path,
		    "node %s has the private_ip %s, which is no host's; "
		    "write an address of its own, or remove it",
		    node->name, node->private_ip);
	}
}

static bool
cross_nowhere(const char *address)
{
	return cross_same_address(address, "0.0.0.0") ||
	       cross_same_address(address, "::");
}

static void
cross_node_pair(struct conf_draft *d, int i, int j)
{
	const struct conf_node *a = &d->conf.node[i], *b = &d->conf.node[j];
	char path[CROSS_PATH_MAX];

	cross_path(path, "nodes", j, "name");
	if (strcmp(a->name, b->name) == 0)
		draft_fault_at(d, path,
		    "node %s is there twice; give each "
		    "node a name of its own",
		    b->name);
	cross_path(path, "nodes", j, "address");
	if (cross_same_address(a->address, b->address))
		draft_fault_at(d, path,
		    "nodes %s and %s have one address, %s; "
		    "write each host's own",
		    a->name, b->name, b->address);
	else if (cross_same_address(a->private_ip, b->private_ip)) {
		cross_path(path, "nodes", j, "private_ip");
		draft_fault_at(d, path,
		    "nodes %s and %s have one private_ip, %s; write each "
		    "host's own",
		    a->name, b->name, b->private_ip);
	}
	cross_path(path, "nodes", j, "repmgr_id");
	if (a->repmgr_id != 0 && a->repmgr_id == b->repmgr_id)
		draft_fault_at(d, path,
		    "nodes %s and %s have one repmgr_id, "
		    "%d; write each one's node_id in repmgr.nodes",
		    a->name, b->name, b->repmgr_id);
}

static void
cross_self(struct conf_draft *d, const char *node)
{
	struct conf *conf = &d->conf;
	char host[256] = "";

	if (node == NULL)
		node = d->node;
	if (node != NULL) {
		conf->self = cross_find(d, node);
		if (conf->self == NODE_NONE)
			draft_fault_at(d, "node",
			    "this host is to be node %s, "
			    "which is not in nodes; add it there, or name one "
			    "that is",
			    node);
		return;
	}
	if (gethostname(host, sizeof(host) - 1) == -1)
		host[0] = '\0';
	conf->self = cross_find(d, host);
	if (conf->self == NODE_NONE && strchr(host, '.') != NULL) {
		*strchr(host, '.') = '\0';
		conf->self = cross_find(d, host);
	}
	if (conf->self == NODE_NONE)
		draft_fault_at(d, "nodes",
		    "this host is called %s, which is "
		    "not in nodes; add it there, or say which of the nodes it "
		    "is with node = \"...\";",
		    host);
}

node_t
cross_find(const struct conf_draft *d, const char *name)
{
	node_t n;

	for (n = 0; n < d->conf.node_count; n++)
		if (strcmp(d->conf.node[n].name, name) == 0)
			return n;
	return NODE_NONE;
}

/* 10.0.0.1 and ::ffff:10.0.0.1, ::1 and 0:0::1 are the same. */
static bool
cross_same_address(const char *a, const char *b)
{
	const char *text[2] = { a, b };
	unsigned char bytes[2][16] = { { 0 } };
	int i;

	for (i = 0; i < 2; i++) {
		if (inet_pton(AF_INET6, text[i], bytes[i]) == 1)
			continue;
		if (inet_pton(AF_INET, text[i], bytes[i] + 12) != 1)
			return false;
		bytes[i][10] = bytes[i][11] = 0xff;
	}
	return memcmp(bytes[0], bytes[1], sizeof(bytes[0])) == 0;
}

void
cross_expand(struct conf_draft *d, const char *path, const char **field)
{
	static const char word[] = "${node}";
	char out[4096] = "";
	const char *s = *field;
	size_t len = 0;

	if (s == NULL)
		return;
	while (*s != '\0' && len < sizeof(out) - NODE_NAME_MAX) {
		if (str_starts(s, word)) {
			if (d->conf.self != NODE_NONE)
				len += (size_t)snprintf(out + len,
				    sizeof(out) - len, "%s",
				    d->conf.node[d->conf.self].name);
			s += sizeof(word) - 1;
			continue;
		}
		if (str_starts(s, "${")) {
			draft_fault_at(d, path,
			    "%s has a ${} that is not "
			    "known; write ${node}, or the path itself",
			    path);
			return;
		}
		out[len++] = *s++;
		out[len] = '\0';
	}
	if (*s != '\0')
		draft_fault_at(
		    d, path, "%s is too long; write a shorter path", path);
	*field = draft_string(d, out);
}
