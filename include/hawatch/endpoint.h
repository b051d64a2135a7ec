/*
 * Where something listens, as the configuration writes it: the path of a Unix
 * socket, or a numeric address with a port: "/run/haproxy/admin.sock",
 * "10.77.0.9:9999", "[::1]:9999". Names are not resolved.
 */
#ifndef HAWATCH_ENDPOINT_H
#define HAWATCH_ENDPOINT_H

#include <sys/socket.h>

#include "hawatch/error.h"
#include "hawatch/types.h"

struct endpoint {
	struct sockaddr_storage ss;
	socklen_t len;
};

int endpoint_parse(
    const char *text, struct endpoint *out, struct error *err) MUST_CHECK;

#endif
