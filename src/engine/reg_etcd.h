/*
 * What the two halves of the register in etcd share: reads and requests are
 * reg_etcd.c's, writes under way reg_etcd_write.c's.
 */
#ifndef HAWATCH_ENGINE_REG_ETCD_H
#define HAWATCH_ENGINE_REG_ETCD_H

#include "engine/etcd_net.h"
#include "engine/etcd_show.h"
#include "engine/etcd_text.h"
#include "engine/etcd_watch.h"
#include "engine/etcd_which.h"
#include "engine/register.h"

#define ETCD_RETRY (100 * USEC_MSEC)

enum write_kind { WRITE_NONE, WRITE_CAS, WRITE_REPORT, WRITE_ADOPT };

/* The one write under way. */
struct etcd_write {
	enum write_kind kind;
	struct etcd_call *call;
	usec_t until; /* it is sent again before; then the core says anew */
	struct do_cas cas;
	struct arbiter next;  /* what it makes of the register */
	char *body, *text;    /* of the request; of the key */
	char cluster[ID_MAX]; /* that it is meant for */
	register_shown done;  /* adopt */
	void *done_arg;
};

struct reg_etcd {
	struct register_env env;
	nodeset_t data;
	char *key;
	struct etcd_net *net;
	struct etcd_which which;
	struct etcd_watch *watch;
	struct etcd_show *show;
	struct timer *poll, *retry; /* reads; the write */
	struct etcd_call *reading;
	bool again; /* a read was wanted while one was under way */
	bool seen;
	struct etcd_view view; /* what was seen last */
	usec_t read_at;	       /* when the newest of what was seen was asked */
	int failures;	       /* one after another */
	uint64_t hint;	       /* the watch told of that revision */
	int deaf;	       /* reads in a row that it had not told of */
	struct etcd_write write;
};

void etcd_read(void *reg);
/* Takes v. */
void etcd_take(struct reg_etcd *r, struct etcd_view *v, usec_t sent);
/* Is v of the register's cluster? If not, it is nothing, and the member is left
 * for the next one. */
bool etcd_is_ours(struct reg_etcd *r, int member, const struct etcd_view *v);
/* For one request to one member. */
usec_t etcd_deadline(const struct reg_etcd *r);

/* Until when a write that begins now may be sent again. */
usec_t etcd_write_until(const struct reg_etcd *r, enum write_kind kind);
/* next in the place of what was seen. An earlier write of the core's is left to
 * itself: it has given it up. */
void etcd_write_begin(
    struct reg_etcd *r, enum write_kind kind, const struct arbiter *next);
void etcd_write_end(struct reg_etcd *r, enum cas_result res, uint64_t revision,
    const char *instance);
void etcd_write_due_cb(void *reg);
void etcd_write_free(struct reg_etcd *r);

#endif
