/*
 * Where log lines go: standard error or the local syslog socket. A sink never
 * waits: a reader that does not read costs lines, never time. What was lost is
 * counted and said as soon as something gets through again.
 *
 * The lines of standard error carry their own time, because the reader of a
 * pipe sees them late and the story of a failover is told in milliseconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "hawatch/clock.h"
#include "hawatch/emit.h"
#include "hawatch/str.h"

/* Below PIPE_BUF, so that a line in a pipe is written whole or not at all. */
#define SINK_LINE_MAX 2560

enum sink_way { SINK_NEW, SINK_OPENED, SINK_SOCKET, SINK_POLLED };

static void sink_stamp(char *buf, size_t size);
static void sink_open(void);
static bool sink_write(const char *line, size_t len);
static bool sink_send(const char *path, const char *line, size_t len);

static enum sink_way sink_way = SINK_NEW;
static int sink_fd = -1;
static int sink_syslog_fd = -1;
static unsigned long long sink_lost;
static unsigned long long sink_syslog_lost;

/* The time; before it, when standard error is the journal's, the priority as
 * journald reads it, so that journalctl -p notice is the short story. */
static void
sink_head(char *buf, size_t size, enum level level)
{
	static const int priority[] = { [L_DEBUG] = 7,
		[L_INFO] = 6,
		[L_NOTICE] = 5,
		[L_WARN] = 4,
		[L_ERROR] = 3 };
	char stamp[64];

	sink_stamp(stamp, sizeof(stamp));
	if (getenv("JOURNAL_STREAM") != NULL)
		snprintf(buf, size, "<%d>ts=%s", priority[level], stamp);
	else
		snprintf(buf, size, "ts=%s", stamp);
}

void
sink_stderr(void *arg, enum level level, const char *line)
{
	char out[SINK_LINE_MAX];
	char stamp[80];
	int n;

	if (sink_way == SINK_NEW)
		sink_open();
	sink_head(stamp, sizeof(stamp), level);
	if (sink_lost > 0) {
		n = snprintf(out, sizeof(out),
		    "%s ev=%s level=warn count=%llu\n", stamp,
		    emit_name(EMIT_log_dropped), sink_lost);
		if (!sink_write(out, (size_t)n)) {
			sink_lost++;
			return;
		}
		sink_lost = 0;
	}
	n = snprintf(out, sizeof(out), "%s %s\n", stamp, line);
	if (n < 0 || (size_t)n >= sizeof(out) || !sink_write(out, (size_t)n))
		sink_lost++;
}

void
sink_syslog(void *arg, enum level level, const char *line)
{
	static const int priority[] = {
		[L_DEBUG] = LOG_DEBUG,
		[L_INFO] = LOG_INFO,
		[L_NOTICE] = LOG_NOTICE,
		[L_WARN] = LOG_WARNING,
		[L_ERROR] = LOG_ERR,
	};
	const char *path = arg == NULL ? "/dev/log" : arg;
	char out[SINK_LINE_MAX];
	char lost[48] = "";
	char stamp[32];
	struct tm tm;
	time_t now = (time_t)(clock_read(CLOCK_REALTIME) / USEC_SEC);
	int n;

	if (sink_syslog_lost > 0)
		(void)snprintf(
		    lost, sizeof(lost), " dropped=%llu", sink_syslog_lost);
	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", &tm);
	n = snprintf(out, sizeof(out), "<%d>%s hawatchd[%d]: %s%s",
	    LOG_DAEMON | priority[level], stamp, (int)getpid(), line, lost);
	if (n < 0 || (size_t)n >= sizeof(out) ||
	    !sink_send(path, out, (size_t)n))
		sink_syslog_lost++;
	else
		sink_syslog_lost = 0;
}

static void
sink_stamp(char *buf, size_t size)
{
	usec_t now = clock_read(CLOCK_REALTIME);
	time_t sec = (time_t)(now / USEC_SEC);
	struct tm tm;
	char day[32];

	gmtime_r(&sec, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(buf, size, "%s.%06dZ", day, (int)(now % USEC_SEC));
}

/* O_NONBLOCK belongs to the open file, which a shell or a parent shares with
 * us: so the file behind standard error is opened once more. A socket (as from
 * journald) cannot be, and takes MSG_DONTWAIT. */
static void
sink_open(void)
{
	struct stat st;

	sink_fd = STDERR_FILENO;
	sink_way = SINK_POLLED;
	if (fstat(STDERR_FILENO, &st) == -1)
		return;
	if (S_ISSOCK(st.st_mode)) {
		sink_way = SINK_SOCKET;
		return;
	}
	sink_fd = open("/proc/self/fd/2",
	    O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (sink_fd == -1)
		sink_fd = STDERR_FILENO;
	else
		sink_way = SINK_OPENED;
}

static bool
sink_write(const char *line, size_t len)
{
	struct pollfd pfd = { .fd = sink_fd, .events = POLLOUT };
	ssize_t n;

	if (sink_way == SINK_SOCKET)
		n = send(sink_fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	else if (sink_way == SINK_POLLED && poll(&pfd, 1, 0) != 1)
		n = -1;
	else
		n = write(sink_fd, line, len);
	return n == (ssize_t)len;
}

/* syslog(3) waits when the socket is full, so the datagram is sent here. */
static bool
sink_send(const char *path, const char *line, size_t len)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int tries;

	for (tries = 0; tries < 2; tries++) {
		if (sink_syslog_fd == -1) {
			if (str_copy(sun.sun_path, sizeof(sun.sun_path), path))
				return false;
			sink_syslog_fd = socket(AF_UNIX,
			    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
			if (sink_syslog_fd == -1)
				return false;
			if (connect(sink_syslog_fd, (struct sockaddr *)&sun,
				sizeof(sun)) == -1)
				goto close;
		}
		if (send(sink_syslog_fd, line, len, MSG_NOSIGNAL) ==
		    (ssize_t)len)
			return true;
		if (errno == EAGAIN || errno == EMSGSIZE)
			return false;
	close:
		/* A syslog daemon that was restarted has a new socket. */
		close(sink_syslog_fd);
		sink_syslog_fd = -1;
	}
	return false;
}
