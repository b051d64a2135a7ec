/*
 * What comes to the engine from the process that owns the network, should
 * somebody have taken it over: one frame a line, or with 'B' first the bytes
 * of the stream themselves. No request is given on whose form, node, path or
 * number is not right.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/frontlink.h"
#include "fakeloop.h"
#include "fuzz.h"
#include "hawatch/str.h"

static struct {
	int failed;
	uint64_t last_id;
} fake;

void
frontlink_fail(struct frontlink *l, const char *why)
{
	FUZZ_CHECK(why[0] != '\0');
	fake.failed++;
	watch_free(l->link);
	l->link = NULL;
}

void
companion_kill(const struct companion *c)
{
}

static void
request(void *arg, const struct front_request *req)
{
	FUZZ_CHECK(fake.failed == 0);
	if (strcmp(req->path, FRAME_CONTROL) == 0)
		FUZZ_CHECK(strcmp(req->peer, "ann") == 0);
	else
		FUZZ_CHECK(
		    names_find(&fuzz_conf()->names, req->peer) != NODE_NONE);
	FUZZ_CHECK(frame_path_ok(req->path, strlen(req->path)));
	FUZZ_CHECK(req->len <= FRAME_BODY_MAX);
	FUZZ_CHECK(strlen(req->body) == req->len);
	FUZZ_CHECK(req->id > fake.last_id);
	fake.last_id = req->id;
	if (strcmp(req->path, FRAME_CONTROL) == 0)
		frontlink_line(arg, req->id, "{}", true);
	else
		frontlink_reply(arg, req->id, 200, "{}");
}

static void
put(int fd, const void *data, size_t len)
{
	if (len > 0)
		FUZZ_CHECK(send(fd, data, len, 0) == (ssize_t)len);
}

static void
frames(int fd, const char *data, size_t size)
{
	struct fuzz_in in = { data, data + size };
	uint32_t head;
	char *line;
	size_t len;

	while ((line = fuzz_part(&in, '\n', &len)) != NULL) {
		head = htonl((uint32_t)len);
		put(fd, &head, sizeof(head));
		put(fd, line, len);
		free(line);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frontlink l = { .conf = fuzz_conf(), .fn = request, .arg = &l };
	int sv[2];

	if (size > 65536)
		return 0;
	memset(&fake, 0, sizeof(fake));
	FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == 0);
	STAILQ_INIT(&l.replies);
	STAILQ_INIT(&l.lines);
	l.proc = (struct companion){ .pidfd = -1, .fd = sv[0] };
	l.link = watch_new(NULL, sv[0], WATCH_READ, NULL, NULL);
	l.stall = timer_new(NULL, NULL, NULL);
	l.generation = 1;
	l.last_id = fake.last_id = (uint64_t)1 << FRAME_ID_BITS;
	if (size > 0 && data[0] == 'B')
		put(sv[1], data + 1, size - 1);
	else
		frames(sv[1], (const char *)data, size);
	(void)close(sv[1]);
	while (l.link != NULL && frontlink_read(&l))
		continue;
	FUZZ_CHECK(l.last_id == fake.last_id);
	FUZZ_CHECK(l.in.cap <= FRAME_MAX + 65536);
	frontlink_reset(&l);
	watch_free(l.link);
	timer_free(l.stall);
	(void)close(sv[0]);
	FUZZ_CHECK(fakeloop_left() == 0);
	return 0;
}
