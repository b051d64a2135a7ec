/*
 * A chained file in a directory of the test's own, of files that are full after
 * a few lines.
 */
#ifndef CHAINTEST_H
#define CHAINTEST_H

#include "hawatch/chain.h"

#define CH_FULL 1000
#define CH_FILES 3
#define CH_MANY 5

extern struct chaintest {
	char path[96];
	struct chain *chain;
	struct chain_seen seen; /* of the last look */
	struct error err;
	char last[64]; /* text of the last line */
	size_t unlinked;
} ch;

/* For cmocka. */
int ch_group_setup(void **state);
int ch_group_teardown(void **state);
int ch_setup(void **state);
int ch_teardown(void **state);

/* Appends {"n":N}. */
void ch_add(int n);
/* Reads all of it. */
void ch_look(void);
/* The N of the first line that is left, of CH_MANY files. */
int ch_first(void);
/* As after an end of the program. */
void ch_again(int files);

/* The file of that suffix: its content, that the caller frees; another content;
 * another suffix. */
char *ch_get(const char *suffix, size_t *len);
void ch_put(const char *suffix, const char *text, size_t len);
void ch_move(const char *from, const char *to);

#endif
