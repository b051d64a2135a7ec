/*
 * A watch of the key: whatever changes is told at once. It is a hint, never the
 * authority: a watch may be deaf without knowing it.
 */
#ifndef HAWATCH_ENGINE_ETCD_WATCH_H
#define HAWATCH_ENGINE_ETCD_WATCH_H

#include "engine/etcd_net.h"

struct etcd_watch;

/* changed: the cluster is at that revision, or later; 0: nobody knows. Never
 * from within a call. Borrows net and key. */
struct etcd_watch *etcd_watch_new(struct loop *loop, struct etcd_net *net,
    const char *key, void (*changed)(void *arg, uint64_t head), void *arg);
void etcd_watch_free(struct etcd_watch *w);
/* Begins, or begins anew where the others are asked now. */
void etcd_watch_start(struct etcd_watch *w);

#endif
