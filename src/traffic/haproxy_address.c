/*
 * HAProxy by the address of one server, which is pointed to the primary: for a
 * balancer on each host, to which the applications there connect.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hawatch/str.h"
#include "hawatch/template.h"
#include "traffic/haproxy.h"

static bool hap_address_servers(struct haproxy *h, char *why, size_t size);
static void hap_address_next(struct haproxy *h);
static bool hap_address_judge(struct haproxy *h, char *why, size_t size);
static bool hap_address_right(const struct haproxy *h);

const struct hap_mode hap_by_address = {
	.servers = hap_address_servers,
	.next = hap_address_next,
	.judge = hap_address_judge,
};

static bool
hap_address_servers(struct haproxy *h, char *why, size_t size)
{
	const struct traffic_part *p = h->part;
	unsigned char bytes[16];
	char *text;
	bool numeric;

	h->count = 1;
	if (p->goal.primary == NODE_NONE) {
		(void)snprintf(why, size, "the primary is not known");
		return false;
	}
	text = template_expand(p->conf, p->lb->address, p->goal.primary);
	numeric = (inet_pton(AF_INET, text, bytes) == 1 ||
		      inet_pton(AF_INET6, text, bytes) == 1) &&
		  str_copy(h->address, sizeof(h->address), text) == 0;
	if (!numeric)
		(void)snprintf(
		    why, size, "\"%.80s\" is no numeric address", text);
	free(text);
	str_cut(h->server[0].name, sizeof(h->server[0].name), p->lb->server);
	return numeric;
}

/*
 * Sessions of a former address hang when its host is dead, and belong to the
 * wrong one when it is not: they are closed by the same line, so that no end of
 * this process comes between. They are owed until HAProxy has said so. An
 * address that HAProxy will not take is asked for again without closing
 * anything, else each try would cost the sessions that there are.
 */
static void
hap_address_next(struct haproxy *h)
{
	const struct hap_server *s = &h->server[0];
	bool right = hap_address_right(h);
	char rest[96];

	if (right) {
		h->stuck = false;
		h->owed = h->owed && !h->closed;
	} else if (h->asked) {
		h->stuck = true;
	}
	if (!s->there || (h->asked && !right))
		return;
	if (!right) {
		h->asked = h->owed = true;
		(void)snprintf(rest, sizeof(rest), " addr %s port %d",
		    h->address, h->part->lb->port);
		h->chatty = hap_command(h, 0, "set server", rest);
	}
	if (h->owed && !h->stuck && !h->closing) {
		h->closing = true;
		h->shutdown = hap_command(h, 0, "shutdown sessions server", "");
	}
	/* Its check, which found the old address dead, would take several
	 * intervals to find the new one alive. */
	if (!right && s->op == 0 && (s->admin & HAP_MAINT) == 0)
		hap_command(h, 0, "set server", " health up");
	if ((s->admin & HAP_FORCED) != 0 && !h->readied) {
		h->readied = true;
		hap_command(h, 0, "set server", " state ready");
	}
}

static bool
hap_address_judge(struct haproxy *h, char *why, size_t size)
{
	const struct hap_server *s = &h->server[0];
	int len;

	if (!s->there || (s->admin & (HAP_MAINT | HAP_DRAIN)) != 0)
		(void)snprintf(why, size, "%s/%s is %s, wanted ready",
		    hap_backend(h), s->name, hap_server_str(s));
	else if (h->owed)
		(void)snprintf(why, size,
		    "%s/%s may have sessions to its former address",
		    hap_backend(h), s->name);
	if (!s->there || hap_address_right(h))
		return s->there && !h->owed &&
		       (s->admin & (HAP_MAINT | HAP_DRAIN)) == 0;
	len = snprintf(why, size,
	    "%s/%s has address %s port %d, wanted %s port %d", hap_backend(h),
	    s->name, s->address, s->port, h->address, h->part->lb->port);
	if (h->note[0] != '\0' && len > 0 && (size_t)len < size)
		(void)snprintf(
		    why + len, size - (size_t)len, "; \"%s\"", h->note);
	return false;
}

/* ::1 and 0:0::1 are the same. */
static bool
hap_address_right(const struct haproxy *h)
{
	const struct hap_server *s = &h->server[0];
	unsigned char is[16] = { 0 }, want[16] = { 0 };
	int family = strchr(h->address, ':') == NULL ? AF_INET : AF_INET6;

	return s->there && s->port == h->part->lb->port &&
	       inet_pton(family, s->address, is) == 1 &&
	       inet_pton(family, h->address, want) == 1 &&
	       memcmp(is, want, sizeof(is)) == 0;
}
