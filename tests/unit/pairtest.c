/*
 * The two hosts of the tests of their register.
 */
#include "pairtest.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engine/arbiter_file.h"
#include "engine/wire.h"
#include "hawatch/emit.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"
#include "hawatch/worker.h"

#define PATIENCE (20 * USEC_SEC)
#define LOOK (20 * USEC_MSEC)
#define FULL 64 /* bytes */

struct pairtest pt;

static struct timer *limit, *turn;
static bool late;

const struct pair_copy *
pairtest_copy(const struct pairhost *h)
{
	return pair_server_copy(h->e.copy);
}

struct pair_server *
pairtest_try(struct pairhost *h, struct error *err)
{
	return pair_server_new(&h->e, err);
}

void
pairtest_start(struct pairhost *h)
{
	struct error err;

	h->e.worker = worker_new(pt.loop);
	h->e.copy = pairtest_try(h, &err);
	if (h->e.copy == NULL)
		fail_msg("%s", err.msg);
}

/* In the engine's order. */
void
pairtest_stop(struct pairhost *h)
{
	while (h->holds > 0)
		pairtest_let(h);
	worker_free(h->e.worker);
	while (sem_trywait(&h->hold) == 0)
		;
	if (h->reg != NULL)
		register_none.free(h->reg);
	pair_server_free(h->e.copy);
	h->e.worker = NULL;
	h->reg = NULL;
	h->e.copy = NULL;
	assert_int_equal(pairtest_calls(h), 0);
	pairtest_wire(h, h->wire);
}

const char *
pairtest_file(const struct pairhost *h, const char *suffix)
{
	static char path[4][160];
	static int n;
	char *p = path[n++ % 4];

	(void)snprintf(p, sizeof(path[0]), "%s/register%s", h->dir, suffix);
	return p;
}

uint64_t
pairtest_disk(const struct pairhost *h)
{
	struct arbiter_origin origin;
	struct arbiter image;
	struct error err;

	assert_int_equal(arbiter_file_load(pairtest_file(h, ""), &h->conf.names,
			     &image, &origin, &err),
	    0);
	return image.value.revision;
}

void
pairtest_copied(const struct pairhost *h)
{
	const char *file = pairtest_file(h, ""), *bak = pairtest_file(h, ".b");
	char *command = xasprintf("cp %s %s && mv %s %s", file, bak, bak, file);

	assert_int_equal(system(command), 0);
	free(command);
}

static void
hold_work(void *arg)
{
	struct pairhost *h = arg;

	while (sem_wait(&h->hold) == -1)
		;
}

static void
hold_done(void *arg)
{
}

void
pairtest_hold(struct pairhost *h)
{
	h->holds++;
	worker_submit(h->e.worker, hold_work, hold_done, h);
}

void
pairtest_let(struct pairhost *h)
{
	h->holds--;
	assert_int_equal(sem_post(&h->hold), 0);
}

void
pairtest_full(bool full)
{
	struct rlimit r;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
	r.rlim_cur = full ? FULL : r.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

int
pairtest_ask(
    struct pairhost *h, node_t from, const char *path, const char *body)
{
	const struct front_request req = { .id = (uint64_t)pt.asked,
		.peer = h->conf.node[from].name,
		.path = path,
		.body = body,
		.len = strlen(body) };

	assert_true(pt.asked < (int)(sizeof(pt.answer) / sizeof(*pt.answer)));
	pt.asked++;
	assert_true(pair_server_request(h->e.copy, from, &req));
	return pt.asked - 1;
}

int
pairtest_poll(struct pairhost *h, int64_t wait_ms)
{
	struct reg_value v;

	pair_tell(pairtest_copy(h), &v);
	return pairtest_poll_as(h, &v, wait_ms);
}

int
pairtest_poll_as(
    struct pairhost *h, const struct reg_value *known, int64_t wait_ms)
{
	char *body;
	int n;

	body = xasprintf("{\"instance\":\"%s\",\"revision\":%llu,\"cold\":%s,"
			 "\"wait_ms\":%lld}",
	    known->instance, (unsigned long long)known->revision,
	    known->cold ? "true" : "false", (long long)wait_ms);
	n = pairtest_ask(h, !h->self, "/v1/read", body);
	free(body);
	return n;
}

int
pairtest_send(struct pairhost *h, node_t from, const struct do_cas *cas)
{
	char *body = wire_cas_str(cas, &h->conf.names);
	int n = pairtest_ask(h, from, "/v1/cas", body);

	free(body);
	return n;
}

struct do_cas
pairtest_cas(const struct pairhost *h, node_t by, const char *nonce)
{
	const struct reg_value *v = &pairtest_copy(h)->value;
	struct do_cas cas = { .revision = v->revision, .rec = v->rec };
	static uint64_t id;

	cas.id = ++id;
	str_cut(cas.instance, sizeof(cas.instance), v->instance);
	str_cut(cas.nonce, sizeof(cas.nonce), v->rec.nonce);
	str_cut(cas.rec.nonce, sizeof(cas.rec.nonce), nonce);
	if (by != v->rec.holder)
		cas.rec.epoch++;
	cas.rec.seq++;
	cas.rec.state = REC_HELD;
	cas.rec.holder = by;
	cas.rec.target = NODE_NONE;
	cas.rec.written_by = by;
	cas.rec.ttl = h->conf.ttl;
	cas.rec.timeline = 1;
	cas.rec.system_id = 7;
	return cas;
}

void
pairtest_end(void *arg, uint64_t id, enum cas_result res)
{
	struct pairend *end = arg;

	end->res = res;
	end->done++;
}

void
pairtest_write(
    struct pairhost *h, const char *nonce, bool alone, struct pairend *end)
{
	struct do_cas cas = pairtest_cas(h, h->self, nonce);

	memset(end, 0, sizeof(*end));
	pair_server_cas(h->e.copy, &cas, alone, cas.id, pairtest_end, end);
}

void
pairtest_put(struct pairhost *h, const char *nonce, bool alone)
{
	struct pairend end;

	pairtest_write(h, nonce, alone, &end);
	UNTIL(end.done);
	assert_int_equal(end.res, CAS_CONFIRMED);
}

static void
limit_cb(void *arg)
{
	late = true;
}

static void
turn_cb(void *arg)
{
}

void
pairtest_pass(usec_t time)
{
	usec_t end = clock_now().raw + time;

	UNTIL(clock_now().raw >= end);
}

void
pairtest_patience(void)
{
	late = false;
	timer_arm(limit, PATIENCE);
}

/* What the engine does at the end of a turn, then callbacks. */
static void
loop_round(int how)
{
	usec_t now = clock_now().raw, next = USEC_NEVER, at;
	int i;

	for (i = 0; i < 2; i++) {
		if (pt.host[i].e.copy == NULL)
			continue;
		at = pair_server_turn(pt.host[i].e.copy, now);
		next = at < next ? at : next;
	}
	timer_arm(turn, next - now < LOOK ? next - now : LOOK);
	event_base_loop(loop_base(pt.loop), how);
}

void
pairtest_round(const char *what, const char *file, int line)
{
	if (late) {
		print_error("it does not come about: %s\n", what);
		_fail(file, line);
	}
	loop_round(EVLOOP_ONCE);
}

void
pairtest_quiet(void)
{
	int i;

	for (i = 0; i < 10; i++)
		loop_round(EVLOOP_NONBLOCK);
}

static void
sink(void *arg, enum level level, const char *line)
{
	pt.unsaved += strstr(line, "register.unsaved") != NULL;
	pt.warm += strstr(line, "register.warm") != NULL;
	pt.refused += strstr(line, "peer.refused") != NULL;
}

static void
host_init(struct pairhost *h, node_t self)
{
	const char *tmp = getenv("TMPDIR");
	static const char *const name[] = { "prod-s1", "prod-s2" };
	int i;

	h->self = self;
	(void)snprintf(h->dir, sizeof(h->dir), "%s/hawatch-pair-XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	assert_non_null(mkdtemp(h->dir));
	h->conf.cluster = h->conf.names.cluster = "votes";
	h->conf.node_count = h->conf.names.count = 2;
	for (i = 0; i < 2; i++) {
		h->conf.node[i].name = h->conf.names.node[i] = name[i];
		h->conf.node[i].address = "127.0.0.1";
	}
	h->conf.self = self;
	h->conf.arbiter = NODE_NONE;
	h->conf.ttl = 10 * USEC_SEC;
	h->conf.state_dir = h->dir;
	h->conf.reg.type = REGISTER_NONE;
	h->e = (struct engine){ .loop = pt.loop,
		.conf = &h->conf,
		.core = (struct core *)h,
		.front = (struct frontlink *)h };
	assert_int_equal(sem_init(&h->hold, 0, 0), 0);
	pairtest_start(h);
}

int
pairtest_setup(void **state)
{
	struct error err;

	memset(&pt, 0, sizeof(pt));
	emit_to(sink, NULL);
	(void)signal(SIGXFSZ, SIG_IGN);
	pt.loop = loop_new(&err);
	limit = timer_new(pt.loop, limit_cb, NULL);
	turn = timer_new(pt.loop, turn_cb, NULL);
	host_init(&pt.host[A], A);
	host_init(&pt.host[B], B);
	return 0;
}

int
pairtest_teardown(void **state)
{
	char *command;
	int i;

	pairtest_full(false);
	for (i = 0; i < 2; i++) {
		pairtest_stop(&pt.host[i]);
		sem_destroy(&pt.host[i].hold);
		command = xasprintf("rm -rf '%s'", pt.host[i].dir);
		assert_int_equal(system(command), 0);
		free(command);
	}
	pairtest_wire_end();
	timer_free(limit);
	timer_free(turn);
	loop_free(pt.loop);
	emit_to(sink_stderr, NULL);
	return 0;
}
