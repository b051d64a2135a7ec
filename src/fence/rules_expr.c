/*
 * Expressions of nftables rules from rows of data, and rules as text for
 * comparison. What the rules are is fence_rules.c's.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <stdarg.h>
#include <stdio.h> /* before libnftnl's */
#include <stdlib.h>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "fence/rules_expr.h"

static struct nftnl_expr *expr_new(
    const struct op *op, int port, uint64_t limit);
static struct nftnl_expr *expr_alloc(const char *name);
static struct nftnl_expr *expr_cmp(
    uint32_t cmp, const void *data, uint32_t len);
static struct nftnl_expr *expr_mask(uint32_t byte);
static struct nftnl_expr *expr_be64(void);
static struct nftnl_expr *expr_verdict(const struct op *op);
static int text_cb(struct nftnl_expr *e, void *arg);

struct text {
	char *text;
	size_t size;
};

struct nftnl_rule *
rule_new(const struct rule *rule, const char *table, int port, uint64_t limit)
{
	struct nftnl_rule *r = nftnl_rule_alloc();
	const struct op *op;

	if (r == NULL)
		abort();
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, table);
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, rule->chain);
	for (op = rule->op; op->kind != OP_END; op++)
		nftnl_rule_add_expr(r, expr_new(op, port, limit));
	return r;
}

void
rule_text(struct nftnl_rule *r, char *text, size_t size)
{
	struct text t = { .text = text, .size = size };

	text_addf(
	    text, size, "rule %s", nftnl_rule_get_str(r, NFTNL_RULE_CHAIN));
	nftnl_expr_foreach(r, text_cb, &t);
	text_addf(text, size, "\n");
}

void
text_addf(char *text, size_t size, const char *fmt, ...)
{
	size_t len = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + len, size - len, fmt, ap);
	va_end(ap);
}

static int
text_cb(struct nftnl_expr *e, void *arg)
{
	struct text *t = arg;
	char buf[256] = "";

	nftnl_expr_snprintf(buf, sizeof(buf), e, NFTNL_OUTPUT_DEFAULT, 0);
	text_addf(t->text, t->size, " [%s %s]",
	    nftnl_expr_get_str(e, NFTNL_EXPR_NAME), buf);
	return 0;
}

static struct nftnl_expr *
expr_new(const struct op *op, int port, uint64_t limit)
{
	struct nftnl_expr *e = NULL;
	uint64_t be64 = htobe64(limit);
	uint16_t be16 = htons((uint16_t)port);
	uint8_t byte = (uint8_t)op->a;

	switch (op->kind) {
	case OP_META:
		e = expr_alloc("meta");
		nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, op->a);
		nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, NFT_REG_1);
		break;
	case OP_LOAD:
		e = expr_alloc("payload");
		nftnl_expr_set_u32(
		    e, NFTNL_EXPR_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER);
		nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, op->a);
		nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, op->b);
		nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
		break;
	case OP_MASK:
		return expr_mask(op->a);
	case OP_EQ8:
		return expr_cmp(NFT_CMP_EQ, &byte, sizeof(byte));
	case OP_EQ32:
		return expr_cmp(NFT_CMP_EQ, &op->a, sizeof(op->a));
	case OP_NE32:
		return expr_cmp(NFT_CMP_NEQ, &op->a, sizeof(op->a));
	case OP_PORT:
		return expr_cmp(NFT_CMP_EQ, &be16, sizeof(be16));
	case OP_BE64:
		return expr_be64();
	case OP_LIMIT:
		return expr_cmp(NFT_CMP_LT, &be64, sizeof(be64));
	case OP_LOOKUP:
		e = expr_alloc("lookup");
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
		nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, op->name);
		/* The kernel always says so, so we do. */
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_FLAGS, 0);
		break;
	case OP_FIB:
		e = expr_alloc("fib");
		nftnl_expr_set_u32(
		    e, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
		nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
		nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_DREG, NFT_REG_1);
		break;
	case OP_VERDICT:
		return expr_verdict(op);
	case OP_RESET:
		e = expr_alloc("reject");
		nftnl_expr_set_u32(
		    e, NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_TCP_RST);
		nftnl_expr_set_u8(e, NFTNL_EXPR_REJECT_CODE, 0);
		break;
	case OP_END:
		break;
	}
	return e;
}

static struct nftnl_expr *
expr_alloc(const char *name)
{
	struct nftnl_expr *e = nftnl_expr_alloc(name);

	if (e == NULL)
		abort();
	return e;
}

static struct nftnl_expr *
expr_cmp(uint32_t cmp, const void *data, uint32_t len)
{
	struct nftnl_expr *e = expr_alloc("cmp");

	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, cmp);
	nftnl_expr_set_data(e, NFTNL_EXPR_CMP_DATA, data, len);
	return e;
}

static struct nftnl_expr *
expr_mask(uint32_t byte)
{
	struct nftnl_expr *e = expr_alloc("bitwise");
	uint8_t mask = (uint8_t)byte, none = 0;

	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, sizeof(mask));
	nftnl_expr_set_data(e, NFTNL_EXPR_BITWISE_MASK, &mask, sizeof(mask));
	nftnl_expr_set_data(e, NFTNL_EXPR_BITWISE_XOR, &none, sizeof(none));
	return e;
}

static struct nftnl_expr *
expr_be64(void)
{
	struct nftnl_expr *e = expr_alloc("byteorder");

	nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_LEN, 8);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_SIZE, 8);
	return e;
}

static struct nftnl_expr *
expr_verdict(const struct op *op)
{
	struct nftnl_expr *e = expr_alloc("immediate");

	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, op->a);
	if (op->name != NULL)
		nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, op->name);
	return e;
}
