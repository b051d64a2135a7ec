/*
 * Rules between keys of the register: what each of its types needs, and what
 * is written beside the wrong one.
 */
#include <string.h>

#include "conf/cross_i.h"
#include "conf/draft.h"
#include "hawatch/endpoint.h"

static void cross_arbiter(struct conf_draft *d);
static void cross_etcd(struct conf_draft *d);
static void cross_none(struct conf_draft *d);
static void cross_etcd_tls(struct conf_draft *d);
static void cross_only(struct conf_draft *d, const char *key, const char *type);

void
cross_register(struct conf_draft *d)
{
	static const char *const keys[] = { "endpoints", "server_name",
		"prefix", "ca", "cert", "key", "user", "password_file" };
	const char *given;
	size_t i;

	/* A type that is not known says so; nothing follows from it. */
	if (config_lookup_string(&d->file, "register.type", &given) ==
		CONFIG_TRUE &&
	    strcmp(given, "etcd") != 0 && strcmp(given, "arbiter") != 0 &&
	    strcmp(given, "none") != 0)
		return;
	if (d->conf.reg.type == REGISTER_ETCD) {
		cross_only(d, "node", "arbiter");
		cross_etcd(d);
		cross_etcd_tls(d);
		return;
	}
	for (i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		cross_only(d, keys[i], "etcd");
	if (d->conf.reg.type == REGISTER_NONE)
		cross_none(d);
	else
		cross_arbiter(d);
}

/* A copy on each of two hosts: with one there is nobody to have the other,
 * and with three, someone who could do better. */
static void
cross_none(struct conf_draft *d)
{
	const struct conf *conf = &d->conf;
	const char *witness = NULL;
	node_t n;

	cross_only(d, "node", "arbiter");
	if (d->nodes_broken)
		return;
	for (n = 0; n < conf->node_count; n++)
		if (conf->node[n].role == ROLE_WITNESS)
			witness = conf->node[n].name;
	if (witness != NULL)
		draft_fault_at(d, "register.type",
		    "register.type is \"none\", and there is a witness, which "
		    "can do better; write type = \"arbiter\"; node = \"%s\";",
		    witness);
	else if (conf->node_count != 2)
		draft_fault_at(d, "register.type",
		    "register.type is \"none\", which is for exactly two data "
		    "nodes, and there are %d; add a witness and write type = "
		    "\"arbiter\", or type = \"etcd\"",
		    conf->node_count);
}

static void
cross_only(struct conf_draft *d, const char *key, const char *type)
{
	char path[CROSS_PATH_MAX] = "register.";

	strncat(path, key, sizeof(path) - strlen(path) - 1);
	if (draft_given(d, path))
		draft_fault_at(d, path,
		    "%s is not used with this type of register; remove it, or "
		    "write type = \"%s\";",
		    path, type);
}

static void
cross_arbiter(struct conf_draft *d)
{
	struct conf *conf = &d->conf;
	const char *witness = NULL;
	node_t n;

	for (n = 0; n < conf->node_count; n++)
		if (conf->node[n].role == ROLE_WITNESS)
			witness = conf->node[n].name;
	if (d->register_node == NULL) {
		if (!draft_given(d, "register.node"))
			draft_fault_at(d, "register.node",
			    "register.node is missing; write the name of a "
			    "witness, e.g. node = \"%s\"; or type = \"etcd\"; "
			    "and endpoints",
			    witness == NULL ? "prod-a1" : witness);
		return;
	}
	if (d->nodes_broken)
		return;
	conf->arbiter = cross_find(d, d->register_node);
	if (conf->arbiter == NODE_NONE) {
		draft_fault_at(d, "register.node",
		    "register.node %s is not in "
		    "nodes; write the name of a witness%s%s",
		    d->register_node, witness == NULL ? "" : ", e.g. ",
		    witness == NULL ? "" : witness);
	} else if (conf->node[conf->arbiter].role != ROLE_WITNESS) {
		draft_fault_at(d, "register.node",
		    "register.node %s is a data "
		    "node; write a witness there: what outlives a data node "
		    "must not live on one",
		    d->register_node);
	}
}

static void
cross_etcd(struct conf_draft *d)
{
	const char *const *e = d->conf.reg.endpoints;
	struct endpoint at;
	struct error err;
	int i, j;

	if (e[0] == NULL && !draft_given(d, "register.endpoints"))
		draft_fault_at(d, "register.endpoints",
		    "register.endpoints is missing; write where the members "
		    "of etcd serve clients, e.g. endpoints = [ "
		    "\"10.77.0.11:2379\", \"10.77.0.12:2379\", "
		    "\"10.77.0.13:2379\" ];");
	else if (e[0] == NULL)
		draft_fault_at(d, "register.endpoints",
		    "register.endpoints is empty; write where the members of "
		    "etcd serve clients");
	for (i = 0; e[i] != NULL; i++) {
		if (e[i][0] == '/' || endpoint_parse(e[i], &at, &err) != 0)
			draft_fault_at(d, "register.endpoints",
			    "register.endpoints has \"%s\", which is no "
			    "numeric address with a port; write it as "
			    "\"10.77.0.11:2379\"",
			    e[i]);
		for (j = 0; j < i; j++)
			if (strcmp(e[i], e[j]) == 0)
				draft_fault_at(d, "register.endpoints",
				    "register.endpoints has %s twice; write "
				    "each member once",
				    e[i]);
	}
	if ((d->conf.reg.user[0] == '\0') !=
	    (d->conf.reg.password_file[0] == '\0'))
		draft_fault_at(d,
		    d->conf.reg.user[0] == '\0' ? "register.password_file" :
						  "register.user",
		    "register.user and register.password_file go together; "
		    "write both, or neither");
}

static void
cross_etcd_tls(struct conf_draft *d)
{
	const struct conf_register *r = &d->conf.reg;

	if (r->cert == NULL || r->key == NULL || r->ca == NULL)
		return;
	if ((r->cert[0] == '\0') != (r->key[0] == '\0'))
		draft_fault_at(d,
		    r->cert[0] == '\0' ? "register.key" : "register.cert",
		    "register.cert and register.key go together; write both, "
		    "or neither");
	if (r->ca[0] == '\0' &&
	    (r->cert[0] != '\0' || r->server_name[0] != '\0'))
		draft_fault_at(d,
		    r->cert[0] != '\0' ? "register.cert" :
					 "register.server_name",
		    "register.ca is missing, and without it there is no TLS; "
		    "write the authority of the members' certificates");
}
