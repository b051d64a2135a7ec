/*
 * Makes the engine's parts. The fence comes first: whatever fails after it,
 * this host is closed, or open exactly as long as the kernel was told.
 */
#include "engine/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/env.h"
#include "engine/arbiter_server.h"
#include "engine/config_file.h"
#include "engine/crash.h"
#include "engine/driver.h"
#include "engine/engine.h"
#include "engine/guarded.h"
#include "engine/health.h"
#include "engine/history.h"
#include "engine/journal.h"
#include "engine/observe.h"
#include "engine/pair_server.h"
#include "engine/peers.h"
#include "engine/regclient.h"
#include "engine/reload.h"
#include "engine/reports.h"
#include "engine/tell.h"
#include "hawatch/agent.h"
#include "hawatch/check.h"
#include "hawatch/converge.h"
#include "hawatch/emit.h"
#include "hawatch/fence.h"
#include "hawatch/files.h"
#include "hawatch/frontlink.h"
#include "hawatch/http.h"
#include "hawatch/job.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/pgwatch.h"
#include "hawatch/pki.h"
#include "hawatch/probe.h"
#include "hawatch/random.h"
#include "hawatch/traffic.h"
#include "hawatch/version.h"
#include "hawatch/worker.h"

#define LOCK_WAIT (5 * USEC_SEC)
#define LOCK_LOOK 10 /* ms */
#define GUARDED_AGAIN (60 * USEC_SEC)
#define CONFIG_FILE_EVERY (10 * USEC_SEC)

static int
parts_dir(const char *path, mode_t mode, struct error *err)
{
	if (mkdir(path, mode) != 0 && errno != EEXIST)
		return error_sys(err, "mkdir %s", path);
	return 0;
}

/* Before there is a loop. */
static bool
parts_locked(int fd)
{
	const usec_t until = clock_now().raw + LOCK_WAIT;

	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (clock_now().raw >= until)
			return false;
		(void)poll(NULL, 0, LOCK_LOOK);
	}
	return true;
}

/* Two engines with two memories of promises must not act for one node, nor one
 * beside what an earlier one has begun: a program that writes into the data, or
 * switches a host off. The lock is held, and its descriptor open, for the life
 * of the process, and by the keepers of such programs. They need a moment to
 * end; what the kernel does not let die is not waited for here: without this
 * engine nothing is promised, started or opened, and it is started again. */
static int
parts_lock(struct engine *e, struct error *err)
{
	char *path = xasprintf("%s/lock", e->conf->state_dir);
	int rc = 0;

	e->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (e->lock < 0)
		rc = error_sys(err, "open %s", path);
	else if (!parts_locked(e->lock))
		rc = error_set(err, ERR_REFUSED,
		    "%s is locked: another hawatchd runs here, or a program "
		    "that an earlier one started does not end; systemctl "
		    "status hawatchd; ps -C hawatch-keeper",
		    path);
	else
		job_lock(e->loop, e->lock);
	free(path);
	return rc;
}

static void
turn_timer_cb(void *arg)
{
	/* The turn that follows every callback does the work. */
}

static int
parts_core(struct engine *e, struct error *err)
{
	char *path = xasprintf("%s/state", e->conf->state_dir);
	struct core_conf cc;
	struct durable dur;
	struct now now;
	char seed[17];
	bool found;

	parts_core_conf(e->conf, &cc);
	e->journal =
	    journal_open(path, e->worker, &e->conf->names, &dur, &found, err);
	free(path);
	if (e->journal == NULL)
		return -1;
	random_hex(seed, sizeof(seed));
	now = clock_now();
	e->core = core_new(&cc, found ? &dur : NULL, seed, &now);
	return 0;
}

static int
parts_data(struct engine *e, struct error *err)
{
	const struct pgwatch_calls calls = {
		.changed = driver_pg_changed, .gone = driver_pg_gone, .arg = e
	};

	e->guarded =
	    guarded_new(e->loop, e->worker, e->conf, GUARDED_AGAIN, err);
	if (e->guarded == NULL)
		return -1;
	/* Who only looks on has no table in the kernel. */
	if (e->conf->mode != MODE_OBSERVE) {
		e->fence = fence_new(
		    e->loop, e->conf->pg.port, driver_fence_lost, e, err);
		if (e->fence == NULL)
			return -1;
	}
	if (parts_core(e, err) != 0)
		return -1;
	e->observe = observe_new(e);
	e->act_env = act_env_new(e->loop, e->conf, e->worker);
	e->acts = acts_new(e->act_env, driver_act_done, e);
	e->pg = pgwatch_new(e->loop, e->conf, &calls);
	return 0;
}

static void
parts_history(struct engine *e)
{
	const struct now now = clock_now();
	const char *node = e->conf->node[e->conf->self].name;
	json_t *more = json_object();

	e->history = history_new(e->loop, e->conf->state_dir, node);
	json_put_string(more, "mode", conf_mode_str(e->conf->mode));
	json_put_string(more, "version", HAWATCH_VERSION);
	history_detail(e->history, &now, "daemon.start", more);
}

/* Every event, to who writes it down and to who tells people. */
static void
parts_tap(void *engine, enum event_name ev, const struct kv *kv, size_t n)
{
	const struct now now = clock_now();
	struct engine *e = engine;

	history_tap(e, ev, kv, n);
	tell_event(e->tell, &now, ev, kv, n);
}

/* They switch other hosts off, for who takes over: where PostgreSQL is. */
static void
parts_agents(struct engine *e)
{
	if (e->act_env == NULL)
		return;
	e->agents = agents_new(e->loop, e->conf, e->worker);
	e->act_env->agents = e->agents;
}

/* Files that were mixed up when three hosts were set up by copying. Told, not
 * refused: a lone primary goes on serving whatever its certificate is. */
static void
parts_pki(const struct conf *conf)
{
	const struct pki_files files = { conf->ca, conf->cert, conf->key };
	struct pki_report report;
	struct error err;

	if (pki_check(&files, conf->node[conf->self].name, &report, &err) != 0)
		EMIT(pki_wrong, kv_s("reason", err.msg));
}

/* The files are read by a child that is this program. */
static void
parts_files(struct engine *e)
{
	const struct files_env env = { .loop = e->loop,
		.conf = e->conf,
		.http = e->http,
		.program = "/proc/self/exe" };

	if (e->act_env == NULL)
		return;
	e->files = files_new(&env);
	e->act_env->files = e->files;
}

static int
parts_network(struct engine *e, struct error *err)
{
	const struct conf *conf = e->conf;
	const struct http_tls tls = { conf->ca, conf->cert, conf->key };
	char *path;

	parts_pki(conf);
	e->http = http_new(e->loop, &tls, err);
	if (e->http == NULL)
		return -1;
	parts_files(e);
	if (conf->reg.type == REGISTER_NONE) {
		e->copy = pair_server_new(e, err);
		if (e->copy == NULL)
			return -1;
	}
	e->reg = regclient_new(e, err);
	if (e->reg == NULL)
		return -1;
	e->peers = peers_new(e);
	e->asked = peers_asked_new();
	if (conf->arbiter == conf->self) {
		e->arbiter = arbiter_server_new(e, err);
		if (e->arbiter == NULL)
			return -1;
	}
	e->front = frontlink_new(e->loop, conf, NULL, peers_request, e, err);
	if (e->front == NULL)
		return -1;
	path = xasprintf("%s/hactl.sock", conf->run_dir);
	e->control =
	    control_new(e->loop, path, conf->group, orders_handle, e, err);
	free(path);
	if (e->control == NULL)
		return -1;
	control_refuse_user(e->control, conf->user);
	return 0;
}

struct engine *
parts_new(struct conf *conf, struct error *err)
{
	struct engine *e = xcalloc(1, sizeof(*e));

	e->conf = conf;
	e->lock = -1;
	e->expect_primary = NODE_NONE;
	e->started_at = clock_now().raw;
	e->health = xcalloc(1, sizeof(*e->health));
	e->reports = reports_new(e);
	e->loop = loop_new(err);
	if (e->loop == NULL || parts_dir(conf->state_dir, 0700, err) != 0 ||
	    parts_dir(conf->run_dir, 0755, err) != 0)
		goto fail;
	if (parts_lock(e, err) != 0)
		goto fail;
	/* A child that is to hold little is forked while there is little. */
	e->probe = probe_new(e->loop, NULL, err);
	if (e->probe == NULL)
		goto fail;
	e->turn_timer = timer_new(e->loop, turn_timer_cb, e);
	e->worker = worker_new(e->loop);
	parts_history(e);
	e->tell = tell_new(e->loop, conf);
	if (conf->node[conf->self].role == ROLE_DATA && parts_data(e, err) != 0)
		goto fail;
	parts_agents(e);
	e->web = http_new(e->loop, NULL, err);
	if (e->web == NULL || parts_live(e, err) != 0 ||
	    parts_network(e, err) != 0)
		goto fail;
	e->reload = reload_new(e);
	e->file =
	    config_file_new(e->loop, conf, &e->file_word, CONFIG_FILE_EVERY);
	emit_tap(parts_tap, e);
	return e;
fail:
	parts_free(e);
	return NULL;
}

/* The kernel's table stays as it is: an upgrade is silent, an end closes. */
void
parts_free(struct engine *e)
{
	if (e == NULL)
		return;
	emit_tap(NULL, NULL);
	peers_free(e->peers);
	peers_asked_free(e->asked);
	regclient_free(e->reg);
	orders_free(e->orders);
	control_free(e->control);
	frontlink_free(e->front);
	worker_free(e->worker);
	guarded_free(e->guarded);
	reload_free(e->reload);
	config_file_free(e->file);
	observe_free(e->observe);
	tell_free(e->tell);
	history_free(e->history);
	arbiter_server_free(e->arbiter);
	pair_server_free(e->copy);
	checks_free(e->checks);
	acts_free(e->acts);
	converge_free(e->converge);
	traffic_free(e->traffic);
	files_free(e->files);
	agents_free(e->agents);
	act_env_free(e->act_env);
	pgwatch_free(e->pg);
	fence_free(e->fence);
	core_free(e->core);
	journal_free(e->journal);
	http_free(e->web);
	probe_free(e->probe);
	http_free(e->http);
	timer_free(e->turn_timer);
	loop_free(e->loop);
	conf_free(e->conf);
	parts_live_free(e);
	free(e->told_status);
	reports_free(e->reports);
	free(e->health);
	if (e->lock >= 0)
		close(e->lock);
	free(e);
}
