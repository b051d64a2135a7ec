/* What makes a node unable to take over. */
#include <string.h>

#include "spoil.h"

void
spoil_not_auto(struct ct *t)
{
	t->conf.mode = CORE_MANUAL;
}

void
spoil_observe(struct ct *t)
{
	t->conf.mode = CORE_OBSERVE;
}

void
spoil_not_listed(struct ct *t)
{
	t->reg.value.rec.candidates = 0;
}

void
spoil_latched(struct ct *t)
{
	t->disk.latch = true;
}

void
spoil_wal_short(struct ct *t)
{
	t->pg.wal_end = 99;
}

void
spoil_unarmed(struct ct *t)
{
	t->armed = ANS_NO;
}

void
spoil_too_soon(struct ct *t)
{
	t->reg.value.rec.taken_at = t->now.wall - 60 * SEC;
	t->reg.value.rec.counted = true;
}

void
spoil_abdicated(struct ct *t)
{
	t->disk.abdicated_epoch = 5;
	t->disk.abdicated_seq = 10;
}

void
spoil_cold(struct ct *t)
{
	t->reg.value.cold = true;
	strcpy(t->reg.value.next, "I1");
}

void
spoil_forgetful(struct ct *t)
{
	strcpy(t->disk.instance, "I0");
	t->disk.epoch = 5;
	t->disk.seq = 11;
}
