/*
 * The engine ends by SIGKILL at every place of a run, the next one does the
 * same run again: every file is right, every service that reads a changed file
 * was restarted after the change, at most twice, and nothing is left over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "convtest.h"

static const char *const places[] = { "prepared", "listed", "renamed",
	"synced", "restart", "restarted" };
#define TIMES 12

static void
site(struct convtest *t)
{
	struct conf_item *item;
	char name[16], file[16], service[16];
	int i;

	for (i = 0; i < 5; i++) {
		(void)snprintf(name, sizeof(name), "line%d", i);
		(void)snprintf(file, sizeof(file), "f%d", i % 3);
		(void)snprintf(service, sizeof(service), "k%d", i);
		conv_line(t, name, file, service);
	}
	conv_write(t, "f0", "k0=?\nk3=?\n");
	conv_write(t, "f1", "k1=?\nk4=?");
	conv_write(t, "f2", "# x\nk2=?\n");
	for (i = 0; i < 3; i++) {
		(void)snprintf(service, sizeof(service), "app%d", i);
		(void)snprintf(file, sizeof(file), "f%d", i);
		item = conv_service(t, service, file);
		item->independent = i == 1;
		conv_on(item, t->conf.item[i].name);
		if (i < 2)
			conv_on(item, t->conf.item[i + 3].name);
	}
}

static void
child(struct convtest *t)
{
	(void)conv_run(t, ITEM_AFTER, CONV_SELF, 7);
}

static void
check_all(struct convtest *t, const char *place, int nth)
{
	static const char *const text[] = { "k0=primary\nk3=primary\n",
		"k1=primary\nk4=primary", "# x\nk2=primary\n" };
	char file[16], seen[24], service[16];
	int i, n;

	for (i = 0; i < 3; i++) {
		(void)snprintf(file, sizeof(file), "f%d", i);
		(void)snprintf(seen, sizeof(seen), "seen-app%d", i);
		(void)snprintf(service, sizeof(service), "app%d\n", i);
		conv_expect(t, file, text[i]);
		if (strcmp(conv_text(t, seen), text[i]) != 0)
			fail_msg("%s %d: app%d runs with the old file", place,
			    nth, i);
		n = conv_count(t, "log", service);
		if (n < 1 || n > 2)
			fail_msg("%s %d: app%d was restarted %d times", place,
			    nth, i, n);
	}
	conv_expect(t, "state/converge", "{\"format\":1,\"restart\":[]}");
	assert_int_equal(conv_left(t), 0);
}

/* False: the place is not met so often. */
static bool
check_place(const char *place, int nth)
{
	struct convtest t;
	int status, before;

	conv_open(&t);
	site(&t);
	status = conv_fork(&t, place, nth, child);
	if (status == 0) {
		check_all(&t, place, nth);
		conv_close(&t);
		return false;
	}
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	/* What an earlier one left, too, goes. */
	conv_write(&t, ".f0.hawatch-new-after-77", "old");
	conv_restart(&t);
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	check_all(&t, place, nth);
	/* Then it is over. */
	before = conv_count(&t, "log", "app");
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	assert_int_equal(conv_count(&t, "log", "app"), before);
	conv_close(&t);
	return true;
}

static void
test_places(void **state)
{
	size_t i;
	int nth;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		nth = 1;
		while (check_place(places[i], nth))
			nth++;
		print_message("%s: %d times\n", places[i], nth - 1);
		assert_in_range(nth, 2, TIMES);
	}
}

/* Killed again and again, a little later each time, it gets there. */
static void
test_again_and_again(void **state)
{
	struct convtest t;
	size_t i;

	conv_open(&t);
	site(&t);
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		(void)conv_fork(&t, places[i], 1, child);
	conv_restart(&t);
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	conv_expect(&t, "seen-app0", "k0=primary\nk3=primary\n");
	conv_expect(&t, "seen-app1", "k1=primary\nk4=primary");
	conv_expect(&t, "seen-app2", "# x\nk2=primary\n");
	assert_int_equal(conv_left(&t), 0);
	conv_close(&t);
}

/* A list that cannot be read may have named any service. */
static void
test_list_lost(void **state)
{
	struct convtest t;

	conv_open(&t);
	site(&t);
	conv_write(&t, "state/converge", "{\"format\":1,");
	conv_restart(&t);
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_OTHER, 7), ANS_YES);
	assert_int_equal(conv_count(&t, "log", "app"), 3);
	assert_int_equal(conv_count(&t, "events", "ev=converge.failed"), 1);
	conv_close(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_again_and_again),
		cmocka_unit_test(test_list_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
