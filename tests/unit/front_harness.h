/*
 * The engine's end of the link and clients for tests of the real
 * hawatch-front: plain and TLS, whole requests and deliberately broken ones.
 */
#ifndef TESTS_FRONT_HARNESS_H
#define TESTS_FRONT_HARNESS_H

#include <jansson.h>
#include <stddef.h>
#include <sys/types.h>

#include "front/frame.h"
#include "hawatch/types.h"

struct ssl_st;

struct front_harness {
	pid_t pid;
	int link;
	int health_port, peer_port;
	char program[512], dir[64];
	struct frame_in in;
};

/* Certificates of two authorities: dir/ca.pem s1 s2 stranger, dir/other/... */
void fh_pki(struct front_harness *h);
/* Starts the front and waits until it is ready. idle: of its connections. */
void fh_start(struct front_harness *h, int connections_max, usec_t idle);
/* The same, without waiting; the ports are given. */
void fh_spawn(struct front_harness *h, int connections_max, usec_t idle);
/* Ends it by closing the link; returns its exit code, -1 by a signal. */
int fh_stop(struct front_harness *h);
void fh_clean(struct front_harness *h);

void fh_send(struct front_harness *h, json_t *frame); /* takes frame */
void fh_raw(struct front_harness *h, const void *bytes, size_t len);
/* The next frame within ms, or NULL; caller decrefs. */
json_t *fh_next(struct front_harness *h, int ms);
/* The next frame with that key; others are dropped. */
json_t *fh_want(struct front_harness *h, const char *key, int ms);

struct fh_snap {
	usec_t fresh, primary, standby; /* from now; 0 not; USEC_NEVER */
	int64_t lag;
	bool unhealthy;
	const char *reasons, *status;
};
void fh_snap(struct front_harness *h, const struct fh_snap *snap);
void fh_reply(struct front_harness *h, uint64_t id, const char *body);

void fh_must(bool ok, const char *what);
/* Whether buf has a whole answer with its body. */
bool fh_whole(const char *buf, size_t len);
int fh_status(const char *buf);
int fh_free_port(void);
usec_t fh_now(void);
/* from NULL: any of this host's addresses. */
int fh_connect(int port, const char *from);
/* Writes what it can; false when the other end is gone. */
bool fh_write(int fd, const char *text);
/* Reads one answer or to the end; returns its status, 0 none. */
int fh_answer(int fd, char *buf, size_t size);
/* One request on one connection, then closes. */
int fh_ask(int port, const char *request, char *buf, size_t size);
int fh_get(int port, const char *path, char *buf, size_t size);
bool fh_has(const char *answer, const char *text);

/* NULL: refused. cert "s2" or NULL; ca: directory. max: TLS version or 0. */
struct ssl_st *fh_tls(
    struct front_harness *h, const char *ca_dir, const char *cert, int max);
void fh_tls_close(struct ssl_st *ssl);
bool fh_tls_write(struct ssl_st *ssl, const char *data, size_t len);
int fh_tls_answer(struct ssl_st *ssl, char *buf, size_t size);
/* POST with Content-Length. */
bool fh_tls_post(
    struct ssl_st *ssl, const char *path, const char *body, size_t len);

#endif
