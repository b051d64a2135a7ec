/*
 * The arbiter under requests of nodes of which one may have gone mad: a line a
 * request, "0c{...}": from that node, (c)as, (r)ead, re(p)ort or (a)dopt. In it
 * $I, $X, $N and $R are the instance, the next one, nonce and revision as they
 * are. Whatever comes, each request has one answer, nobody writes for another,
 * nothing goes back, and what a reader saw is in the file.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/arbiter_server.h"
#include "fuzz.h"
#include "register_world.h"

static void
look(struct arbiter_server *s)
{
	const struct front_request req = { .id = LOOK,
		.peer = "s1",
		.path = "/v1/read",
		.body = "{\"wait_ms\":0}",
		.len = 13 };
	struct reg_value was = world.seen, now;

	FUZZ_CHECK(arbiter_server_request(s, 0, &req));
	now = world.seen;
	FUZZ_CHECK(now.revision >= was.revision);
	FUZZ_CHECK(
	    now.rec.epoch > was.rec.epoch ||
	    (now.rec.epoch == was.rec.epoch && now.rec.seq >= was.rec.seq));
	FUZZ_CHECK(now.revision > was.revision ||
		   strcmp(now.rec.nonce, was.rec.nonce) == 0);
	FUZZ_CHECK(!now.cold || was.cold || was.instance[0] == '\0');
	register_world_same();
}

static void
request(struct arbiter_server *s, const char *line)
{
	node_t from = line[0] - '0';
	char *body = register_world_fill(line + 2);
	struct front_request req = {
		.id = 2, .body = body, .len = strlen(body)
	};
	struct reg_value was = world.seen;

	req.peer = world.conf.node[from].name;
	req.path = line[1] == 'c' ? "/v1/cas" :
		   line[1] == 'r' ? "/v1/read" :
		   line[1] == 'p' ? "/v1/report" :
				    "/v1/adopt";
	world.answers[req.id] = 0;
	FUZZ_CHECK(arbiter_server_request(s, from, &req));
	while (register_world_write())
		;
	(void)arbiter_server_turn(s, USEC_NEVER - 1);
	FUZZ_CHECK(world.answers[req.id] == 1);
	free(body);
	look(s);
	if (line[1] == 'c' && world.seen.revision != was.revision) {
		FUZZ_CHECK(world.seen.rec.holder == from);
		FUZZ_CHECK(world.seen.rec.written_by == from);
		FUZZ_CHECK(world.seen.revision == was.revision + 1);
	}
	FUZZ_CHECK(line[1] != 'r' || world.seen.revision == was.revision);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { (const char *)data, (const char *)data + size };
	struct arbiter_server *s;
	struct error err;
	char *line;
	size_t len;

	register_world_init();
	s = arbiter_server_new(&world.e, &err);
	FUZZ_CHECK(s != NULL);
	look(s);
	while ((line = fuzz_part(&in, '\n', &len)) != NULL) {
		if (len >= 2 && line[0] >= '0' && line[0] <= '2')
			request(s, line);
		free(line);
	}
	arbiter_server_free(s);
	register_world_fini();
	return 0;
}
