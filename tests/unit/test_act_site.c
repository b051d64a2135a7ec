/*
 * Action "site" with a check of the real kind: a command that looks at a file.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "act/env.h"
#include "hawatch/check.h"
#include "hawatch/emit.h"
#include "hawatch/loop.h"

struct fixture {
	struct loop *loop;
	struct conf *conf;
	struct act_env *env;
	struct acts *acts;
	struct timer *limit;
	int done;
	bool late;
};

static char file[] = "/tmp/test_act_site.XXXXXX";

static void
no_line(void *arg, enum level level, const char *line)
{
}

static void
on_done(void *arg, enum act_kind kind, const struct goal *goal, enum answer ans,
    const char *reason)
{
	struct fixture *f = arg;

	assert_int_equal(kind, ACT_SITE);
	assert_int_equal(ans, ANS_YES);
	f->done++;
	loop_stop(f->loop);
}

static void
on_settled(void *arg)
{
	struct fixture *f = arg;

	loop_stop(f->loop);
}

static void
on_limit(void *arg)
{
	struct fixture *f = arg;

	f->late = true;
	loop_stop(f->loop);
}

/* As the schema fills it, but for a pace that no test waits for. */
static void
setup(struct fixture *f)
{
	static const char *command[] = { "/usr/bin/test", "-e", file, NULL };
	struct error err;

	memset(f, 0, sizeof(*f));
	emit_to(no_line, NULL);
	close(mkstemp(file));
	unlink(file);
	f->loop = loop_new(&err);
	f->conf = calloc(1, sizeof(*f->conf));
	f->conf->node_count = 1;
	f->conf->check_count = 1;
	f->conf->check[0] = (struct conf_check){ .name = "works",
		.type = "command",
		.interval = USEC_SEC,
		.timeout = 5 * USEC_SEC,
		.window = 5,
		.threshold = 3,
		.verify = true,
		.run_as = "" };
	memcpy(f->conf->check[0].command, command, sizeof(command));
	f->env = act_env_new(f->loop, f->conf, NULL);
	f->env->checks =
	    checks_new(&(struct check_env){ .loop = f->loop, .conf = f->conf },
		on_settled, f, &err);
	assert_non_null(f->env->checks);
	f->acts = acts_new(f->env, on_done, f);
	f->limit = timer_new(f->loop, on_limit, f);
	timer_arm(f->limit, 60 * USEC_SEC);
}

static void
teardown(struct fixture *f)
{
	timer_free(f->limit);
	acts_free(f->acts);
	checks_free(f->env->checks);
	act_env_free(f->env);
	loop_free(f->loop);
	free(f->conf);
	unlink(file);
}

/* What a takeover's own restarts brought down is up again when it ends: the
 * usual pace would need three seconds and more. */
static void
test_down_is_not_verified(void **state)
{
	struct goal goal = { 0 };
	struct check_state st;
	struct fixture f;
	usec_t begun;

	setup(&f);
	do {
		loop_run(f.loop, NULL, NULL);
		checks_state(f.env->checks, 0, &st);
	} while (st.up != ANS_NO && !f.late);
	close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	begun = clock_now().raw;
	acts_start(f.acts, ACT_SITE, &goal);
	while (f.done == 0 && !f.late)
		loop_run(f.loop, NULL, NULL);
	assert_false(f.late);
	checks_state(f.env->checks, 0, &st);
	assert_int_equal(st.up, ANS_YES);
	assert_true(clock_now().raw - begun < 2500 * USEC_MSEC);
	teardown(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_down_is_not_verified),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
