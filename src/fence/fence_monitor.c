/*
 * What others do to the fence's table: heard from nftables' own group, undone
 * at once, and told to the engine. It decides nothing about the lease: the
 * table is put back with what was allowed last and is not over yet.
 */
#include <errno.h>
#include <netinet/in.h> /* before the kernel's own */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "fence/fence_priv.h"
#include "hawatch/loop.h"

/* Enough for a large ruleset's worth of messages; the kernel counts it, it is
 * not allocated. */
#define MONITOR_BUFFER (4 << 20)
/* After an attempt that did not succeed. */
#define MONITOR_AGAIN ((usec_t)50 * USEC_MSEC)
/* Every message about a part of a table has the table's name first. */
#define ATTR_TABLE 1

static void monitor_cb(void *arg, int what);
static void monitor_tell_cb(void *arg);
static bool monitor_foreign(const struct fence *f, size_t len);
static bool monitor_ours(const struct nlmsghdr *msg);

int
monitor_open(struct fence *f, struct error *err)
{
	struct nl *nl = &f->events;
	int size = MONITOR_BUFFER, group = NFNLGRP_NFTABLES;

	if (nl_open(nl, NETLINK_NETFILTER, err) == -1)
		return -1;
	/* An overrun is noticed; a smaller buffer only makes it likelier. */
	(void)setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET,
	    SO_RCVBUFFORCE, &size, sizeof(size));
	if (mnl_socket_setsockopt(
		nl->sock, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) == -1)
		return error_sys(err, "subscribe to nftables' events");
	f->whole_at = clock_now().raw;
	f->tell = timer_new(f->loop, monitor_tell_cb, f);
	f->watch = watch_new(
	    f->loop, mnl_socket_get_fd(nl->sock), WATCH_READ, monitor_cb, f);
	return 0;
}

void
monitor_close(struct fence *f)
{
	watch_free(f->watch);
	timer_free(f->tell);
	nl_close(&f->events);
}

bool
monitor_drain(struct fence *f)
{
	struct nl *nl = &f->events;
	usec_t before = clock_now().raw;
	bool foreign = false;
	ssize_t n;

	for (;;) {
		n = mnl_socket_recvfrom(
		    nl->sock, nl->answer, sizeof(nl->answer));
		if (n > 0)
			foreign |= monitor_foreign(f, (size_t)n);
		else if (n == -1 && errno == EINTR)
			continue;
		else if (n == -1 && (errno == ENOBUFS || errno == ENOSPC))
			foreign = true; /* missed some: whose, who knows */
		else
			break;
	}
	if (foreign)
		monitor_restore(f);
	else
		f->whole_at = before;
	return foreign;
}

void
monitor_restore(struct fence *f)
{
	struct error err;
	usec_t open_for;

	f->restored = fence_install(&f->nl, f->port, &f->allowed, &err) == 0;
	open_for = clock_now().raw - f->whole_at;
	if (open_for > f->missing)
		f->missing = open_for;
	if (f->restored)
		f->whole_at += open_for;
	/* The caller may be in the middle of something. */
	timer_arm(f->tell, 0);
}

static void
monitor_cb(void *arg, int what)
{
	monitor_drain(arg);
}

static void
monitor_tell_cb(void *arg)
{
	struct fence *f = arg;
	usec_t missing;

	if (!f->restored)
		monitor_restore(f);
	if (f->restored)
		timer_disarm(f->tell);
	else
		timer_arm(f->tell, MONITOR_AGAIN);
	missing = f->missing;
	if (f->restored)
		f->missing = 0;
	f->lost(f->arg, f->restored, missing);
}

/* Is any message about our table, and not from our own socket? */
static bool
monitor_foreign(const struct fence *f, size_t len)
{
	const struct nlmsghdr *msg;
	int left = (int)len;

	for (msg = (const struct nlmsghdr *)(const void *)f->events.answer;
	     mnl_nlmsg_ok(msg, left); msg = mnl_nlmsg_next(msg, &left)) {
		if (msg->nlmsg_pid != f->nl.portid && monitor_ours(msg))
			return true;
	}
	return false;
}

static bool
monitor_ours(const struct nlmsghdr *msg)
{
	const struct nfgenmsg *gen;
	const struct nlattr *a;

	if ((msg->nlmsg_type >> 8) != NFNL_SUBSYS_NFTABLES ||
	    (msg->nlmsg_type & 0xff) == NFT_MSG_NEWGEN ||
	    mnl_nlmsg_get_payload_len(msg) < sizeof(*gen))
		return false;
	gen = mnl_nlmsg_get_payload(msg);
	if (gen->nfgen_family != NFPROTO_INET)
		return false;
	NL_ATTR_EACH(a, msg, sizeof(*gen))
	{
		if (mnl_attr_get_type(a) == ATTR_TABLE)
			return mnl_attr_validate(a, MNL_TYPE_NUL_STRING) == 0 &&
			       strcmp(mnl_attr_get_str(a), FENCE_TABLE) == 0;
	}
	return false;
}
