/*
 * The register as every member of etcd shows it, for hactl: who answers, what
 * the others say instead, and the newest of what was shown.
 */
#ifndef HAWATCH_ENGINE_ETCD_SHOW_H
#define HAWATCH_ENGINE_ETCD_SHOW_H

#include "engine/etcd_net.h"
#include "engine/register.h"

struct etcd_show;

/* Borrows all of it. */
struct etcd_show *etcd_show_new(
    struct etcd_net *net, const char *key, const struct names *names);
/* Whoever still waits hears nothing any more. */
void etcd_show_free(struct etcd_show *s);
void etcd_show_start(struct etcd_show *s, register_shown done, void *arg);

#endif
