/*
 * What pgpair.c and pghost.c share.
 */
#ifndef PGPAIR_I_H
#define PGPAIR_I_H

#include "pgpair.h"

#define PAIR_WAIT_MS 20000.0

#define need(cond) \
	do { \
		if (!(cond)) \
			pgpair_die(#cond, __LINE__); \
	} while (0)

extern char pair_bin[100]; /* the directory of PostgreSQL's programs */
extern int pair_port;

void pgpair_die(const char *what, int line) __attribute__((noreturn));
/* A program of PostgreSQL; four of them may be in use at a time. */
const char *pgpair_program(const char *name);

#endif
