/*
 * The engine's end of hawatch-probe.
 */
#include "hawatch/probe.h"

#include <stdlib.h>

#include "hawatch/mem.h"

struct probe {
	struct loop *loop;
};

struct probe *
probe_new(struct loop *loop, const char *program, struct error *err)
{
	struct probe *p = xcalloc(1, sizeof(*p));

	p->loop = loop;
	return p;
}

void
probe_free(struct probe *p)
{
	free(p);
}
