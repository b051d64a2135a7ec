/*
 * Who comes to a server that is about to end is refused by the kernel: a table
 * of its own beside the fence's, which is there for seconds and limited by the
 * wall clock, so that nothing has to take it away. It opens nothing, and the
 * fence knows nothing of it.
 */
#include <netinet/in.h> /* before the kernel's own */
#include <stdlib.h>

#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "fence/fence_priv.h"
#include "fence/rules_expr.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"

#define TURN_TABLE "hawatch-turn"
#define TURN_PRIORITY 9 /* before the fence */
#define TCP_DPORT 2
#define TCP_FLAGS 13
#define TCP_SYN 2
#define TCP_SYN_ACK 18

/* tcp dport 5432 tcp flags & (syn | ack) == syn meta time < ... */
#define TURN_NEW \
	{ OP_META, NFT_META_L4PROTO, 0, NULL }, { OP_EQ8, IPPROTO_TCP, 0, NULL }, \
	{ OP_LOAD, TCP_DPORT, 2, NULL }, { OP_PORT, 0, 0, NULL }, \
	{ OP_LOAD, TCP_FLAGS, 1, NULL }, { OP_MASK, TCP_SYN_ACK, 0, NULL }, \
	{ OP_EQ8, TCP_SYN, 0, NULL }, \
	{ OP_META, NFT_META_TIME_NS, 0, NULL }, { OP_BE64, 0, 0, NULL }, \
	{ OP_LIMIT, 0, 0, NULL }

/* clang-format off */
/* Local clients are caught on their way out, where a reset reaches them. */
static const struct rule turn_rule[] = {
	{ "input", { TURN_NEW, { OP_RESET, 0, 0, NULL } } },
	{ "output", { TURN_NEW, { OP_FIB, 0, 0, NULL },
		      { OP_EQ32, 2 /* RTN_LOCAL */, 0, NULL },
		      { OP_RESET, 0, 0, NULL } } },
};
/* clang-format on */

static void
turn_rules(struct nl *nl, int port, usec_t until)
{
	static const int hook[] = { NF_INET_LOCAL_IN, NF_INET_LOCAL_OUT };
	struct nftnl_rule *r;
	size_t i;

	rules_msg_table(nl, TURN_TABLE, NFT_MSG_NEWTABLE);
	for (i = 0; i < sizeof(turn_rule) / sizeof(turn_rule[0]); i++) {
		rules_msg_chain(nl, TURN_TABLE, turn_rule[i].chain, hook[i],
		    TURN_PRIORITY);
		r = rule_new(&turn_rule[i], TURN_TABLE, port,
		    (uint64_t)until * 1000);
		rules_msg_rule(nl, r);
		nftnl_rule_free(r);
	}
}

int
fence_turn_away(int port, usec_t life, struct error *err)
{
	struct nl *nl = xcalloc(1, sizeof(*nl));
	int error;

	if (nl_open(nl, NETLINK_NETFILTER, err) == -1) {
		free(nl);
		return -1;
	}
	nl_begin(nl);
	/* Added first so that deleting it cannot fail. */
	rules_msg_table(nl, TURN_TABLE, NFT_MSG_NEWTABLE);
	rules_msg_table(nl, TURN_TABLE, NFT_MSG_DELTABLE);
	if (life > 0)
		turn_rules(nl, port, clock_now().wall + life);
	error = nl_commit(nl);
	nl_close(nl);
	free(nl);
	return error == 0 ? 0 : fence_error(err, error, "turn away at");
}
