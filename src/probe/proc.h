/*
 * The process hawatch-probe: where its program is, starting it, ending it.
 * Private to the engine's end.
 */
#ifndef PROBE_PROC_H
#define PROBE_PROC_H

#include <stddef.h>
#include <sys/types.h>

#include "hawatch/error.h"

struct probe_proc {
	pid_t pid; /* 0: none */
	int pidfd; /* readable when it has ended; -1: none */
	int fd;	   /* our end of the socket, non-blocking; -1: none */
};

/* program NULL: see probe_new. */
int probe_proc_find(
    const char *program, char *path, size_t size, struct error *err) MUST_CHECK;
int probe_proc_start(
    struct probe_proc *p, const char *path, struct error *err) MUST_CHECK;
void probe_proc_kill(const struct probe_proc *p);
/* True when it has ended. Never waits. */
bool probe_proc_reap(struct probe_proc *p);
/* Closes what is open; the process must have been reaped or be dying. */
void probe_proc_close(struct probe_proc *p);

#endif
