/*
 * Rules between keys of the balancers of traffic.
 */
#include "conf/cross_i.h"

void
cross_traffic(struct conf_draft *d)
{
}
