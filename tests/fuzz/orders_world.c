/*
 * What the control socket and the orders stand on, and the parts of the engine
 * that they ask.
 */
#include "orders_world.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/arbiter_server.h"
#include "engine/control.h"
#include "engine/health.h"
#include "engine/history.h"
#include "engine/observe.h"
#include "engine/peers.h"
#include "engine/reload.h"
#include "engine/reports.h"
#include "engine/tell.h"
#include "fuzz.h"
#include "hawatch/agent.h"
#include "hawatch/check.h"
#include "hawatch/converge.h"
#include "hawatch/instance.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"
#include "hawatch/pgwatch.h"
#include "hawatch/traffic.h"

struct orders_world orders_world;

static struct pg_view view;
static struct pg_peer pg_peer;
static struct host_report report;
static struct health health;
static struct conf conf;

void
peers_status(struct peers *p, node_t node,
    void (*done)(void *arg, node_t node, const char *json, const char *why),
    void *arg)
{
	const char *said = orders_world.peer[node];

	done(arg, node, said, said == NULL ? "connect-timeout" : NULL);
}

void
peers_history(struct peers *p, node_t node, char *body, usec_t deadline,
    void (*done)(void *arg, node_t node, const char *json, const char *why),
    void *arg)
{
	free(body);
	peers_status(p, node, done, arg);
}

/* What this host has written down is as foreign as what its peers say. */
void
history_read(struct history *h, const struct history_query *q,
    void (*done)(void *arg, uint64_t id, const json_t *found), void *arg,
    uint64_t id)
{
	const char *said = orders_world.peer[0];
	json_t *found;
	struct error err;

	found = said == NULL ? NULL : json_read(said, strlen(said), &err);
	if (found == NULL)
		found = json_object();
	done(arg, id, found);
	json_decref(found);
}

static void
reg(void (*done)(void *arg, const char *json, const char *why), void *arg)
{
	if ((orders_world.kind & KIND_REFUSES) != 0)
		done(arg, NULL, orders_world.reg);
	else
		done(arg, orders_world.reg,
		    orders_world.reg == NULL ? "connect-refused" : NULL);
}

void
regclient_show(struct regclient *r,
    void (*done)(void *arg, const char *json, const char *why), void *arg)
{
	reg(done, arg);
}

void
regclient_adopt(struct regclient *r,
    void (*done)(void *arg, const char *json, const char *why), void *arg)
{
	reg(done, arg);
}

/* No world of these serves a register. */
const struct record *
arbiter_server_record(const struct arbiter_server *s)
{
	return NULL;
}

const char *
acts_reason(const struct acts *acts, enum act_kind kind)
{
	return "";
}

const struct pg_view *
pgwatch_view(const struct pgwatch *w)
{
	return &view;
}

const struct pg_peer *
pgwatch_peer(const struct pgwatch *w, node_t node)
{
	return node == 0 ? &pg_peer : NULL;
}

void
pgwatch_poke_peer(struct pgwatch *w, node_t node)
{
	pg_peer.asked_at = clock_now().raw + 1;
}

const struct pg_findings *
pgwatch_findings(const struct pgwatch *w)
{
	static const struct pg_findings none;

	return &none;
}

const char *
pgwatch_no_room(const struct pgwatch *w, const char **where)
{
	*where = "";
	return "";
}

int
checks_count(const struct checks *checks)
{
	return 1;
}

void
checks_state(const struct checks *checks, int i, struct check_state *out)
{
	*out = (struct check_state){ .name = "web",
		.type = "tcp",
		.up = ANS_NO,
		.reason = "connect-refused",
		.address = "10.77.0.2",
		.conf = &conf.check[0] };
}

int
converge_count(const struct converge *c)
{
	return conf.item_count;
}

void
converge_state(const struct converge *c, int i, struct converge_state *out)
{
	*out = (struct converge_state){ .name = conf.item[i].name,
		.holds = converge_drift(c) > 0 ? ANS_NO : ANS_YES,
		.reason = "differs" };
}

int
converge_drift(const struct converge *c)
{
	return (orders_world.kind & KIND_DRIFT) != 0;
}

const char *
converge_doing(const struct converge *c, usec_t *since)
{
	return NULL;
}

void
converge_run(struct converge *c, enum conf_item_when when, node_t primary,
    uint64_t epoch,
    void (*done)(void *arg, enum answer ans, const char *reason), void *arg)
{
	done(arg, ANS_NO, "not-so");
}

int
agents_count(const struct agents *a)
{
	return 0;
}

void
agents_state(const struct agents *a, int i, struct agent_state *st)
{
	*st = (struct agent_state){ .why = "" };
}

int
traffic_count(const struct traffic *t)
{
	return 1;
}

void
traffic_state(const struct traffic *t, int i, struct traffic_state *out)
{
	*out = (struct traffic_state){
		.name = "lb", .ok = ANS_NO, .reason = "not so", .out = 1
	};
}

const struct host_report *
reports_of(const struct reports *r, node_t node, const struct now *now)
{
	return node == 0 ? &report : NULL;
}

usec_t
reports_heard_at(const struct reports *r, node_t node)
{
	return clock_now().raw;
}

enum answer
reports_config(const struct reports *r, node_t node, bool vital)
{
	return (orders_world.kind & KIND_DRIFT) != 0 ? ANS_NO : ANS_YES;
}

void
peers_post(struct peers *p, node_t node, const char *path, char *body,
    usec_t deadline,
    void (*done)(void *arg, node_t node, const char *json, const char *why),
    void *arg)
{
	free(body);
	done(arg, node, orders_world.peer[node], "connect-timeout");
}

void
reload_start(struct engine *e, const char *digest, reload_fn fn, uint64_t id)
{
	json_t *said = json_object();

	json_put_string(said, "digest", "0123456789abcdef");
	json_put(said, "changes", json_array());
	fn(e, id, said);
}

void
observe_note(struct observe *o, const struct now *now, const char *text)
{
}

json_t *
observe_json(const struct observe *o)
{
	return json_array();
}

enum answer
instance_signal_file(const char *data_directory)
{
	return (orders_world.kind & KIND_SIGNAL) != 0 ? ANS_YES : ANS_NO;
}

enum answer
instance_repmgrd(const char *data_directory, struct error *err)
{
	return ANS_YES;
}

static void
world_conf(void)
{
	conf = *fuzz_conf();
	conf.pg.backend = BACKEND_PG_CTLCLUSTER;
	conf.pg.cluster = "15/main";
	conf.pg.data_directory = "/data";
	conf.item_count = 1;
	conf.item[0] = (struct conf_item){ .name = "hosts",
		.handover = "",
		.type = ITEM_LINE,
		.file = "/etc/hosts",
		.match = "db",
		.primary = "127.0.0.1 db",
		.standby = "${primary.address} db" };
	conf.traffic_count = 1;
	conf.traffic[0] = (struct conf_traffic){ .name = "lb",
		.type = "haproxy",
		.sockets = { "/run/haproxy.sock" },
		.backend = "web",
		.server = "${node}",
		.address = "" };
}

static void
world_core(struct engine *e)
{
	const struct core_conf cc = { .names = &conf.names,
		.self = conf.self,
		.data = 3,
		.mode = CORE_AUTO,
		.ttl = conf.ttl,
		.slack = 50 * USEC_MSEC,
		.clock_ppm = 1000,
		.min_interval = 600 * USEC_SEC,
		.proof_lease = true,
		.standby_timeout = USEC_SEC,
		.start_timeout = 60 * USEC_SEC };
	struct now now = clock_now();
	struct reg_value v = { .instance = "inst", .revision = 7 };

	e->core = core_new(&cc, NULL, "seed", &now);
	if ((orders_world.kind & KIND_RECORD) == 0)
		return;
	v.rec = (struct record){ .epoch = 3,
		.seq = 9,
		.state = REC_HELD,
		.target = NODE_NONE,
		.candidates = 2,
		.ttl = conf.ttl,
		.nonce = "n1" };
	core_on_read(e->core, &now, now.raw, &v);
	core_turn(e->core, &now);
}

void
orders_world_init(uint8_t kind)
{
	struct engine *e = &orders_world.engine;
	struct control *c = xcalloc(1, sizeof(*c));

	memset(&orders_world, 0, sizeof(orders_world));
	memset(&pg_peer, 0, sizeof(pg_peer));
	pg_peer.reason = "";
	orders_world.kind = kind;
	world_conf();
	e->conf = &conf;
	e->health = &health;
	if ((kind & KIND_WITNESS) == 0)
		world_core(e);
	TAILQ_INIT(&c->conns);
	c->path = xstrdup("none");
	c->fd = -1;
	c->fn = orders_handle;
	c->arg = e;
	c->next_id = 1;
	c->gid = getgid();
	e->control = orders_world.control = c;
}

void
orders_world_fini(void)
{
	struct engine *e = &orders_world.engine;

	orders_free(e->orders);
	control_free(orders_world.control);
	core_free(e->core);
}

int
orders_world_connect(void)
{
	int sv[2];

	FUZZ_CHECK(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv) == 0);
	conn_new(orders_world.control, sv[0]);
	orders_world.engine.started_at = sv[0];
	return sv[1];
}

int
tell_test(struct tell *t, const struct now *now,
    void (*done)(void *arg, const struct tell_result *res), void *arg)
{
	const struct tell_result res = {
		.name = "mail", .ok = true, .text = "done"
	};

	done(arg, &res);
	return 1;
}
