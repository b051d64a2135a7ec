/*
 * A reload that only restarts bring: which host is first, and what comes
 * before.
 */
#ifndef HAWATCH_ENGINE_ORDERS_RESTART_H
#define HAWATCH_ENGINE_ORDERS_RESTART_H

#include <jansson.h>

#include "hawatch/conf.h"
#include "hawatch/types.h"

struct collect;

/* c has what each host said of its file. Only a restart brings that host to
 * its. */
bool restart_needed(const struct collect *c, node_t n);
/* Of those the one that is to be restarted first; NODE_NONE: there is none. */
node_t restart_first(const struct conf *conf, const struct collect *c);
/* Says in obj why nothing was changed, "refused", and the one command that
 * comes next, "next"; while the files are not the same also, to be copied
 * before, "copy": "from" a host, and "to" which. One is needed. */
void restart_say(const struct conf *conf, const struct collect *c, json_t *obj);

#endif
