/*
 * A program of this tree that runs beside the engine, at the other end of a
 * socket: where it is, starting it, ending it. A job has a deadline and
 * collects output; a companion has neither and lives on, hence a start of its
 * own.
 */
#ifndef HAWATCH_COMPANION_H
#define HAWATCH_COMPANION_H

#include <stddef.h>
#include <sys/types.h>

#include "hawatch/error.h"

#define COMPANION_FD 3 /* its end of the socket, in the companion */

struct companion_spec {
	const char *name;   /* of the program */
	const char *folder; /* of an uninstalled build, beside the engine's */
	int socket;	    /* SOCK_STREAM or SOCK_SEQPACKET */
	bool complains;	    /* standard error is the engine's */
};

struct companion {
	pid_t pid; /* 0: none */
	int pidfd; /* readable when it has ended; -1: none */
	int fd;	   /* our end of the socket, non-blocking; -1: none */
};

#define COMPANION_NONE ((struct companion){ .pidfd = -1, .fd = -1 })

/* program NULL: beside the running executable, in libexec, or in the folder
 * of an uninstalled build. */
int companion_find(const struct companion_spec *spec, const char *program,
    char *path, size_t size, struct error *err) MUST_CHECK;
int companion_start(struct companion *c, const struct companion_spec *spec,
    const char *path, struct error *err) MUST_CHECK;
void companion_kill(const struct companion *c);
/* True when it has ended; *status as from waitpid. Never waits. */
bool companion_reap(struct companion *c, int *status);
/* Closes what is open; the process must have been reaped or be dying. */
void companion_close(struct companion *c);
/* All of these, for an engine that ends: what is killed is gone in a moment. */
void companion_end(struct companion *c);

#endif
