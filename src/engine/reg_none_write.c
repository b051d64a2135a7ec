/*
 * A write of the register of two lone hosts: to the first copy, then to the
 * second; or to the one here alone, where the core says so. A reply that does
 * not come is an unknown outcome: never a "no".
 */
#include <string.h>

#include "engine/crash.h"
#include "engine/reg_none.h"
#include "engine/wire.h"

#define LOOK_AGAIN (20 * USEC_MSEC) /* until the other copy is as this one */

static void write_here(struct reg_none *r);

/* It is over, and what became of it. */
static void
write_end(struct reg_none *r, enum cas_result res)
{
	const struct reg_value *v = &pair_server_copy(r->env.copy)->value;

	timer_disarm(r->ready);
	r->write.on = false;
	crash_point("cas-reply");
	r->env.calls.written(
	    r->env.calls.arg, r->write.cas.id, res, v->revision, v->instance);
}

static void
write_there_cb(void *arg, const struct http_answer *ans)
{
	struct reg_none *r = arg;
	struct pair_copy *copy = pair_server_copy(r->env.copy);
	enum cas_result res = CAS_UNKNOWN;
	char instance[ID_MAX];
	uint64_t revision;
	struct error err;

	r->write.call = NULL;
	if (ans->status == 200 && wire_result_parse(&res, &revision, instance,
				      ans->body, ans->len, &err) != 0)
		res = CAS_UNKNOWN;
	if (ans->status == 200)
		r->env.calls.heard(r->env.calls.arg, r->other);
	if (res == CAS_CONFIRMED && !copy->first) {
		write_here(r);
		return;
	}
	if (res == CAS_CONFIRMED)
		pair_sure(copy, r->write.cas.rec.nonce);
	write_end(r, res);
}

static void
write_there(struct reg_none *r)
{
	r->write.call = none_post(r, "/v1/cas",
	    wire_cas_str(&r->write.cas, &r->env.conf->names),
	    r->env.conf->ttl / 2, write_there_cb);
	crash_point("cas-sent");
	if (r->write.call == NULL)
		write_end(r, CAS_UNKNOWN);
}

static void
write_here_cb(void *arg, uint64_t id, enum cas_result res)
{
	struct reg_none *r = arg;
	struct none_write *w = &r->write;
	const struct pair_copy *copy = pair_server_copy(r->env.copy);

	if (!w->on || w->cas.id != id)
		return;
	if (res == CAS_CONFIRMED && copy->first && !copy->sure &&
	    w->cas.without == 0)
		write_there(r);
	else if (res == CAS_UNKNOWN && w->cas.without == 0 &&
		 clock_now().raw < w->until)
		timer_arm(r->ready, LOOK_AGAIN);
	else
		write_end(r, res);
}

static void
write_here(struct reg_none *r)
{
	struct none_write *w = &r->write;

	pair_server_cas(r->env.copy, &w->cas, w->cas.without != 0, w->cas.id,
	    write_here_cb, r);
}

/* The first copy takes nothing before the other one is known to be as it is. */
void
none_ready_cb(void *arg)
{
	struct reg_none *r = arg;

	if (!r->write.on)
		return;
	none_read(r);
	write_here(r);
}

void
none_cas(void *reg, const struct do_cas *cas)
{
	struct reg_none *r = reg;
	struct none_write *w = &r->write;

	crash_point("cas-before");
	if (w->on && w->cas.id == cas->id && w->cas.without == cas->without)
		return;
	if (w->call != NULL)
		http_cancel(w->call);
	timer_disarm(r->ready);
	memset(w, 0, sizeof(*w));
	w->on = true;
	w->cas = *cas;
	w->until = clock_now().raw + r->env.conf->ttl / 4;
	if (cas->without != 0 || pair_server_copy(r->env.copy)->first)
		write_here(r);
	else
		write_there(r);
}
