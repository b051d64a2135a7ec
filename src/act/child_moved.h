/*
 * Whether anything moves in a program and in those that it has started.
 */
#ifndef HAWATCH_CHILD_MOVED_H
#define HAWATCH_CHILD_MOVED_H

#include <stdint.h>
#include <sys/types.h>

/* Another number than the last time: something moved. written: bytes so far. */
uint64_t child_moved(pid_t pid, uint64_t *written);

#endif
