/*
 * Rules between keys of the items of converge.
 */
#include "conf/cross_i.h"

void
cross_items(struct conf_draft *d)
{
}
