/*
 * What sweep.c and sweep_mark.c share.
 */
#ifndef HAWATCH_SUP_SWEEP_MARK_H
#define HAWATCH_SUP_SWEEP_MARK_H

#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "hawatch/types.h"

/* Whose processes are looked for; each NULL for nobody's. */
struct sweep_who {
	char *path;
	char *name, *group; /* as in the environment, with the key */
	char *socket;
};

/* What a look reads with. */
struct sweep_eye {
	int proc;	       /* descriptor of /proc */
	char *socket;	       /* of who, as sweep_socket makes it */
	struct stat net, pids; /* our namespaces */
	char *buf;
	size_t len;
};

/* -1: nothing can be seen. To be closed in either case. */
int sweep_eye_open(
    struct sweep_eye *eye, int proc, const struct sweep_who *who) MUST_CHECK;
void sweep_eye_close(struct sweep_eye *eye);

/* Its command or its environment says that it is the program's. Waits for the
 * memory of that process. */
bool sweep_marked(
    struct sweep_eye *eye, const struct sweep_who *who, pid_t pid);
/* Not a zombie, unless as the first thread of others that live. */
bool sweep_lives(struct sweep_eye *eye, pid_t pid);

#endif
