/*
 * What a program printed, in one line for the log and for people. Pure. A line
 * with a connection string may hold a password: it is not shown.
 */
#ifndef HAWATCH_TOOL_LINE_H
#define HAWATCH_TOOL_LINE_H

#include <stddef.h>

/* As a shell says how it ended: its exit code, or 128 and the signal; -1: it
 * did not begin. status: as from waitpid, or -1. */
int tool_status(int status);
/* The last line. */
void tool_last(const char *text, size_t len, char *out, size_t size);
/* From its last line with ERROR or FATAL on, which is followed by the reason;
 * without one the last line. */
void tool_why(const char *text, size_t len, char *out, size_t size);

#endif
