/*
 * The kernel lease: the nftables table inet hawatch, which lets clients reach
 * PostgreSQL's port only while an element with a timeout lives and the wall
 * clock is below the lease's end. If the engine dies, hangs or starves, the
 * kernel closes. All calls are synchronous netlink exchanges, far below a
 * millisecond; only while another process changes nftables, or ends after it
 * did, does the kernel let them wait for it (10 to 30 ms measured).
 */
#ifndef HAWATCH_FENCE_H
#define HAWATCH_FENCE_H

#include "hawatch/error.h"
#include "hawatch/types.h"

struct fence;
struct loop;

enum fence_result {
	FENCE_DONE,    /* as asked */
	FENCE_EXPIRED, /* renew: the element was gone: closed */
	FENCE_LATE,    /* the deadline was too near, or passed meanwhile: the
			  writers' element is gone */
	FENCE_ERROR    /* err says; whatever was asked, take it as doubt */
};

/* What was allowed last is what the table is put back with, in one
 * transaction, when somebody flushed the ruleset: established clients of an
 * open fence do not notice.
 *
 * Opens netlink, installs the closed table unless one as expected is there
 * (then its live elements are kept). lost is called on the loop after others
 * changed the table or flushed the ruleset and it was put back (or not: then
 * it is tried again every 50 ms, and told each time). open_for: since the
 * table was last known to be there, an upper bound that is mostly far above
 * the truth, because nobody looks in between. Nothing that was closed meanwhile
 * is opened by putting back, and nothing that may be open was a breach: what
 * to doubt is restored == false, or a fence that was to be closed. */
struct fence *fence_new(struct loop *loop, int port,
    void (*lost)(void *arg, bool restored, usec_t open_for), void *arg,
    struct error *err);
/* Leaves the table as it is: closing is the caller's wish, not a side effect.
 */
void fence_free(struct fence *f);

/* Element of the writers. D is raw; USEC_NEVER: without timeout and without
 * limit by the wall clock. The element gets 0.9 * (D - now), and the wall
 * clock at D as its other limit. */
enum fence_result fence_open(
    struct fence *f, usec_t deadline, struct error *err) MUST_CHECK;
/* Prolongs or shortens, also to and from USEC_NEVER; refused by the kernel
 * once the element has expired. */
enum fence_result fence_renew(
    struct fence *f, usec_t deadline, struct error *err) MUST_CHECK;
/* Removes the element and the readers', destroys the established connections
 * of clients to the port (inet_diag, where the kernel has it). */
enum fence_result fence_close(struct fence *f, struct error *err) MUST_CHECK;

/* The readers' element of a standby: lives for so long from now. 0 removes. */
enum fence_result fence_readers(
    struct fence *f, usec_t life, struct error *err) MUST_CHECK;

/* Is the writers' element there now? Yes: until is its end on raw (the
 * earlier of both limits), USEC_NEVER when it has neither. Unknown also when
 * the table is not ours: then no element closes anything. */
enum answer fence_look(struct fence *f, usec_t *until);
/* Is the table there and as expected, byte for byte of its rules, with no
 * element that lives longer than it should? On no it is put back and told. */
enum answer fence_table(struct fence *f);

/* New connections to the port are refused with a reset for so long, whatever
 * the fence allows, while those that there are go on; 0: no longer. A server
 * that ends would tell who comes now that it is shutting down, which is an
 * error like any other; to a connect that is refused every proxy and every
 * pool comes back. It only refuses, is in a table of its own, and ends by
 * itself. */
int fence_turn_away(int port, usec_t life, struct error *err) MUST_CHECK;

/* For the boot unit: installs the closed table, drops live elements. */
int fence_install_closed(int port, struct error *err) MUST_CHECK;

#endif
