/*
 * The program's own lines are its progress; that it moves is what the kernel
 * knows of it: bytes that it read and wrote, and how often it waited for
 * something that then came. One that syncs a large directory writes nothing.
 */
#include "act/child.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act/env.h"
#include "hawatch/emit.h"
#include "hawatch/job.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/reason.h"
#include "hawatch/str.h"

#define CHILD_LIMIT ((usec_t)86400 * USEC_SEC)
#define CHILD_LOOK USEC_SEC
#define CHILD_OUTPUT ((size_t)4 << 20) /* a line a second, for a day */

struct child {
	struct act *a;
	child_fn done;
	struct job *job;
	struct timer *timer;
	char program[32];
	uint64_t moved; /* at the last look */
	usec_t moved_at;
};

void
child_cancel(struct child *c)
{
	if (c == NULL)
		return;
	timer_free(c->timer);
	if (c->job != NULL)
		job_cancel(c->job);
	free(c);
}

static void
child_end(struct child *c, bool ok, const char *why)
{
	child_fn done = c->done;
	struct act *a = c->a;

	child_cancel(c);
	done(a, ok, why);
}

/* The last line that it printed. */
static void
child_line(const char *text, size_t len, char *out, size_t size)
{
	size_t from;

	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	for (from = len;
	     from > 0 && text[from - 1] != '\n' && text[from - 1] != '\r';
	     from--)
		;
	while (from < len && text[from] == ' ')
		from++;
	snprintf(out, size, "%.*s", (int)(len - from), text + from);
}

static void
child_ended_cb(void *arg, const struct job_result *res)
{
	struct child *c = arg;
	char line[160];

	c->job = NULL;
	child_line(res->output, res->output_len, line, sizeof(line));
	EMIT(rejoin_tool, kv_i("epoch", act_goal(c->a)->epoch),
	    kv_s("program", c->program), kv_i("status", res->status),
	    kv_s("output", line));
	child_end(c, res->status == 0, "");
}

static uint64_t
child_moved(pid_t pid)
{
	static const char *const files[] = { "io", "status" };
	static const char *const names[] = {
		"rchar:", "wchar:", "\nvoluntary_ctxt_switches:"
	};
	char path[64], text[4096], *at;
	uint64_t sum = 0;
	ssize_t n;
	size_t f, i;
	int fd;

	for (f = 0; f < 2; f++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, files[f]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd == -1)
			continue;
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
		text[n > 0 ? n : 0] = '\0';
		for (i = 0; i < 3; i++) {
			at = strstr(text, names[i]);
			if (at != NULL)
				sum +=
				    strtoull(at + strlen(names[i]), NULL, 10);
		}
	}
	return sum;
}

static void
child_timer_cb(void *arg)
{
	struct child *c = arg;
	usec_t now = clock_now().raw;
	uint64_t moved = child_moved(job_pid(c->job));
	const char *text;
	char line[160];
	size_t len;

	text = job_output(c->job, &len);
	child_line(text, len, line, sizeof(line));
	act_say(c->a, line);
	if (moved != c->moved) {
		c->moved = moved;
		c->moved_at = now;
	}
	if (now - c->moved_at < act_env(c->a)->stall)
		timer_arm(c->timer, CHILD_LOOK);
	else
		child_end(c, false, reason_str(REASON_stalled));
}

struct child *
child_start(
    struct act *a, const char *const *argv, child_fn done, struct error *err)
{
	const struct act_env *env = act_env(a);
	struct child *c = xcalloc(1, sizeof(*c));
	const char *name = strrchr(argv[0], '/');
	const struct job_spec spec = {
		.argv = argv,
		.user = env->conf->pg.run_as,
		.deadline = CHILD_LIMIT,
		.output_max = CHILD_OUTPUT,
		.keep_fd = -1,
	};

	c->a = a;
	c->done = done;
	str_cut(
	    c->program, sizeof(c->program), name == NULL ? argv[0] : name + 1);
	c->job = job_start(env->loop, &spec, child_ended_cb, c, err);
	if (c->job == NULL) {
		free(c);
		return NULL;
	}
	c->moved_at = clock_now().raw;
	c->timer = timer_new(env->loop, child_timer_cb, c);
	timer_arm(c->timer, CHILD_LOOK);
	return c;
}
