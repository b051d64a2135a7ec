/*
 * What hosts have of their register in a real etcd: what it told them last, and
 * calls of it that end when it has answered. Every function ends the test when
 * nothing comes.
 */
#ifndef ETCDRUN_H
#define ETCDRUN_H

#include "engine/register.h"
#include "etcdtest.h"

#define ER_KEY "/hawatch/votes"

/* One node's view of the register. */
struct etcdrun {
	struct loop *loop;
	struct http *http;
	struct conf conf;
	void *reg;
	struct timer *limit;
	struct reg_value value;
	int values, fails, writes, reports, shows;
	char why[400], show[4096];
	enum cas_result res;
	uint64_t revision;
	char instance[ID_MAX];
	bool reported;
	const char *known; /* of a life before */
	int strays;	   /* events that told of one */
	char stray[200];
};

extern struct etcdtest er_etcd;
extern char er_pki[64]; /* of httptest_pki, names "etcd" and "s1" */
extern uint64_t er_ids; /* the number of the last write */

/* For cmocka, for a group: an etcd without TLS. */
int er_setup(void **state);
int er_teardown(void **state);

/* Node self of two. T is so long that a poll comes after the test has failed.
 */
void er_init(struct etcdrun *c, node_t self);
void er_open(struct etcdrun *c);
void er_close(struct etcdrun *c);
/* Until that counter moves. */
void er_await(struct etcdrun *c, int *counter);
void er_pass(struct etcdrun *c, usec_t us);
void er_read(struct etcdrun *c);
/* What a holder writes next, from what it has seen. */
struct do_cas er_cas(const struct etcdrun *c, node_t holder, uint64_t seq);
void er_write(struct etcdrun *c, const struct do_cas *cas);
/* The machine may be busy: the identical one again, while nobody knows. */
void er_write_sure(struct etcdrun *c, const struct do_cas *cas);
/* By what was read last; another's report, or a busy machine, may come between.
 */
void er_report_sure(struct etcdrun *c, uint64_t epoch, uint64_t seq);
/* Warm and with a record; how it gets there is a test of its own. */
void er_warm(struct etcdrun *c);
/* The end of show and of adopt. */
void er_shown(void *arg, const char *json, const char *why);

#endif
