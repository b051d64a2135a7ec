/*
 * Makes the engine's parts. The fence comes first: whatever fails after it,
 * this host is closed, or open exactly as long as the kernel was told.
 */
#include "engine/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/env.h"
#include "engine/arbiter_server.h"
#include "engine/crash.h"
#include "engine/driver.h"
#include "engine/engine.h"
#include "engine/health.h"
#include "engine/history.h"
#include "engine/journal.h"
#include "engine/peers.h"
#include "engine/regclient.h"
#include "engine/reports.h"
#include "hawatch/check.h"
#include "hawatch/converge.h"
#include "hawatch/emit.h"
#include "hawatch/fence.h"
#include "hawatch/files.h"
#include "hawatch/frontlink.h"
#include "hawatch/http.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/pgwatch.h"
#include "hawatch/pki.h"
#include "hawatch/probe.h"
#include "hawatch/random.h"
#include "hawatch/traffic.h"
#include "hawatch/version.h"
#include "hawatch/worker.h"

static int
parts_dir(const char *path, mode_t mode, struct error *err)
{
	if (mkdir(path, mode) != 0 && errno != EEXIST)
		return error_sys(err, "mkdir %s", path);
	return 0;
}

/* Two engines with two memories of promises must not act for one node. The
 * lock is held, and its descriptor open, for the life of the process. */
static int
parts_lock(struct engine *e, struct error *err)
{
	char *path = xasprintf("%s/lock", e->conf->state_dir);
	int rc = 0;

	e->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (e->lock < 0)
		rc = error_sys(err, "open %s", path);
	else if (flock(e->lock, LOCK_EX | LOCK_NB) != 0)
		rc = error_set(err, ERR_REFUSED,
		    "%s is locked: another "
		    "hawatchd runs here; systemctl status hawatchd",
		    path);
	free(path);
	return rc;
}

static void
turn_timer_cb(void *arg)
{
	/* The turn that follows every callback does the work. */
}

static bool
parts_items(const struct conf *conf, enum conf_item_when when)
{
	int i;

	for (i = 0; i < conf->item_count; i++)
		if (conf->item[i].when == when &&
		    conf_on(conf, conf->item[i].on, conf->self))
			return true;
	return false;
}

static bool
parts_traffic(const struct conf *conf, enum conf_traffic_from from)
{
	int i;

	for (i = 0; i < conf->traffic_count; i++)
		if (conf->traffic[i].from == from)
			return true;
	return false;
}

static bool
parts_verify(const struct conf *conf)
{
	int i;

	for (i = 0; i < conf->check_count; i++)
		if (conf->check[i].verify &&
		    conf_on(conf, conf->check[i].on, conf->self))
			return true;
	return false;
}

static bool
parts_quiet(const struct conf *conf)
{
	int i;

	for (i = 0; i < conf->item_count; i++)
		if (conf->item[i].handover[0] != '\0' &&
		    conf_on(conf, conf->item[i].on, conf->self))
			return true;
	return false;
}

/* What is asked of the surroundings: nothing that the file does not name. */
static void
parts_core_site(const struct conf *conf, struct core_conf *cc)
{
	cc->before = parts_items(conf, ITEM_BEFORE);
	cc->after = cc->before || parts_items(conf, ITEM_AFTER);
	cc->traffic_every = parts_traffic(conf, FROM_EVERY);
	cc->traffic = cc->traffic_every || parts_traffic(conf, FROM_HOLDER);
	cc->verify = parts_verify(conf);
	cc->quiet = parts_quiet(conf);
	cc->files = conf->files.paths[0] != NULL;
}

static enum core_rejoin
parts_core_rejoin(const struct conf *conf)
{
	return conf->rejoin == CONF_REJOIN_CLONE  ? CORE_REJOIN_CLONE :
	       conf->rejoin == CONF_REJOIN_REWIND ? CORE_REJOIN_REWIND :
						    CORE_REJOIN_NONE;
}

static void
parts_core_loss(const struct conf *conf, struct core_conf *cc)
{
	node_t node;

	for (node = 0; node < conf->node_count; node++)
		cc->priority[node] = conf->node[node].priority;
	cc->bounded = conf->durability == DURABILITY_BOUNDED;
	cc->max_loss = conf->max_loss;
}

static int
parts_core(struct engine *e, struct error *err)
{
	const struct conf *conf = e->conf;
	struct core_conf cc = { .names = &conf->names,
		.self = conf->self,
		.data = conf_data_nodes(conf),
		.ttl = conf->ttl,
		.slack = conf->slack,
		.clock_ppm = conf->clock_ppm,
		.min_interval = conf->min_interval,
		.rejoin = parts_core_rejoin(conf),
		.standby_timeout = conf->pg.standby_timeout,
		.start_timeout = conf->pg.start_timeout,
		.mode = conf->mode == MODE_AUTO	  ? CORE_AUTO :
			conf->mode == MODE_MANUAL ? CORE_MANUAL :
						    CORE_OBSERVE };
	char *path = xasprintf("%s/state", conf->state_dir);
	struct durable dur;
	struct now now;
	char seed[17];
	bool found;

	parts_core_site(conf, &cc);
	parts_core_loss(conf, &cc);
	e->journal =
	    journal_open(path, e->worker, &conf->names, &dur, &found, err);
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

	e->fence =
	    fence_new(e->loop, e->conf->pg.port, driver_fence_lost, e, err);
	if (e->fence == NULL || parts_core(e, err) != 0)
		return -1;
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

static node_t
parts_primary(void *arg)
{
	struct engine *e = arg;
	const struct now now = clock_now();
	struct core_status st;

	if (e->core == NULL)
		return NODE_NONE;
	core_status(e->core, &now, &st);
	return st.site.primary;
}

static int
parts_checks(struct engine *e, struct error *err)
{
	const struct check_env env = { .loop = e->loop,
		.conf = e->conf,
		.pg = e->pg,
		.web = e->web,
		.probe = e->probe,
		.primary = parts_primary,
		.arg = e };

	e->checks = checks_new(&env, NULL, NULL, err);
	return e->checks == NULL ? -1 : 0;
}

/* What is around the database: it is compared, changed and steered only where
 * there is a database that it belongs to. */
static int
parts_site(struct engine *e, struct error *err)
{
	const struct converge_env env = { .loop = e->loop,
		.conf = e->conf,
		.worker = e->worker,
		.web = e->web,
		.probe = e->probe,
		.point = crash_point };

	e->converge = converge_new(&env);
	if (e->act_env == NULL)
		return 0;
	e->traffic = traffic_new(e->loop, e->conf);
	e->act_env->converge = e->converge;
	e->act_env->traffic = e->traffic;
	e->act_env->checks = e->checks;
	return 0;
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
	e->reg = regclient_new(e, err);
	if (e->reg == NULL)
		return -1;
	e->peers = peers_new(e);
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
	if (conf->node[conf->self].role == ROLE_DATA && parts_data(e, err) != 0)
		goto fail;
	e->web = http_new(e->loop, NULL, err);
	if (e->web == NULL || parts_checks(e, err) != 0 ||
	    parts_site(e, err) != 0 || parts_network(e, err) != 0)
		goto fail;
	emit_tap(history_tap, e);
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
	regclient_free(e->reg);
	orders_free(e->orders);
	control_free(e->control);
	frontlink_free(e->front);
	if (e->worker != NULL)
		worker_free(e->worker);
	history_free(e->history);
	arbiter_server_free(e->arbiter);
	checks_free(e->checks);
	acts_free(e->acts);
	converge_free(e->converge);
	traffic_free(e->traffic);
	files_free(e->files);
	if (e->act_env != NULL)
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
	free(e->told_status);
	reports_free(e->reports);
	free(e->health);
	if (e->lock >= 0)
		close(e->lock);
	free(e);
}
