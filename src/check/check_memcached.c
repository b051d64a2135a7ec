/*
 * Check "memcached": a key can be written, read and deleted, and the server
 * tells its process. Asked through hawatch-probe, since libmemcached blocks.
 */
#include "check/modules.h"
#include "hawatch/probe.h"

struct check_memcached_priv {
	struct probe_call *call; /* while a probe runs */
};

static int check_memcached_start(struct check *c, struct error *err);
static void check_memcached_cancel(struct check *c);

const struct check_ops check_memcached = {
	.name = "memcached",
	.priv_size = sizeof(struct check_memcached_priv),
	.start = check_memcached_start,
	.cancel = check_memcached_cancel,
};

static void
check_memcached_cancel(struct check *c)
{
	struct check_memcached_priv *p = check_priv(c);

	probe_cancel(p->call);
	p->call = NULL;
}

static void
check_memcached_done(void *arg, const struct probe_result *res)
{
	struct check *c = arg;
	struct check_memcached_priv *p = check_priv(c);

	p->call = NULL;
	check_done(c, res->ans, res->reason);
}

static int
check_memcached_start(struct check *c, struct error *err)
{
	struct check_memcached_priv *p = check_priv(c);
	const char *address = check_address(c, err);
	const struct probe_request req = { .op = PROBE_MEMCACHED,
		.address = address,
		.port = check_conf(c)->port,
		.deadline = check_conf(c)->timeout };

	if (address == NULL)
		return -1;
	if (check_env(c)->probe == NULL)
		return error_set(err, ERR_CONFIG, "there is no hawatch-probe");
	p->call = probe_ask(check_env(c)->probe, &req, check_memcached_done, c);
	return 0;
}
