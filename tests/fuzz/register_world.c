/*
 * What the targets of the registers that are kept in a file share.
 */
#include "register_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/arbiter_file.h"
#include "engine/wire.h"
#include "fuzz.h"
#include "hawatch/mem.h"
#include "hawatch/worker.h"

struct register_world world;

static struct {
	void (*work)(void *arg);
	void (*done)(void *arg);
	void *arg;
} job;

void
worker_submit(struct worker *w, void (*work)(void *arg),
    void (*done)(void *arg), void *arg)
{
	FUZZ_CHECK(job.work == NULL);
	job.work = work;
	job.done = done;
	job.arg = arg;
}

bool
register_world_write(void)
{
	void (*done)(void *arg) = job.done;

	if (job.work == NULL)
		return false;
	job.work(job.arg);
	job.work = NULL;
	done(job.arg);
	return true;
}

bool
register_world_writes(void)
{
	return job.work != NULL;
}

void
register_world_drop(void)
{
	job.work = NULL;
}

void
frontlink_reply(struct frontlink *l, uint64_t id, int status, const char *json)
{
	struct error err;
	json_t *obj = json_loads(json, JSON_REJECT_DUPLICATES, NULL);

	FUZZ_CHECK(json_is_object(obj));
	FUZZ_CHECK((status == 200) == (json_object_get(obj, "error") == NULL));
	FUZZ_CHECK(id < REQUESTS_MAX);
	world.answers[id]++;
	if (id == LOOK)
		FUZZ_CHECK(wire_value_parse(&world.seen, json, strlen(json),
			       &world.conf.names, &err) == 0);
	FUZZ_CHECK(!world.hidden || json_object_get(obj, "cold") == NULL);
	json_decref(obj);
}

void
register_world_same(void)
{
	const struct reg_value *v = &world.seen;
	struct arbiter_origin origin;
	struct arbiter a;
	struct error err;

	FUZZ_CHECK(arbiter_file_load(
		       world.file, &world.conf.names, &a, &origin, &err) == 0);
	FUZZ_CHECK(origin.found || v->revision == 0);
	if (!origin.found)
		return;
	FUZZ_CHECK(a.value.revision == v->revision &&
		   strcmp(a.value.instance, v->instance) == 0 &&
		   strcmp(a.value.rec.nonce, v->rec.nonce) == 0);
	FUZZ_CHECK(a.value.cold == v->cold || !origin.same_file);
}

char *
register_world_fill(const char *text)
{
	char *out;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	for (; *text != '\0'; text++) {
		if (*text != '$' || text[1] == '\0' ||
		    strchr("IXNR", text[1]) == NULL)
			fputc(*text, f);
		else if (*++text == 'I')
			fputs(world.seen.instance, f);
		else if (*text == 'X')
			fputs(world.seen.next, f);
		else if (*text == 'N')
			fputs(world.seen.rec.nonce, f);
		else
			fprintf(f, "%d", (int)world.seen.revision);
	}
	(void)fclose(f);
	return out;
}

void
register_world_init(void)
{
	memset(&world, 0, sizeof(world));
	memset(&job, 0, sizeof(job));
	(void)snprintf(world.dir, sizeof(world.dir),
	    "/dev/shm/hawatch-fuzz-%ld.d", (long)getpid());
	(void)mkdir(world.dir, 0700);
	world.file = xasprintf("%s/register", world.dir);
	world.conf = *fuzz_conf();
	world.conf.state_dir = world.dir;
	world.e.conf = &world.conf;
}

void
register_world_fini(void)
{
	(void)unlink(world.file);
	(void)rmdir(world.dir);
	free(world.file);
}
