/*
 * What tests of fence agents share: a shell text that speaks their protocol.
 */
#include "agentrun.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "hawatch/emit.h"
#include "hawatch/worker.h"

/* Reads its options into variables of the shell, notes the call, and has what
 * it does for each action from the files beside it. */
static const char agent_text[] =
    "#!/bin/sh\n"
    "while IFS= read -r line; do echo \"$line\" >>$0.in\n"
    "eval \"${line%%=*}='${line#*=}'\"; done\n"
    "tr '\\0' ' ' </proc/$$/cmdline >>$0.cmdline\n"
    "echo $action >>$0.log\n"
    "[ -f $0.$action ] && . $0.$action\n"
    "exit 0\n";

char ar_emitted[65536];

static void
sink(void *arg, enum level level, const char *line)
{
	size_t len = strlen(ar_emitted);

	snprintf(ar_emitted + len, sizeof(ar_emitted) - len, "%s\n", line);
}

const char *
ar_path(const struct agentrun *f, const char *name)
{
	static char buf[4][128];
	static int next;

	next = (next + 1) % 4;
	snprintf(buf[next], sizeof(buf[next]), "%s/%s", f->dir, name);
	return buf[next];
}

void
ar_put(
    const struct agentrun *f, const char *name, const char *text, mode_t mode)
{
	FILE *file = fopen(ar_path(f, name), "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(ar_path(f, name), mode), 0);
}

const char *
ar_got(const struct agentrun *f, const char *name)
{
	static char buf[16384];
	FILE *file = fopen(ar_path(f, name), "r");
	size_t n;

	buf[0] = '\0';
	if (file == NULL)
		return buf;
	n = fread(buf, 1, sizeof(buf) - 1, file);
	buf[n] = '\0';
	fclose(file);
	return buf;
}

struct conf_agent *
ar_add(struct agentrun *f, const char *name, int level)
{
	struct conf_agent *a = &f->conf.agent[f->conf.agent_count++];

	ar_put(f, name, agent_text, 0755);
	*a = (struct conf_agent){ .name = strdup(name),
		.node = "b",
		.target = 1,
		.level = level,
		.agent = strdup(ar_path(f, name)),
		.timeout = 5 * SEC };
	return a;
}

void
ar_does(const struct agentrun *f, const char *name, const char *action,
    const char *text)
{
	char file[64];

	snprintf(file, sizeof(file), "%s.%s", name, action);
	ar_put(f, file, text, 0644);
}

void
ar_on_off(void *arg, enum answer off, const char *why)
{
	struct agentrun *f = arg;

	f->done++;
	f->off = off;
	snprintf(f->why, sizeof(f->why), "%s", why);
	loop_stop(f->loop);
}

static void
on_timer(void *arg)
{
	struct agentrun *f = arg;

	loop_stop(f->loop);
}

void
ar_run_for(struct agentrun *f, usec_t t)
{
	timer_arm(f->timer, t);
	loop_run(f->loop, NULL, NULL);
	timer_disarm(f->timer);
}

void
ar_begin(struct agentrun *f)
{
	f->done = 0;
	f->agents = agents_new(f->loop, &f->conf, f->worker);
	agents_off(f->agents, 1, ar_on_off, f);
	assert_int_equal(f->done, 0);
}

void
ar_shoot(struct agentrun *f)
{
	ar_begin(f);
	ar_run_for(f, 20 * SEC);
	assert_int_equal(f->done, 1);
}

int
ar_setup(void **state)
{
	struct agentrun *f = calloc(1, sizeof(*f));
	struct error err;

	strcpy(f->dir, "/tmp/hawatch-agent-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->loop = loop_new(&err);
	f->worker = worker_new(f->loop);
	f->timer = timer_new(f->loop, on_timer, f);
	ar_emitted[0] = '\0';
	emit_to(sink, NULL);
	*state = f;
	return 0;
}

int
ar_teardown(void **state)
{
	struct agentrun *f = *state;
	char command[128];
	int i;

	agents_free(f->agents);
	timer_free(f->timer);
	worker_free(f->worker);
	loop_free(f->loop);
	for (i = 0; i < f->conf.agent_count; i++) {
		free((char *)(uintptr_t)f->conf.agent[i].name);
		free((char *)(uintptr_t)f->conf.agent[i].agent);
	}
	snprintf(command, sizeof(command), "rm -rf %s", f->dir);
	(void)!system(command);
	free(f);
	return 0;
}
