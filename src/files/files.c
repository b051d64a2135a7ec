/*
 * The target's side of the last copy: the holder asks, and this host pulls by
 * the command of its configuration, then reads what it has. One question at a
 * time; the newest counts.
 */
#include "hawatch/files.h"

#include <stdlib.h>
#include <string.h>

#include "files/files_i.h"
#include "hawatch/job.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"
#include "hawatch/template.h"

static void pull_done_cb(void *arg, const struct job_result *res);
static void pull_sum_cb(void *arg, const struct job_result *res);

struct files *
files_new(const struct files_env *env)
{
	struct files *f = xcalloc(1, sizeof(*f));

	f->env = *env;
	files_hand_init(f);
	return f;
}

void
files_free(struct files *f)
{
	if (f == NULL)
		return;
	files_stop(f);
	files_hand_fini(f);
	free(f);
}

node_t
files_pulls(const struct files *f)
{
	return f->pull.job != NULL ? f->pull.holder : NODE_NONE;
}

void
files_stop(struct files *f)
{
	struct files_pull *p = &f->pull;

	if (p->job == NULL)
		return;
	job_cancel(p->job);
	p->job = NULL;
	p->state = FILES_FAILED;
	str_cut(p->why, sizeof(p->why), "the target has other work by now");
}

static void
pull_failed(struct files_pull *p, const char *why)
{
	p->state = FILES_FAILED;
	str_cut(p->why, sizeof(p->why), why);
}

static void
pull_start(struct files *f)
{
	const struct conf *conf = f->env.conf;
	char *word[CONF_ARGV_MAX] = { NULL };
	struct job_spec spec = { .argv = (const char *const *)word,
		.deadline = conf->files.timeout,
		.keep_fd = -1 };
	struct files_pull *p = &f->pull;
	struct error err;
	int i;

	if (conf->files.run_as[0] != '\0')
		spec.user = conf->files.run_as;
	for (i = 0; i < CONF_ARGV_MAX - 1 && conf->files.pull[i] != NULL; i++)
		word[i] = template_expand(conf, conf->files.pull[i], p->holder);
	p->state = FILES_WORKING;
	p->job = job_start(f->env.loop, &spec, pull_done_cb, f, &err);
	if (p->job == NULL)
		pull_failed(p, err.msg);
	while (i-- > 0)
		free(word[i]);
}

static void
pull_done_cb(void *arg, const struct job_result *res)
{
	struct files *f = arg;
	struct files_pull *p = &f->pull;
	struct error err;

	p->job = NULL;
	/* What is there counts; an exit status only explains it. */
	if (files_sum_read(res, "the target's pull", p->sum, p->why) == 0)
		p->why[0] = '\0';
	p->job = files_sum_start(f, pull_sum_cb, f, &err);
	if (p->job == NULL)
		pull_failed(p, err.msg);
}

static void
pull_sum_cb(void *arg, const struct job_result *res)
{
	struct files *f = arg;
	struct files_pull *p = &f->pull;
	char why[FILES_WHY_MAX];

	p->job = NULL;
	if (files_sum_read(res, "reading the target's files", p->sum, why) ==
	    -1)
		pull_failed(p, why);
	else
		p->state = FILES_DONE;
}

char *
files_answer(struct files *f, node_t holder, uint64_t id)
{
	static const char *const words[] = { [FILES_NONE] = "none",
		[FILES_WORKING] = "working",
		[FILES_DONE] = "done",
		[FILES_FAILED] = "failed" };
	struct files_pull *p = &f->pull;
	json_t *obj = json_object();

	if (p->state == FILES_NONE || p->id != id || p->holder != holder) {
		files_stop(f);
		p->id = id;
		p->holder = holder;
		p->why[0] = '\0';
		if (f->env.conf->files.paths[0] == NULL)
			pull_failed(p, "the target has no group files in its "
				       "configuration");
		else if (f->env.conf->mode == MODE_OBSERVE)
			pull_failed(p, "the target only looks on: mode observe "
				       "copies nothing");
		else
			pull_start(f);
	}
	json_put_string(obj, "state", words[p->state]);
	json_put_string(obj, "why", p->why);
	json_put_string(obj, "sum", p->state == FILES_DONE ? p->sum : "");
	return json_take_text(obj);
}
