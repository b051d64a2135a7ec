/*
 * The engine's parts, tied together. Private to src/engine: driver.c carries
 * out the core's actions, the others are one concern each.
 */
#ifndef HAWATCH_ENGINE_H
#define HAWATCH_ENGINE_H

#include <sys/types.h>

#include "engine/config_file.h"
#include "hawatch/conf.h"
#include "hawatch/core.h"
#include "hawatch/error.h"
#include "hawatch/loop.h"

struct engine {
	struct loop *loop;
	struct conf *conf;
	/* Whose strings the parts of conf are that have changed since. */
	struct conf *owner[CONF_PARTS];
	struct core *core;		/* data nodes; NULL on a witness */
	struct arbiter_server *arbiter; /* the arbiter's host; else NULL */
	struct pair_server *copy;	/* of the register of two hosts */
	struct regclient *reg;		/* reads and CASes of the register */
	struct peers *peers;		/* requests to other engines */
	struct asked_list *asked;	/* and theirs, not answered yet */
	struct reports *reports;	/* how the hosts are */
	struct health *health;		/* this one; as looked at last */
	struct acts *acts;
	struct act_env *act_env;
	usec_t act_no_at; /* raw: an action was refused last then, */
	char act_no[200]; /* because of this */
	struct pgwatch *pg;
	struct fence *fence;
	struct checks *checks;
	struct converge *converge;
	struct files *files;	 /* NULL on a witness */
	struct traffic *traffic; /* data nodes */
	struct agents *agents;	 /* data nodes */
	struct probe *probe;
	struct http *web; /* to everything but the peers */
	struct frontlink *front;
	struct control *control;
	struct orders *orders; /* made by the first request */
	struct reload *reload;
	struct config_file *file; /* looks at the one of conf */
	struct config_file_word file_word;
	struct observe *observe; /* mode observe; else NULL */
	struct journal *journal;
	struct history *history;
	struct tell *tell; /* people */
	struct worker *worker;
	struct guarded *guarded;
	struct http *http;
	struct timer *turn_timer;
	int lock; /* of the state directory */
	usec_t started_at;
	unsigned table_looks;
	enum answer table;   /* of the last look */
	enum answer armed;   /* as told last */
	usec_t armed_at;     /* armed is asked again then */
	usec_t repmgrd_at;   /* repmgrd is looked for again then */
	enum answer repmgrd; /* no: it would promote, too */
	char repmgrd_why[160];
	usec_t watchdog_at;	/* the service manager hears again then */
	uint64_t history_epoch; /* of the record, as written down last */
	enum rec_state history_state;
	node_t expect_primary; /* the items are compared with that */
	uint64_t expect_epoch;
	char *told_status; /* the document, as rendered last */
	usec_t rendered_at;
	uint32_t rendered_fails; /* what it said of checks and drift */
	int rendered_drift;
	usec_t told_at, told_primary; /* what the front was told last */
	bool told_healthy, told_standby, told_ready;
};

/* control.c: the socket for hactl. Requests are one line of JSON, {"verb":
 * "...", ...}; answers are lines of JSON, the last one with "exit". */
struct control;
typedef void (*control_fn)(
    void *arg, uint64_t id, const char *verb, const char *args_json);
struct control *control_new(struct loop *loop, const char *path,
    const char *group, control_fn fn, void *arg, struct error *err);
void control_free(struct control *c);
/* This user may ask nothing, whatever its groups: the front's. */
void control_refuse_user(struct control *c, const char *user);
/* Who asked; false when gone. */
bool control_asker(
    const struct control *c, uint64_t id, uid_t *uid, pid_t *pid);
/* The verb that came with it; "" when gone. */
const char *control_asked_for(const struct control *c, uint64_t id);
/* control_remote.c: the operator who asked from another host, and whether he
 * may give orders; NULL: a local user, or gone. */
const char *control_operator(
    const struct control *c, uint64_t id, bool *may_order);
/* One line; with final the connection is closed after it. An asker that is
 * gone is ignored. */
void control_reply(
    struct control *c, uint64_t id, const char *json, bool final);

/* orders.c: what each verb of hactl does in the engine. */
void orders_handle(
    void *engine, uint64_t id, const char *verb, const char *args_json);
/* At the end of every turn: answers those that wait for something. */
void orders_turn(struct engine *e, const struct now *now);
/* After peers and regclient are freed, before control is. */
void orders_free(struct orders *o);

/* status.c: JSON of this node; caller frees. The front's /status, hactl status
 * and the peers' /v1/status are this document. */
char *status_json(const struct engine *e, const struct now *now);

/* regclient.c / arbiter_server.c, for orders: */
/* Asks the register once; done gets its answer as JSON or NULL and why. */
void regclient_show(struct regclient *r,
    void (*done)(void *arg, const char *json, const char *why), void *arg);
void regclient_adopt(struct regclient *r,
    void (*done)(void *arg, const char *json, const char *why), void *arg);
/* peers.c: a request to another engine, body taken: its answer, or NULL and
 * why not. Within the call only if it cannot be sent at all. */
void peers_post(struct peers *p, node_t node, const char *path, char *body,
    usec_t deadline,
    void (*done)(void *arg, node_t node, const char *json, const char *why),
    void *arg);
/* peers.c: another engine's /v1/status, bounded by 500 ms. */
void peers_status(struct peers *p, node_t node,
    void (*done)(void *arg, node_t node, const char *json, const char *why),
    void *arg);

#endif
