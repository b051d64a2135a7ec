/*
 * A copy of the register of two lone hosts, under requests of a node that may
 * have gone mad, of the engine here, and with a disk that takes its time. The
 * first line is A or B: which of the two this is. Then a line a step: "0c{...}"
 * and "0r{...}" are that node's write and read; "=c{...}" and "=x{...}" are
 * writes of the engine here, with the other host and without it; "=t{...}" is
 * what the other copy says, "=a{...}" a person's word, "=w" the end of what
 * goes to the disk, "=f" a reload, "=s" a restart, "=m" one with a copy of the
 * file. $I, $N and $R are instance, nonce and revision as they are.
 *
 * Whatever comes, each request has one answer, nobody writes for another, no
 * write goes back, what a reader saw is in the file, and while a write by a
 * proof is on its way nobody sees anything.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/pair_server.h"
#include "engine/wire.h"
#include "fuzz.h"
#include "hawatch/file.h"
#include "hawatch/mem.h"
#include "register_world.h"

static struct {
	struct pair_server *s;
	int next, first;     /* requests; the first one of this life */
	int own, alone;	     /* of the engine here, under way; alone of these */
	bool back;	     /* other things than writes have happened */
	struct durable seen; /* of this node */
} pair;

void
core_status(const struct core *c, const struct now *now, struct core_status *st)
{
	memset(st, 0, sizeof(*st));
	st->durable = &pair.seen;
}

void
core_on_heard(struct core *c, const struct now *now, node_t node)
{
}

static void
look(void)
{
	const struct front_request req = { .id = LOOK,
		.peer = "s1",
		.path = "/v1/read",
		.body = "{\"wait_ms\":0}",
		.len = 13 };
	const struct reg_value was = world.seen, *now = &world.seen;

	if (pair.alone > 0)
		return;
	world.answers[LOOK] = 0;
	FUZZ_CHECK(pair_server_request(pair.s, 0, &req));
	/* A write by a proof that was forgotten hides, too. */
	if (world.answers[LOOK] == 0)
		return;
	register_world_same();
	if (pair.back) {
		pair.back = register_world_writes();
	} else {
		FUZZ_CHECK(now->revision >= was.revision);
		FUZZ_CHECK(now->rec.epoch > was.rec.epoch ||
			   (now->rec.epoch == was.rec.epoch &&
			       now->rec.seq >= was.rec.seq));
		FUZZ_CHECK(now->revision > was.revision ||
			   strcmp(now->rec.nonce, was.rec.nonce) == 0);
		FUZZ_CHECK(now->cold == was.cold);
	}
	if (now->rec.epoch > pair.seen.epoch) {
		pair.seen.epoch = now->rec.epoch;
		pair.seen.seq = now->rec.seq;
	}
}

static void
start(void)
{
	struct error err;

	pair.s = pair_server_new(&world.e, &err);
	FUZZ_CHECK(pair.s != NULL);
	pair.first = pair.next;
	pair.own = pair.alone = 0;
	pair.back = true;
	world.hidden = false;
}

static void
stop(void)
{
	register_world_drop();
	pair_server_free(pair.s);
}

/* The same bytes in another file. */
static void
move(void)
{
	struct error err;
	size_t len;
	char *text = file_read(world.file, 65536, &len, &err);

	if (text == NULL)
		return;
	FUZZ_CHECK(file_replace(world.file, text, len, 0600, &err) == 0);
	free(text);
}

static void
end_cb(void *arg, uint64_t id, enum cas_result res)
{
	pair.own--;
	pair.alone -= id == 1;
	world.hidden = pair.alone > 0;
	FUZZ_CHECK(res != CAS_CONFIRMED || !pair_server_copy(pair.s)->lost);
}

static void
own_write(const char *body, bool alone)
{
	struct do_cas cas;
	struct error err;

	if (wire_cas_parse(&cas, body, strlen(body), &world.conf.names, &err) !=
	    0)
		return;
	pair.own++;
	pair.alone += alone;
	world.hidden = pair.alone > 0;
	pair_server_cas(pair.s, &cas, alone, alone, end_cb, &pair);
}

/* What the engine does with the other copy's value. */
static void
other_says(const char *body)
{
	struct pair_copy next;
	struct reg_value v, out;
	struct error err;

	if (wire_value_parse(&v, body, strlen(body), &world.conf.names, &err) !=
	    0)
		return;
	if (pair_look(pair_server_copy(pair.s), &v, &out, &next) != PAIR_TAKE)
		return;
	pair.back = true;
	pair.own++;
	pair_server_take(pair.s, &v, 0, end_cb, &pair);
}

static void
adopt(const char *body)
{
	struct reg_value v;
	struct error err;
	bool there = wire_value_parse(
			 &v, body, strlen(body), &world.conf.names, &err) == 0;

	pair.back = true;
	pair.own++;
	pair_server_adopt(pair.s, there ? &v : NULL, 0, end_cb, &pair);
}

static void
forget(void)
{
	pair_server_forget(pair.s, &pair);
	pair.own = pair.alone = 0;
	world.hidden = false;
}

static void
request(node_t from, char what, const char *body)
{
	const struct reg_value was = world.seen;
	struct front_request req = { .id = (uint64_t)pair.next,
		.peer = world.conf.node[from].name,
		.path = what == 'c' ? "/v1/cas" : "/v1/read",
		.body = body,
		.len = strlen(body) };
	bool only = !register_world_writes() && !pair.back;

	if (pair.next == REQUESTS_MAX)
		return;
	pair.next++;
	FUZZ_CHECK(pair_server_request(pair.s, from, &req));
	if (!only)
		return;
	while (register_world_write())
		;
	look();
	if (world.seen.revision == was.revision)
		return;
	FUZZ_CHECK(what == 'c');
	FUZZ_CHECK(world.seen.revision == was.revision + 1);
	FUZZ_CHECK(world.seen.rec.holder == from);
	FUZZ_CHECK(world.seen.rec.written_by == from);
}

static void
step(const char *line)
{
	char *body = register_world_fill(line + 2);

	if (line[0] >= '0' && line[0] <= '2') {
		request(line[0] - '0', line[1], body);
	} else if (line[1] == 'c' || line[1] == 'x') {
		own_write(body, line[1] == 'x');
	} else if (line[1] == 't') {
		other_says(body);
	} else if (line[1] == 'a') {
		adopt(body);
	} else if (line[1] == 'w') {
		(void)register_world_write();
	} else if (line[1] == 'f') {
		forget();
	} else if (line[1] == 's' || line[1] == 'm') {
		stop();
		if (line[1] == 'm')
			move();
		start();
		FUZZ_CHECK(line[1] != 'm' || pair_server_copy(pair.s)->lost ||
			   pair_server_copy(pair.s)->value.revision == 0);
	}
	free(body);
	look();
}

/* All comes to its end. */
static void
finish(void)
{
	int i;

	while (register_world_write())
		;
	FUZZ_CHECK(pair.own == 0 && pair.alone == 0);
	(void)pair_server_turn(pair.s, USEC_NEVER - 1);
	look();
	for (i = LOOK + 1; i < pair.next; i++)
		FUZZ_CHECK((i < pair.first && world.answers[i] == 0) ||
			   world.answers[i] == 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { (const char *)data, (const char *)data + size };
	char *line;
	size_t len;

	memset(&pair, 0, sizeof(pair));
	register_world_init();
	world.conf.self = size > 0 && data[0] == 'A' ? 0 : 1;
	pair.next = LOOK + 1;
	start();
	look();
	while ((line = fuzz_part(&in, '\n', &len)) != NULL) {
		if (len >= 2)
			step(line);
		free(line);
	}
	finish();
	stop();
	register_world_fini();
	return 0;
}
