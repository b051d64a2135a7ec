/*
 * sd_notify's protocol by hand: a datagram on a Unix socket, which the service
 * manager reads with our credentials. libsystemd is not needed for that.
 */
#include "hawatch/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "hawatch/str.h"

int
notify_send(const char *state, struct error *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len;
	ssize_t n;
	int fd;

	if (path == NULL || path[0] == '\0')
		return 0;
	len = strlen(path);
	if ((path[0] != '/' && path[0] != '@') || len >= sizeof(sun.sun_path))
		return error_set(err, ERR_CONFIG,
		    "NOTIFY_SOCKET=%s is neither "
		    "a path nor an abstract name",
		    path);
	memcpy(sun.sun_path, path, len);
	/* An abstract name begins with a 0 and has none at its end. */
	if (path[0] == '@')
		sun.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return error_sys(err, "notify socket");
	n = sendto(fd, state, strlen(state), MSG_NOSIGNAL,
	    (struct sockaddr *)&sun,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	if (n == -1)
		error_sys(err, "notify %s", path);
	close(fd);
	return n == -1 ? -1 : 0;
}

usec_t
notify_watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	uint64_t n, meant;

	if (usec == NULL || str_parse_u64(usec, &n) == -1 || n > INT64_MAX)
		return 0;
	/* Meant for the process that was started, not for its children. */
	if (pid != NULL &&
	    (str_parse_u64(pid, &meant) == -1 || meant != (uint64_t)getpid()))
		return 0;
	return (usec_t)n;
}
