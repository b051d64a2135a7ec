/* A front in this process: its link, its routes, a health and a peer port of
 * which each connection is one end of a socket pair. */
#ifndef FUZZ_FRONT_WORLD_H
#define FUZZ_FRONT_WORLD_H

#include "front/conn.h"

struct front_world {
	struct front front;
	int engine; /* the engine's end of the link */
};

void front_world_init(struct front_world *w);
void front_world_fini(struct front_world *w);
/* A connection; peer NULL: to the health port. The other end of it. */
int front_world_connect(struct front_world *w, const char *peer);
/* Lets everything happen that can happen now. */
void front_world_turn(struct front_world *w);

#endif
