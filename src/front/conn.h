/*
 * Listeners and their connections. A connection is in the list of its state;
 * every list is in the order of entering, and every state has one duration,
 * so the first of a list is always the next that is late.
 */
#ifndef FRONT_CONN_H
#define FRONT_CONN_H

#include <event2/bufferevent.h>
#include <netinet/in.h>

#include "front/front.h"
#include "hawatch/queue.h"

enum conn_state {
	CONN_LINGER, /* answered for the last time, waits for the other end */
	CONN_IDLE,   /* between two requests */
	CONN_HANDSHAKE,	 /* TLS is not there yet */
	CONN_READING,	 /* has a part of a request */
	CONN_WAITING,	 /* its request is with the engine */
	CONN_WRITING,	 /* its answer did not fit into the socket at once */
	CONN_STREAM,	 /* an operator's, waits for lines of the engine */
	CONN_STREAM_OUT, /* the same, and has not read all that came */
	CONN_STATES
};

struct conn {
	TAILQ_ENTRY(conn) entry;
	struct listener *on;
	struct bufferevent *bev;
	SSL *ssl;	  /* borrowed from bev; NULL: plain */
	const char *peer; /* name that the certificate proved; borrowed */
	usec_t since;	  /* raw: entered its state */
	uint64_t request; /* WAITING: its id */
	enum conn_state state;
	bool known;	/* comes from the address of a node */
	bool close;	/* no further request on this connection */
	bool head_only; /* the request at hand is a HEAD */
	bool is_operator;
	bool begun, last; /* STREAM: lines came; all of them */
	char claimed[FRONT_CLAIMED];
	char address[INET6_ADDRSTRLEN];
};

TAILQ_HEAD(conn_list, conn);

typedef void (*conn_handle_fn)(
    struct conn *c, const struct http1 *req, const char *body);

struct listener_spec {
	const char *address;
	int port;
	int max;      /* connections */
	int priority; /* 0 goes first */
	size_t body_max;
	usec_t idle;
	SSL_CTX *tls; /* takes; NULL: plain */
	conn_handle_fn handle;
};

struct listener {
	struct front *front;
	struct listener_spec spec;
	int fd;
	struct event *accept, *resume, *sweep;
	usec_t sweep_at; /* raw; USEC_NEVER: not armed */
	usec_t limit[CONN_STATES];
	struct conn_list list[CONN_STATES];
	int count[CONN_STATES];
	int total, peak; /* peak: since memory was given back */
	int operators;	 /* connections of theirs */
};

/* listen.c. listener_open binds, while that is still allowed; connections are
 * taken after listener_start. */
struct listener *listener_open(struct front *f,
    const struct listener_spec *spec, struct error *err) MUST_CHECK;
void listener_start(struct listener *l);
void listener_free(struct listener *l);
/* Makes sure that the sweep comes at raw time at or before. */
void listener_wake(struct listener *l, usec_t at);
/* Most connections of a flood are gone. */
bool listener_ebbed(const struct listener *l);

/* room.c: who gives way. False: nobody does. */
bool room_make(struct listener *l, bool known);

/* conn.c. Takes fd. */
void conn_new(struct listener *l, int fd, const char *address, bool known);
void conn_free(struct conn *c);
/* The time of its state is over. May free c. */
void conn_late(struct conn *c);
/* The only place that changes a connection's state. */
void conn_enter(struct conn *c, enum conn_state state);
/* Frees one who does not read. */
void conn_slow(struct conn *c);
/* After an answer that did not come from within the handler. */
void conn_next(struct conn *c);

/* conn_answer.c */
void conn_answer(struct conn *c, const struct response *a);
/* For what is not rendered before. */
void conn_say(struct conn *c, const struct response_spec *spec);
/* Says it and closes: the rest of the input cannot be trusted. */
void conn_refuse(struct conn *c, int status, const char *reason);
/* The whole answer went out. */
void conn_sent(struct conn *c);

#endif
