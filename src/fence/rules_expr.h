/*
 * Rules of the fence as data: an expression is a row of at most two numbers
 * and a name, a rule a list of them. rules_expr.c turns them into what the
 * kernel takes, and both what we want and what the kernel has into text.
 */
#ifndef HAWATCH_FENCE_RULES_EXPR_H
#define HAWATCH_FENCE_RULES_EXPR_H

#include <stddef.h>
#include <stdint.h>

#include "hawatch/types.h"

struct nftnl_rule;

enum op_kind {
	OP_END = 0,
	OP_META,    /* a: key */
	OP_LOAD,    /* a: offset in the TCP header, b: length */
	OP_MASK,    /* a: one byte */
	OP_EQ8,	    /* a */
	OP_EQ32,    /* a, host order */
	OP_NE32,    /* a, host order */
	OP_PORT,    /* equal to the port */
	OP_BE64,    /* host to network order */
	OP_LIMIT,   /* less than the limit */
	OP_LOOKUP,  /* name: set */
	OP_FIB,	    /* type of the destination address */
	OP_VERDICT, /* a, name: chain or NULL */
	OP_RESET    /* refuse with a TCP reset */
};

struct op {
	enum op_kind kind;
	uint32_t a, b;
	const char *name;
};

#define RULE_OPS_MAX 14

struct rule {
	const char *chain;
	struct op op[RULE_OPS_MAX];
};

/* Caller frees with nftnl_rule_free. limit: nanoseconds, for OP_LIMIT. */
struct nftnl_rule *rule_new(
    const struct rule *rule, const char *table, int port, uint64_t limit);
/* Appends chain and expressions of a rule; text stays terminated, and is cut
 * when it does not fit. */
void rule_text(struct nftnl_rule *r, char *text, size_t size);
void text_addf(char *text, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Lines of the comparison: what we want and what the kernel has in the same
 * words. */
#define TEXT_MAX 6144
#define TEXT_TABLE "table flags %u\n"
#define TEXT_SET "set %s flags %u length %u timeout %u\n"
#define TEXT_CHAIN "chain %s\n"
#define TEXT_BASE "chain %s type %s hook %u priority %d policy %u\n"

void rules_expect(char *text, size_t size, int port);
/* The one rule of the wall chain; limit UINT64_MAX: without a limit. */
void rules_expect_wall(char *text, size_t size, uint64_t limit);

#endif
