/*
 * The kernel lease: what is asked of the fence, against the clock. The table's
 * rules, its elements, and what others do to it are in files of their own.
 *
 * Two limits hold every opening, and either alone closes. The element has a
 * timeout that no step of the wall clock moves, but it starts when the kernel
 * gets it: late, if we are stopped between reading the clock and the call. The
 * rule on the wall clock is absolute, so such a call opens nothing.
 *
 * A hash set and a rule, not one set of intervals with the time as part of its
 * key: a set of intervals has a moment within each renewal, on kernels before
 * 6.17, in which neither the old nor the new element is found, and a packet of
 * an open connection would be answered with a reset.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

#include "fence/fence_priv.h"
#include "fence/sockdestroy.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"

/* Table gone, put back, element gone, and the same once more. A refused
 * transaction is dear (the kernel waits for its readers, 10 to 30 ms measured),
 * so each first try is the likely one. */
#define FENCE_TRIES 4
/* The kernel counts timeouts in ticks of up to this. */
#define FENCE_TICK ((usec_t)20 * USEC_MSEC)

static bool allowed_next(
    struct allowed *next, usec_t deadline, const struct now *now);
static int fence_writers(struct fence *f, const struct allowed *next,
    const struct now *now, bool replace);
static enum fence_result fence_late(struct fence *f, struct error *err);
static enum fence_result fence_check(
    struct fence *f, usec_t deadline, struct error *err);
static int fence_reader(struct fence *f, usec_t life, bool replace);
static enum answer fence_elem_ok(struct fence *f, const char *set, usec_t end);

struct fence *
fence_new(struct loop *loop, int port,
    void (*lost)(void *arg, bool restored, usec_t open_for), void *arg,
    struct error *err)
{
	struct fence *f = xcalloc(1, sizeof(*f));

	f->loop = loop;
	f->port = port;
	f->lost = lost;
	f->arg = arg;
	/* The monitor first: what happens while we look is not missed. */
	if (nl_open(&f->nl, NETLINK_NETFILTER, err) == -1 ||
	    monitor_open(f, err) == -1 || fence_adopt(f, err) == -1) {
		fence_free(f);
		return NULL;
	}
	monitor_drain(f);
	return f;
}

void
fence_free(struct fence *f)
{
	if (f == NULL)
		return;
	monitor_close(f);
	nl_close(&f->nl);
	free(f);
}

enum fence_result
fence_open(struct fence *f, usec_t deadline, struct error *err)
{
	struct now now = clock_now();

	/* Answers from before are still tried again and again by whoever has
	 * a socket of then: nothing of that gets out now. */
	if (allowed_over(&f->allowed, &now)) {
		sockdestroy_port(f->port);
		now = clock_now();
	}
	return fence_open_at(f, deadline, &now, err);
}

enum fence_result
fence_renew(struct fence *f, usec_t deadline, struct error *err)
{
	struct now now = clock_now();

	return fence_renew_at(f, deadline, &now, err);
}

enum fence_result
fence_open_at(
    struct fence *f, usec_t deadline, const struct now *now, struct error *err)
{
	struct allowed next = f->allowed;
	bool replace = !allowed_over(&f->allowed, now);
	int i, error = ENOENT;

	if (!allowed_next(&next, deadline, now))
		return fence_late(f, err);
	for (i = 0; i < FENCE_TRIES && error != 0; i++) {
		error = fence_writers(f, &next, now, replace);
		if (error == ENOENT && monitor_drain(f))
			replace = !allowed_over(&f->allowed, now);
		else if (error == ENOENT || error == EEXIST)
			replace = error == EEXIST;
		else
			break;
	}
	if (error != 0) {
		fence_error(err, error, "open");
		return FENCE_ERROR;
	}
	f->allowed = next;
	return fence_check(f, deadline, err);
}

enum fence_result
fence_renew_at(
    struct fence *f, usec_t deadline, const struct now *now, struct error *err)
{
	struct allowed next = f->allowed;
	int i, error = ENOENT;

	if (!allowed_next(&next, deadline, now))
		return fence_late(f, err);
	for (i = 0; i < FENCE_TRIES; i++) {
		if (allowed_over(&f->allowed, now))
			break;
		error = fence_writers(f, &next, now, true);
		if (error != ENOENT || !monitor_drain(f))
			break;
	}
	if (error == ENOENT) {
		f->allowed.open = false;
		error = fence_shut_writers(&f->nl);
		if (error == 0)
			return FENCE_EXPIRED;
	}
	if (error != 0) {
		fence_error(err, error, "renew");
		return FENCE_ERROR;
	}
	f->allowed = next;
	return fence_check(f, deadline, err);
}

enum fence_result
fence_close(struct fence *f, struct error *err)
{
	/* First, so that nobody puts anything else back. */
	memset(&f->allowed, 0, sizeof(f->allowed));
	nl_begin(&f->nl);
	elem_add_flush(&f->nl, FENCE_WRITERS);
	elem_add_flush(&f->nl, FENCE_READERS);
	rules_add_wall_none(&f->nl);
	if (nl_commit(&f->nl) != 0 &&
	    fence_install(&f->nl, f->port, &f->allowed, err) == -1)
		return FENCE_ERROR;
	/* A client that is blocked reading the reply to its COMMIT learns
	 * nothing from a rule. */
	sockdestroy_port(f->port);
	monitor_drain(f);
	return FENCE_DONE;
}

enum fence_result
fence_readers(struct fence *f, usec_t life, struct error *err)
{
	bool replace = f->allowed.readers > clock_now().raw;
	int i, error = ENOENT;

	/* A reader whose connection is half made has nothing unacknowledged, so
	 * no timer of its own would ever tell it: before the port closes, and
	 * after. */
	if (life <= 0)
		sockdestroy_port(f->port);

	for (i = 0; i < FENCE_TRIES && error != 0; i++) {
		error = fence_reader(f, life, replace);
		if (error == ENOENT && monitor_drain(f))
			replace = f->allowed.readers > clock_now().raw;
		else if (error == ENOENT || error == EEXIST)
			replace = error == EEXIST;
		else
			break;
	}
	if (error != 0) {
		fence_error(err, error, "readers");
		return FENCE_ERROR;
	}
	f->allowed.readers = life > 0 ? clock_now().raw + life : 0;
	if (life <= 0)
		sockdestroy_port(f->port);
	monitor_drain(f);
	return FENCE_DONE;
}

enum answer
fence_look(struct fence *f, usec_t *until)
{
	struct now now = clock_now();
	enum answer ans;
	usec_t wall, life, by_wall;

	*until = 0;
	if (rules_look(&f->nl, f->port, &wall) != ANS_YES)
		return ANS_UNKNOWN;
	ans = elem_look(&f->nl, FENCE_WRITERS, f->port, &life);
	if (ans != ANS_YES)
		return ans;
	if (wall <= now.wall || life == 0)
		return ANS_NO;
	*until = life == USEC_NEVER ? USEC_NEVER : now.raw + life;
	by_wall = wall == USEC_NEVER ? USEC_NEVER : now.raw + wall - now.wall;
	if (by_wall < *until)
		*until = by_wall;
	return ANS_YES;
}

enum answer
fence_table(struct fence *f)
{
	const struct allowed *a = &f->allowed;
	usec_t wall;
	enum answer ans;

	if (monitor_drain(f))
		return ANS_NO;
	ans = rules_look(&f->nl, f->port, &wall);
	if (ans == ANS_YES && wall != (a->open ? a->wall : 0))
		ans = ANS_NO;
	if (ans == ANS_YES)
		ans = fence_elem_ok(f, FENCE_WRITERS, a->open ? a->end : 0);
	if (ans == ANS_YES)
		ans = fence_elem_ok(f, FENCE_READERS, a->readers);
	if (ans == ANS_NO)
		monitor_restore(f);
	return ans;
}

/* What the kernel is to be told for this deadline; false: it is too near. */
static bool
allowed_next(struct allowed *next, usec_t deadline, const struct now *now)
{
	usec_t left;

	next->open = true;
	next->end = next->wall = USEC_NEVER;
	if (deadline == USEC_NEVER)
		return true;
	left = deadline - now->raw;
	if (left < FENCE_NEAR)
		return false;
	/* Nine tenths: the kernel's tick and the error of its clock. */
	next->end = now->raw + left / 10 * 9;
	next->wall = now->wall + left;
	return true;
}

/* 0 or an errno. Replace: refused with ENOENT unless the element lives. */
static int
fence_writers(struct fence *f, const struct allowed *next,
    const struct now *now, bool replace)
{
	usec_t life = next->end;

	/* From when the clock was read: a timeout that starts late, starts
	 * too long. The wall limit is there for what passes from now on. */
	if (life != USEC_NEVER)
		life -= now->raw;
	nl_begin(&f->nl);
	if (replace)
		elem_add_delete(&f->nl, FENCE_WRITERS, f->port);
	elem_add(&f->nl, FENCE_WRITERS, f->port, life);
	rules_add_wall(&f->nl, next->wall);
	return nl_commit(&f->nl);
}

static int
fence_reader(struct fence *f, usec_t life, bool replace)
{
	nl_begin(&f->nl);
	if (life < USEC_MSEC) {
		elem_add_flush(&f->nl, FENCE_READERS);
		return nl_commit(&f->nl);
	}
	if (replace)
		elem_add_delete(&f->nl, FENCE_READERS, f->port);
	elem_add(&f->nl, FENCE_READERS, f->port, life);
	return nl_commit(&f->nl);
}

static enum fence_result
fence_late(struct fence *f, struct error *err)
{
	int error;

	f->allowed.open = false;
	error = fence_shut_writers(&f->nl);
	if (error == 0 || (error == ENOENT && monitor_drain(f)))
		return FENCE_LATE;
	fence_error(err, error, "close");
	return FENCE_ERROR;
}

/* After the kernel took it: was it in time? */
static enum fence_result
fence_check(struct fence *f, usec_t deadline, struct error *err)
{
	if (clock_now().raw >= deadline)
		return fence_late(f, err);
	monitor_drain(f);
	return FENCE_DONE;
}

/* Nothing in a set that is not, or lives longer than, it should. */
static enum answer
fence_elem_ok(struct fence *f, const char *set, usec_t end)
{
	usec_t life, now = clock_now().raw;

	if (elem_look(&f->nl, set, f->port, &life) == ANS_UNKNOWN)
		return ANS_NO;
	if (life == 0 || end == USEC_NEVER)
		return ANS_YES;
	return life != USEC_NEVER && now + life <= end + FENCE_TICK ? ANS_YES :
								      ANS_NO;
}
