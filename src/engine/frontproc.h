/*
 * The process hawatch-front: where its program is, starting it, ending it.
 * Private to the engine's end of the link.
 */
#ifndef ENGINE_FRONTPROC_H
#define ENGINE_FRONTPROC_H

#include <stddef.h>
#include <sys/types.h>

#include "hawatch/error.h"

struct frontproc {
	pid_t pid; /* 0: none */
	int pidfd; /* readable when it has ended; -1: none */
	int fd;	   /* our end of the link, non-blocking; -1: none */
};

/* program NULL: beside the running executable, in libexec, or in the
 * neighbouring folder of an uninstalled build. */
int frontproc_find(
    const char *program, char *path, size_t size, struct error *err) MUST_CHECK;
int frontproc_start(
    struct frontproc *p, const char *path, struct error *err) MUST_CHECK;
void frontproc_kill(const struct frontproc *p);
/* True when it has ended; *status as from waitpid. Never waits. */
bool frontproc_reap(struct frontproc *p, int *status);
/* Closes what is open; the process must have been reaped or be dying. */
void frontproc_close(struct frontproc *p);

#endif
