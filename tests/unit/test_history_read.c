/*
 * What a report gets of a host that was cut off for long: how its writers ended
 * is far from where it saw the next epoch, and needed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/history.h"
#include "hawatch/chain.h"
#include "hawatch/json.h"
#include "hawatch/mem.h"

/* 2026-11-21 07:01:02 UTC */
#define T0 1795244462000LL

static char dir[64], *path;
static struct chain *chain;
static json_t *found;

static int
setup(void **state)
{
	strcpy(dir, "/tmp/hawatch-history-XXXXXX");
	assert_non_null(mkdtemp(dir));
	path = xasprintf("%s/" HISTORY_NAME, dir);
	chain = chain_new(path, HISTORY_FULL, HISTORY_FILES);
	return 0;
}

static int
teardown(void **state)
{
	char *cmd = xasprintf("rm -rf %s", dir);

	chain_free(chain);
	json_decref(found);
	found = NULL;
	assert_int_equal(system(cmd), 0);
	free(cmd);
	free(path);
	return 0;
}

static void
line(long long ms, const char *ev, long long epoch)
{
	char *text = xasprintf("{\"at_ms\":%lld,\"ev\":\"%s\",\"epoch\":%lld}",
	    T0 + ms, ev, epoch);
	struct error err;
	size_t done;

	assert_int_equal(chain_append_all(chain, &text, 1, &done, &err), 0);
	free(text);
}

/* What is found of that epoch, in a row. */
static const char *
find(uint64_t epoch, size_t bytes)
{
	const struct history_query q = {
		.epoch = epoch, .records = 50, .bytes = bytes
	};
	static char row[2000];
	const json_t *list;
	size_t i, len = 0;

	json_decref(found);
	found = history_find(path, &q);
	list = json_object_get(found, "records");
	row[0] = '\0';
	for (i = 0; i < json_array_size(list); i++)
		len += (size_t)snprintf(row + len, sizeof(row) - len, "%s%s",
		    i == 0 ? "" : " ",
		    json_string_value(
			json_object_get(json_array_get(list, i), "ev")));
	return row;
}

#define ENDS "fence.open register.lost lease.lost fence.closed "

static void
cut_off(void)
{
	line(-90000000, "fence.closed", 3);
	line(-90000000, "postmaster.gone", 3);
	line(-3600000, "fence.open", 5);
	line(-3600000, "plan.end", 5);
	line(-1201, "register.lost", 5);
	line(0, "lease.lost", 5);
	line(1, "fence.closed", 5);
	line(2, "plan.row", 5);
	line(60000, "peer.lost", 5);
	line(66000, "register.found", 5);
	line(66000, "record.seen", 6);
	line(66070, "postmaster.gone", 6);
}

static void
test_cut_off(void **state)
{
	cut_off();
	assert_string_equal(find(6, 20000),
	    ENDS "peer.lost register.found record.seen postmaster.gone");
	/* One that was never seen here. */
	assert_string_equal(find(4, 20000), "");
	/* However little there is room for. */
	assert_int_equal(strncmp(find(6, 400), ENDS, strlen(ENDS)), 0);
}

/* Who goes on without the register leaves an epoch out. */
static void
test_left_out(void **state)
{
	cut_off();
	line(300000, "record.seen", 8);
	assert_string_equal(find(8, 20000), "record.seen");
	line(300001, "fence.open", 8);
	line(400000, "lease.lost", 8);
	line(600000, "record.seen", 10);
	assert_string_equal(
	    find(10, 20000), "fence.open lease.lost record.seen");
}

/* A standby that was restarted hours ago says nothing of who may write. */
static void
test_standby(void **state)
{
	cut_off();
	line(3600000, "postmaster.gone", 6);
	line(3601000, "register.lost", 6);
	line(7200000, "record.seen", 7);
	assert_string_equal(find(7, 20000), "record.seen");
	/* Where it was open last is not there any more. */
	line(7300000, "lease.lost", 7);
	line(7300001, "postmaster.gone", 7);
	line(7400000, "record.seen", 8);
	assert_string_equal(
	    find(8, 20000), "lease.lost postmaster.gone record.seen");
}

/* The first of what ended it, however often it was tried since. */
static void
test_many(void **state)
{
	int i;

	line(-1000, "fence.open", 5);
	line(0, "lease.lost", 5);
	for (i = 1; i < 40; i++)
		line(i, "fence.closed", 5);
	line(66000, "record.seen", 6);
	assert_int_equal(
	    strncmp(find(6, 20000), "fence.open lease.lost ", 22), 0);
	assert_int_equal(
	    json_array_size(json_object_get(found, "records")), 17);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_cut_off),
		T(test_left_out),
		T(test_standby),
		T(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
