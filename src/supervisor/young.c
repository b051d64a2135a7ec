/*
 * Whether it is too early to stop a process. Between fork and exec a child of
 * supervisord has supervisord's handlers of signals, and a signal to stop is
 * lost on it: supervisord waits for stopwaitsecs, 10 s by default, and kills
 * it. What is ending, or dead and not reaped, may just be replaced by such a
 * child.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hawatch/file.h"
#include "supervisor/work.h"

#define YOUNG_MAX 4096
/* Of "flags" in proc(5): it has begun to end, which takes it its memory, and
 * so its command line, some time before it is a zombie. */
#define YOUNG_EXITING 0x4
/* Of "signal" there: killed, by whichever signal, and not yet run since. */
#define YOUNG_KILLED (1UL << (SIGKILL - 1))
/* After the name; the fields up to "flags", and those up to "signal". */
#define YOUNG_FIELDS \
	" %c %d %*s %*s %*s %*s %u %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s " \
	"%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu"

static char *
young_read(pid_t pid, const char *name, size_t *len)
{
	struct error err;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return file_read(path, YOUNG_MAX, len, &err);
}

/* Its command line first: that of what ends in the meantime is empty. */
enum answer
sup_young(pid_t pid)
{
	char *own, *stat, *s, *parents = NULL, state;
	size_t own_len, parents_len;
	enum answer ans = ANS_UNKNOWN;
	unsigned long signals;
	unsigned int flags;
	int parent;

	if (pid <= 0)
		return ANS_UNKNOWN;
	own = young_read(pid, "cmdline", &own_len);
	stat = young_read(pid, "stat", NULL);
	s = stat == NULL ? NULL : strrchr(stat, ')');
	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
	if (s != NULL && sscanf(s + 1, YOUNG_FIELDS, &state, &parent, &flags,
			     &signals) == 4) {
		ans = ANS_NO;
		parents = young_read(parent, "cmdline", &parents_len);
		if (own != NULL && parents != NULL && own_len > 0 &&
		    own_len == parents_len &&
		    memcmp(own, parents, own_len) == 0)
			ans = ANS_YES;
		if (state == 'Z' || (flags & YOUNG_EXITING) != 0 ||
		    (signals & YOUNG_KILLED) != 0)
			ans = ANS_YES;
	}
	free(own);
	free(stat);
	free(parents);
	return ans;
}
