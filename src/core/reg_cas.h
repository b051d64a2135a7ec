/*
 * What a compare-and-swap may do to a register that this project keeps itself:
 * the arbiter's, and the copies of two lone hosts.
 */
#ifndef CORE_REG_CAS_H
#define CORE_REG_CAS_H

#include "hawatch/core.h"

/* The same request again, and it is what stands here: it won. */
bool reg_cas_won(const struct reg_value *v, const struct do_cas *cas);

/* CAS_CONFIRMED where it may take v's place: made upon v itself, by and for
 * nodes of data, and not going back. Nothing is changed. */
enum cas_result reg_cas_check(
    const struct reg_value *v, const struct do_cas *cas, nodeset_t data);

#endif
