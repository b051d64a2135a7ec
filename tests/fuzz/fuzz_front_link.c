/*
 * What comes to the front from the engine: one frame a line. A frame that is
 * wrong ends the front; until then every public path has an answer, and one
 * refused snapshot changes none of them.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "front/route.h"
#include "front_world.h"
#include "fuzz.h"

static void
ask(struct front_world *w)
{
	static const char request[] = "GET /health HTTP/1.1\r\n\r\n"
				      "GET /standby?lag=5 HTTP/1.1\r\n\r\n"
				      "GET /status HTTP/1.1\r\n\r\n"
				      "GET / HTTP/1.1\r\n\r\n"
				      "GET /metrics HTTP/1.0\r\n\r\n";
	static char out[262144];
	int fd = front_world_connect(w, NULL), n = 0;
	size_t len = 0;
	ssize_t got;
	char *p;

	FUZZ_CHECK(send(fd, request, sizeof(request) - 1, 0) ==
		   (ssize_t)sizeof(request) - 1);
	do {
		front_world_turn(w);
		got = recv(fd, out + len, sizeof(out) - 1 - len, 0);
		len += got > 0 ? (size_t)got : 0;
	} while (got > 0 && len < sizeof(out) - 1);
	out[len] = '\0';
	for (p = out; (p = strstr(p, "HTTP/1.1 ")) != NULL; p++)
		n++;
	FUZZ_CHECK(n >= 5 || len == sizeof(out) - 1);
	(void)close(fd);
	front_world_turn(w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { (const char *)data, (const char *)data + size };
	struct front_world w;
	struct route_snap was;
	uint32_t head;
	char *line;
	size_t len;

	if (size > 65536)
		return 0;
	front_world_init(&w);
	while (w.front.exit_code == 0 &&
	       (line = fuzz_part(&in, '\n', &len)) != NULL) {
		was = w.front.routes->snap;
		head = htonl((uint32_t)len);
		FUZZ_CHECK(send(w.engine, &head, 4, 0) == 4);
		if (len > 0)
			FUZZ_CHECK(
			    send(w.engine, line, len, 0) == (ssize_t)len);
		free(line);
		front_world_turn(&w);
		if (w.front.exit_code != 0)
			FUZZ_CHECK(memcmp(&was, &w.front.routes->snap,
				       sizeof(was)) == 0);
	}
	FUZZ_CHECK(w.front.exit_code == 0 || w.front.exit_code == 2);
	ask(&w);
	front_world_fini(&w);
	return 0;
}
