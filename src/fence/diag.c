/*
 * Questions to inet_diag and their answers. The kernel has made an answer, or
 * its next part, before the call that asks for it returns: nothing here waits.
 */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "fence/diag.h"

#define BUF_SIZE 16384

struct mnl_socket *
diag_open(int bus)
{
	struct mnl_socket *s =
	    mnl_socket_open2(bus, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (s != NULL && mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) == -1) {
		mnl_socket_close(s);
		s = NULL;
	}
	return s;
}

int
diag_dump(
    struct mnl_socket *s, const struct diag_want *want, mnl_cb_t cb, void *arg)
{
	char buf[BUF_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	struct inet_diag_req_v2 *req;
	ssize_t n;
	int r = MNL_CB_OK;

	msg->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	msg->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	msg->nlmsg_seq = want->seq;
	req = mnl_nlmsg_put_extra_header(msg, sizeof(*req));
	req->sdiag_family = (uint8_t)want->family;
	req->sdiag_protocol = IPPROTO_TCP;
	req->idiag_states = want->states;
	if (want->filter != NULL)
		mnl_attr_put(msg, INET_DIAG_REQ_BYTECODE, want->filter_len,
		    want->filter);
	if (mnl_socket_sendto(s, msg, msg->nlmsg_len) == -1)
		return -1;
	while (r == MNL_CB_OK) {
		n = mnl_socket_recvfrom(s, buf, sizeof(buf));
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		r = mnl_cb_run(buf, (size_t)n, want->seq, 0, cb, arg);
	}
	return r == MNL_CB_ERROR ? -1 : 0;
}

bool
diag_ask(struct mnl_socket *s, struct nlmsghdr *msg, char *buf, size_t size,
    ssize_t *n)
{
	if (mnl_socket_sendto(s, msg, msg->nlmsg_len) == -1)
		return false;
	do
		*n = mnl_socket_recvfrom(s, buf, size);
	while (*n == -1 && errno == EINTR);
	return *n > 0;
}
