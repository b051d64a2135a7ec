/*
 * The first frame: all that the front knows of the configuration. The engine
 * has read and checked the file; the front never opens it.
 */
#include <arpa/inet.h>
#include <limits.h>
#include <string.h>

#include "front/frame.h"
#include "front/front.h"
#include "hawatch/json.h"
#include "hawatch/str.h"

static int
front_conf_text(
    const json_t *obj, const char *key, const char **out, struct error *err)
{
	*out = json_string_value(json_object_get(obj, key));
	if (*out == NULL)
		return error_set(err, ERR_PROTOCOL, "no text \"%s\"", key);
	return 0;
}

static int
front_conf_texts(struct front_conf *conf, const json_t *o, struct error *err)
{
	const struct {
		const char *key;
		const char **out;
	} table[] = {
		{ "cluster", &conf->cluster },
		{ "self", &conf->self },
		{ "ping_body", &conf->ping_body },
		{ "health_address", &conf->health_address },
		{ "peer_address", &conf->peer_address },
		{ "ca", &conf->ca },
		{ "cert", &conf->cert },
		{ "key", &conf->key },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (front_conf_text(o, table[i].key, table[i].out, err) == -1)
			return -1;
	return 0;
}

static int
front_conf_numbers(struct front_conf *conf, const json_t *o, struct error *err)
{
	int uid, gid;

	if (json_want_int(
		o, "health_port", 1, 65535, &conf->health_port, err) == -1 ||
	    json_want_int(o, "peer_port", 1, 65535, &conf->peer_port, err) ==
		-1 ||
	    json_want_int(o, "uid", 0, INT_MAX, &uid, err) == -1 ||
	    json_want_int(o, "gid", 0, INT_MAX, &gid, err) == -1 ||
	    json_want_int(o, "connections_max", 4, 65536,
		&conf->connections_max, err) == -1 ||
	    json_want_i64(o, "idle", USEC_MSEC, 3600 * USEC_SEC, &conf->idle,
		err) == -1 ||
	    json_want_i64(
		o, "generation", 0, INT32_MAX, &conf->generation, err) == -1)
		return -1;
	conf->uid = (uid_t)uid;
	conf->gid = (gid_t)gid;
	return 0;
}

/* Connections are compared with it by its text. */
static void
front_conf_spell(char *dst, size_t size, const char *address)
{
	struct in6_addr bin;
	int family = strchr(address, ':') == NULL ? AF_INET : AF_INET6;

	if (inet_pton(family, address, &bin) != 1 ||
	    inet_ntop(family, &bin, dst, (socklen_t)size) == NULL)
		dst[0] = '\0';
}

static int
front_conf_nodes(struct front_conf *conf, const json_t *o, struct error *err)
{
	const json_t *list = json_want_array(o, "nodes", err), *item;
	struct front_node *node;
	const char *address;
	size_t i;

	if (list == NULL)
		return -1;
	if (json_array_size(list) > NODES_MAX)
		return error_set(err, ERR_LIMIT, "too many nodes");
	for (i = 0; i < json_array_size(list); i++) {
		item = json_array_get(list, i);
		node = &conf->node[conf->node_count++];
		if (front_conf_text(item, "name", &node->name, err) == -1 ||
		    front_conf_text(item, "address", &address, err) == -1)
			return -1;
		front_conf_spell(node->address, sizeof(node->address), address);
	}
	return 0;
}

static int
front_conf_operators(
    struct front_conf *conf, const json_t *o, struct error *err)
{
	const json_t *list = json_want_array(o, "operators", err);
	const char *name;
	size_t i;

	if (list == NULL)
		return -1;
	if (json_array_size(list) > FRONT_OPERATORS_MAX)
		return error_set(err, ERR_LIMIT, "too many operators");
	for (i = 0; i < json_array_size(list); i++) {
		name = json_string_value(json_array_get(list, i));
		if (name == NULL)
			return error_set(
			    err, ERR_PROTOCOL, "an operator without a name");
		conf->operator[conf->operator_count++] = name;
	}
	return 0;
}

int
front_conf_parse(struct front_conf *conf, json_t *json, struct error *err)
{
	const json_t *o;

	memset(conf, 0, sizeof(*conf));
	conf->json = json;
	o = json_want_object(json, "config", err);
	if (o == NULL || front_conf_texts(conf, o, err) == -1 ||
	    front_conf_numbers(conf, o, err) == -1 ||
	    front_conf_nodes(conf, o, err) == -1 ||
	    front_conf_operators(conf, o, err) == -1)
		return error_wrap(err, "configuration from the engine");
	return 0;
}

void
front_conf_fini(struct front_conf *conf)
{
	json_decref(conf->json);
	memset(conf, 0, sizeof(*conf));
}
