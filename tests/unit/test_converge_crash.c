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
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "convtest.h"

static const char *const places[] = { "prepared", "listed", "renamed", "synced",
	"restart", "restarted" };
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

/* A list that cannot be saved is told once, and stops nothing; it is saved as
 * soon as it can be. */
static void
test_list_unsaved(void **state)
{
	struct convtest t;

	conv_open(&t);
	site(&t);
	assert_int_equal(rmdir(t.conf.state_dir), 0);
	conv_restart(&t);
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_SELF, 7), ANS_YES);
	conv_expect(&t, "f0", "k0=primary\nk3=primary\n");
	conv_expect(&t, "f2", "# x\nk2=primary\n");
	assert_int_equal(conv_count(&t, "log", "app"), 3);
	assert_int_equal(conv_count(&t, "events", "ev=converge.unsaved "), 1);
	assert_int_equal(conv_count(&t, "events", "ev=converge.failed "), 0);
	assert_int_equal(mkdir(t.conf.state_dir, 0700), 0);
	assert_int_equal(conv_run(&t, ITEM_AFTER, CONV_OTHER, 8), ANS_YES);
	assert_int_equal(conv_count(&t, "log", "app"), 6);
	conv_expect(&t, "state/converge", "{\"format\":1,\"restart\":[]}");
	assert_int_equal(conv_count(&t, "events", "ev=converge.unsaved "), 1);
	conv_close(&t);
}

/* In a child with a file system of its own for two of the files. */
static int
full_child(struct convtest *t)
{
	char text[4096 * 2];
	const char *full = conv_path(t, "full");

	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mkdir(full, 0755) == -1 ||
	    mount("none", full, "tmpfs", 0, "size=20k") == -1 ||
	    symlink("full/f1", conv_path(t, "f1")) == -1 ||
	    symlink("full/f2", conv_path(t, "f2")) == -1)
		return 10;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	site(t);
	memcpy(text, "k1=?\nk4=?\n", 10);
	conv_write(t, "f1", text);
	memcpy(text, "k2=?\n", 5);
	conv_write(t, "f2", text);
	t->conf.item[2].timeout = t->conf.item[1].timeout =
	    t->conf.item[4].timeout = 300 * USEC_MSEC;
	conv_restart(t);
	if (conv_run(t, ITEM_AFTER, CONV_SELF, 7) != ANS_YES)
		return 11;
	/* What fits is made, the rest is as it was. */
	if (strcmp(conv_text(t, "f0"), "k0=primary\nk3=primary\n") != 0)
		return 12;
	if (strcmp(conv_text(t, "f2"), text) != 0 || conv_left(t) != 0)
		return 13;
	if (strstr(conv_state(t, "line2").reason, "No space left") == NULL)
		return 14;
	return 0;
}

/* In a child whose state directory has no room left. */
static int
full_state_child(struct convtest *t)
{
	const char *ballast = conv_path(t, "state/ballast");
	char block[4096] = { 0 };
	FILE *f;

	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("none", t->conf.state_dir, "tmpfs", 0, "size=16k") == -1)
		return 10;
	site(t);
	f = fopen(ballast, "w");
	while (fwrite(block, sizeof(block), 1, f) == 1)
		continue;
	fclose(f);
	conv_restart(t);
	if (conv_run(t, ITEM_AFTER, CONV_SELF, 7) != ANS_YES)
		return 11;
	if (strcmp(conv_text(t, "f0"), "k0=primary\nk3=primary\n") != 0 ||
	    conv_count(t, "log", "app") != 3 || conv_left(t) != 0)
		return 12;
	if (conv_count(t, "events", "ev=converge.unsaved ") != 1 ||
	    strstr(conv_text(t, "events"), "No space left") == NULL)
		return 13;
	if (unlink(ballast) == -1 ||
	    conv_run(t, ITEM_AFTER, CONV_OTHER, 8) != ANS_YES)
		return 14;
	if (strcmp(conv_text(t, "state/converge"),
		"{\"format\":1,\"restart\":[]}") != 0)
		return 15;
	return 0;
}

static void
full(int (*fn)(struct convtest *t))
{
	struct convtest t;
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	conv_open(&t);
	pid = fork();
	if (pid == 0)
		_exit(fn(&t));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		fail_msg("status %d", WEXITSTATUS(status));
	conv_close(&t);
}

static void
test_disk_full(void **state)
{
	full(full_child);
}

static void
test_state_full(void **state)
{
	full(full_state_child);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_again_and_again),
		cmocka_unit_test(test_list_lost),
		cmocka_unit_test(test_list_unsaved),
		cmocka_unit_test(test_disk_full),
		cmocka_unit_test(test_state_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
