/*
 * The host of the tests of converging.
 */
#include "convtest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hawatch/emit.h"
#include "hawatch/file.h"
#include "hawatch/http.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"
#include "hawatch/worker.h"
#include "probetest.h"

#define CONV_PATIENCE (20 * USEC_SEC)
#define CONV_LOOK (10 * USEC_MSEC)

/* Strings of a test live until its process ends. */
#define KEPT_MAX 65536
static void *kept[KEPT_MAX];
static int kept_count;

static char *
keep(char *text)
{
	assert_true(kept_count < KEPT_MAX);
	kept[kept_count++] = text;
	return text;
}

static void
conv_sink(void *arg, enum level level, const char *line)
{
	struct convtest *t = arg;
	FILE *f = fopen(conv_path(t, "events"), "a");

	if (f == NULL)
		return;
	fprintf(f, "%s\n", line);
	fclose(f);
}

static void
conv_timer_cb(void *arg)
{
	struct convtest *t = arg;

	loop_stop(t->loop);
}

static struct probe *
conv_probe(struct convtest *t)
{
	struct error err;
	struct probe *probe = probe_new(t->loop, probetest_program(), &err);

	if (probe == NULL)
		fail_msg("%s", err.msg);
	return probe;
}

static void
conv_begin(struct convtest *t)
{
	struct converge_env env = { .conf = &t->conf, .point = t->point };
	struct error err;

	t->loop = loop_new(&err);
	assert_non_null(t->loop);
	t->worker = worker_new(t->loop);
	t->web = http_new(t->loop, NULL, &err);
	assert_non_null(t->web);
	t->timer = timer_new(t->loop, conv_timer_cb, t);
	env.loop = t->loop;
	env.worker = t->worker;
	env.web = t->web;
	t->probe = t->want_probe ? conv_probe(t) : NULL;
	env.probe = t->probe;
	t->c = converge_new(&env);
	t->done = 0;
}

void
conv_stop(struct convtest *t)
{
	worker_free(t->worker);
	converge_free(t->c);
	timer_free(t->timer);
	http_free(t->web);
	if (t->probe != NULL)
		probe_free(t->probe);
	loop_free(t->loop);
	t->c = NULL;
}

void
conv_open(struct convtest *t)
{
	const char *tmp = getenv("TMPDIR");

	memset(t, 0, sizeof(*t));
	(void)snprintf(t->dir, sizeof(t->dir), "%s/hawatch-conv-XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	assert_non_null(mkdtemp(t->dir));
	assert_int_equal(chmod(t->dir, 0755), 0);
	t->conf.state_dir = conv_path(t, "state");
	assert_int_equal(mkdir(t->conf.state_dir, 0700), 0);
	t->conf.node_count = 2;
	t->conf.node[CONV_SELF] = (struct conf_node){ .name = "prod-s2",
		.address = "10.77.0.2",
		.private_ip = "172.31.43.90" };
	t->conf.node[CONV_OTHER] = (struct conf_node){ .name = "prod-s1",
		.address = "10.77.0.1",
		.private_ip = "172.31.43.83" };
	t->conf.self = CONV_SELF;
	t->conf.mode = MODE_AUTO;
	emit_to(conv_sink, t);
}

void
conv_close(struct convtest *t)
{
	char *command = xasprintf("rm -rf '%s'", t->dir);

	if (t->c != NULL)
		conv_stop(t);
	emit_to(sink_stderr, NULL);
	assert_int_equal(system(command), 0);
	free(command);
	while (kept_count > 0)
		free(kept[--kept_count]);
}

void
conv_restart(struct convtest *t)
{
	if (t->c != NULL)
		conv_stop(t);
	conv_begin(t);
}

const char *
conv_path(struct convtest *t, const char *name)
{
	return keep(xasprintf("%s/%s", t->dir, name));
}

void
conv_write(struct convtest *t, const char *name, const char *text)
{
	FILE *f = fopen(conv_path(t, name), "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

const char *
conv_text(struct convtest *t, const char *name)
{
	struct error err;
	char *text = file_read(conv_path(t, name), 1 << 20, NULL, &err);

	return text == NULL ? "" : keep(text);
}

void
conv_expect(struct convtest *t, const char *name, const char *text)
{
	assert_string_equal(conv_text(t, name), text);
}

int
conv_count(struct convtest *t, const char *name, const char *line)
{
	const char *s = conv_text(t, name);
	int n = 0;

	while ((s = strstr(s, line)) != NULL) {
		n++;
		s += strlen(line);
	}
	return n;
}

int
conv_left(struct convtest *t)
{
	DIR *d = opendir(t->dir);
	struct dirent *entry;
	int n = 0;

	assert_non_null(d);
	while ((entry = readdir(d)) != NULL)
		n += strstr(entry->d_name, ".hawatch-new") != NULL;
	closedir(d);
	return n;
}

struct conf_item *
conv_item(struct convtest *t, const char *name, enum conf_item_type type)
{
	struct conf_item *item = &t->conf.item[t->conf.item_count++];

	*item = (struct conf_item){ .name = keep(xstrdup(name)),
		.type = type,
		.on = { "prod-s2" },
		.timeout = 5 * USEC_SEC,
		.primary = "",
		.standby = "",
		.handover = "",
		.file = "",
		.match = "",
		.program = "",
		.socket = "",
		.sweep = "",
		.run_as = "",
		.address = "" };
	return item;
}

struct conf_item *
conv_line(
    struct convtest *t, const char *name, const char *file, const char *key)
{
	struct conf_item *item = conv_item(t, name, ITEM_LINE);

	item->file = conv_path(t, file);
	item->match = keep(xasprintf("^%s=.*$", key));
	item->primary = keep(xasprintf("%s=primary", key));
	item->standby = keep(xasprintf("%s=${primary.name}", key));
	return item;
}

struct conf_item *
conv_service(struct convtest *t, const char *name, const char *file)
{
	struct conf_item *item = conv_item(t, name, ITEM_SERVICE);

	item->primary = item->standby = "running";
	item->restart[0] = "/bin/sh";
	item->restart[1] = "-c";
	item->restart[2] =
	    keep(xasprintf("cp '%s' '%s/seen-%s' && echo %s >> '%s/log'",
		conv_path(t, file), t->dir, name, name, t->dir));
	return item;
}

void
conv_on(struct conf_item *item, const char *cause)
{
	int i;

	for (i = 0; item->restart_on[i] != NULL; i++)
		;
	item->restart_on[i] = cause;
}

static void
conv_done_cb(void *arg, enum answer ans, const char *reason)
{
	struct convtest *t = arg;

	t->done++;
	t->ans = ans;
	str_cut(t->reason, sizeof(t->reason), reason);
	loop_wake(t->loop);
}

void
conv_start(struct convtest *t, enum conf_item_when when, node_t primary,
    uint64_t epoch)
{
	t->done = 0;
	converge_run(t->c, when, primary, epoch, conv_done_cb, t);
	assert_int_equal(t->done, 0);
}

static bool conv_is_done(struct convtest *t);

void
conv_quiet(struct convtest *t, uint64_t epoch)
{
	t->done = 0;
	converge_quiet(t->c, epoch, conv_done_cb, t);
	assert_int_equal(t->done, 0);
	if (!conv_wait(t, conv_is_done))
		fail_msg("it does not end: %s", conv_text(t, "events"));
	assert_int_equal(t->done, 1);
}

static bool
conv_is_done(struct convtest *t)
{
	return t->done > 0;
}

enum answer
conv_run(struct convtest *t, enum conf_item_when when, node_t primary,
    uint64_t epoch)
{
	conv_start(t, when, primary, epoch);
	if (!conv_wait(t, conv_is_done))
		fail_msg("the run does not end: %s", conv_text(t, "events"));
	assert_int_equal(t->done, 1);
	return t->ans;
}

static void
conv_turn_cb(void *arg, const struct now *now)
{
	struct convtest *t = arg;

	if (t->until != NULL && t->until(t))
		loop_stop(t->loop);
}

bool
conv_wait(struct convtest *t, bool (*until)(struct convtest *t))
{
	usec_t end = clock_now().raw + CONV_PATIENCE;

	t->until = until;
	while (!until(t) && clock_now().raw < end) {
		timer_arm(t->timer, CONV_LOOK);
		loop_run(t->loop, conv_turn_cb, t);
		timer_disarm(t->timer);
	}
	t->until = NULL;
	return until(t);
}

static bool
conv_none_left(struct convtest *t)
{
	return conv_left(t) == 0;
}

void
conv_wait_left(struct convtest *t)
{
	assert_true(conv_wait(t, conv_none_left));
}

void
conv_turn(struct convtest *t, usec_t how_long)
{
	timer_arm(t->timer, how_long);
	loop_run(t->loop, NULL, NULL);
	timer_disarm(t->timer);
}

struct converge_state
conv_state(struct convtest *t, const char *name)
{
	struct converge_state s = { 0 };
	int i;

	for (i = 0; i < converge_count(t->c); i++) {
		converge_state(t->c, i, &s);
		if (strcmp(s.name, name) == 0)
			return s;
	}
	fail_msg("no item %s", name);
	return s;
}

static const char *volatile conv_place;
static volatile int conv_nth;

static void
conv_kill(const char *place)
{
	if (strcmp(place, conv_place) == 0 && --conv_nth == 0)
		kill(getpid(), SIGKILL);
}

int
conv_fork(struct convtest *t, const char *place, int nth,
    void (*fn)(struct convtest *t))
{
	pid_t pid;
	int status;

	assert_null(t->c);
	fflush(NULL);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		conv_place = place;
		conv_nth = nth;
		t->point = conv_kill;
		conv_begin(t);
		fn(t);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}
