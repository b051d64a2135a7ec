/*
 * What tests of the asynchronous connection to PostgreSQL share.
 */
#include "pgcrun.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct pgtest pr_pg;

void
pr_on_done(void *arg, const struct pgc_result *r)
{
	struct pgcrun *f = arg;
	const char *cell = r->get(r, 0, 0);
	struct error err;

	f->done++;
	f->ok = r->ok;
	f->warned = r->warned;
	f->rows = r->rows;
	f->cols = r->cols;
	snprintf(f->reason, sizeof(f->reason), "%s", r->reason);
	snprintf(f->message, sizeof(f->message), "%s", r->message);
	snprintf(f->sqlstate, sizeof(f->sqlstate), "%s", r->sqlstate);
	snprintf(f->cell, sizeof(f->cell), "%s", cell == NULL ? "NULL" : cell);
	assert_null(strchr(r->message, '\n'));
	assert_false(pgc_busy(f->c));
	if (f->query_in_done) {
		f->query_in_done = false;
		assert_int_equal(pgc_query(f->c, "SELECT 'second'", USEC_SEC,
				     pr_on_done, f, &err),
		    0);
		return;
	}
	if (f->free_in_done) {
		pgc_free(f->c);
		f->c = NULL;
		/* The result stays until the return. */
		assert_string_equal(f->cell, cell == NULL ? "NULL" : cell);
	}
	loop_stop(f->loop);
}

static void
pr_on_lost(void *arg)
{
	struct pgcrun *f = arg;

	f->lost++;
	assert_int_equal(pgc_backend(f->c), 0);
	loop_stop(f->loop);
}

void
pr_on_tick(void *arg)
{
	struct pgcrun *f = arg;
	usec_t now = clock_now().raw;

	if (f->last_tick != 0 && now - f->last_tick > f->gap)
		f->gap = now - f->last_tick;
	f->last_tick = now;
	timer_arm(f->tick, 5 * USEC_MSEC);
}

static void
pr_on_stop(void *arg)
{
	struct pgcrun *f = arg;

	loop_stop(f->loop);
}

static void
pr_on_turn(void *arg, const struct now *now)
{
	struct pgcrun *f = arg;

	f->rounds++;
}

void
pr_run_for(struct pgcrun *f, usec_t t)
{
	struct timer *stop = timer_new(f->loop, pr_on_stop, f);

	timer_arm(stop, t);
	loop_run(f->loop, pr_on_turn, f);
	timer_free(stop);
}

void
pr_connect_to(struct pgcrun *f, struct pgc_conf conf)
{
	pgc_free(f->c);
	if (conf.port == 0)
		conf.port = pr_pg.port;
	if (conf.user == NULL)
		conf.user = pr_pg.user;
	if (conf.dbname == NULL)
		conf.dbname = "postgres";
	f->c = pgc_new(f->loop, &conf);
	pgc_on_lost(f->c, pr_on_lost, f);
}

void
pr_ask(struct pgcrun *f, const char *sql, usec_t deadline)
{
	struct error err;
	int before = f->done;

	assert_int_equal(
	    pgc_query(f->c, sql, deadline, pr_on_done, f, &err), 0);
	assert_int_equal(f->done, before);
	assert_true(pgc_busy(f->c));
	loop_run(f->loop, pr_on_turn, f);
	assert_int_equal(f->done, before + 1);
}

int
pr_setup(void **state)
{
	struct pgcrun *f = calloc(1, sizeof(*f));
	struct error err;

	f->listener = f->peer = -1;
	f->loop = loop_new(&err);
	f->tick = timer_new(f->loop, pr_on_tick, f);
	pr_connect_to(f, (struct pgc_conf){ .host = pr_pg.dir, .app = "test" });
	*state = f;
	return 0;
}

int
pr_teardown(void **state)
{
	struct pgcrun *f = *state;

	watch_free(f->accepts);
	watch_free(f->reads);
	if (f->listener != -1)
		close(f->listener);
	if (f->peer != -1)
		close(f->peer);
	pgc_free(f->c);
	timer_free(f->tick);
	loop_free(f->loop);
	free(f);
	return 0;
}

int
pr_group_setup(void **state)
{
	pgtest_init(&pr_pg);
	pgtest_start(&pr_pg, NULL);
	return 0;
}

int
pr_group_teardown(void **state)
{
	pgtest_free(&pr_pg);
	return 0;
}
