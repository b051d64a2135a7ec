/*
 * Netlink for the fence: batches and dumps on a socket that never waits. It
 * knows nothing of what the messages say.
 */
#include <errno.h>
#include <netinet/in.h> /* before the kernel's own */

#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "fence/nl.h"

#define NL_ALIGN(n) (((size_t)(n) + 3) & ~(size_t)3)

static int nl_answer(struct nl *nl, uint32_t last);
static int nl_errno(const struct nlmsghdr *msg);

int
nl_open(struct nl *nl, int bus, struct error *err)
{
	memset(nl, 0, offsetof(struct nl, batch));
	nl->sock = mnl_socket_open2(bus, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (nl->sock == NULL)
		return error_sys(err, "netlink socket");
	if (mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) == -1) {
		error_sys(err, "bind netlink socket");
		nl_close(nl);
		return -1;
	}
	nl->portid = mnl_socket_get_portid(nl->sock);
	return 0;
}

void
nl_close(struct nl *nl)
{
	if (nl->sock != NULL)
		mnl_socket_close(nl->sock);
	nl->sock = NULL;
}

void
nl_begin(struct nl *nl)
{
	nl->len = 0;
	nl->last = NULL;
	nftnl_batch_begin(nl->batch, ++nl->seq);
	nl->len = NL_ALIGN(((struct nlmsghdr *)(void *)nl->batch)->nlmsg_len);
}

struct nlmsghdr *
nl_add(struct nl *nl, int type, int flags)
{
	return nftnl_nlmsg_build_hdr(nl->batch + nl->len, (uint16_t)type,
	    NFPROTO_INET, (uint16_t)flags, ++nl->seq);
}

void
nl_added(struct nl *nl, struct nlmsghdr *msg)
{
	nl->last = msg;
	nl->len += NL_ALIGN(msg->nlmsg_len);
}

/*
 * Only the last message asks for an answer: the kernel answers a refused
 * message always, and the last one when all were taken.
 */
int
nl_commit(struct nl *nl)
{
	struct nlmsghdr *end;
	uint32_t last = nl->last->nlmsg_seq;

	nl->last->nlmsg_flags |= NLM_F_ACK;
	end = (struct nlmsghdr *)(void *)(nl->batch + nl->len);
	nftnl_batch_end((char *)end, ++nl->seq);
	nl->len += NL_ALIGN(end->nlmsg_len);
	if (mnl_socket_sendto(nl->sock, nl->batch, nl->len) == -1)
		return errno;
	return nl_answer(nl, last);
}

struct nlmsghdr *
nl_ask(struct nl *nl, int type)
{
	return nftnl_nlmsg_build_hdr(
	    nl->batch, (uint16_t)type, NFPROTO_INET, NLM_F_DUMP, ++nl->seq);
}

int
nl_dump(struct nl *nl, struct nlmsghdr *req, mnl_cb_t cb, void *arg)
{
	ssize_t n;
	int r = MNL_CB_OK, error = 0;

	req->nlmsg_seq = ++nl->seq;
	if (mnl_socket_sendto(nl->sock, req, req->nlmsg_len) == -1)
		return errno;
	/* After an error the rest is read all the same: it would be taken for
	 * the answer to the next request. */
	for (;;) {
		n = mnl_socket_recvfrom(
		    nl->sock, nl->answer, sizeof(nl->answer));
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (error != 0)
			continue;
		r = mnl_cb_run(
		    nl->answer, (size_t)n, req->nlmsg_seq, nl->portid, cb, arg);
		if (r == MNL_CB_ERROR)
			error = errno != 0 ? errno : EPROTO;
	}
	if (error != 0)
		return error;
	return r == MNL_CB_STOP ? 0 : EPROTO;
}

/* Reads all that the kernel said of this batch; the first refusal counts. */
static int
nl_answer(struct nl *nl, uint32_t last)
{
	const struct nlmsghdr *msg;
	ssize_t n;
	int left, error, first = 0;
	bool taken = false;

	for (;;) {
		n = mnl_socket_recvfrom(
		    nl->sock, nl->answer, sizeof(nl->answer));
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		left = (int)n;
		for (msg = (const struct nlmsghdr *)(void *)nl->answer;
		     mnl_nlmsg_ok(msg, left);
		     msg = mnl_nlmsg_next(msg, &left)) {
			if (msg->nlmsg_type != NLMSG_ERROR)
				continue;
			error = nl_errno(msg);
			if (error != 0 && first == 0)
				first = error;
			if (error == 0 && msg->nlmsg_seq == last)
				taken = true;
		}
	}
	if (first != 0)
		return first;
	return taken ? 0 : EPROTO;
}

static int
nl_errno(const struct nlmsghdr *msg)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(msg);

	if (mnl_nlmsg_get_payload_len(msg) < sizeof(e->error))
		return EPROTO;
	return e->error < 0 ? -e->error : e->error;
}
