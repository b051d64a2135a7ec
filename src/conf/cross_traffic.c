/*
 * Rules between keys of the balancers of traffic: sockets that can be reached,
 * and keys that go with the way in which a balancer is steered. With address,
 * one server is pointed to the primary; without, each node has a server.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/cross_i.h"
#include "hawatch/endpoint.h"
#include "hawatch/str.h"
#include "hawatch/template.h"

#define TRAFFIC_NODE "${node}"

static void cross_traffic_name(struct conf_draft *d, int i);
static void cross_traffic_sockets(struct conf_draft *d, int i);
static void cross_traffic_server(struct conf_draft *d, int i);
static void cross_traffic_states(struct conf_draft *d, int i);
static void cross_traffic_address(struct conf_draft *d, int i);
static const char *cross_traffic_variable(const char *text, size_t *len);
static bool cross_traffic_numeric(
    const struct conf *conf, const char *text, node_t n);

void
cross_traffic(struct conf_draft *d)
{
	struct conf_traffic *t;
	int i;

	for (i = 0; i < d->conf.traffic_count; i++) {
		t = &d->conf.traffic[i];
		t->line = cross_source_line(d, "traffic", i);
		cross_traffic_name(d, i);
		cross_traffic_sockets(d, i);
		cross_traffic_server(d, i);
		if (t->address[0] == '\0')
			cross_traffic_states(d, i);
		else
			cross_traffic_address(d, i);
	}
}

static void
cross_traffic_name(struct conf_draft *d, int i)
{
	const char *name = d->conf.traffic[i].name;
	char path[CROSS_PATH_MAX];
	int j;

	cross_path(path, "traffic", i, "name");
	for (j = 0; j < i; j++)
		if (strcmp(d->conf.traffic[j].name, name) == 0)
			draft_fault_at(d, path,
			    "balancer %s is there twice; give each one a name "
			    "of its own",
			    name);
}

static void
cross_traffic_sockets(struct conf_draft *d, int i)
{
	const struct conf_traffic *t = &d->conf.traffic[i];
	char path[CROSS_PATH_MAX];
	struct endpoint to;
	struct error err;
	int j, k;

	cross_path(path, "traffic", i, "sockets");
	for (j = 0; t->sockets[j] != NULL; j++) {
		if (endpoint_parse(t->sockets[j], &to, &err) == -1)
			draft_fault_at(d, path,
			    "balancer %s: socket %s; write e.g. "
			    "\"/run/haproxy/admin.sock\", "
			    "\"10.77.0.9:9999\" or \"[::1]:9999\"",
			    t->name, err.msg);
		for (k = 0; k < j; k++)
			if (strcmp(t->sockets[k], t->sockets[j]) == 0)
				draft_fault_at(d, path,
				    "balancer %s: socket \"%.60s\" is there "
				    "twice; remove one",
				    t->name, t->sockets[j]);
	}
}

/* The name stands in a command: a blank or ';' would begin something else. */
static void
cross_traffic_server(struct conf_draft *d, int i)
{
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "._:-";
	const struct conf_traffic *t = &d->conf.traffic[i];
	const char *s = t->server;
	char path[CROSS_PATH_MAX];

	cross_path(path, "traffic", i, "server");
	while (*s != '\0') {
		if (str_starts(s, TRAFFIC_NODE)) {
			s += strlen(TRAFFIC_NODE);
			continue;
		}
		if (str_starts(s, "${"))
			draft_fault_at(d, path,
			    "balancer %s: server has a ${} that is not known; "
			    "write " TRAFFIC_NODE ", or the name itself",
			    t->name);
		else if (strchr(allowed, *s) == NULL)
			draft_fault_at(d, path,
			    "balancer %s: server has a character that no "
			    "server of HAProxy may have; write letters, "
			    "digits, '.', '_', ':' and '-'",
			    t->name);
		else {
			s++;
			continue;
		}
		return;
	}
}

static void
cross_traffic_states(struct conf_draft *d, int i)
{
	const struct conf_traffic *t = &d->conf.traffic[i];
	char path[CROSS_PATH_MAX];

	cross_path(path, "traffic", i, "server");
	/* A ${} that is not known has been said. */
	if (strstr(t->server, "${") == NULL)
		draft_fault_at(d, path,
		    "balancer %s: server has no " TRAFFIC_NODE ", so that all "
		    "nodes have one server; write e.g. server = "
		    "\"" TRAFFIC_NODE "\";, or address for a server that is "
		    "pointed to the primary",
		    t->name);
	cross_path(path, "traffic", i, "port");
	if (draft_given(d, path))
		draft_fault_at(d, path,
		    "balancer %s: port is for a server with address only; "
		    "remove it, or write address = \"${primary.address}\";",
		    t->name);
}

static void
cross_traffic_address(struct conf_draft *d, int i)
{
	const struct conf_traffic *t = &d->conf.traffic[i];
	const struct conf *conf = &d->conf;
	const char *variable;
	char path[CROSS_PATH_MAX];
	size_t len;
	node_t n;

	cross_path(path, "traffic", i, "server");
	if (strstr(t->server, TRAFFIC_NODE) != NULL)
		draft_fault_at(d, path,
		    "balancer %s: with address, server is the one that is "
		    "pointed to the primary; write its name, e.g. server = "
		    "\"primary\";",
		    t->name);
	cross_path(path, "traffic", i, "port");
	if (t->port == 0)
		draft_fault_at(d, path,
		    "balancer %s: address without port; write e.g. port = "
		    "%d;",
		    t->name, conf->pg.port == 0 ? 5432 : conf->pg.port);
	cross_path(path, "traffic", i, "out");
	if (draft_given(d, path))
		draft_fault_at(d, path,
		    "balancer %s: out is not used with address; remove it",
		    t->name);
	cross_path(path, "traffic", i, "address");
	variable = cross_traffic_variable(t->address, &len);
	if (variable != NULL) {
		draft_fault_at(d, path,
		    "balancer %s: address has %.*s, which is not known; write "
		    "${primary.address} or ${primary.private_ip}",
		    t->name, (int)len, variable);
		return;
	}
	for (n = 0; n < conf->node_count; n++)
		if (conf->node[n].role == ROLE_DATA &&
		    !cross_traffic_numeric(conf, t->address, n)) {
			draft_fault_at(d, path,
			    "balancer %s: address is not numeric with node %s "
			    "as primary; write ${primary.address}",
			    t->name, conf->node[n].name);
			return;
		}
}

/* The first variable that is not of the primary; NULL: none. */
static const char *
cross_traffic_variable(const char *text, size_t *len)
{
	static const char *const known[] = { "${primary.name}",
		"${primary.address}", "${primary.private_ip}" };
	struct template_piece piece;
	size_t i;

	while ((piece = template_next(&text)).kind != TEMPLATE_END) {
		if (piece.kind == TEMPLATE_BYTE)
			continue;
		for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (strlen(known[i]) == piece.len &&
			    strncmp(known[i], piece.from, piece.len) == 0)
				break;
		*len = piece.len;
		if (i == sizeof(known) / sizeof(known[0]))
			return piece.from;
	}
	return NULL;
}

static bool
cross_traffic_numeric(const struct conf *conf, const char *text, node_t n)
{
	char *address = template_expand(conf, text, n);
	unsigned char bytes[16];
	bool numeric = inet_pton(AF_INET, address, bytes) == 1 ||
		       inet_pton(AF_INET6, address, bytes) == 1;

	free(address);
	return numeric;
}
