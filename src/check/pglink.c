/*
 * Connections to PostgreSQL as the configuration describes them, and strict
 * reading of answers: a server may be anything that listens on that port.
 */
#include "check/pglink.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "hawatch/conninfo.h"
#include "hawatch/loop.h"
#include "hawatch/str.h"

struct pgc *
pglink_local(struct loop *loop, const struct conf *conf, const char *dbname,
    const char *options)
{
	const struct pgc_conf link = {
		.host = conf->pg.socket_directory,
		.port = conf->pg.port,
		.user = conf->pg.user,
		.dbname = dbname != NULL ? dbname : conf->pg.dbname,
		.app = "hawatch",
		.options = options,
	};

	return pgc_new(loop, &link);
}

struct pgc *
pglink_node(struct loop *loop, const struct conf *conf, node_t node,
    const char *options)
{
	const struct pgc_conf link = {
		.hostaddr = conf->node[node].address,
		.port = conf->pg.port,
		.user = conf->pg.user,
		.dbname = conf->pg.dbname,
		.app = "hawatch",
		.options = options,
	};

	return pgc_new(loop, &link);
}

bool
pglink_same_address(const char *a, const char *b)
{
	struct in6_addr a6, b6;
	struct in_addr a4, b4;

	if (inet_pton(AF_INET, a, &a4) == 1)
		return inet_pton(AF_INET, b, &b4) == 1 &&
		       a4.s_addr == b4.s_addr;
	return inet_pton(AF_INET6, a, &a6) == 1 &&
	       inet_pton(AF_INET6, b, &b6) == 1 &&
	       memcmp(&a6, &b6, sizeof(a6)) == 0;
}

node_t
pglink_source(const struct conf *conf, const char *conninfo)
{
	struct conninfo c;
	struct error err;
	const char *where;
	node_t node;

	if (conninfo_read(conninfo, &c, &err) == -1 || c.several ||
	    c.port != conf->pg.port)
		return NODE_NONE;
	where = c.hostaddr[0] != '\0' ? c.hostaddr : c.host;
	for (node = 0; node < conf->node_count; node++)
		if (conf->node[node].role == ROLE_DATA &&
		    (pglink_same_address(where, conf->node[node].address) ||
			strcasecmp(where, conf->node[node].name) == 0))
			return node;
	return NODE_NONE;
}

int
pglink_bool(const struct pgc_result *r, int row, int col, bool *out)
{
	const char *text;

	text = r->get(r, row, col);
	if (text == NULL || (strcmp(text, "t") != 0 && strcmp(text, "f") != 0))
		return -1;
	*out = text[0] == 't';
	return 0;
}

int
pglink_num(const struct pgc_result *r, int row, int col, int64_t *out)
{
	const char *text;
	uint64_t value;
	bool minus;

	text = r->get(r, row, col);
	if (text == NULL)
		return -1;
	minus = text[0] == '-';
	if (str_parse_u64(text + minus, &value) == -1 || value > INT64_MAX)
		return -1;
	*out = minus ? -(int64_t)value : (int64_t)value;
	return 0;
}

int
pglink_lsn(const struct pgc_result *r, int row, int col, lsn_t *out)
{
	const char *text;

	*out = 0;
	text = r->get(r, row, col);
	if (text == NULL)
		return 0;
	return str_parse_u64(text, out);
}
