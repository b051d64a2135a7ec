/*
 * Reads the table inet hawatch back from the kernel and says whether it is
 * ours, word for word. It changes nothing.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h> /* before libnftnl's */
#include <stdlib.h>

#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "fence/fence_priv.h"
#include "fence/rules_expr.h"

#define WALL_TEXT_MAX 512
#define NSEC_USEC 1000

struct seen {
	char text[TEXT_MAX];
	char wall[WALL_TEXT_MAX]; /* rules of the wall chain */
	uint64_t limit;		  /* nanoseconds */
	bool table;
};

static int look_all(struct nl *nl, struct seen *seen);
static int ask(struct nl *nl, int type, mnl_cb_t cb, struct seen *seen);
static int table_cb(const struct nlmsghdr *msg, void *arg);
static int set_cb(const struct nlmsghdr *msg, void *arg);
static int chain_cb(const struct nlmsghdr *msg, void *arg);
static int rule_cb(const struct nlmsghdr *msg, void *arg);
static int limit_cb(struct nftnl_expr *e, void *arg);
static bool look_wall(const struct seen *seen, usec_t *wall);

enum answer
rules_look(struct nl *nl, int port, usec_t *wall)
{
	struct seen seen;
	char want[TEXT_MAX];
	int i, error = EINTR;

	for (i = 0; i < NL_DUMP_TRIES && error == EINTR; i++)
		error = look_all(nl, &seen);
	/* No table, or deleted by somebody between two of the questions. */
	if (error == ENOENT)
		return ANS_NO;
	if (error != 0)
		return ANS_UNKNOWN;
	rules_expect(want, sizeof(want), port);
	if (strcmp(seen.text, want) != 0 || !look_wall(&seen, wall))
		return ANS_NO;
	return ANS_YES;
}

static int
look_all(struct nl *nl, struct seen *seen)
{
	int error;

	seen->text[0] = seen->wall[0] = '\0';
	seen->limit = UINT64_MAX;
	seen->table = false;
	error = ask(nl, NFT_MSG_GETTABLE, table_cb, seen);
	if (error == 0 && !seen->table)
		return ENOENT;
	if (error == 0)
		error = ask(nl, NFT_MSG_GETSET, set_cb, seen);
	if (error == 0)
		error = ask(nl, NFT_MSG_GETCHAIN, chain_cb, seen);
	if (error == 0)
		error = ask(nl, NFT_MSG_GETRULE, rule_cb, seen);
	return error;
}

/* Sets and rules come by table; tables and chains all, to be sorted out. */
static int
ask(struct nl *nl, int type, mnl_cb_t cb, struct seen *seen)
{
	struct nlmsghdr *msg = nl_ask(nl, type);

	if (type == NFT_MSG_GETSET)
		mnl_attr_put_strz(msg, NFTA_SET_TABLE, FENCE_TABLE);
	if (type == NFT_MSG_GETRULE)
		mnl_attr_put_strz(msg, NFTA_RULE_TABLE, FENCE_TABLE);
	return nl_dump(nl, msg, cb, seen);
}

static int
table_cb(const struct nlmsghdr *msg, void *arg)
{
	struct seen *seen = arg;
	struct nftnl_table *t = nftnl_table_alloc();

	if (t == NULL)
		abort();
	if (nftnl_table_nlmsg_parse(msg, t) == 0 &&
	    strcmp(nftnl_table_get_str(t, NFTNL_TABLE_NAME), FENCE_TABLE) ==
		0) {
		seen->table = true;
		text_addf(seen->text, sizeof(seen->text), TEXT_TABLE,
		    nftnl_table_get_u32(t, NFTNL_TABLE_FLAGS));
	}
	nftnl_table_free(t);
	return MNL_CB_OK;
}

static int
set_cb(const struct nlmsghdr *msg, void *arg)
{
	struct seen *seen = arg;
	struct nftnl_set *s = nftnl_set_alloc();

	if (s == NULL)
		abort();
	if (nftnl_set_nlmsg_parse(msg, s) == 0)
		text_addf(seen->text, sizeof(seen->text), TEXT_SET,
		    nftnl_set_get_str(s, NFTNL_SET_NAME),
		    nftnl_set_get_u32(s, NFTNL_SET_FLAGS),
		    nftnl_set_get_u32(s, NFTNL_SET_KEY_LEN),
		    (unsigned)nftnl_set_get_u64(s, NFTNL_SET_TIMEOUT));
	nftnl_set_free(s);
	return MNL_CB_OK;
}

static int
chain_cb(const struct nlmsghdr *msg, void *arg)
{
	struct seen *seen = arg;
	struct nftnl_chain *c = nftnl_chain_alloc();
	const char *name;

	if (c == NULL)
		abort();
	if (nftnl_chain_nlmsg_parse(msg, c) == -1 ||
	    strcmp(nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE), FENCE_TABLE) !=
		0) {
		nftnl_chain_free(c);
		return MNL_CB_OK;
	}
	name = nftnl_chain_get_str(c, NFTNL_CHAIN_NAME);
	if (!nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM))
		text_addf(seen->text, sizeof(seen->text), TEXT_CHAIN, name);
	else
		text_addf(seen->text, sizeof(seen->text), TEXT_BASE, name,
		    nftnl_chain_get_str(c, NFTNL_CHAIN_TYPE),
		    nftnl_chain_get_u32(c, NFTNL_CHAIN_HOOKNUM),
		    nftnl_chain_get_s32(c, NFTNL_CHAIN_PRIO),
		    nftnl_chain_get_u32(c, NFTNL_CHAIN_POLICY));
	nftnl_chain_free(c);
	return MNL_CB_OK;
}

static int
rule_cb(const struct nlmsghdr *msg, void *arg)
{
	struct seen *seen = arg;
	struct nftnl_rule *r = nftnl_rule_alloc();

	if (r == NULL)
		abort();
	if (nftnl_rule_nlmsg_parse(msg, r) == -1) {
		nftnl_rule_free(r);
		return MNL_CB_OK;
	}
	if (strcmp(nftnl_rule_get_str(r, NFTNL_RULE_CHAIN), FENCE_WALL) == 0) {
		nftnl_expr_foreach(r, limit_cb, seen);
		rule_text(r, seen->wall, sizeof(seen->wall));
	} else {
		rule_text(r, seen->text, sizeof(seen->text));
	}
	nftnl_rule_free(r);
	return MNL_CB_OK;
}

static int
limit_cb(struct nftnl_expr *e, void *arg)
{
	struct seen *seen = arg;
	const void *data;
	uint64_t be64;
	uint32_t len = 0;

	if (strcmp(nftnl_expr_get_str(e, NFTNL_EXPR_NAME), "cmp") != 0)
		return 0;
	data = nftnl_expr_get(e, NFTNL_EXPR_CMP_DATA, &len);
	if (data != NULL && len == sizeof(be64)) {
		memcpy(&be64, data, sizeof(be64));
		seen->limit = be64toh(be64);
	}
	return 0;
}

/* The wall chain is empty, or has the one rule that we write. */
static bool
look_wall(const struct seen *seen, usec_t *wall)
{
	char want[WALL_TEXT_MAX];

	*wall = 0;
	if (seen->wall[0] == '\0')
		return true;
	rules_expect_wall(want, sizeof(want), seen->limit);
	if (strcmp(seen->wall, want) != 0)
		return false;
	*wall = seen->limit == UINT64_MAX ? USEC_NEVER :
					    (usec_t)(seen->limit / NSEC_USEC);
	return true;
}
