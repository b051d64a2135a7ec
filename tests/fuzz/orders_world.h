/*
 * An engine's control socket and orders, with the real core; what lies behind
 * the network says what the target wants.
 */
#ifndef FUZZ_ORDERS_WORLD_H
#define FUZZ_ORDERS_WORLD_H

#include "engine/engine.h"

struct orders_world {
	struct engine engine;
	struct control *control;
	const char *peer[NODES_MAX]; /* says that; NULL: silent */
	const char *reg;	     /* the register; NULL: silent */
	uint8_t kind;		     /* bits: what the engine is like */
};

extern struct orders_world orders_world;

#define KIND_WITNESS 1	/* else a data node */
#define KIND_RECORD 2	/* it has read a record by which s1 holds */
#define KIND_SIGNAL 4	/* standby.signal is there */
#define KIND_DRIFT 8	/* an item is not as it should be */
#define KIND_REFUSES 16 /* the register answers, and not with 200 */

void orders_world_init(uint8_t kind);
void orders_world_fini(void);
/* A connection to the control socket: the other end. */
int orders_world_connect(void);

#endif
