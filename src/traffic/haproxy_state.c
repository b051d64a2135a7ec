/*
 * HAProxy by the states of servers: each data node has a server in the backend;
 * those of nodes that should get nothing are put out, the others are made
 * ready. Servers of the backend that are no node's are left alone, and so is
 * what a server's own check says of it.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "hawatch/str.h"
#include "traffic/haproxy.h"

#define HAP_NODE "${node}"

static bool hap_state_servers(struct haproxy *h, char *why, size_t size);
static void hap_state_next(struct haproxy *h);
static bool hap_state_judge(struct haproxy *h, char *why, size_t size);
static int hap_state_name(const char *pattern, const char *node, char *name);
static void hap_state_sets(struct haproxy *h);
static bool hap_state_wanted(const struct haproxy *h, node_t n);
static bool hap_state_in(const struct hap_server *s);
static bool hap_state_drains(const struct haproxy *h, node_t n);
static bool hap_state_put(const struct haproxy *h, node_t n);
static bool hap_state_room(const struct haproxy *h);

const struct hap_mode hap_by_state = {
	.servers = hap_state_servers,
	.next = hap_state_next,
	.judge = hap_state_judge,
};

static bool
hap_state_servers(struct haproxy *h, char *why, size_t size)
{
	const struct conf *conf = h->part->conf;
	nodeset_t data = conf_data_nodes(conf);
	node_t n;

	h->count = conf->node_count;
	for (n = 0; n < conf->node_count; n++) {
		h->server[n].name[0] = '\0';
		if ((data & NODE_BIT(n)) == 0)
			continue;
		if (hap_state_name(h->part->lb->server, conf->node[n].name,
			h->server[n].name) == -1) {
			(void)snprintf(why, size,
			    "the name of the server of node %s is too long",
			    conf->node[n].name);
			return false;
		}
	}
	return true;
}

static int
hap_state_name(const char *pattern, const char *node, char *name)
{
	size_t len = 0;

	while (*pattern != '\0') {
		if (str_starts(pattern, HAP_NODE)) {
			if (str_copy(name + len, HAP_NAME_MAX - len, node) ==
			    -1)
				return -1;
			len += strlen(node);
			pattern += strlen(HAP_NODE);
		} else {
			if (len + 1 >= HAP_NAME_MAX)
				return -1;
			name[len++] = *pattern++;
		}
		name[len] = '\0';
	}
	return 0;
}

/*
 * What comes in is read back before anything goes out: between the two there
 * may be more servers than wanted, never none.
 */
static void
hap_state_next(struct haproxy *h)
{
	const struct hap_server *s;
	node_t n;

	hap_state_sets(h);
	for (n = 0; n < h->count && !h->readied; n++) {
		s = &h->server[n];
		/* What others put on it cannot be taken off here. */
		if (s->there && hap_state_wanted(h, n) &&
		    (s->admin & HAP_FORCED) != 0)
			hap_command(h, n, "set server", " state ready");
	}
	h->readied = true;
	if (h->commands > 0 || h->taken || !hap_state_room(h))
		return;
	h->taken = true;
	for (n = 0; n < h->count; n++) {
		s = &h->server[n];
		if (s->there && !hap_state_wanted(h, n) && !hap_state_put(h, n))
			hap_command(h, n, "set server",
			    hap_state_drains(h, n) ? " state drain" :
						     " state maint");
	}
}

static bool
hap_state_judge(struct haproxy *h, char *why, size_t size)
{
	const struct hap_server *s, *kept = NULL;
	node_t n;

	hap_state_sets(h);
	why[0] = '\0';
	for (n = h->count - 1; n >= 0; n--) {
		s = &h->server[n];
		if (s->name[0] == '\0' || hap_state_wanted(h, n) || !s->there ||
		    hap_state_put(h, n))
			continue;
		kept = s;
		(void)snprintf(why, size, "%s/%s is %s, wanted %s",
		    hap_backend(h), s->name, hap_server_str(s),
		    hap_state_drains(h, n) ? "drain" : "maint");
	}
	for (n = h->count - 1; n >= 0; n--) {
		s = &h->server[n];
		if (s->name[0] == '\0' || !hap_state_wanted(h, n) ||
		    (s->there && hap_state_in(s)))
			continue;
		(void)snprintf(why, size, "%s/%s is %s, wanted ready%s%s",
		    hap_backend(h), s->name, hap_server_str(s),
		    kept == NULL ? "" : "; so this stays in: ",
		    kept == NULL ? "" : kept->name);
	}
	return why[0] == '\0';
}

/* In: traffic may go there. One that its own check holds down is neither. */
static void
hap_state_sets(struct haproxy *h)
{
	const struct hap_server *s;
	node_t n;

	h->part->in = h->part->out = 0;
	for (n = 0; n < h->count; n++) {
		s = &h->server[n];
		if (!s->there)
			continue;
		if (!hap_state_in(s))
			h->part->out |= NODE_BIT(n);
		else if (s->op != 0)
			h->part->in |= NODE_BIT(n);
	}
}

/* The primary's own is always wanted, whatever the goal says of others. */
static bool
hap_state_wanted(const struct haproxy *h, node_t n)
{
	const struct traffic_goal *goal = &h->part->goal;

	assert(n >= 0 && n < NODES_MAX);
	return n == goal->primary || (goal->out & NODE_BIT(n)) == 0;
}

static bool
hap_state_in(const struct hap_server *s)
{
	return (s->admin & (HAP_MAINT | HAP_DRAIN)) == 0;
}

/* What it has begun ends by itself, as maint would not let it. */
static bool
hap_state_drains(const struct haproxy *h, node_t n)
{
	return h->part->lb->out == OUT_DRAIN ||
	       (h->part->goal.drain & NODE_BIT(n)) != 0;
}

/* Put out on purpose: what a name or another server does to it may end any
 * time. Maintenance by others is no less than a drain. */
static bool
hap_state_put(const struct haproxy *h, node_t n)
{
	return (h->server[n].admin &
		   (hap_state_drains(h, n) ? HAP_FORCED :
					     HAP_MAINT_FORCED)) != 0;
}

/* A server that is to stay gets traffic, so that another may go. */
static bool
hap_state_room(const struct haproxy *h)
{
	node_t n;

	for (n = 0; n < h->count; n++)
		if (h->server[n].there && hap_state_wanted(h, n) &&
		    hap_state_in(&h->server[n]))
			return true;
	return false;
}
