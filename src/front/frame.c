/*
 * Cutting a byte stream into frames and making frames. It knows nothing of
 * what the frames mean, and does not wait.
 */
#include "front/frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hawatch/json.h"
#include "hawatch/mem.h"

#define FRAME_READ ((size_t)16 * 1024)
#define FRAME_KEEP ((size_t)64 * 1024)

void
frame_in_fini(struct frame_in *in)
{
	free(in->buf);
	memset(in, 0, sizeof(*in));
}

static void
frame_in_room(struct frame_in *in)
{
	if (in->start > 0) {
		memmove(in->buf, in->buf + in->start, in->len - in->start);
		in->len -= in->start;
		in->start = 0;
	}
	/* One long frame must not stay in memory for ever. */
	if (in->len == 0 && in->cap > FRAME_KEEP) {
		free(in->buf);
		in->buf = NULL;
		in->cap = 0;
	}
	if (in->cap - in->len < FRAME_READ) {
		in->cap = in->len + FRAME_READ;
		in->buf = xrealloc(in->buf, in->cap, 1);
	}
}

int
frame_in_read(struct frame_in *in, int fd, struct error *err)
{
	ssize_t n;

	frame_in_room(in);
	n = recv(fd, in->buf + in->len, in->cap - in->len, MSG_DONTWAIT);
	if (n > 0) {
		in->len += (size_t)n;
		return 1;
	}
	/* The second: it ended without having read all that was sent. */
	if (n == 0 || errno == ECONNRESET)
		return error_set(err, ERR_NONE, "end of the link");
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	return error_sys(err, "read the link");
}

int
frame_in_next(struct frame_in *in, json_t **out, struct error *err)
{
	size_t have = in->len - in->start;
	uint32_t head;
	size_t len;

	if (have < FRAME_HEAD)
		return 0;
	memcpy(&head, in->buf + in->start, sizeof(head));
	len = ntohl(head);
	if (len < 2 || len > FRAME_MAX)
		return error_set(
		    err, ERR_PROTOCOL, "a frame of %zu bytes", len);
	if (have - FRAME_HEAD < len)
		return 0;
	*out = json_read(in->buf + in->start + FRAME_HEAD, len, err);
	if (*out == NULL)
		return -1;
	in->start += FRAME_HEAD + len;
	return 1;
}

char *
frame_pack(const json_t *obj, size_t *len)
{
	char *text = json_text(obj), *frame;
	size_t n = strlen(text);
	uint32_t head = htonl((uint32_t)n);

	if (n > FRAME_MAX) {
		free(text);
		return NULL;
	}
	frame = xcalloc(1, FRAME_HEAD + n);
	memcpy(frame, &head, sizeof(head));
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): head says n */
	memcpy(frame + FRAME_HEAD, text, n);
	free(text);
	*len = FRAME_HEAD + n;
	return frame;
}

bool
frame_path_ok(const char *path, size_t len)
{
	size_t i;

	if (len < 5 || len > 4 + 32 || memcmp(path, "/v1/", 4) != 0)
		return false;
	for (i = 4; i < len; i++)
		if ((path[i] < 'a' || path[i] > 'z') && path[i] != '-')
			return false;
	return true;
}
