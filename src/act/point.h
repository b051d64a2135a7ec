/*
 * By which name or address a standby reaches another node's server.
 */
#ifndef HAWATCH_POINT_H
#define HAWATCH_POINT_H

#include "hawatch/conf.h"
#include "hawatch/conninfo.h"

/* Fills host and hostaddr of to. old: the host that was named before; when
 * that is a node's name, alone or with a domain, so is the new one: the name
 * that the certificate and the password file are asked for. */
void point_host(
    const struct conf *conf, node_t node, const char *old, struct conninfo *to);

#endif
