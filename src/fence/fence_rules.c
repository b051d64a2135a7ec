/*
 * The table inet hawatch: its rules as data, beside the words that nft has for
 * them, the messages that make it, and the text that it is compared with. What
 * the kernel has is read by fence_look.c, elements are fence_elem.c's.
 */
#include <endian.h>
#include <netinet/in.h> /* before the kernel's own */

#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "fence/fence_priv.h"
#include "fence/rules_expr.h"

#define PRIORITY 10 /* after whoever might rewrite addresses or ports */
#define LOOPBACK 1  /* interface index, in every network namespace */
#define TYPE_INET_SERVICE 13 /* nft's number for a port, only for its lists */
#define NSEC_USEC 1000

/* Offsets in the TCP header. */
#define TCP_SPORT 0
#define TCP_DPORT 2
#define TCP_FLAGS 13
#define TCP_RST 4

#define TCP \
	{ OP_META, NFT_META_L4PROTO, 0, NULL }, \
	{ \
		OP_EQ8, IPPROTO_TCP, 0, NULL \
	}
#define LOAD(offset, len) \
	{ \
		OP_LOAD, offset, len, NULL \
	}
#define IN(set) \
	{ \
		OP_LOOKUP, 0, 0, set \
	}
#define IS_PORT \
	{ \
		OP_PORT, 0, 0, NULL \
	}
#define ACCEPT \
	{ \
		OP_VERDICT, NF_ACCEPT, 0, NULL \
	}
#define JUMP(chain) \
	{ \
		OP_VERDICT, (uint32_t)NFT_JUMP, 0, chain \
	}
#define GOTO(chain) \
	{ \
		OP_VERDICT, (uint32_t)NFT_GOTO, 0, chain \
	}

/*
 * To the port (gate) and from it (reply). Both ways are shut: a filter of
 * what comes in alone would let the reply of a statement that is being worked
 * on out after the end. Resets may pass, or clients would hang for seconds.
 * Local clients are caught on their way out, where a reset reaches them.
 *
 * Who sends to the port is told by a reset. An answer is dropped, not reset:
 * that reset would go to the server, take its socket away, and leave the client
 * waiting for ever, for whom nothing is unacknowledged. So the socket lives
 * until the engine destroys it, which tells the client, too.
 */
/* clang-format off */
static const struct rule rules[] = {
	/* tcp flags & rst == rst accept */
	{ "gate", { TCP, LOAD(TCP_FLAGS, 1), { OP_MASK, TCP_RST, 0, NULL },
		    { OP_EQ8, TCP_RST, 0, NULL }, ACCEPT } },
	/* tcp dport @writers jump wall */
	{ "gate", { TCP, LOAD(TCP_DPORT, 2), IN(FENCE_WRITERS),
		    JUMP(FENCE_WALL) } },
	/* tcp dport @readers accept */
	{ "gate", { TCP, LOAD(TCP_DPORT, 2), IN(FENCE_READERS), ACCEPT } },
	/* meta l4proto tcp reject with tcp reset */
	{ "gate", { TCP, { OP_RESET, 0, 0, NULL } } },

	/* the same by sport */
	{ "reply", { TCP, LOAD(TCP_FLAGS, 1), { OP_MASK, TCP_RST, 0, NULL },
		     { OP_EQ8, TCP_RST, 0, NULL }, ACCEPT } },
	{ "reply", { TCP, LOAD(TCP_SPORT, 2), IN(FENCE_WRITERS),
		     JUMP(FENCE_WALL) } },
	{ "reply", { TCP, LOAD(TCP_SPORT, 2), IN(FENCE_READERS), ACCEPT } },
	/* meta l4proto tcp drop */
	{ "reply", { TCP, { OP_VERDICT, NF_DROP, 0, NULL } } },

	/* iif != "lo" tcp dport 5432 goto gate */
	{ "input", { { OP_META, NFT_META_IIF, 0, NULL },
		     { OP_NE32, LOOPBACK, 0, NULL },
		     TCP, LOAD(TCP_DPORT, 2), IS_PORT, GOTO("gate") } },
	/* tcp sport 5432 goto reply */
	{ "output", { TCP, LOAD(TCP_SPORT, 2), IS_PORT, GOTO("reply") } },
	/* tcp dport 5432 fib daddr type local goto gate */
	{ "output", { TCP, LOAD(TCP_DPORT, 2), IS_PORT, { OP_FIB, 0, 0, NULL },
		      { OP_EQ32, 2 /* RTN_LOCAL */, 0, NULL }, GOTO("gate") } },
};

/* meta time < "2026-11-20 10:49:32" accept: nanoseconds, in truth */
static const struct rule rule_wall = { FENCE_WALL, {
	{ OP_META, NFT_META_TIME_NS, 0, NULL }, { OP_BE64, 0, 0, NULL },
	{ OP_LIMIT, 0, 0, NULL }, ACCEPT } };
/* accept */
static const struct rule rule_wall_never = { FENCE_WALL, { ACCEPT } };

/* type filter hook ... priority filter + 10; policy accept; */
static const struct chain {
	const char *name;
	int hook; /* -1: none */
} chains[] = {
	{ FENCE_WALL, -1 }, { "gate", -1 }, { "reply", -1 },
	{ "input", NF_INET_LOCAL_IN }, { "output", NF_INET_LOCAL_OUT },
};
/* clang-format on */

/* type inet_service; flags timeout; */
static const char *const sets[] = { FENCE_WRITERS, FENCE_READERS };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void add_set(struct nl *nl, const char *name);
static void add_rule(
    struct nl *nl, const struct rule *rule, int port, uint64_t limit);
void
rules_add_all(struct nl *nl, int port)
{
	size_t i;

	/* Added first so that deleting it cannot fail. */
	rules_msg_table(nl, FENCE_TABLE, NFT_MSG_NEWTABLE);
	rules_msg_table(nl, FENCE_TABLE, NFT_MSG_DELTABLE);
	rules_msg_table(nl, FENCE_TABLE, NFT_MSG_NEWTABLE);
	for (i = 0; i < COUNT(sets); i++)
		add_set(nl, sets[i]);
	for (i = 0; i < COUNT(chains); i++)
		rules_msg_chain(nl, FENCE_TABLE, chains[i].name, chains[i].hook,
		    PRIORITY);
	for (i = 0; i < COUNT(rules); i++)
		add_rule(nl, &rules[i], port, 0);
}

void
rules_add_wall_none(struct nl *nl)
{
	struct nlmsghdr *msg = nl_add(nl, NFT_MSG_DELRULE, 0);

	mnl_attr_put_strz(msg, NFTA_RULE_TABLE, FENCE_TABLE);
	mnl_attr_put_strz(msg, NFTA_RULE_CHAIN, FENCE_WALL);
	nl_added(nl, msg);
}

void
rules_add_wall(struct nl *nl, usec_t wall)
{
	rules_add_wall_none(nl);
	if (wall == USEC_NEVER)
		add_rule(nl, &rule_wall_never, 0, 0);
	else
		add_rule(nl, &rule_wall, 0, (uint64_t)wall * NSEC_USEC);
}

void
rules_expect(char *text, size_t size, int port)
{
	struct nftnl_rule *r;
	size_t i;

	text[0] = '\0';
	text_addf(text, size, TEXT_TABLE, 0U);
	for (i = 0; i < COUNT(sets); i++)
		text_addf(text, size, TEXT_SET, sets[i],
		    (unsigned)NFT_SET_TIMEOUT, (unsigned)sizeof(uint16_t), 0U);
	for (i = 0; i < COUNT(chains); i++) {
		if (chains[i].hook == -1)
			text_addf(text, size, TEXT_CHAIN, chains[i].name);
		else
			text_addf(text, size, TEXT_BASE, chains[i].name,
			    "filter", (unsigned)chains[i].hook, PRIORITY,
			    (unsigned)NF_ACCEPT);
	}
	for (i = 0; i < COUNT(rules); i++) {
		r = rule_new(&rules[i], FENCE_TABLE, port, 0);
		rule_text(r, text, size);
		nftnl_rule_free(r);
	}
}

void
rules_expect_wall(char *text, size_t size, uint64_t limit)
{
	struct nftnl_rule *r =
	    rule_new(limit == UINT64_MAX ? &rule_wall_never : &rule_wall,
		FENCE_TABLE, 0, limit);

	text[0] = '\0';
	rule_text(r, text, size);
	nftnl_rule_free(r);
}

void
rules_msg_table(struct nl *nl, const char *table, int type)
{
	struct nlmsghdr *msg =
	    nl_add(nl, type, type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0);

	mnl_attr_put_strz(msg, NFTA_TABLE_NAME, table);
	if (type == NFT_MSG_NEWTABLE)
		mnl_attr_put_u32(msg, NFTA_TABLE_FLAGS, 0);
	nl_added(nl, msg);
}

static void
add_set(struct nl *nl, const char *name)
{
	struct nlmsghdr *msg = nl_add(nl, NFT_MSG_NEWSET, NLM_F_CREATE);

	mnl_attr_put_strz(msg, NFTA_SET_TABLE, FENCE_TABLE);
	mnl_attr_put_strz(msg, NFTA_SET_NAME, name);
	mnl_attr_put_u32(msg, NFTA_SET_FLAGS, htobe32(NFT_SET_TIMEOUT));
	mnl_attr_put_u32(msg, NFTA_SET_KEY_TYPE, htobe32(TYPE_INET_SERVICE));
	mnl_attr_put_u32(msg, NFTA_SET_KEY_LEN, htobe32(sizeof(uint16_t)));
	/* The kernel wants a number for references within a batch. */
	mnl_attr_put_u32(msg, NFTA_SET_ID, htobe32(msg->nlmsg_seq));
	nl_added(nl, msg);
}

void
rules_msg_chain(struct nl *nl, const char *table, const char *name, int hook,
    int priority)
{
	struct nlmsghdr *msg = nl_add(nl, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	struct nlattr *nest;

	mnl_attr_put_strz(msg, NFTA_CHAIN_TABLE, table);
	mnl_attr_put_strz(msg, NFTA_CHAIN_NAME, name);
	if (hook != -1) {
		mnl_attr_put_strz(msg, NFTA_CHAIN_TYPE, "filter");
		mnl_attr_put_u32(msg, NFTA_CHAIN_POLICY, htobe32(NF_ACCEPT));
		nest = mnl_attr_nest_start(msg, NFTA_CHAIN_HOOK);
		mnl_attr_put_u32(
		    msg, NFTA_HOOK_HOOKNUM, htobe32((uint32_t)hook));
		mnl_attr_put_u32(
		    msg, NFTA_HOOK_PRIORITY, htobe32((uint32_t)priority));
		mnl_attr_nest_end(msg, nest);
	}
	nl_added(nl, msg);
}

static void
add_rule(struct nl *nl, const struct rule *rule, int port, uint64_t limit)
{
	struct nftnl_rule *r = rule_new(rule, FENCE_TABLE, port, limit);

	rules_msg_rule(nl, r);
	nftnl_rule_free(r);
}

void
rules_msg_rule(struct nl *nl, struct nftnl_rule *r)
{
	struct nlmsghdr *msg =
	    nl_add(nl, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);

	nftnl_rule_nlmsg_build_payload(msg, r);
	nl_added(nl, msg);
}
