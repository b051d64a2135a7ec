#include "core/reg_cas.h"

#include <string.h>

bool
reg_cas_won(const struct reg_value *v, const struct do_cas *cas)
{
	return strcmp(cas->instance, v->instance) == 0 && v->revision > 0 &&
	       strcmp(cas->rec.nonce, v->rec.nonce) == 0;
}

enum cas_result
reg_cas_check(
    const struct reg_value *v, const struct do_cas *cas, nodeset_t data)
{
	if (strcmp(cas->instance, v->instance) != 0 ||
	    cas->revision != v->revision ||
	    (v->revision > 0 && strcmp(cas->nonce, v->rec.nonce) != 0))
		return CAS_CONFLICT;
	if (!(data & NODE_BIT(cas->rec.holder)) ||
	    (cas->rec.candidates & ~data) != 0 ||
	    cas->rec.epoch < v->rec.epoch ||
	    (cas->rec.epoch == v->rec.epoch && cas->rec.seq < v->rec.seq))
		return CAS_REFUSED;
	return CAS_CONFIRMED;
}
