/*
 * Reading the configuration again. The worker reads and validates the file, so
 * that a disk that hangs stops nobody; what is wrong with it keeps what runs.
 * A difference in what cannot change while the engine runs keeps it, too: half
 * of a new file would be one that nobody wrote. The rest is taken over at one
 * moment, between two turns, when nothing is under way that the old file began.
 */
#include "engine/reload.h"

#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/parts.h"
#include "hawatch/emit.h"
#include "hawatch/files.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/queue.h"
#include "hawatch/str.h"
#include "hawatch/worker.h"

#define RELOAD_QUIET (3 * USEC_SEC)    /* until nothing is under way */
#define RELOAD_SEEN (1500 * USEC_MSEC) /* likewise, of who only looks */
#define RELOAD_LOOK (100 * USEC_MSEC)
#define RELOAD_SAY_MAX 200 /* changes, and errors */
#define RELOAD_TEXT_MAX 400

struct reload_job {
	TAILQ_ENTRY(reload_job) entry;
	struct engine *e;
	char *path, *node;
	char digest[CONF_DIGEST_MAX]; /* "": only looked at */
	reload_fn fn;
	uint64_t id;
	/* The worker's, until it is back: */
	struct conf *next;
	struct conf_errors errors;
	bool back;
	/* And then: */
	json_t *said, *changes;
	usec_t until;	       /* raw; 0 not waited for yet */
	bool part[CONF_PARTS]; /* that differ */
	bool vital;	       /* of fixed, one matters for safety */
	char keys[RELOAD_TEXT_MAX], fixed[RELOAD_TEXT_MAX];
	char base[CONF_DIGEST_MAX]; /* of what ran then */
};

struct reload {
	TAILQ_HEAD(, reload_job) jobs;
	struct timer *timer;
};

/* The turn that follows every callback does the work. */
static void
reload_timer_cb(void *arg)
{
}

struct reload *
reload_new(struct engine *e)
{
	struct reload *r = xcalloc(1, sizeof(*r));

	TAILQ_INIT(&r->jobs);
	r->timer = timer_new(e->loop, reload_timer_cb, e);
	return r;
}

static void
reload_job_free(struct reload_job *j)
{
	conf_free(j->next);
	conf_errors_free(&j->errors);
	json_decref(j->said);
	free(j->path);
	free(j->node);
	free(j);
}

/* After the worker, which frees what it still had. */
void
reload_free(struct reload *r)
{
	struct reload_job *j;

	if (r == NULL)
		return;
	while ((j = TAILQ_FIRST(&r->jobs)) != NULL) {
		TAILQ_REMOVE(&r->jobs, j, entry);
		reload_job_free(j);
	}
	timer_free(r->timer);
	free(r);
}

static void
reload_work(void *arg)
{
	struct reload_job *j = arg;

	j->next = conf_load(j->path, j->node, &j->errors);
}

static void
reload_back_cb(void *arg)
{
	struct reload_job *j = arg;

	j->back = true;
	TAILQ_INSERT_TAIL(&j->e->reload->jobs, j, entry);
}

static void
reload_drop_cb(void *arg)
{
	reload_job_free(arg);
}

void
reload_start(struct engine *e, const char *digest, reload_fn fn, uint64_t id)
{
	struct reload_job *j = xcalloc(1, sizeof(*j));

	j->e = e;
	j->path = xstrdup(e->conf->path);
	/* Who this host is does not change by a file. */
	j->node = xstrdup(e->conf->node[e->conf->self].name);
	str_cut(j->digest, sizeof(j->digest), digest);
	j->fn = fn;
	j->id = id;
	worker_submit_own(
	    e->worker, reload_work, reload_back_cb, reload_drop_cb, j);
}

static void
reload_note(char *buf, size_t size, const char *key)
{
	size_t len = strlen(buf);

	if (len > 0 && len + 2 < size) {
		str_cut(buf + len, size - len, ", ");
		len += 2;
	}
	str_cut(buf + len, size - len, key);
}

static void
reload_change(void *arg, const struct conf_change *c)
{
	struct reload_job *j = arg;
	json_t *obj;

	j->part[conf_part(c->key)] = true;
	reload_note(j->keys, sizeof(j->keys), c->key);
	if (!c->live) {
		reload_note(j->fixed, sizeof(j->fixed), c->key);
		j->vital = j->vital || c->vital;
	}
	if (json_array_size(j->changes) >= RELOAD_SAY_MAX)
		return;
	obj = json_object();
	json_put_string(obj, "key", c->key);
	json_put_string(obj, "old", c->old);
	json_put_string(obj, "new", c->new);
	json_put_bool(obj, "live", c->live);
	json_put_bool(obj, "safety", c->vital);
	json_array_append_new(j->changes, obj);
}

static void
reload_refuse(struct reload_job *j, const char *why, const char *next)
{
	json_put_string(j->said, "refused", why);
	json_put_string(j->said, "next", next);
}

static void
reload_bad(struct reload_job *j)
{
	json_t *list = json_array();
	char *why;
	int i;

	for (i = 0; i < j->errors.count && i < RELOAD_SAY_MAX / 4; i++)
		json_array_append_new(list, json_string(j->errors.text[i]));
	json_put(j->said, "errors", list);
	why = xasprintf("its file has %d error%s, and what runs goes on",
	    j->errors.count, j->errors.count == 1 ? "" : "s");
	reload_refuse(j, why, "hactl config check");
	free(why);
}

/* Only a restart brings this; when this host's turn is, and what comes before
 * it, says who asks all hosts: orders_restart.c. */
static void
reload_fixed(struct reload_job *j, const struct now *now)
{
	const struct engine *e = j->e;
	struct core_status st = { .rel = REL_OTHER };
	char *why;

	if (e->core != NULL)
		core_status(e->core, now, &st);
	json_put_string(j->said, "restart", j->fixed);
	json_put_bool(j->said, "safety", j->vital);
	json_put_bool(j->said, "holder", st.rel == REL_HELD);
	why = xasprintf("this cannot change while hawatchd runs, so nothing "
			"does, until it is restarted, on one host after "
			"another: %s",
	    j->fixed);
	reload_refuse(j, why, "systemctl restart hawatchd");
	free(why);
}

/* What the file says, beside what runs. */
static void
reload_compare(struct reload_job *j, const struct now *now)
{
	const struct conf *old = j->e->conf;

	j->said = json_object();
	str_cut(j->base, sizeof(j->base), old->whole);
	json_put_bool(j->said, "applied", false);
	if (j->next == NULL) {
		reload_bad(j);
		return;
	}
	j->changes = json_array();
	json_put_string(j->said, "digest", j->next->whole);
	/* By which the asker sees who would differ afterwards. */
	json_put_string(j->said, "shared", j->next->digest);
	conf_diff(old->setting, old->setting_count, j->next->setting,
	    j->next->setting_count, reload_change, j);
	json_put(j->said, "changes", j->changes);
	if (j->fixed[0] != '\0')
		reload_fixed(j, now);
}

/* Takes it over, or says why not now. */
static const char *
reload_apply(struct reload_job *j)
{
	struct engine *e = j->e;
	const char *busy;

	busy = parts_renew(e, j->next, j->part);
	if (busy != NULL)
		return busy;
	j->next = NULL; /* the engine's now */
	EMIT(config_reloaded, kv_s("keys", j->keys));
	json_put_bool(j->said, "applied", true);
	return NULL;
}

/* In words, and what is to be done. */
static void
reload_against(struct reload_job *j, const char *against)
{
	const char *next = strchr(against, '\n');
	char *why = xasprintf("%.*s", (int)strcspn(against, "\n"), against);

	reload_refuse(j, why, next == NULL ? "hactl status" : next + 1);
	free(why);
}

/* A change of role is for the old file to finish. */
static bool
reload_in_plan(const struct engine *e, const struct now *now)
{
	struct core_status st;

	if (e->core == NULL)
		return false;
	core_status(e->core, now, &st);
	return st.plan != NULL || st.rel == REL_CLAIMED ||
	       st.shooting != NODE_NONE ||
	       (e->files != NULL && files_pulls(e->files) != NODE_NONE);
}

/* While it waited, another was taken over, or the file was read once more and
 * says something else. */
static bool
reload_overtaken(const struct reload_job *j)
{
	const struct reload_job *later = j;

	if (strcmp(j->base, j->e->conf->whole) != 0)
		return true;
	while ((later = TAILQ_NEXT(later, entry)) != NULL)
		if (later->back && later->next != NULL &&
		    strcmp(later->next->whole, j->next->whole) != 0)
			return true;
	return false;
}

/* Whether it could be taken over, so that none does where one could not. */
static bool
reload_look(struct reload_job *j, const struct now *now)
{
	const char *against;
	bool waits;

	if (reload_in_plan(j->e, now)) {
		reload_refuse(
		    j, "a plan runs: reload when it is over", "hactl status");
		return true;
	}
	against = parts_may_renew(j->e, j->next, &waits);
	if (against == NULL)
		return true;
	if (j->until == 0)
		j->until = now->raw + RELOAD_SEEN;
	if (waits && now->raw < j->until)
		return false;
	reload_against(j, against);
	return true;
}

/* True when there is an answer. */
static bool
reload_step(struct reload_job *j, const struct now *now)
{
	const char *busy;

	if (j->said == NULL)
		reload_compare(j, now);
	if (json_has(j->said, "refused") || j->keys[0] == '\0')
		return true;
	if (j->digest[0] == '\0')
		return reload_look(j, now);
	if (strcmp(j->digest, j->next->whole) != 0) {
		reload_refuse(j, "the file changed since it was looked at",
		    "hactl reload");
		return true;
	}
	if (reload_overtaken(j)) {
		reload_refuse(
		    j, "another reload came in between", "hactl reload");
		return true;
	}
	busy = reload_apply(j);
	if (busy == NULL)
		return true;
	if (j->until == 0)
		j->until = now->raw + RELOAD_QUIET;
	if (now->raw < j->until)
		return false;
	reload_against(j, busy);
	return true;
}

void
reload_turn(struct engine *e, const struct now *now)
{
	struct reload *r = e->reload;
	struct reload_job *j, *next;

	TAILQ_FOREACH_SAFE(j, &r->jobs, entry, next) {
		if (!reload_step(j, now))
			continue;
		TAILQ_REMOVE(&r->jobs, j, entry);
		j->fn(e, j->id, json_incref(j->said));
		reload_job_free(j);
	}
	if (!TAILQ_EMPTY(&r->jobs))
		timer_arm(r->timer, RELOAD_LOOK);
}

char *
reload_settings(const struct engine *e)
{
	const struct conf *conf = e->conf;
	json_t *obj = json_object(), *set = json_object();
	int i;

	for (i = 0; i < conf->setting_count; i++)
		if (!conf->setting[i].own)
			json_put_string(
			    set, conf->setting[i].key, conf->setting[i].text);
	json_put(obj, "settings", set);
	return json_take_text(obj);
}
