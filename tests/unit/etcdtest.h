/*
 * A real etcd of one member for a test, on ports of 127.0.0.1 of its own, with
 * a directory under /tmp, ended by its pid. Every function ends the test when
 * something fails.
 */
#ifndef ETCDTEST_H
#define ETCDTEST_H

#include <stdbool.h>

#include "hawatch/conf.h"

struct etcdtest {
	char dir[64];
	char endpoint[32]; /* "127.0.0.1:12345" */
	const char *pki;   /* of httptest_pki, name "etcd": TLS, and clients
			      need a certificate; NULL: neither */
	int port, peer_port;
	int pid; /* 0: it does not run */
};

/* The configuration of one that names that member and nothing else. */
struct conf_register etcdtest_register(const char *endpoint);

void etcdtest_init(struct etcdtest *e, const char *pki);
/* Ready when it returns. */
void etcdtest_start(struct etcdtest *e);
/* SIGKILL, and waits. */
void etcdtest_kill(struct etcdtest *e);
void etcdtest_freeze(const struct etcdtest *e);
void etcdtest_thaw(const struct etcdtest *e);
void etcdtest_free(struct etcdtest *e);
/* etcdctl with these words, against this member; false: it failed. */
bool etcdtest_ctl(const struct etcdtest *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Ended, and begun again with a snapshot: as the cluster of that token. */
void etcdtest_put_back(
    struct etcdtest *e, const char *snapshot, const char *token);
/* A port that nobody has; with fd, one that listens. */
int etcdtest_port(int *fd);

#endif
