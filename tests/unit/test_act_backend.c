/* The commands of the three ways to start and stop PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "act/pg_backend.h"

static void
expect(const struct conf_postgres *pg, enum pg_verb verb, const char *user,
    const char *text)
{
	struct pg_command cmd;
	struct error err;
	char got[400] = "";
	int i;

	assert_int_equal(pg_backend_command(pg, verb, &cmd, &err), 0);
	for (i = 0; cmd.argv[i] != NULL; i++) {
		strcat(got, i == 0 ? "" : " ");
		strcat(got, cmd.argv[i]);
	}
	assert_string_equal(got, text);
	if (user == NULL)
		assert_null(cmd.user);
	else
		assert_string_equal(cmd.user, user);
}

static void
test_argv(void **state)
{
	struct conf_postgres pg = {
		.backend = BACKEND_ARGV,
		.run_as = "postgres",
		.start = { "/usr/bin/pg_ctl", "-D", "/data", "start" },
		.stop = { "" },
	};

	(void)state;
	expect(&pg, PG_START, "postgres", "/usr/bin/pg_ctl -D /data start");
	expect(&pg, PG_STOP, "postgres", "");
	pg.stop[0] = "/usr/bin/pg_ctl";
	pg.stop[1] = "stop";
	expect(&pg, PG_STOP, "postgres", "/usr/bin/pg_ctl stop");
}

static void
test_cluster(void **state)
{
	struct conf_postgres pg = {
		.backend = BACKEND_PG_CTLCLUSTER,
		.run_as = "postgres",
		.cluster = "15/main",
	};
	static const char *const wrong[] = { "", "15", "/main", "15/",
		"12345678901234567890/main" };
	struct pg_command cmd;
	struct error err;
	size_t i;

	(void)state;
	expect(&pg, PG_START, NULL, "/usr/bin/pg_ctlcluster 15 main start");
	expect(
	    &pg, PG_STOP, NULL, "/usr/bin/pg_ctlcluster 15 main stop -m fast");
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		pg.cluster = wrong[i];
		assert_int_equal(
		    pg_backend_command(&pg, PG_START, &cmd, &err), -1);
		assert_non_null(strstr(err.msg, "15/main"));
	}
}

static void
test_unit(void **state)
{
	struct conf_postgres pg = {
		.backend = BACKEND_SYSTEMD,
		.run_as = "postgres",
		.unit = "postgresql@15-main.service",
	};

	(void)state;
	expect(&pg, PG_START, NULL,
	    "/usr/bin/systemctl --no-block start postgresql@15-main.service");
	expect(&pg, PG_STOP, NULL,
	    "/usr/bin/systemctl --no-block stop postgresql@15-main.service");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_argv),
		cmocka_unit_test(test_cluster),
		cmocka_unit_test(test_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
