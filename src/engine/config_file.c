/*
 * Reading the configuration file again and again, without taking it over. An
 * engine goes on by what it read before; but one whose file is broken does not
 * come up again, and nobody would know until it has to.
 */
#include "engine/config_file.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hawatch/aside.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

/* The thread's, while it looks. */
struct config_look {
	char *path, *node;
	struct config_file_word word;
};

struct config_file {
	struct aside *aside;
	struct config_look *look;
	struct config_file_word *word;
	struct timer *timer;
	usec_t period;
};

/* "FILE:12: what is wrong" without the last. */
static void
config_at(char *buf, size_t size, const char *path, const char *error)
{
	const char *end = strstr(error, ": "), *line = end;

	while (line != NULL && line > error && isdigit((unsigned char)line[-1]))
		line--;
	if (line == end || line == error || line[-1] != ':')
		str_cut(buf, size, path);
	else
		(void)snprintf(buf, size, "%.*s", (int)(end - error), error);
}

static void
config_look_work(void *arg)
{
	struct config_look *l = arg;
	struct conf_errors errors = { .count = 0 };
	struct conf *conf;
	struct error err;

	memset(&l->word, 0, sizeof(l->word));
	conf = conf_load(l->path, l->node, &errors);
	if (conf == NULL) {
		l->word.errors = errors.count;
		config_at(
		    l->word.at, sizeof(l->word.at), l->path, errors.text[0]);
	} else if (conf_guard_check(conf, &err) == -1) {
		l->word.errors = 1;
		l->word.observe = true;
		str_cut(l->word.at, sizeof(l->word.at), l->path);
	}
	conf_free(conf);
	conf_errors_free(&errors);
}

static void
config_look_free(void *arg)
{
	struct config_look *l = arg;

	free(l->path);
	free(l->node);
	free(l);
}

static void
config_file_done(void *arg)
{
	struct config_file *f = arg;

	*f->word = f->look->word;
	timer_arm(f->timer, f->period);
}

static void
config_file_timer_cb(void *arg)
{
	struct config_file *f = arg;

	if (!aside_start(f->aside, config_look_work, config_file_done, f))
		timer_arm(f->timer, f->period);
}

struct config_file *
config_file_new(struct loop *loop, const struct conf *conf,
    struct config_file_word *word, usec_t period)
{
	struct config_file *f = xcalloc(1, sizeof(*f));

	f->look = xcalloc(1, sizeof(*f->look));
	f->look->path = xstrdup(conf->path);
	/* Who this host is does not change by a file. */
	f->look->node = xstrdup(conf->node[conf->self].name);
	f->aside = aside_new(loop, config_look_free, f->look);
	f->word = word;
	f->period = period;
	f->timer = timer_new(loop, config_file_timer_cb, f);
	timer_arm(f->timer, period);
	return f;
}

void
config_file_free(struct config_file *f)
{
	if (f == NULL)
		return;
	timer_free(f->timer);
	aside_free(f->aside);
	free(f);
}
