/*
 * The register as the rest of the engine sees it: whatever kind it is of, what
 * it says becomes events of the core, and its loss one event.
 */
#include "engine/regclient.h"

#include <stdlib.h>

#include "engine/engine.h"
#include "engine/register.h"
#include "hawatch/emit.h"
#include "hawatch/mem.h"

struct regclient {
	struct engine *e;
	const struct register_ops *ops;
	void *reg;
	bool failing;
};

static void regclient_value_cb(
    void *arg, usec_t sent, const struct reg_value *v);
static void regclient_failed_cb(void *arg, const char *why);
static void regclient_written_cb(void *arg, uint64_t id, enum cas_result res,
    uint64_t revision, const char *instance);
static void regclient_reported_cb(void *arg, bool ok);
static void regclient_heard_cb(void *arg, node_t node);

struct regclient *
regclient_new(struct engine *e, struct error *err)
{
	static const struct register_ops *const kinds[] = {
		[REGISTER_ARBITER] = &register_arbiter,
		[REGISTER_ETCD] = &register_etcd,
		[REGISTER_NONE] = &register_none,
	};
	bool etcd = e->conf->reg.type == REGISTER_ETCD;
	const struct now now = clock_now();
	struct core_status st = { .durable = NULL };
	struct regclient *r = xcalloc(1, sizeof(*r));
	struct register_env env = {
		.loop = e->loop,
		.conf = e->conf,
		.http = etcd ? e->web : e->http,
		.copy = e->copy,
		.known = "",
		.calls = { .value = regclient_value_cb,
		    .failed = regclient_failed_cb,
		    .written = regclient_written_cb,
		    .reported = regclient_reported_cb,
		    .heard = regclient_heard_cb,
		    .arg = r },
	};

	if (e->core != NULL) {
		core_status(e->core, &now, &st);
		env.known = st.durable->instance;
	}
	r->e = e;
	r->ops = kinds[e->conf->reg.type];
	r->reg = r->ops->new (&env, err);
	if (r->reg == NULL) {
		free(r);
		return NULL;
	}
	return r;
}

void
regclient_free(struct regclient *r)
{
	if (r == NULL)
		return;
	r->ops->free(r->reg);
	free(r);
}

static void
regclient_value_cb(void *arg, usec_t sent, const struct reg_value *v)
{
	struct regclient *r = arg;
	const struct now now = clock_now();

	if (r->failing)
		EMIT(register_found, kv_s("instance", v->instance));
	r->failing = false;
	if (r->e->core != NULL)
		core_on_read(r->e->core, &now, sent, v);
}

static void
regclient_failed_cb(void *arg, const char *why)
{
	struct regclient *r = arg;
	const struct now now = clock_now();

	if (!r->failing)
		EMIT(register_lost, kv_s("reason", why));
	r->failing = true;
	if (r->e->core != NULL)
		core_on_read_failed(r->e->core, &now);
}

static void
regclient_written_cb(void *arg, uint64_t id, enum cas_result res,
    uint64_t revision, const char *instance)
{
	struct regclient *r = arg;
	const struct now now = clock_now();

	core_on_cas(r->e->core, &now, id, res, revision, instance);
}

static void
regclient_reported_cb(void *arg, bool ok)
{
	struct regclient *r = arg;
	const struct now now = clock_now();

	core_on_reported(r->e->core, &now, ok);
}

static void
regclient_heard_cb(void *arg, node_t node)
{
	struct regclient *r = arg;
	const struct now now = clock_now();

	core_on_heard(r->e->core, &now, node);
}

void
regclient_start(struct regclient *r)
{
	r->ops->start(r->reg);
}

void
regclient_read(struct regclient *r)
{
	r->ops->read(r->reg);
}

void
regclient_cas(struct regclient *r, const struct do_cas *cas)
{
	r->ops->cas(r->reg, cas);
}

void
regclient_report(
    struct regclient *r, const char *instance, uint64_t epoch, uint64_t seq)
{
	r->ops->report(r->reg, instance, epoch, seq);
}

void
regclient_show(struct regclient *r,
    void (*done)(void *arg, const char *json, const char *why), void *arg)
{
	r->ops->show(r->reg, done, arg);
}

void
regclient_adopt(struct regclient *r,
    void (*done)(void *arg, const char *json, const char *why), void *arg)
{
	r->ops->adopt(r->reg, done, arg);
}
