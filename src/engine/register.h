/*
 * What every kind of register is to the engine: read, written, shown. One
 * table of functions a kind; regclient.c chooses. None of them decides what a
 * value means, and none says of a write that it did not happen unless the
 * register said so: what was not heard is unknown.
 */
#ifndef HAWATCH_ENGINE_REGISTER_H
#define HAWATCH_ENGINE_REGISTER_H

#include "hawatch/conf.h"
#include "hawatch/core.h"
#include "hawatch/http.h"
#include "hawatch/loop.h"

struct pair_server;

/* Where what was read, and what became of a write, is told. */
struct register_calls {
	void (*value)(void *arg, usec_t sent, const struct reg_value *v);
	/* why: for people. */
	void (*failed)(void *arg, const char *why);
	/* CAS_CONFIRMED: with its revision and the instance. */
	void (*written)(void *arg, uint64_t id, enum cas_result res,
	    uint64_t revision, const char *instance);
	void (*reported)(void *arg, bool ok);
	/* That host's engine has answered. */
	void (*heard)(void *arg, node_t node);
	void *arg;
};

struct register_env {
	struct loop *loop;
	const struct conf *conf;  /* borrowed */
	struct http *http;	  /* to the register */
	struct pair_server *copy; /* of this host; NULL for other kinds */
	const char *known; /* instance that was believed before; "": none */
	struct register_calls calls;
};

/* json NULL: why not. */
typedef void (*register_shown)(void *arg, const char *json, const char *why);

struct register_ops {
	void *(*new)(const struct register_env *env, struct error *err);
	void (*free)(void *reg);
	/* From now on it is read whenever it changes, and every T/5. */
	void (*start)(void *reg);
	/* Once more, now. */
	void (*read)(void *reg);
	/* The identical one may come again while it is under way. */
	void (*cas)(void *reg, const struct do_cas *cas);
	void (*report)(
	    void *reg, const char *instance, uint64_t epoch, uint64_t seq);
	void (*show)(void *reg, register_shown done, void *arg);
	void (*adopt)(void *reg, register_shown done, void *arg);
};

extern const struct register_ops register_arbiter, register_etcd, register_none;

#endif
