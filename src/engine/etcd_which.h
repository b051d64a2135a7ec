/*
 * Which cluster of etcd the register is in. A member that lost its disk and was
 * begun anew, alone, is a cluster of its own behind the same address: empty,
 * and as sure of itself as the other one. Whoever has seen the register in one
 * cluster leaves it for another only when more than half of the endpoints show
 * that other one.
 */
#ifndef HAWATCH_ENGINE_ETCD_WHICH_H
#define HAWATCH_ENGINE_ETCD_WHICH_H

#include "engine/etcd_net.h"

struct etcd_which {
	const struct etcd_net *net;
	char cluster[ID_MAX]; /* that is believed; "": any will do */
	/* Another one, by its member, since the believed one was seen; "" */
	char shown[CONF_LIST_MAX][ID_MAX];
	char told[CONF_LIST_MAX][ID_MAX]; /* by the last event of that member */
};

/* known: believed before this life of the program; "": none. Borrows net. */
void etcd_which_init(
    struct etcd_which *w, const struct etcd_net *net, const char *known);
/* That member is of that cluster, says its answer: is it the register's? */
bool etcd_which_is(struct etcd_which *w, int member, const char *cluster);

#endif
