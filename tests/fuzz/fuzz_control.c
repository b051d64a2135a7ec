/*
 * What comes over the socket of hactl, and what the engines of other hosts and
 * the register say meanwhile. The first byte says what this host is like; then
 * lines: the request, the answers of s1 and a1, the register's. Every line that
 * the asker gets is a JSON object; the last one has an exit code, and what was
 * refused has a reason and a next command.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fakeloop.h"
#include "fuzz.h"
#include "hawatch/json.h"
#include "orders_world.h"

#define ANSWER_MAX ((size_t)1024 * 1024)

static void
answer(char *line, bool last)
{
	struct error err;
	json_t *obj = json_read(line, strlen(line), &err);
	const char *why, *next;

	FUZZ_CHECK(obj != NULL);
	FUZZ_CHECK(!last || json_is_integer(json_object_get(obj, "exit")));
	why = json_string_value(json_object_get(obj, "refused"));
	next = json_string_value(json_object_get(obj, "next"));
	FUZZ_CHECK(why == NULL ||
		   (why[0] != '\0' && next != NULL && next[0] != '\0' && last));
	json_decref(obj);
}

/* Whether it has ended. */
static bool
read_answers(int fd)
{
	static char buf[ANSWER_MAX + 1];
	char *line = buf, *end;
	size_t len = 0;
	ssize_t n;

	do {
		fakeloop_reap();
		n = recv(fd, buf + len, ANSWER_MAX - len, MSG_DONTWAIT);
		len += n > 0 ? (size_t)n : 0;
		(void)fakeloop_ready(
		    (int)orders_world.engine.started_at, WATCH_WRITE);
	} while (n > 0);
	buf[len] = '\0';
	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		answer(line, n == 0 && end[1] == '\0');
	}
	FUZZ_CHECK(line == buf + len);
	return n == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { (const char *)data + 1,
		(const char *)data + size };
	char *line[4] = { NULL };
	struct now now;
	size_t len[4] = { 0 };
	int fd, i;

	if (size < 2 || size > 65536)
		return 0;
	for (i = 0; i < 4; i++)
		line[i] = fuzz_part(&in, '\n', &len[i]);
	orders_world_init(data[0]);
	orders_world.peer[0] = line[1];
	orders_world.peer[2] = line[2];
	orders_world.reg = line[3];
	fd = orders_world_connect();
	if (line[0] != NULL && len[0] > 0)
		FUZZ_CHECK(send(fd, line[0], len[0], 0) == (ssize_t)len[0]);
	FUZZ_CHECK(send(fd, "\n", 1, 0) == 1);
	while (fakeloop_ready((int)orders_world.engine.started_at, WATCH_READ))
		continue;
	for (i = 0; i < 2; i++) {
		now = clock_now();
		orders_turn(&orders_world.engine, &now);
	}
	(void)read_answers(fd);
	fakeloop_reap();
	(void)close(fd);
	orders_world_fini();
	fakeloop_reap();
	FUZZ_CHECK(fakeloop_left() == 0);
	for (i = 0; i < 4; i++)
		free(line[i]);
	return 0;
}
