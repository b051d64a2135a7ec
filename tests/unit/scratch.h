/*
 * A directory of a test program's own below /tmp, for what is prepared and
 * looked at there by a line of shell.
 */
#ifndef SCRATCH_H
#define SCRATCH_H

/* Its path, once it is made. */
extern char scratch[];

/* 0, or -1 with a message on stderr. Before all tests. */
int scratch_make(void);
/* With all that is in it. After all tests. */
void scratch_free(void);
/* That file in it; until the next call. */
const char *scratch_path(const char *name);
/* Runs that line there; a test fails where it does. */
void shell(const char *text);

#endif
