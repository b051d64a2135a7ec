/*
 * Check "tcp": a connection to a numeric address and port can be made. Nothing
 * is sent or read: that a service behind it works is another check's answer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check/modules.h"
#include "hawatch/loop.h"
#include "hawatch/reason.h"

struct check_tcp_priv {
	int fd; /* valid while watch is set */
	struct watch *watch;
};

static int check_tcp_start(struct check *c, struct error *err);
static void check_tcp_cancel(struct check *c);

const struct check_ops check_tcp = {
	.name = "tcp",
	.priv_size = sizeof(struct check_tcp_priv),
	.start = check_tcp_start,
	.cancel = check_tcp_cancel,
};

static void
check_tcp_cancel(struct check *c)
{
	struct check_tcp_priv *p = check_priv(c);

	if (p->watch == NULL)
		return;
	watch_free(p->watch);
	p->watch = NULL;
	close(p->fd);
}

static void
check_tcp_finish(struct check *c, int sys)
{
	check_tcp_cancel(c);
	switch (sys) {
	case 0:
		check_done(c, ANS_YES, "");
		return;
	case ECONNREFUSED:
		check_done(c, ANS_NO, reason_str(REASON_connect_refused));
		return;
	case ETIMEDOUT:
		check_done(c, ANS_NO, reason_str(REASON_timeout));
		return;
	case EHOSTUNREACH:
	case ENETUNREACH:
		check_done(c, ANS_NO, reason_str(REASON_unreachable));
		return;
	default:
		check_done(c, ANS_NO, reason_str(REASON_connect_failed));
		return;
	}
}

static void
check_tcp_watch_cb(void *arg, int what)
{
	struct check *c = arg;
	struct check_tcp_priv *p = check_priv(c);
	int sys;
	socklen_t len = sizeof(sys);

	(void)what;
	if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &sys, &len) == -1)
		sys = errno;
	check_tcp_finish(c, sys);
}

static int
check_tcp_address(
    const char *address, int port, struct sockaddr_storage *ss, socklen_t *len)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, address, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons((uint16_t)port);
		*len = sizeof(*in4);
		return 0;
	}
	if (inet_pton(AF_INET6, address, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
		*len = sizeof(*in6);
		return 0;
	}
	return -1;
}

static int
check_tcp_start(struct check *c, struct error *err)
{
	struct check_tcp_priv *p = check_priv(c);
	const char *address = check_address(c, err);
	struct sockaddr_storage ss;
	socklen_t len;
	int sys;

	if (address == NULL)
		return -1;
	if (check_tcp_address(address, check_conf(c)->port, &ss, &len) == -1)
		return error_set(
		    err, ERR_CONFIG, "%s is no numeric address", address);
	p->fd =
	    socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd == -1)
		return error_sys(err, "socket");
	sys = 0;
	if (connect(p->fd, (struct sockaddr *)&ss, len) == -1)
		sys = errno;
	p->watch = watch_new(
	    check_env(c)->loop, p->fd, WATCH_WRITE, check_tcp_watch_cb, c);
	if (sys != EINPROGRESS)
		check_tcp_finish(c, sys);
	return 0;
}
