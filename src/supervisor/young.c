/*
 * Whether it is too early to stop a process. Between fork and exec a child of
 * supervisord has supervisord's handlers of signals, and a signal to stop is
 * lost on it: supervisord waits for stopwaitsecs, 10 s by default, and kills
 * it. A zombie may just be replaced by such a child.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hawatch/file.h"
#include "supervisor/work.h"

#define YOUNG_MAX 4096

static char *
young_read(pid_t pid, const char *name, size_t *len)
{
	struct error err;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return file_read(path, YOUNG_MAX, len, &err);
}

enum answer
sup_young(pid_t pid)
{
	char *stat, *s, *own = NULL, *parents = NULL, state = '?';
	size_t own_len, parents_len;
	bool young = false;
	int parent;

	stat = pid <= 0 ? NULL : young_read(pid, "stat", NULL);
	s = stat == NULL ? NULL : strrchr(stat, ')');
	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
	if (s == NULL || sscanf(s + 1, " %c %d", &state, &parent) != 2)
		goto out;
	own = young_read(pid, "cmdline", &own_len);
	parents = young_read(parent, "cmdline", &parents_len);
	if (own != NULL && parents != NULL)
		young = own_len > 0 && own_len == parents_len &&
			memcmp(own, parents, own_len) == 0;
out:
	free(stat);
	free(own);
	free(parents);
	if (state == '?')
		return ANS_UNKNOWN;
	return young || state == 'Z' ? ANS_YES : ANS_NO;
}
