/*
 * The kernel lease: the nftables table inet hawatch, which lets clients reach
 * PostgreSQL's port only while an element with a timeout lives and the wall
 * clock is below the lease's end. If the engine dies, hangs or starves, the
 * kernel closes. All calls are synchronous netlink exchanges, well under a
 * millisecond, and never wait for anything else.
 */
#ifndef HAWATCH_FENCE_H
#define HAWATCH_FENCE_H

#include "hawatch/error.h"
#include "hawatch/types.h"

struct fence;
struct loop;

/* What the core allowed last; the table is put back with it, in one
 * transaction, when somebody flushed the ruleset. */
enum fence_result {
	FENCE_DONE,    /* as asked */
	FENCE_EXPIRED, /* renew: the element was gone: closed */
	FENCE_LATE,    /* open: the deadline was too near, or passed: closed */
	FENCE_ERROR    /* err says; whatever was asked, take it as doubt */
};

/* Opens netlink, installs the closed table unless one as expected is there
 * (then its live elements are kept). lost is called on the loop after others
 * changed the table or flushed the ruleset and it was put back (or not);
 * open_for is the time for which it was, or may have been, missing. */
struct fence *fence_new(struct loop *loop, int port,
	void (*lost)(void *arg, bool restored, usec_t open_for), void *arg,
	struct error *err);
/* Leaves the table as it is: closing is the caller's wish, not a side effect. */
void fence_free(struct fence *f);

/* Element of the writers. D is raw; USEC_NEVER: without timeout and without
 * limit by the wall clock. The element gets 0.9 * (D - now), and the wall
 * clock at D as its other limit. */
enum fence_result fence_open(struct fence *f, usec_t deadline,
	struct error *err) MUST_CHECK;
/* Prolongs or shortens; refused by the kernel once the element has expired. */
enum fence_result fence_renew(struct fence *f, usec_t deadline,
	struct error *err) MUST_CHECK;
/* Removes the element and the readers', destroys the established connections
 * of clients to the port (inet_diag, where the kernel has it). */
enum fence_result fence_close(struct fence *f, struct error *err) MUST_CHECK;

/* The readers' element of a standby: lives for so long from now. 0 removes. */
enum fence_result fence_readers(struct fence *f, usec_t life,
	struct error *err) MUST_CHECK;

/* Is the writers' element there now? Yes: until is its end on raw (the
 * earlier of both limits), USEC_NEVER when it has neither. */
enum answer fence_look(struct fence *f, usec_t *until);
/* Is the table there and as expected, byte for byte of its rules? */
enum answer fence_table(struct fence *f);

/* For the boot unit: installs the closed table, drops live elements. */
int fence_install_closed(int port, struct error *err) MUST_CHECK;

#endif
