/*
 * The arbiter under requests of nodes of which one may have gone mad: a line a
 * request, "0c{...}": from that node, (c)as, (r)ead, re(p)ort or (a)dopt. In it
 * $I, $X, $N and $R are the instance, the next one, nonce and revision as they
 * are. Whatever comes, each request has one answer, nobody writes for another,
 * nothing goes back, and what a reader saw is in the file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/arbiter_file.h"
#include "engine/arbiter_server.h"
#include "engine/engine.h"
#include "engine/wire.h"
#include "fuzz.h"
#include "hawatch/frontlink.h"
#include "hawatch/mem.h"
#include "hawatch/worker.h"

static struct {
	char dir[64], *file;
	int replies;
	struct reg_value seen;
	void (*done)(void *arg);
	void *arg;
} fake;

void
worker_submit(struct worker *w, void (*work)(void *arg),
    void (*done)(void *arg), void *arg)
{
	work(arg);
	FUZZ_CHECK(fake.done == NULL);
	fake.done = done;
	fake.arg = arg;
}

void
frontlink_reply(struct frontlink *l, uint64_t id, int status, const char *json)
{
	struct error err;
	json_t *obj = json_loads(json, JSON_REJECT_DUPLICATES, NULL);

	FUZZ_CHECK(json_is_object(obj));
	FUZZ_CHECK((status == 200) == (json_object_get(obj, "error") == NULL));
	json_decref(obj);
	fake.replies++;
	if (id == 1)
		FUZZ_CHECK(wire_value_parse(&fake.seen, json, strlen(json),
			       &fuzz_conf()->names, &err) == 0);
}

static void
look(struct arbiter_server *s)
{
	const struct front_request req = { .id = 1,
		.peer = "s1",
		.path = "/v1/read",
		.body = "{\"wait_ms\":0}",
		.len = 13 };
	struct reg_value was = fake.seen, now;
	struct arbiter_origin origin;
	struct arbiter a;
	struct error err;

	FUZZ_CHECK(arbiter_server_request(s, 0, &req));
	now = fake.seen;
	FUZZ_CHECK(now.revision >= was.revision);
	FUZZ_CHECK(
	    now.rec.epoch > was.rec.epoch ||
	    (now.rec.epoch == was.rec.epoch && now.rec.seq >= was.rec.seq));
	FUZZ_CHECK(now.revision > was.revision ||
		   strcmp(now.rec.nonce, was.rec.nonce) == 0);
	FUZZ_CHECK(!now.cold || was.cold || was.instance[0] == '\0');
	FUZZ_CHECK(arbiter_file_load(
		       fake.file, &fuzz_conf()->names, &a, &origin, &err) == 0);
	FUZZ_CHECK(origin.found && origin.same_file);
	FUZZ_CHECK(a.value.revision == now.revision &&
		   a.value.cold == now.cold &&
		   strcmp(a.value.instance, now.instance) == 0 &&
		   strcmp(a.value.rec.nonce, now.rec.nonce) == 0);
}

/* With $I and the like filled in. */
static char *
fill(const char *text)
{
	char *out;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	for (; *text != '\0'; text++) {
		if (*text != '$' || strchr("IXNR", text[1]) == NULL ||
		    *++text == '\0')
			fputc(*text, f);
		else if (*text == 'I')
			fputs(fake.seen.instance, f);
		else if (*text == 'X')
			fputs(fake.seen.next, f);
		else if (*text == 'N')
			fputs(fake.seen.rec.nonce, f);
		else
			fprintf(f, "%d", (int)fake.seen.revision);
		if (*text == '\0')
			break;
	}
	(void)fclose(f);
	return out;
}

static void
request(struct arbiter_server *s, const char *line)
{
	node_t from = line[0] - '0';
	char *body = fill(line + 2);
	struct front_request req = {
		.id = 2, .body = body, .len = strlen(body)
	};
	struct reg_value was = fake.seen;
	void (*done)(void *arg) = NULL;

	req.peer = fuzz_conf()->node[from].name;
	req.path = line[1] == 'c' ? "/v1/cas" :
		   line[1] == 'r' ? "/v1/read" :
		   line[1] == 'p' ? "/v1/report" :
				    "/v1/adopt";
	fake.replies = 0;
	FUZZ_CHECK(arbiter_server_request(s, from, &req));
	while ((done = fake.done) != NULL) {
		fake.done = NULL;
		done(fake.arg);
	}
	(void)arbiter_server_turn(s, USEC_NEVER - 1);
	FUZZ_CHECK(fake.replies == 1);
	free(body);
	look(s);
	if (line[1] == 'c' && fake.seen.revision != was.revision) {
		FUZZ_CHECK(fake.seen.rec.holder == from);
		FUZZ_CHECK(fake.seen.rec.written_by == from);
		FUZZ_CHECK(fake.seen.revision == was.revision + 1);
	}
	FUZZ_CHECK(line[1] != 'r' || fake.seen.revision == was.revision);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { (const char *)data, (const char *)data + size };
	struct conf conf = *fuzz_conf();
	struct engine e = { .conf = &conf };
	struct arbiter_server *s;
	struct error err;
	char *line;
	size_t len;

	memset(&fake, 0, sizeof(fake));
	(void)snprintf(fake.dir, sizeof(fake.dir),
	    "/dev/shm/hawatch-fuzz-%ld.d", (long)getpid());
	(void)mkdir(fake.dir, 0700);
	fake.file = xasprintf("%s/register", fake.dir);
	conf.state_dir = fake.dir;
	s = arbiter_server_new(&e, &err);
	FUZZ_CHECK(s != NULL);
	look(s);
	while ((line = fuzz_part(&in, '\n', &len)) != NULL) {
		if (len >= 2 && line[0] >= '0' && line[0] <= '2')
			request(s, line);
		free(line);
	}
	arbiter_server_free(s);
	(void)unlink(fake.file);
	(void)rmdir(fake.dir);
	free(fake.file);
	return 0;
}
