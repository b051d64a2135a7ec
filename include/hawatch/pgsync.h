/*
 * The text of synchronous_standby_names: how hawatch writes it and how it
 * reads what is there. Pure.
 */
#ifndef HAWATCH_PGSYNC_H
#define HAWATCH_PGSYNC_H

#include <stddef.h>

#include "hawatch/record.h"
#include "hawatch/types.h"

#define PGSYNC_MAX 1024

/* 'FIRST n ("a", "b")' of all the set's nodes, so that a commit waits for each
 * of them; "" for the empty set. -1 when buf is too small. */
int pgsync_render(char *buf, size_t size, nodeset_t set,
    const struct names *names) MUST_CHECK;
/* The nodes for each of which a commit waits. other: it names what is no node,
 * waits for fewer than it names (ANY, FIRST 1 of two), or is not understood:
 * then nodes holds only those that are certain. */
void pgsync_parse(
    const char *text, const struct names *names, nodeset_t *nodes, bool *other);

#endif
