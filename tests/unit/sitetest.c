/*
 * What the tests of the site's rules share. See sitetest.h.
 */
#include "sitetest.h"

#include <assert.h>

int
site_asked_at(const struct ct *t, int i, enum act_kind kind)
{
	for (; i < t->n; i++)
		if (t->out[i].kind == DO_ACT && t->out[i].act == kind)
			break;
	return i;
}

int
site_asked(const struct ct *t, enum act_kind kind)
{
	int i, n = 0;

	for (i = site_asked_at(t, 0, kind); i < t->n;
	     i = site_asked_at(t, i + 1, kind))
		n++;
	return n;
}

int
site_cancelled(const struct ct *t, enum act_kind kind)
{
	int i, n = 0;

	for (i = 0; i < t->n; i++)
		n += t->out[i].kind == DO_ACT_CANCEL && t->out[i].act == kind;
	return n;
}

void
site_init(struct ct *t, node_t self)
{
	ct_init(t, self, false);
	t->conf.before = t->conf.after = t->conf.verify = true;
	t->conf.traffic = true;
	/* Brought to its role at some time before. */
	t->disk.site_epoch = 5;
}

/* Time passes, and that node says each half second how it is. */
void
site_heard(struct ct *t, usec_t us, node_t n, uint64_t epoch, bool serving)
{
	struct site_report r = { .site_epoch = epoch, .serving = serving };
	usec_t end = t->now.raw + us;

	while (t->now.raw < end) {
		core_on_site(t->c, &t->now, n, &r);
		ct_run(t, SEC / 2);
	}
}

/* As ct_holder and ct_candidate, with what is on disk. */
void
site_holder(struct ct *t, nodeset_t candidates)
{
	ct_record(t, REC_HELD, t->conf.self, candidates);
	ct_start(t, &t->disk, 0);
	ct_primary(t, candidates, 110);
	ct_streams(t, 1 - t->conf.self, 110);
	ct_view(t);
	ct_read(t);
	ct_run(t, CT_W + 500 * MSEC);
	assert(ct_status(t).writers == WRITERS_OPEN);
}

void
site_candidate(struct ct *t)
{
	ct_record(t, REC_HELD, A, NODE_BIT(t->conf.self));
	ct_start(t, &t->disk, 0);
	ct_standby(t, 120);
	t->read_ok = false;
	ct_run(t, CT_W + 500 * MSEC);
	t->read_ok = true;
	ct_view(t);
	ct_read(t);
	ct_turn(t);
	ct_clear(t);
}

/* The other's, in that epoch and state; this node may not take it. */
void
site_moves(struct ct *t, uint64_t epoch, enum rec_state state)
{
	ct_record(t, state, 1 - t->conf.self, 0)->epoch = epoch;
	t->reg.value.revision = 1000 * epoch + state;
	ct_read(t);
}
