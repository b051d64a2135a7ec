/*
 * What the kernel knows of a process and its children: bytes that they read
 * and wrote, and how often they waited for something that then came. One that
 * syncs a large directory writes nothing, and a program that has others work
 * for it waits for them alone.
 *
 * A child with the very command line of its parent was not started but forked
 * off: pg_basebackup's, which receives the log meanwhile and answers its server
 * every few seconds, whether the copy comes or not. It does not count.
 */
#include "act/child_moved.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEPTH 5 /* a keeper, repmgr, a shell, the program */
#define CHILDREN 32
#define TEXT 4096

/* As a text; "" where the process has gone. */
static void
moved_read(pid_t pid, const char *name, char *text)
{
	char path[64];
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd != -1) {
		n = read(fd, text, TEXT - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
}

static uint64_t
moved_number(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at == NULL ? 0 : strtoull(at + strlen(name), NULL, 10);
}

static uint64_t
moved_one(pid_t pid, uint64_t *written)
{
	char text[TEXT];
	uint64_t sum;

	moved_read(pid, "io", text);
	sum = moved_number(text, "wchar:");
	*written += sum;
	sum += moved_number(text, "rchar:");
	moved_read(pid, "status", text);
	return sum + moved_number(text, "\nvoluntary_ctxt_switches:");
}

/* Arguments end with a 0 each: the first differ, or none do. */
static bool
moved_forked(pid_t parent, pid_t child)
{
	char a[TEXT], b[TEXT];

	memset(a, 0, sizeof(a));
	memset(b, 0, sizeof(b));
	moved_read(parent, "cmdline", a);
	moved_read(child, "cmdline", b);
	return memcmp(a, b, sizeof(a)) == 0;
}

static uint64_t
moved_tree(pid_t pid, int depth, uint64_t *written)
{
	char name[48], text[TEXT], *at = text, *end;
	uint64_t sum = moved_one(pid, written);
	pid_t child;
	int n;

	if (depth == 0)
		return sum;
	snprintf(name, sizeof(name), "task/%d/children", (int)pid);
	moved_read(pid, name, text);
	for (n = 0; n < CHILDREN; n++, at = end) {
		child = (pid_t)strtol(at, &end, 10);
		if (end == at)
			break;
		if (!moved_forked(pid, child))
			sum += moved_tree(child, depth - 1, written);
	}
	return sum;
}

uint64_t
child_moved(pid_t pid, uint64_t *written)
{
	*written = 0;
	return moved_tree(pid, DEPTH, written);
}
