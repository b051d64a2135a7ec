/*
 * Nodes with data that the holder does not have; see rejointest.h.
 */
#include "rejointest.h"

#include <string.h>

void
rejointest_replaced(struct ct *t, enum core_rejoin rejoin, enum rec_state state)
{
	struct durable d = { .primary_epoch = 3 };

	ct_init(t, B, true);
	t->conf.rejoin = rejoin;
	t->fork = FORK_REWIND;
	ct_record(t, state, A, 0);
	strcpy(d.instance, "I0");
	d.epoch = 4;
	t->disk = d;
	ct_start(t, &d, 0);
	t->pg.running = ANS_NO;
	t->pg.signal = true;
	t->pg.timeline = 1;
	t->pg.system_id = CT_SYSTEM;
	ct_view(t);
}

void
rejointest_fenced(struct ct *t)
{
	struct durable d;

	rejointest_replaced(t, CORE_REJOIN_REWIND, REC_HELD);
	d = t->disk;
	d.latch = d.fenced = true;
	ct_free(t);
	t->disk = d;
	ct_start(t, &d, 0);
	ct_view(t);
}

int
rejointest_done(const struct ct *t)
{
	int i, n = 0;

	for (i = 0; i < t->n; i++)
		n += t->out[i].kind == DO_REJOINED;
	return n;
}

void
rejointest_streams(struct ct *t)
{
	t->pg.receiver = true;
	t->pg.source = BIT_A;
	t->pg.wal_end = 150;
}
