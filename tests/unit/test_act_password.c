/*
 * An account with a password, which repmgr.nodes names: data that diverged is
 * made the primary's with it, and no command line of ours shows it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "forktest.h"
#include "hawatch/conninfo.h"

static struct pghost *const s1 = &pgpair_one.host[PAIR_S1];
static struct pghost *const s2 = &pgpair_one.host[PAIR_S2];
static const char *real_bin, *real_repmgr;
static char bin[120], repmgr[140];

/* Programs that note how they were called, and do it. */
static void
noted(void)
{
	char text[500];

	assert_in_range(
	    snprintf(text, sizeof(text),
		"mkdir $2/bin && touch $2/args && chmod 666 $2/args && "
		"ln -s %s/* $2/bin && cd $2/bin && "
		"for p in repmgr pg_rewind pg_basebackup; do rm $p && "
		"printf '#!/bin/sh\\necho %%s \"$@\" >> %%s\\nexec %%s \"$@\"\\n'"
		" $p $2/args %s/$p > $p && chmod 755 $p; done",
		real_bin, real_bin),
	    1, sizeof(text) - 1);
	forktest_shell(text);
	snprintf(bin, sizeof(bin), "%s/bin", forktest_state);
	snprintf(repmgr, sizeof(repmgr), "%s/repmgr", bin);
	s1->conf.pg.bin_directory = bin;
	s1->conf.repmgr.program = repmgr;
}

static int
setup(void **arg)
{
	char line[300];

	forktest_setup_repmgr(arg);
	real_bin = s1->conf.pg.bin_directory;
	real_repmgr = s1->conf.repmgr.program;
	assert_int_equal(
	    pghost_sql(
		s1, "CREATE ROLE odd SUPERUSER LOGIN PASSWORD 'HUSH'", NULL, 0),
	    0);
	snprintf(line, sizeof(line),
	    "UPDATE repmgr.nodes SET conninfo = 'host=%s port=%d user=odd"
	    " password=HUSH dbname=postgres' WHERE node_id = 2",
	    s1->conf.node[PAIR_S2].address, s1->conf.pg.port);
	assert_int_equal(pghost_sql(s1, line, NULL, 0), 0);
	snprintf(line, sizeof(line),
	    "sed -i '1i host all,replication odd 127.0.0.0/8 scram-sha-256' "
	    "%s/pg_hba.conf",
	    s2->data);
	assert_int_equal(system(line), 0);
	assert_int_equal(pghost_sql(s2, "SELECT pg_reload_conf()", NULL, 0), 0);
	noted();
	return 0;
}

static int
setup_native(void **arg)
{
	setup(arg);
	s1->conf.pg.commands = COMMANDS_NATIVE;
	return 0;
}

static int
teardown(void **arg)
{
	s1->conf.pg.bin_directory = real_bin;
	s1->conf.repmgr.program = real_repmgr;
	return forktest_teardown_repmgr(arg);
}

/* repmgr itself puts what stands in its table on its pg_rewind's command line.
 */
static void
hushed(void)
{
	if (s1->conf.pg.commands == COMMANDS_REPMGR)
		forktest_shell("grep -q '^repmgr ' $2/args && "
			       "! grep '^repmgr .*HUSH' $2/args");
	else
		forktest_shell("test -s $2/args && ! grep HUSH $2/args");
}

static void
test_rewind(void **arg)
{
	struct goal g = { 0 };
	struct acttest t;

	forktest_forked(&t, &g);
	forktest_run(&t, ACT_SAVE, &g);
	forktest_run(&t, ACT_REWIND, &g);
	hushed();
	forktest_start(&t);
	acttest_down(&t);
}

static void
test_clone(void **arg)
{
	struct goal g = { 0 };
	struct acttest t;

	forktest_forked(&t, &g);
	forktest_run(&t, ACT_CLONE, &g);
	hushed();
	forktest_start(&t);
	acttest_down(&t);
}

static void
bare(const char *text, const char *want, const char *password)
{
	struct error err;
	char *found, *result = conninfo_bare(text, &found, &err);

	assert_non_null(result);
	assert_string_equal(result, want);
	if (password == NULL)
		assert_null(found);
	else
		assert_string_equal(found, password);
	free(result);
	free(found);
}

/* A key's own stays: no program takes it from elsewhere. */
static void
test_bare(void **arg)
{
	struct error err;
	char *found;

	bare("user=a", "user='a'", NULL);
	bare("user=a password=''", "user='a'", NULL);
	bare(
	    "user=a password='b c\\'' dbname=d", "user='a' dbname='d'", "b c'");
	bare("postgresql://a:b@h/d", "user='a' dbname='d' host='h'", "b");
	bare("user=a sslpassword=k", "user='a' sslpassword='k'", NULL);
	assert_null(conninfo_bare("nothing", &found, &err));
	assert_null(found);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bare),
		cmocka_unit_test_setup_teardown(
		    test_rewind, setup_native, teardown),
		cmocka_unit_test_setup_teardown(
		    test_clone, setup_native, teardown),
		cmocka_unit_test_setup_teardown(test_rewind, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clone, setup, teardown),
	};
	int rc;

	pgpair_init(&pgpair_one);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	forktest_end();
	return rc;
}
