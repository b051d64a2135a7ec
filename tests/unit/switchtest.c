/*
 * What is around an order that waits for a plan; see switchtest.h.
 */
#include "switchtest.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/status.h"
#include "engine/switchover_look.h"
#include "hawatch/json.h"

struct switchtest sw;

static char bin[] = "/tmp/hawatch-switch-XXXXXX", program[64];

void
core_status(const struct core *c, const struct now *now, struct core_status *st)
{
	*st = sw.st;
}

const char *
core_order_switchover(struct core *c, const struct now *now, node_t to)
{
	sw.ordered = to;
	return sw.core;
}

bool
status_is_primary(const struct core_status *st, const struct now *now)
{
	return sw.primary;
}

const struct pg_view *
pgwatch_view(const struct pgwatch *w)
{
	return &sw.view;
}

void
switchover_look(struct engine *e, uint64_t id, node_t to, unsigned accept)
{
	sw.asked = to;
	sw.accept = accept;
}

void
orders_taken(struct engine *e, uint64_t id, const char *verb)
{
	assert_string_equal(verb, "switchover");
}

void
orders_taken_why(
    struct engine *e, uint64_t id, const char *verb, const char *why)
{
	orders_taken(e, id, verb);
}

void
orders_reply(struct engine *e, uint64_t id, json_t *obj)
{
	const char *done = json_string_value(json_object_get(obj, "done"));

	if (json_has(obj, "exit"))
		sw.exit = (int)json_integer_value(json_object_get(obj, "exit"));
	else
		sw.steps++;
	(void)snprintf(
	    sw.done, sizeof(sw.done), "%s", done == NULL ? "" : done);
	json_decref(obj);
}

void
orders_refuse(struct engine *e, uint64_t id, enum exitcode code,
    const char *why, const char *next)
{
	sw.exit = (int)code;
	(void)snprintf(sw.why, sizeof(sw.why), "%s", why);
	(void)snprintf(sw.next, sizeof(sw.next), "%s", next);
}

void
orders_refuse_holder(struct engine *e, uint64_t id, node_t holder,
    const char *what, const char *command)
{
	char next[120];

	(void)snprintf(next, sizeof(next), "ssh %s %s",
	    e->conf->names.node[holder], command);
	orders_refuse(e, id, EXITCODE_REFUSED, what, next);
}

void
orders_refuse_core(struct engine *e, uint64_t id, const char *text)
{
	orders_refuse(e, id, EXITCODE_REFUSED, text, "the core's");
}

void
orders_look_over(struct engine *e, uint64_t id, const char *refused)
{
	assert_null(refused);
	sw.exit = EXITCODE_DONE;
}

int
sw_group_setup(void **state)
{
	int fd;

	if (mkdtemp(bin) == NULL)
		return -1;
	(void)snprintf(program, sizeof(program), "%s/pg_controldata", bin);
	fd = open(program, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
	if (fd == -1)
		return -1;
	close(fd);
	return 0;
}

int
sw_group_teardown(void **state)
{
	unlink(program);
	rmdir(bin);
	return 0;
}

int
sw_setup(void **state)
{
	memset(&sw, 0, sizeof(sw));
	TAILQ_INIT(&sw.orders.waits);
	sw.eng.conf = &sw.conf;
	sw.eng.core = (struct core *)&sw; /* not a witness; asked nothing */
	sw.eng.orders = &sw.orders;
	sw.conf.self = A;
	sw.conf.pg.bin_directory = bin;
	sw.conf.node_count = 4;
	sw.conf.ttl = 2 * USEC_SEC;
	sw.conf.names =
	    (struct names){ "lab", 4, { "n-a", "n-b", "n-c", "n-w" } };
	sw.conf.node[W].role = ROLE_WITNESS;
	sw.exit = sw.asked = sw.ordered = -1;
	sw.primary = true;
	sw.st.rel = REL_HELD;
	sw.st.pg = PGS_PRIMARY;
	sw.st.waits_for = sw.st.claim_block = "";
	sw.st.rec.state = REC_HELD;
	sw.st.rec.epoch = 5;
	sw.st.rec.holder = A;
	sw.st.rec.candidates = NODE_BIT(B);
	sw.view.conninfo = ANS_YES;
	sw.view.wal_end = 0x30000000;
	sw.view.sender[B].streaming = true;
	sw.view.sender[B].replay = 0x2FFFFF00;
	sw.at = clock_now();
	return 0;
}

int
sw_teardown(void **state)
{
	struct order_wait *w;

	while ((w = TAILQ_FIRST(&sw.orders.waits)) != NULL) {
		TAILQ_REMOVE(&sw.orders.waits, w, entry);
		free(w);
	}
	return 0;
}

void
sw_refused(int code, const char *word, const char *next)
{
	assert_int_equal(sw.exit, code);
	if (strstr(sw.why, word) == NULL || strcmp(sw.next, next) != 0)
		fail_msg("\"%s\", next \"%s\"", sw.why, sw.next);
	sw.exit = -1;
}

#define SOUND \
	"\"mode\":\"auto\",\"durable\":{\"latch\":false}," \
	"\"register\":{\"read\":true,\"cold\":false,\"amnesiac\":false}," \
	"\"fence\":{\"armed\":\"yes\"}," \
	"\"postgres\":{\"no_room\":\"\",\"paused\":false}"

void
sw_says(const char *more)
{
	char text[600];
	struct error err;
	json_t *obj;

	(void)snprintf(text, sizeof(text), "{" SOUND "}");
	obj = json_loads(text, 0, NULL);
	assert_non_null(obj);
	if (more[0] != '\0') {
		json_t *part = json_read(more, strlen(more), &err);

		assert_non_null(part);
		assert_int_equal(json_object_update(obj, part), 0);
		json_decref(part);
	}
	orders_switchover(&sw.eng, 1, B, obj);
	json_decref(obj);
}

void
sw_turn(const char *plan, const char *row)
{
	sw.st.plan = plan;
	sw.st.row = row;
	sw.at.raw += 10 * USEC_MSEC;
	orders_wait_turn(&sw.eng, &sw.at);
}
