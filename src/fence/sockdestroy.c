/*
 * Destroys established connections through the kernel's socket diagnosis
 * (inet_diag, INET_DIAG_DESTROY). Best effort: whatever fails here, the rules
 * of the fence already pass nothing.
 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "fence/diag.h"
#include "fence/sockdestroy.h"
#include "hawatch/types.h"

#define BIT(state) (1U << (state))
/* Neither listening nor without an owner. */
#define STATES \
	(BIT(TCP_ESTABLISHED) | BIT(TCP_SYN_SENT) | BIT(TCP_SYN_RECV) | \
	    BIT(TCP_FIN_WAIT1) | BIT(TCP_FIN_WAIT2) | BIT(TCP_CLOSE_WAIT) | \
	    BIT(TCP_LAST_ACK) | BIT(TCP_CLOSING))
/* Destroying moves what a dump has yet to see: it is repeated until nothing
 * is left, so often at most. */
#define PASSES 3

struct destroyer {
	struct mnl_socket *dump, *kill, *route;
	int port;
	int count;
	uint32_t seq;
};

static int destroy_pass(struct destroyer *d, int family);
static int destroy_cb(const struct nlmsghdr *msg, void *arg);
static bool destroy_one(struct destroyer *d, const struct inet_diag_msg *sock);
static bool dst_local(struct destroyer *d, const struct inet_diag_msg *sock);
int
sockdestroy_port(int port)
{
	struct destroyer d = { .port = port };
	int i, before;

	d.dump = diag_open(NETLINK_SOCK_DIAG);
	d.kill = diag_open(NETLINK_SOCK_DIAG);
	d.route = diag_open(NETLINK_ROUTE);
	for (i = 0; i < PASSES && d.dump != NULL && d.kill != NULL; i++) {
		before = d.count;
		if (destroy_pass(&d, AF_INET) == -1 ||
		    destroy_pass(&d, AF_INET6) == -1 || d.count == before)
			break;
	}
	if (d.dump != NULL)
		mnl_socket_close(d.dump);
	if (d.kill != NULL)
		mnl_socket_close(d.kill);
	if (d.route != NULL)
		mnl_socket_close(d.route);
	return d.count;
}

static int
destroy_pass(struct destroyer *d, int family)
{
	/* Either port is ours: in the kernel's little language for that. */
	const struct inet_diag_bc_op ops[] = {
		{ INET_DIAG_BC_S_EQ, 8, 12 },
		{ .no = (uint16_t)d->port },
		{ INET_DIAG_BC_JMP, 4, 12 },
		{ INET_DIAG_BC_D_EQ, 8, 12 },
		{ .no = (uint16_t)d->port },
	};
	const struct diag_want want = {
		.family = family,
		.states = STATES,
		.filter = ops,
		.filter_len = sizeof(ops),
		.seq = ++d->seq,
	};

	return diag_dump(d->dump, &want, destroy_cb, d);
}

static int
destroy_cb(const struct nlmsghdr *msg, void *arg)
{
	struct destroyer *d = arg;
	const struct inet_diag_msg *sock = mnl_nlmsg_get_payload(msg);

	if (mnl_nlmsg_get_payload_len(msg) < sizeof(*sock))
		return MNL_CB_ERROR;
	/* Our own connection to another host's port of that number, say of
	 * the standby to its primary, is none of these. */
	if (ntohs(sock->id.idiag_sport) != d->port &&
	    (ntohs(sock->id.idiag_dport) != d->port || !dst_local(d, sock)))
		return MNL_CB_OK;
	if (destroy_one(d, sock))
		d->count++;
	return d->count < SOCKDESTROY_MAX ? MNL_CB_OK : MNL_CB_STOP;
}

static bool
destroy_one(struct destroyer *d, const struct inet_diag_msg *sock)
{
	char buf[1024] __attribute__((aligned(8)));
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	struct inet_diag_req_v2 *req;
	const struct nlmsgerr *e;
	ssize_t n;

	msg->nlmsg_type = SOCK_DESTROY;
	msg->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	msg->nlmsg_seq = ++d->seq;
	req = mnl_nlmsg_put_extra_header(msg, sizeof(*req));
	req->sdiag_family = sock->idiag_family;
	req->sdiag_protocol = IPPROTO_TCP;
	req->idiag_states = STATES;
	req->id = sock->id;
	if (!diag_ask(d->kill, msg, buf, sizeof(buf), &n))
		return false;
	msg = (struct nlmsghdr *)(void *)buf;
	if (!mnl_nlmsg_ok(msg, (int)n) || msg->nlmsg_type != NLMSG_ERROR)
		return false;
	e = mnl_nlmsg_get_payload(msg);
	return e->error == 0;
}

static bool
dst_local(struct destroyer *d, const struct inet_diag_msg *sock)
{
	char buf[4096] __attribute__((aligned(8)));
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	const uint32_t *dst = sock->id.idiag_dst;
	bool mapped = sock->idiag_family == AF_INET6 && dst[0] == 0 &&
		      dst[1] == 0 && dst[2] == htonl(0xffff);
	bool four = sock->idiag_family == AF_INET || mapped;
	const struct rtmsg *answer;
	struct rtmsg *rt;
	ssize_t n;

	if (memcmp(sock->id.idiag_src, dst, sizeof(sock->id.idiag_src)) == 0)
		return true;
	if (d->route == NULL)
		return false;
	msg->nlmsg_type = RTM_GETROUTE;
	msg->nlmsg_flags = NLM_F_REQUEST;
	msg->nlmsg_seq = ++d->seq;
	rt = mnl_nlmsg_put_extra_header(msg, sizeof(*rt));
	rt->rtm_family = four ? AF_INET : AF_INET6;
	rt->rtm_dst_len = four ? 32 : 128;
	mnl_attr_put(msg, RTA_DST, four ? 4 : 16, mapped ? &dst[3] : dst);
	if (!diag_ask(d->route, msg, buf, sizeof(buf), &n))
		return false;
	msg = (struct nlmsghdr *)(void *)buf;
	if (!mnl_nlmsg_ok(msg, (int)n) || msg->nlmsg_type != RTM_NEWROUTE ||
	    mnl_nlmsg_get_payload_len(msg) < sizeof(*answer))
		return false;
	answer = mnl_nlmsg_get_payload(msg);
	return answer->rtm_type == RTN_LOCAL;
}
