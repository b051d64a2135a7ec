/*
 * A netlink socket for nftables: batches that the kernel takes whole or not at
 * all, and dumps. Every exchange ends within the call: the kernel works while
 * it takes the message, so its answer is there before sendto returns.
 */
#ifndef HAWATCH_FENCE_NL_H
#define HAWATCH_FENCE_NL_H

#include <libmnl/libmnl.h>
#include <stddef.h>

#include "hawatch/error.h"
#include "hawatch/types.h"

#define NL_BATCH_MAX 8192
#define NL_ANSWER_MAX 32768

struct nl {
	struct mnl_socket *sock;
	uint32_t portid;
	uint32_t seq;
	size_t len; /* of the batch that is being made */
	struct nlmsghdr *last;
	char batch[NL_BATCH_MAX] __attribute__((aligned(8)));
	char answer[NL_ANSWER_MAX] __attribute__((aligned(8)));
};

int nl_open(struct nl *nl, int bus, struct error *err) MUST_CHECK;
void nl_close(struct nl *nl);

/* A batch: nl_begin, nl_add (fill the message, then nl_added) for each
 * message, nl_commit. */
void nl_begin(struct nl *nl);
struct nlmsghdr *nl_add(struct nl *nl, int type, int flags);
void nl_added(struct nl *nl, struct nlmsghdr *msg);
/* 0, or the errno of the first message that was refused: then nothing of the
 * batch was done. EPROTO: the kernel did not answer as it always does. */
int nl_commit(struct nl *nl) MUST_CHECK;

/* A dump that another transaction cut through (EINTR) is asked for again, from
 * the start, so often. */
#define NL_DUMP_TRIES 8

/* One request with a dump for its answer; 0 or an errno. cb sees every
 * message and returns MNL_CB_OK to go on. */
struct nlmsghdr *nl_ask(struct nl *nl, int type);
int nl_dump(
    struct nl *nl, struct nlmsghdr *req, mnl_cb_t cb, void *arg) MUST_CHECK;

/* The attributes of a message, and those inside of an attribute. libmnl's own
 * macros narrow a pointer difference without saying so. */
static inline bool
nl_attr_ok(const struct nlattr *a, const void *tail)
{
	return mnl_attr_ok(a, (int)((const char *)tail - (const char *)a));
}

#define NL_ATTR_EACH(a, msg, offset) \
	for ((a) = mnl_nlmsg_get_payload_offset(msg, offset); \
	     nl_attr_ok(a, mnl_nlmsg_get_payload_tail(msg)); \
	     (a) = mnl_attr_next(a))
#define NL_ATTR_NESTED(a, nest) \
	for ((a) = mnl_attr_get_payload(nest); \
	     nl_attr_ok(a, mnl_attr_next(nest)); (a) = mnl_attr_next(a))

#endif
