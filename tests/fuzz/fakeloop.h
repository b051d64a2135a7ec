/*
 * The face of the loop without a loop: what is watched is called when a target
 * says so, and timers never fire by themselves.
 */
#ifndef FUZZ_FAKELOOP_H
#define FUZZ_FAKELOOP_H

/* Calls what is watched of that descriptor; false: nothing is, or not now. */
int fakeloop_ready(int fd, int what);
/* What was handed to loop_reap goes. */
void fakeloop_reap(void);
/* Watches and timers that are left. */
int fakeloop_left(void);

#endif
