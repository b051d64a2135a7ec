/*
 * The table as a whole: found at start and kept, or written anew with what is
 * allowed. What is asked of it from then on is fence.c's.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "fence/fence_priv.h"
#include "hawatch/loop.h"

int
fence_install_closed(int port, struct error *err)
{
	const struct allowed closed = { .open = false };
	struct nl nl;
	int r;

	if (nl_open(&nl, NETLINK_NETFILTER, err) == -1)
		return -1;
	r = fence_install(&nl, port, &closed, err);
	nl_close(&nl);
	return r;
}

int
fence_install(
    struct nl *nl, int port, const struct allowed *a, struct error *err)
{
	struct now now = clock_now();
	bool open = a->open && !allowed_over(a, &now);
	usec_t life = a->end == USEC_NEVER ? USEC_NEVER : a->end - now.raw;
	int error;

	nl_begin(nl);
	rules_add_all(nl, port);
	if (open) {
		elem_add(nl, FENCE_WRITERS, port, life);
		rules_add_wall(nl, a->wall);
	}
	if (a->readers > now.raw + USEC_MSEC)
		elem_add(nl, FENCE_READERS, port, a->readers - now.raw);
	error = nl_commit(nl);
	now = clock_now();
	if (error == 0 && open && allowed_over(a, &now))
		error = fence_shut_writers(nl);
	if (error != 0)
		return fence_error(err, error, "install");
	return 0;
}

/*
 * A table as we write it keeps its live elements, so that an upgrade of the
 * engine is not noticed by any client. Everything else is replaced by a closed
 * one.
 */
int
fence_adopt(struct fence *f, struct error *err)
{
	struct now now = clock_now();
	struct allowed *a = &f->allowed;
	usec_t wall, life, readers;
	int error;

	if (rules_look(&f->nl, f->port, &wall) != ANS_YES ||
	    elem_look(&f->nl, FENCE_WRITERS, f->port, &life) == ANS_UNKNOWN ||
	    elem_look(&f->nl, FENCE_READERS, f->port, &readers) ==
		ANS_UNKNOWN ||
	    readers == USEC_NEVER) {
		if (fence_install(&f->nl, f->port, a, err) == -1)
			return -1;
		/* Or every look would take it for somebody else's. */
		if (rules_look(&f->nl, f->port, &wall) != ANS_YES)
			return error_set(err, ERR_PROTOCOL,
			    "the kernel does "
			    "not show table inet " FENCE_TABLE " as it was "
			    "written: compare 'nft list table inet " FENCE_TABLE
			    "' with hawatch(7)");
		return 0;
	}
	if (readers > 0)
		a->readers = now.raw + readers;
	a->open = true;
	a->end = life == USEC_NEVER ? USEC_NEVER : now.raw + life;
	a->wall = wall;
	a->open = !allowed_over(a, &now);
	if (a->open || (life == 0 && wall == 0))
		return 0;
	error = fence_shut_writers(&f->nl);
	return error == 0 ? 0 : fence_error(err, error, "close");
}

/* Either limit is over, or so near that the kernel could not count it. */
bool
allowed_over(const struct allowed *a, const struct now *now)
{
	return !a->open || a->end < now->raw + USEC_MSEC ||
	       a->wall <= now->wall;
}

int
fence_shut_writers(struct nl *nl)
{
	nl_begin(nl);
	elem_add_flush(nl, FENCE_WRITERS);
	rules_add_wall_none(nl);
	return nl_commit(nl);
}

int
fence_error(struct error *err, int error, const char *what)
{
	errno = error;
	return error_sys(err,
	    "%s the fence (nftables table inet " FENCE_TABLE
	    ", needs CAP_NET_ADMIN)",
	    what);
}
