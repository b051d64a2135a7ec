/*
 * hawatch-front, the process that owns every network listener: its parts and
 * how they hold together. Private to src/front.
 */
#ifndef FRONT_FRONT_H
#define FRONT_FRONT_H

#include <jansson.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/types.h>

#include "front/http1.h"
#include "hawatch/error.h"
#include "hawatch/types.h"

struct event_base;
struct link;
struct listener;
struct conn;

/* What may be refused. One line each, at most every ten seconds, goes to the
 * engine with the number that it stands for. */
#define REFUSALS(X) \
	X(TLS, "tls", "handshake failed") \
	X(NAME, "name", "certificate of no node and no operator") \
	X(ROLE, "role", "certificate that is for something else") \
	X(HANDSHAKE, "handshake-late", "handshake not done in time") \
	X(REQUEST, "request", "malformed or oversized request") \
	X(SLOW, "slow", "request or reader too slow") \
	X(FULL, "full", "too many connections") \
	X(BUSY, "busy", "too many requests wait for the engine") \
	X(OPERATORS, "operators", "too many operators at once") \
	X(SILENT, "silent", "the engine did not answer a request")

enum refusal {
#define X(id, name, text) REFUSAL_##id,
	REFUSALS(X)
#undef X
	    REFUSAL_COUNT
};

#define FRONT_OPERATORS_MAX 64
/* The name in a certificate, as far as it is shown; 0 included. */
#define FRONT_CLAIMED 48

/* config.c: the first frame. Strings belong to json. */
struct front_node {
	const char *name;
	char address[INET6_ADDRSTRLEN]; /* in the usual spelling */
};

struct front_conf {
	const char *cluster, *self, *ping_body;
	const char *health_address, *peer_address; /* "" every address */
	int health_port, peer_port;
	const char *ca, *cert, *key;
	uid_t uid;
	gid_t gid;
	int connections_max;
	usec_t idle;
	int64_t generation;
	int node_count;
	struct front_node node[NODES_MAX];
	int operator_count;
	const char *operator[FRONT_OPERATORS_MAX];
	json_t *json;
};

/* Takes json. */
int front_conf_parse(
    struct front_conf *conf, json_t *json, struct error *err) MUST_CHECK;
void front_conf_fini(struct front_conf *conf);

struct front {
	struct event_base *base;
	struct front_conf conf;
	struct link *link;
	struct routes *routes;
	struct listener *health, *peer;
	uint64_t last_id;
	int exit_code;
};

/* CLOCK_MONOTONIC_RAW, read anew. */
usec_t front_raw(void);

/* privs.c: for ever. */
int privs_drop(uid_t uid, gid_t gid, int files, struct error *err) MUST_CHECK;

/* tls.c */
SSL_CTX *tls_new(const struct front_conf *conf, struct error *err) MUST_CHECK;
/* The node or the operator that the certificate proves, or NULL. Borrowed from
 * conf. */
const char *tls_peer(
    const SSL *ssl, const struct front_conf *conf, bool *is_operator);
/* claimed has FRONT_CLAIMED bytes, which get the name in a certificate that is
 * refused. Borrowed for the life of ssl. */
void tls_claimed(SSL *ssl, char *claimed);
/* Why a handshake did not succeed; buf is returned. */
const char *tls_reason(
    const SSL *ssl, unsigned long code, char *buf, size_t size);
bool tls_foreign(const SSL *ssl);

/* link.c: the engine. Whatever is wrong there ends the process. */
struct link *link_new(struct front *f, int fd, struct error *err) MUST_CHECK;
void link_free(struct link *l);
/* False: the engine does not read, nothing was sent. Borrows obj. */
bool link_send(struct link *l, const json_t *obj);
/* So much waits for the engine that operators must not add to it. */
bool link_crowded(const struct link *l);
void link_refused(
    struct link *l, enum refusal what, const char *address, const char *why);

/* route.c: the public paths. */
struct routes *routes_new(const struct front_conf *conf);
void routes_free(struct routes *r);
int routes_update(
    struct routes *r, const json_t *snap, struct error *err) MUST_CHECK;
/* The status document, which changes more seldom and is long. */
int routes_document(
    struct routes *r, const json_t *doc, struct error *err) MUST_CHECK;
void route_handle(struct conn *c, const struct http1 *req, const char *body);

/* peer.c: requests of the other nodes. */
void peer_handle(struct conn *c, const struct http1 *req, const char *body);
int peer_reply(
    struct front *f, const json_t *reply, struct error *err) MUST_CHECK;
void peer_refuse(struct conn *c, int status, const char *error);

/* control.c: an operator has come; false: there is no room for him. */
bool control_greet(struct conn *c);
/* His request; text is taken. */
void control_forward(struct conn *c, json_t *text);
int control_line(
    struct front *f, const json_t *line, struct error *err) MUST_CHECK;

#endif
