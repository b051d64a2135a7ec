/*
 * The register as a value with rules. Not a consensus protocol, on purpose:
 * one value on one host.
 *
 * After a start that is not provably a plain restart it is cold: it answers
 * reads and refuses every CAS, until every data node has reported an (epoch,
 * seq) not above its own, or a holder whose lease never lapsed writes a new
 * record with a higher epoch, or a person adopts its value. Leaving the cold
 * state it takes a new instance, so that no write that was meant for the old
 * one can land.
 */
#include "hawatch/arbiter.h"

#include <string.h>

#include "core/reg_cas.h"
#include "hawatch/str.h"

bool
arbiter_start(struct arbiter *a, const struct arbiter_origin *o,
    const char *instance, const char *next, usec_t wall_gap)
{
	struct reg_value *v = &a->value;

	if (!o->found) {
		memset(a, 0, sizeof(*a));
		str_cut(v->instance, sizeof(v->instance), instance);
		v->rec.holder = NODE_NONE;
		v->rec.target = NODE_NONE;
	} else if (o->same_file && o->wall >= a->written_at &&
		   o->wall - a->written_at <= wall_gap) {
		return false;
	}
	v->cold = true;
	str_cut(v->next, sizeof(v->next), next);
	v->reported = 0;
	a->ahead = 0;
	v->floor = 0;
	return true;
}

static void
arbiter_warm(struct arbiter *a)
{
	struct reg_value *v = &a->value;

	v->cold = false;
	str_cut(v->instance, sizeof(v->instance), v->next);
	v->next[0] = '\0';
	v->reported = 0;
	a->ahead = 0;
}

/* A living holder's new record on a register that forgot. */
static enum cas_result
arbiter_reseed(const struct arbiter *a, const struct do_cas *cas,
    struct arbiter *next, bool *changed)
{
	const struct reg_value *v = &a->value;

	if (!v->cold || strcmp(cas->instance, v->next) != 0 ||
	    cas->rec.epoch <= v->rec.epoch || cas->rec.state != REC_HELD ||
	    !(v->reported & NODE_BIT(cas->rec.holder)) ||
	    (cas->rec.candidates & ~v->reported) != 0)
		return CAS_REFUSED;
	*next = *a;
	arbiter_warm(next);
	next->value.rec = cas->rec;
	next->value.revision++;
	*changed = true;
	return CAS_CONFIRMED;
}

enum cas_result
arbiter_cas(const struct arbiter *a, const struct do_cas *cas, nodeset_t data,
    struct arbiter *next, bool *changed)
{
	const struct reg_value *v = &a->value;
	enum cas_result may;

	*changed = false;
	*next = *a;
	if (!v->cold && reg_cas_won(v, cas))
		return CAS_CONFIRMED;
	if (cas->reseed && v->cold)
		return arbiter_reseed(a, cas, next, changed);
	if (v->cold)
		return CAS_REFUSED;
	may = reg_cas_check(v, cas, data);
	if (may != CAS_CONFIRMED)
		return may;
	next->value.rec = cas->rec;
	next->value.revision = v->revision + 1;
	*changed = true;
	return CAS_CONFIRMED;
}

bool
arbiter_report(const struct arbiter *a, node_t node, const char *instance,
    uint64_t epoch, uint64_t seq, nodeset_t data, struct arbiter *next)
{
	const struct record *rec = &a->value.rec;
	struct reg_value *v = &next->value;

	if (!a->value.cold || strcmp(instance, a->value.next) != 0)
		return false;
	*next = *a;
	v->reported |= NODE_BIT(node);
	if (epoch > rec->epoch || (epoch == rec->epoch && seq > rec->seq))
		next->ahead |= NODE_BIT(node);
	if (epoch > v->floor)
		v->floor = epoch;
	if ((data & ~v->reported) == 0 && next->ahead == 0)
		arbiter_warm(next);
	return true;
}

bool
arbiter_adopt(const struct arbiter *a, struct arbiter *next)
{
	struct record *rec = &next->value.rec;

	if (!a->value.cold)
		return false;
	*next = *a;
	arbiter_warm(next);
	if (rec->state == REC_NONE)
		return true;
	/* Above all that any node has seen, so that every node takes it: also
	 * those that reported more, or could not report. */
	if (rec->epoch < a->value.floor)
		rec->epoch = a->value.floor;
	rec->epoch++;
	rec->seq++;
	/* Whom it lists may have been removed since: the holder adds anew. */
	rec->candidates = 0;
	next->value.revision++;
	str_cut(rec->nonce, sizeof(rec->nonce), next->value.instance);
	return true;
}
