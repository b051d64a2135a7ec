/*
 * A front in this process: everything of hawatch-front but its main and its
 * listening sockets.
 */
#include "front_world.h"

#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "front/frame.h"
#include "front/route.h"
#include "fuzz.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"

static const char front_world_conf[] =
    "{\"config\":{\"cluster\":\"votes\",\"self\":\"s2\",\"ping_body\":\"pong\","
    "\"health_address\":\"\",\"health_port\":8008,"
    "\"peer_address\":\"10.77.0.2\",\"peer_port\":8009,\"ca\":\"\","
    "\"cert\":\"\",\"key\":\"\",\"uid\":1,\"gid\":1,\"connections_max\":64,"
    "\"idle\":5000000,\"generation\":1,\"nodes\":["
    "{\"name\":\"s1\",\"address\":\"10.77.0.1\"},"
    "{\"name\":\"s2\",\"address\":\"10.77.0.2\"},"
    "{\"name\":\"a1\",\"address\":\"10.77.0.3\"}],"
    "\"operators\":[\"ann\"]}}";

static void
pair(int fd[2])
{
	FUZZ_CHECK(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0);
}

static void
nothing(evutil_socket_t fd, short what, void *arg)
{
}

static struct listener *
listener(struct front *f, conn_handle_fn handle, size_t body_max)
{
	struct listener *l = xcalloc(1, sizeof(*l));
	int i;

	l->front = f;
	l->fd = -1;
	l->spec = (struct listener_spec){ .address = "",
		.max = 64,
		.body_max = body_max,
		.idle = 5 * USEC_SEC,
		.handle = handle };
	for (i = 0; i < CONN_STATES; i++) {
		TAILQ_INIT(&l->list[i]);
		l->limit[i] = 5 * USEC_SEC;
	}
	l->sweep_at = USEC_NEVER;
	l->sweep = event_new(f->base, -1, 0, nothing, l);
	return l;
}

void
front_world_init(struct front_world *w)
{
	struct front *f = &w->front;
	struct error err;
	int link[2];

	memset(w, 0, sizeof(*w));
	FUZZ_CHECK(
	    front_conf_parse(&f->conf,
		json_read(front_world_conf, strlen(front_world_conf), &err),
		&err) == 0);
	f->base = event_base_new();
	(void)event_base_priority_init(f->base, 2);
	f->last_id = (uint64_t)1 << FRAME_ID_BITS;
	f->routes = routes_new(&f->conf);
	pair(link);
	w->engine = link[1];
	f->link = link_new(f, link[0], &err);
	FUZZ_CHECK(f->link != NULL);
	f->health = listener(f, route_handle, 0);
	f->peer = listener(f, peer_handle, FRAME_BODY_MAX);
}

void
front_world_fini(struct front_world *w)
{
	struct front *f = &w->front;

	listener_free(f->health);
	listener_free(f->peer);
	link_free(f->link);
	routes_free(f->routes);
	event_base_free(f->base);
	front_conf_fini(&f->conf);
	(void)close(w->engine);
}

int
front_world_connect(struct front_world *w, const char *peer)
{
	struct listener *l = peer == NULL ? w->front.health : w->front.peer;
	struct conn *c;
	int fd[2];

	pair(fd);
	conn_new(l, fd[0], "10.77.0.1", peer != NULL);
	c = TAILQ_LAST(&l->list[CONN_IDLE], conn_list);
	c->peer = peer;
	c->is_operator = peer != NULL && strcmp(peer, "ann") == 0;
	l->operators += c->is_operator;
	return fd[1];
}

void
front_world_turn(struct front_world *w)
{
	int i;

	for (i = 0; i < 4; i++)
		(void)event_base_loop(w->front.base, EVLOOP_NONBLOCK);
}
