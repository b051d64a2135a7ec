/*
 * hawatch-front: started by hawatchd with one end of a socketpair as
 * descriptor 3, ends when that does. It binds, gives up its rights, and only
 * then takes the first byte from the network.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "front/conn.h"
#include "front/frame.h"
#include "hawatch/companion.h"
#include "hawatch/json.h"

#define MAIN_CONFIG_MSEC 5000
#define MAIN_PEER_CONNECTIONS 128
/* Link, listeners, epoll, standard descriptors, the one being accepted. */
#define MAIN_FILES 32
/* Descriptors whose records are made at the start. */
#define MAIN_RECORDS 2048
/* Callbacks of the health port before the link and the peers are looked at. */
#define MAIN_BATCH 32

/* The first frame. Nothing else runs yet, so this waits. */
static int
main_config(struct front_conf *conf, struct error *err)
{
	struct pollfd pfd = { .fd = COMPANION_FD, .events = POLLIN };
	struct frame_in in = { 0 };
	json_t *json = NULL;
	int rc = 0;

	while ((rc = frame_in_next(&in, &json, err)) == 0) {
		if (poll(&pfd, 1, MAIN_CONFIG_MSEC) != 1) {
			rc = error_set(
			    err, ERR_TIMEOUT, "no configuration came");
			break;
		}
		if (frame_in_read(&in, COMPANION_FD, err) == -1) {
			rc = -1;
			break;
		}
	}
	/* Nothing follows it before the front says that it is ready. */
	if (rc == 1 && in.start != in.len) {
		json_decref(json);
		rc = error_set(err, ERR_PROTOCOL, "more than a configuration");
	}
	frame_in_fini(&in);
	return rc == 1 ? front_conf_parse(conf, json, err) : -1;
}

static int
main_base(struct front *f, struct error *err)
{
	struct event_config *cfg = event_config_new();

	if (cfg == NULL)
		return error_set(err, ERR_SYS, "no event configuration");
	event_config_set_flag(
	    cfg, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
	event_config_set_max_dispatch_interval(cfg, NULL, MAIN_BATCH, 1);
	f->base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	if (f->base == NULL || event_base_priority_init(f->base, 2) == -1)
		return error_set(err, ERR_SYS, "no event base");
	return 0;
}

static int
main_listen(struct front *f, struct error *err)
{
	const struct front_conf *conf = &f->conf;
	int max = conf->connections_max;
	struct listener_spec health = {
		.address = conf->health_address,
		.port = conf->health_port,
		.max = max,
		.priority = 1,
		.idle = conf->idle,
		.handle = route_handle,
	};
	struct listener_spec peer = {
		.address = conf->peer_address,
		.port = conf->peer_port,
		.max =
		    max < MAIN_PEER_CONNECTIONS ? max : MAIN_PEER_CONNECTIONS,
		.body_max = FRAME_BODY_MAX,
		.idle = conf->idle,
		.handle = peer_handle,
	};

	peer.tls = tls_new(conf, err);
	if (peer.tls == NULL)
		return -1;
	f->peer = listener_open(f, &peer, err);
	if (f->peer == NULL)
		return -1;
	f->health = listener_open(f, &health, err);
	return f->health == NULL ? -1 : 0;
}

static void
main_nothing_cb(evutil_socket_t fd, short what, void *arg)
{
}

/* libevent keeps a small record of every descriptor number for ever. Made one
 * by one during a flood they would pin the pages of the flood; so they are
 * made now, side by side. */
static void
main_records(struct front *f, int files)
{
	struct event *ev;
	int fd;

	for (fd = COMPANION_FD + 1; fd < files && fd < MAIN_RECORDS; fd++) {
		if (fcntl(fd, F_GETFD) != -1 || dup2(COMPANION_FD, fd) != fd)
			continue;
		ev = event_new(f->base, fd, EV_READ, main_nothing_cb, NULL);
		if (ev == NULL || event_add(ev, NULL) == -1)
			abort();
		event_free(ev);
		close(fd);
	}
}

static int
main_setup(struct front *f, struct error *err)
{
	int files;

	if (main_config(&f->conf, err) == -1 || main_base(f, err) == -1 ||
	    main_listen(f, err) == -1)
		return -1;
	f->last_id = (uint64_t)f->conf.generation << FRAME_ID_BITS;
	files = f->health->spec.max + f->peer->spec.max + MAIN_FILES;
	if (privs_drop(f->conf.uid, f->conf.gid, files, err) == -1)
		return -1;
	main_records(f, files);
	f->routes = routes_new(&f->conf);
	f->link = link_new(f, COMPANION_FD, err);
	if (f->link == NULL)
		return -1;
	listener_start(f->peer);
	listener_start(f->health);
	return 0;
}

/* {"ready":true} or {"fail":why}: the first frame to the engine. */
static void
main_tell(struct front *f, const struct error *err)
{
	json_t *frame = json_object();
	char *bytes;
	size_t len;

	if (err == NULL)
		json_put_bool(frame, "ready", true);
	else
		json_put_string(frame, "fail", err->msg);
	bytes = frame_pack(frame, &len);
	if (bytes == NULL || write(COMPANION_FD, bytes, len) != (ssize_t)len)
		f->exit_code = 1;
	free(bytes);
	json_decref(frame);
}

static void
main_free(struct front *f)
{
	listener_free(f->health);
	listener_free(f->peer);
	link_free(f->link);
	routes_free(f->routes);
	if (f->base != NULL)
		event_base_free(f->base);
	front_conf_fini(&f->conf);
}

int
main(void)
{
	struct front f = { 0 };
	struct error err = { 0 };

	/* Whatever whoever started it left open. */
	(void)close_range(COMPANION_FD + 1, ~0U, 0);
	/* A flood must leave no memory behind. There is one thread. */
	/* NOLINTBEGIN(concurrency-mt-unsafe) */
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TRIM_THRESHOLD, 64 * 1024);
	mallopt(M_TOP_PAD, 16 * 1024);
	/* NOLINTEND(concurrency-mt-unsafe) */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (main_setup(&f, &err) == -1) {
		main_tell(&f, &err);
		f.exit_code = 1;
	} else {
		main_tell(&f, NULL);
		event_base_dispatch(f.base);
	}
	main_free(&f);
	return f.exit_code;
}
