/*
 * A host that keeps a register in a file, for the targets that send it
 * requests: its front, its worker, and what they said.
 */
#ifndef FUZZ_REGISTER_WORLD_H
#define FUZZ_REGISTER_WORLD_H

#include "engine/engine.h"
#include "hawatch/frontlink.h"
#include "hawatch/record.h"

#define LOOK 1		  /* the number of a target's own reads */
#define REQUESTS_MAX 1024 /* of one input, that one with them */

extern struct register_world {
	char dir[64], *file;
	struct conf conf;
	struct engine e;
	int answers[REQUESTS_MAX]; /* to the request of that number */
	struct reg_value seen;	   /* by the last look */
	bool hidden;		   /* nobody may be told of a value now */
} world;

void register_world_init(void);
void register_world_fini(void);
/* What was given to the worker comes to its end; false: nothing was. And is
 * there something? */
bool register_world_write(void);
bool register_world_writes(void);
/* It ends before that. */
void register_world_drop(void);
/* $I, $X, $N and $R are the instance, the next one, nonce and revision as they
 * were seen last. Caller frees. */
char *register_world_fill(const char *text);
/* What was seen is what is in the file. */
void register_world_same(void);

#endif
