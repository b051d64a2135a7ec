/*
 * Requests to the members of etcd, one of which is the good one: who does not
 * answer, or with an error, hands over to the next. Deadlines are short, since
 * a member without a leader holds what it is asked, for seconds. Nothing is
 * sent twice here.
 */
#ifndef HAWATCH_ENGINE_ETCD_NET_H
#define HAWATCH_ENGINE_ETCD_NET_H

#include "hawatch/conf.h"
#include "hawatch/http.h"
#include "hawatch/loop.h"

struct etcd_net;
struct etcd_call;

struct etcd_reply {
	bool ok; /* HTTP 200; see etcd_net_refuse */
	int member;
	const char *body; /* with its final 0 */
	size_t len;
	const char *why; /* not ok: which member, and what it said */
	usec_t sent;	 /* raw, before the request left */
};

typedef void (*etcd_done)(void *arg, const struct etcd_reply *reply);

/* Reads certificates and the password now. conf and http are borrowed. */
struct etcd_net *etcd_net_new(struct loop *loop, struct http *http,
    const struct conf_register *conf, struct error *err) MUST_CHECK;
void etcd_net_free(struct etcd_net *n);

#define ETCD_GOOD (-1) /* whichever serves */

struct etcd_request {
	int member; /* its number in the configuration, or ETCD_GOOD */
	const char *path, *body;
	usec_t deadline;
	/* An answer without an end; see http.h. Gets the arg of done. */
	void (*part)(void *arg, const char *data, size_t len);
};

/* done comes once, never from within, unless cancelled. NULL: it did not even
 * begin, and etcd_net_why says why: not logged in yet, for one. */
struct etcd_call *etcd_net_post(struct etcd_net *n,
    const struct etcd_request *req, etcd_done done, void *arg);
void etcd_net_cancel(struct etcd_call *c);
/* That member's body, with 200, is none of etcd's: the next one is asked. */
void etcd_net_refuse(struct etcd_net *n, int member);
const char *etcd_net_why(const struct etcd_net *n);

int etcd_net_members(const struct etcd_net *n);
const char *etcd_net_member(const struct etcd_net *n, int member);
int etcd_net_good(const struct etcd_net *n);

#endif
