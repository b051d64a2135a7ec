/*
 * What hawatch-probe sends back, or what sits in its place: packets, each with
 * its length in one byte before it. A question ends once, and the reason is
 * always a word.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fakeloop.h"
#include "fuzz.h"
#include "hawatch/companion.h"
#include "hawatch/loop.h"
#include "probe/wire.h"

static struct {
	int fd; /* the probe's end */
	int theirs, pidfd;
	int done;
	bool killed;
} fake;

int
companion_find(const struct companion_spec *spec, const char *program,
    char *path, size_t size, struct error *err)
{
	path[0] = '\0';
	return 0;
}

int
companion_start(struct companion *p, const struct companion_spec *spec,
    const char *path, struct error *err)
{
	int sv[2];

	FUZZ_CHECK(socketpair(AF_UNIX, spec->socket, 0, sv) == 0);
	*p = (struct companion){ .pid = 1, .fd = sv[0] };
	/* Always readable: it has ended whenever somebody asks. */
	p->pidfd = fake.pidfd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	fake.theirs = sv[0];
	fake.fd = sv[1];
	return 0;
}

void
companion_kill(const struct companion *p)
{
	fake.killed = true;
}

bool
companion_reap(struct companion *p, int *status)
{
	return true;
}

void
companion_close(struct companion *p)
{
	if (p->fd != -1) {
		(void)close(p->fd);
		(void)close(fake.fd);
		(void)close(p->pidfd);
	}
	*p = COMPANION_NONE;
}

void
companion_end(struct companion *p)
{
	companion_close(p);
}

static void
done(void *arg, const struct probe_result *res)
{
	FUZZ_CHECK(++fake.done == 1);
	FUZZ_CHECK(res->reason != NULL);
	FUZZ_CHECK((res->ans == ANS_YES) == (res->reason[0] == '\0'));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct probe_request req = { .op = PROBE_MEMCACHED,
		.address = "127.0.0.1",
		.port = 11211,
		.deadline = USEC_SEC };
	const uint8_t *at = data, *end = data + size;
	struct error err;
	struct probe *p;
	size_t len;
	int fd;

	memset(&fake, 0, sizeof(fake));
	p = probe_new(NULL, NULL, &err);
	FUZZ_CHECK(p != NULL && probe_ask(p, &req, done, NULL) != NULL);
	fd = fake.fd;
	while (at < end && !fake.killed) {
		len = *at++;
		if (len > (size_t)(end - at))
			len = (size_t)(end - at);
		if (len == 0) /* the end of a connection looks the same */
			continue;
		FUZZ_CHECK(send(fd, at, len, 0) == (ssize_t)len);
		at += len;
		FUZZ_CHECK(fakeloop_ready(fake.theirs, WATCH_READ));
	}
	if (fake.done == 0)
		FUZZ_CHECK(
		    fakeloop_ready(fake.pidfd, WATCH_READ) && fake.done == 1);
	probe_free(p);
	FUZZ_CHECK(fakeloop_left() == 0);
	return 0;
}
