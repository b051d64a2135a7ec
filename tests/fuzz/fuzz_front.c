/*
 * The whole front under what a stranger sends: the first byte says to which
 * port and in which pieces. Every answer is whole, there are no more answers
 * than requests, and how the bytes come in makes no difference to them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "front/frame.h"
#include "front_world.h"
#include "fuzz.h"

#define ANSWERS_MAX ((size_t)1024 * 1024)

/* Each answer's status; the bytes must be answers and nothing else. */
static void
answers(const char *p, const char *end, char *statuses, size_t size)
{
	size_t used = 0, length = 0;
	const char *body, *field;

	for (; p < end; p = body + length) {
		FUZZ_CHECK(strncmp(p, "HTTP/1.1 ", 9) == 0);
		body = strstr(p, "\r\n\r\n");
		FUZZ_CHECK(body != NULL);
		field = strstr(p, "\r\nContent-Length: ");
		FUZZ_CHECK(field != NULL && field < body);
		FUZZ_CHECK(sscanf(field + 18, "%zu", &length) == 1);
		body += 4;
		if ((size_t)(end - body) < length) /* of a HEAD, or cut */
			length = 0;
		if (strncmp(body, "HTTP/1.1 ", 9) == 0)
			length = 0;
		if (used + 4 < size)
			used += (size_t)snprintf(
			    statuses + used, size - used, "%.3s ", p + 9);
	}
}

/* What the engine would read is frames of the front's own making. */
static void
frames(int fd)
{
	struct frame_in in = { 0 };
	struct error err;
	json_t *frame;
	int rc;

	while (frame_in_read(&in, fd, &err) == 1)
		continue;
	while ((rc = frame_in_next(&in, &frame, &err)) == 1) {
		FUZZ_CHECK(json_object_get(frame, "log") != NULL ||
			   json_object_get(frame, "req") != NULL);
		json_decref(frame);
	}
	FUZZ_CHECK(rc == 0 && in.start == in.len);
	frame_in_fini(&in);
}

static void
talk(const char *peer, const char *data, size_t size, size_t step,
    char *statuses, size_t max)
{
	/* One world for all: nothing of a connection may stay behind. */
	static char out[ANSWERS_MAX + 1];
	static struct front_world w;
	size_t len = 0, n;
	ssize_t got;
	int fd;

	if (w.front.base == NULL)
		front_world_init(&w);
	fd = front_world_connect(&w, peer);
	for (; size > 0; data += n, size -= n) {
		n = size < step ? size : step;
		if (send(fd, data, n, MSG_NOSIGNAL) != (ssize_t)n)
			break;
		front_world_turn(&w);
		while ((got = recv(fd, out + len, ANSWERS_MAX - len, 0)) > 0)
			len += (size_t)got;
	}
	front_world_turn(&w);
	while ((got = recv(fd, out + len, ANSWERS_MAX - len, 0)) > 0)
		len += (size_t)got;
	out[len] = '\0';
	statuses[0] = '\0';
	answers(out, out + len, statuses, max);
	FUZZ_CHECK(w.front.exit_code == 0);
	frames(w.engine);
	(void)close(fd);
	front_world_turn(&w);
	FUZZ_CHECK(w.front.health->total == 0 && w.front.peer->total == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char whole[2048], pieces[2048];
	const char *peer, *text = (const char *)data + 1;
	size_t step;

	/* More than a socket takes at once is another test's. */
	if (size < 2 || size > 16384)
		return 0;
	peer = (data[0] & 1) == 0 ? NULL : data[0] < 0x80 ? "s1" : "ann";
	step = (size_t)(data[0] >> 1) * (data[0] >> 1) + size / 32 + 1;
	talk(peer, text, size - 1, size, whole, sizeof(whole));
	talk(peer, text, size - 1, step, pieces, sizeof(pieces));
	if (strcmp(whole, pieces) != 0)
		(void)fprintf(
		    stderr, "at once %s\npieces  %s\n", whole, pieces);
	FUZZ_CHECK(strcmp(whole, pieces) == 0);
	return 0;
}
