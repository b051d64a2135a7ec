/*
 * Places at which a test may end this process by SIGKILL. A build without
 * -Dcrash_points=true links the version that does nothing.
 */
#ifndef HAWATCH_ENGINE_CRASH_H
#define HAWATCH_ENGINE_CRASH_H

/* The plan's row that runs now, for the name of the place; "idle" for none. */
void crash_row(const char *row);
/* HAWATCH_CRASH_AT="ROW:PLACE" or "ROW:PLACE:N" ends the process there, at
 * the N-th time. Converging has places of its own: prepared, listed, renamed,
 * synced, restart, restarted. */
void crash_point(const char *place);
/* Prints all ROW:PLACE pairs that there are. */
void crash_list(void);

#endif
