/*
 * The processes of a program beyond the one that supervisord knows: found by
 * their command, by what they inherited from supervisord, and by their process
 * group.
 */
#ifndef HAWATCH_SUP_SWEEP_H
#define HAWATCH_SUP_SWEEP_H

#include <sys/types.h>

#include "hawatch/types.h"

struct sup_sweep;

/* path: of the command, NULL or "" for none. socket and program: of whom they
 * inherited, NULL for none. */
struct sup_sweep *sup_sweep_new(
    const char *path, const char *socket, const char *program);
void sup_sweep_free(struct sup_sweep *s);
/* The process group that this process leads is the program's. */
void sup_sweep_leader(struct sup_sweep *s, pid_t pid);
/* How many processes live; -1: not known. Waits for the memory of each process
 * of the host: never to be called on the loop. */
int sup_sweep_look(struct sup_sweep *s);
/* SIGKILL for each that the last look has seen, and for its group. */
void sup_sweep_end(struct sup_sweep *s);

#endif
