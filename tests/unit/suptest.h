/*
 * A real supervisord for whoever needs one: its own directory, configuration
 * and socket, in the foreground, as a child of the test.
 */
#ifndef HAWATCH_SUPTEST_H
#define HAWATCH_SUPTEST_H

#include <sys/types.h>

struct loop;

struct suptest {
	char dir[64], socket[80];
	pid_t pid; /* of supervisord; 0 none */
};

/* programs: sections of its configuration; "@" in it is the directory. */
void suptest_new(struct suptest *s, const char *programs);
/* More of its configuration; a section may come again. */
void suptest_more(const struct suptest *s, const char *text);
/* Starts it and waits until it answers. */
void suptest_start(struct suptest *s);
/* Sends it that signal and waits for its end. */
void suptest_end(struct suptest *s, int signo);
/* Ends it, all processes that have the directory in their environment, and the
 * directory. */
void suptest_free(struct suptest *s);
/* A file in the directory, executable. */
void suptest_script(
    const struct suptest *s, const char *name, const char *text);
/* In a child: it ends with its parent and holds no output of it. */
void suptest_quiet(void);
/* How many processes have the directory in their environment. */
int suptest_processes(const struct suptest *s);
/* What the sweep of that path finds; runs the loop until it is known. */
int suptest_left(struct loop *loop, const char *path);

#endif
