/*
 * What the kernel says of the fence's sets, and of what anybody changes in
 * nftables; the first byte tells which. Messages have two bytes of length
 * before them. What libnftnl reads is left out: it takes the kernel at its
 * word, and ends the process when that is broken.
 */
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "fakeloop.h"
#include "fence/fence_priv.h"
#include "fuzz.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"

#define MESSAGE_MAX 4096

static const uint8_t *at, *end;
static int installed;

/* The next message as it comes from the kernel; NULL: no more. */
static struct nlmsghdr *
message(void)
{
	struct nlmsghdr *msg;
	size_t len;

	if (end - at < 2)
		return NULL;
	len = (size_t)(at[0] | at[1] << 8) % MESSAGE_MAX;
	at += 2;
	if (len > (size_t)(end - at))
		len = (size_t)(end - at);
	msg = xcalloc(1, sizeof(*msg) + len);
	(void)mnl_nlmsg_put_header(msg);
	msg->nlmsg_len = (uint32_t)(sizeof(*msg) + len);
	msg->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8;
	memcpy(mnl_nlmsg_get_payload(msg), at, len);
	at += len;
	return msg;
}

/* In the place of nl.c, fence_install.c and libmnl. */

struct nlmsghdr *
nl_ask(struct nl *nl, int type)
{
	return mnl_nlmsg_put_header(nl->batch);
}

struct nlmsghdr *
nl_add(struct nl *nl, int type, int flags)
{
	return mnl_nlmsg_put_header(nl->batch);
}

void
nl_added(struct nl *nl, struct nlmsghdr *msg)
{
}

int
nl_open(struct nl *nl, int bus, struct error *err)
{
	return -1;
}

void
nl_close(struct nl *nl)
{
}

int
nl_dump(struct nl *nl, struct nlmsghdr *req, mnl_cb_t cb, void *arg)
{
	struct nlmsghdr *msg;

	while ((msg = message()) != NULL) {
		FUZZ_CHECK(cb(msg, arg) == MNL_CB_OK);
		free(msg);
	}
	return 0;
}

int
fence_install(
    struct nl *nl, int port, const struct allowed *a, struct error *err)
{
	installed++;
	return 0;
}

ssize_t
mnl_socket_recvfrom(const struct mnl_socket *sock, void *buf, size_t size)
{
	struct nlmsghdr *msg = message();
	size_t len;

	if (msg == NULL) {
		errno = EAGAIN;
		return -1;
	}
	len = msg->nlmsg_len;
	FUZZ_CHECK(len <= size);
	memset(buf, 0xa5, size);
	memcpy(buf, msg, len);
	free(msg);
	return (ssize_t)len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fence f;
	enum answer ans;
	usec_t life;

	if (size < 2)
		return 0;
	at = data + 1;
	end = data + size;
	installed = 0;
	if ((data[0] & 1) != 0) {
		ans = elem_look(&f.nl, FENCE_WRITERS, 5432, &life);
		FUZZ_CHECK(ans != ANS_YES || life >= 0);
	} else {
		f.nl.portid = 7;
		f.tell = timer_new(NULL, NULL, NULL);
		FUZZ_CHECK(monitor_drain(&f) == (installed > 0));
		FUZZ_CHECK(installed <= 1);
		timer_free(f.tell);
	}
	return 0;
}
