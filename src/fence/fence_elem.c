/*
 * Elements of the fence's two sets: the messages that add and delete them, and
 * what is in a set now. An element is the port; its timeout is the lease.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <netinet/in.h> /* before the kernel's own */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "fence/fence_priv.h"

struct elems {
	int port;
	int count;   /* live ones */
	int strange; /* not the port's, or with something of which we know
			nothing */
	usec_t life;
};

static struct nlmsghdr *elem_msg(
    struct nl *nl, int type, int flags, const char *set);
static void elem_key(struct nlmsghdr *msg, int port);
static int elem_cb(const struct nlmsghdr *msg, void *arg);
static void elem_read(const struct nlattr *elem, struct elems *seen);
static bool elem_msec(const struct nlattr *a, uint64_t *out);
static int key_port(const struct nlattr *key);

/* With NLM_F_EXCL: older kernels ignore, newer ones prolong an element that
 * is there already; it is to be refused. */
void
elem_add(struct nl *nl, const char *set, int port, usec_t life)
{
	struct nlmsghdr *msg =
	    elem_msg(nl, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL, set);
	struct nlattr *list, *elem;

	list = mnl_attr_nest_start(msg, NFTA_SET_ELEM_LIST_ELEMENTS);
	elem = mnl_attr_nest_start(msg, NFTA_LIST_ELEM);
	elem_key(msg, port);
	if (life != USEC_NEVER)
		mnl_attr_put_u64(msg, NFTA_SET_ELEM_TIMEOUT,
		    htobe64((uint64_t)(life / USEC_MSEC)));
	mnl_attr_nest_end(msg, elem);
	mnl_attr_nest_end(msg, list);
	nl_added(nl, msg);
}

/* The kernel refuses the batch (ENOENT) when the element is not alive. */
void
elem_add_delete(struct nl *nl, const char *set, int port)
{
	struct nlmsghdr *msg = elem_msg(nl, NFT_MSG_DELSETELEM, 0, set);
	struct nlattr *list, *elem;

	list = mnl_attr_nest_start(msg, NFTA_SET_ELEM_LIST_ELEMENTS);
	elem = mnl_attr_nest_start(msg, NFTA_LIST_ELEM);
	elem_key(msg, port);
	mnl_attr_nest_end(msg, elem);
	mnl_attr_nest_end(msg, list);
	nl_added(nl, msg);
}

void
elem_add_flush(struct nl *nl, const char *set)
{
	nl_added(nl, elem_msg(nl, NFT_MSG_DELSETELEM, 0, set));
}

enum answer
elem_look(struct nl *nl, const char *set, int port, usec_t *life)
{
	struct elems seen = { .port = port };
	struct nlmsghdr *msg = nl_ask(nl, NFT_MSG_GETSETELEM);
	int i, error = EINTR;

	mnl_attr_put_strz(msg, NFTA_SET_ELEM_LIST_TABLE, FENCE_TABLE);
	mnl_attr_put_strz(msg, NFTA_SET_ELEM_LIST_SET, set);
	for (i = 0; i < NL_DUMP_TRIES && error == EINTR; i++) {
		seen.count = seen.strange = 0;
		error = nl_dump(nl, msg, elem_cb, &seen);
	}
	*life = seen.life;
	if (error == ENOENT)
		return ANS_NO;
	if (error != 0 || seen.strange != 0 || seen.count > 1)
		return ANS_UNKNOWN;
	return seen.count == 1 ? ANS_YES : ANS_NO;
}

static struct nlmsghdr *
elem_msg(struct nl *nl, int type, int flags, const char *set)
{
	struct nlmsghdr *msg = nl_add(nl, type, flags);

	mnl_attr_put_strz(msg, NFTA_SET_ELEM_LIST_TABLE, FENCE_TABLE);
	mnl_attr_put_strz(msg, NFTA_SET_ELEM_LIST_SET, set);
	return msg;
}

static void
elem_key(struct nlmsghdr *msg, int port)
{
	struct nlattr *key = mnl_attr_nest_start(msg, NFTA_SET_ELEM_KEY);

	mnl_attr_put_u16(msg, NFTA_DATA_VALUE, htons((uint16_t)port));
	mnl_attr_nest_end(msg, key);
}

static int
elem_cb(const struct nlmsghdr *msg, void *arg)
{
	const struct nlattr *list, *elem;

	NL_ATTR_EACH(list, msg, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(list) != NFTA_SET_ELEM_LIST_ELEMENTS)
			continue;
		NL_ATTR_NESTED(elem, list)
		elem_read(elem, arg);
	}
	return MNL_CB_OK;
}

/* Milliseconds; false for what is no number, or none that usec_t could hold. */
static bool
elem_msec(const struct nlattr *a, uint64_t *out)
{
	uint64_t ms;

	if (mnl_attr_get_payload_len(a) != sizeof(ms))
		return false;
	ms = be64toh(mnl_attr_get_u64(a));
	if (ms >= (uint64_t)(USEC_NEVER / USEC_MSEC))
		return false;
	*out = ms;
	return true;
}

/* A timeout that has run out leaves the element for a while, without an
 * expiration or with one of 0. */
static void
elem_read(const struct nlattr *elem, struct elems *seen)
{
	const struct nlattr *a;
	uint64_t timeout = 0, left = 0;
	int port = -1;

	NL_ATTR_NESTED(a, elem)
	{
		switch (mnl_attr_get_type(a)) {
		case NFTA_SET_ELEM_KEY:
			port = key_port(a);
			break;
		case NFTA_SET_ELEM_TIMEOUT:
			if (!elem_msec(a, &timeout))
				seen->strange++;
			break;
		case NFTA_SET_ELEM_EXPIRATION:
			if (!elem_msec(a, &left))
				seen->strange++;
			break;
		default:
			break;
		}
	}
	if (port != seen->port)
		seen->strange++;
	else if (timeout == 0 || left > 0)
		seen->count++;
	if (port == seen->port)
		seen->life =
		    timeout == 0 ? USEC_NEVER : (usec_t)left * USEC_MSEC;
}

static int
key_port(const struct nlattr *key)
{
	const struct nlattr *a;

	NL_ATTR_NESTED(a, key)
	{
		if (mnl_attr_get_type(a) == NFTA_DATA_VALUE &&
		    mnl_attr_get_payload_len(a) == sizeof(uint16_t))
			return ntohs(mnl_attr_get_u16(a));
	}
	return -1;
}
