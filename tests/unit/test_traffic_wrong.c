/*
 * What a balancer must not be able to do to the engine: a stranger on the
 * socket that speaks garbage, too much, too slowly, or stops in the middle.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "haproxytest.h"
#include "hawatch/mem.h"

#define HEAD \
	"# be_id be_name srv_id srv_name srv_addr srv_op_state " \
	"srv_admin_state srv_port\n"
#define ROW(name, addr, op, admin, port) \
	"2 web 1 " name " " addr " " op " " admin " " port "\n"
#define GOOD1 ROW("s1", "127.0.0.1", "2", "0", "9")
#define GOOD2 ROW("s2", "127.0.0.1", "2", "0", "9")
#define FIFTY \
	"x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x " \
	"x x x x x x x x x x x x x x x x x x x x "

static struct world world;

/* Answers the i-th connection with the i-th text. */
struct stranger {
	char dir[64], path[HAPT_PATH_MAX], asked[HAPT_PATH_MAX];
	int pid;
};

struct speech {
	const char *text;
	size_t len;
	bool slow; /* a byte now and then */
};

static void
stranger_speak(int fd, const struct speech *s)
{
	size_t step = s->slow ? 1 : s->len, at;
	ssize_t n = 0;

	for (at = 0; at < s->len && n >= 0; at += s->slow ? 1 : (size_t)n) {
		n = send(fd, s->text + at, s->slow ? step : s->len - at,
		    MSG_NOSIGNAL);
		if (s->slow)
			(void)poll(NULL, 0, 20);
	}
}

static void
stranger_live(int listener, FILE *asked, const struct speech *s, int count)
{
	char line[4096];
	size_t len;
	ssize_t n;
	int fd, i;

	for (i = 0; i < count; i++) {
		fd = accept(listener, NULL, NULL);
		if (fd == -1)
			_exit(1);
		for (len = 0; len == 0 || line[len - 1] != '\n';
		     len += (size_t)n) {
			n = read(fd, line + len, sizeof(line) - len - 1);
			if (n <= 0)
				break;
		}
		line[len] = '\0';
		fputs(line, asked);
		fflush(asked);
		stranger_speak(fd, &s[i]);
		close(fd);
	}
}

static void
stranger_start(struct stranger *st, const struct speech *s, int count)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	FILE *asked;
	int fd;

	(void)snprintf(st->dir, sizeof(st->dir), "/tmp/hawatch-str-XXXXXX");
	assert_non_null(mkdtemp(st->dir));
	(void)snprintf(st->path, sizeof(st->path), "%s/sock", st->dir);
	(void)snprintf(st->asked, sizeof(st->asked), "%s/asked", st->dir);
	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", st->path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 8), 0);
	st->pid = fork();
	assert_true(st->pid >= 0);
	if (st->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		asked = fopen(st->asked, "w");
		if (asked != NULL)
			stranger_live(fd, asked, s, count);
		_exit(0);
	}
	close(fd);
}

/* What it was asked, in buf. */
static void
stranger_stop(struct stranger *st, char *buf, size_t size)
{
	FILE *f = fopen(st->asked, "r");
	char *command = xasprintf("rm -rf %s", st->dir);

	(void)kill(st->pid, SIGKILL);
	assert_int_equal(waitpid(st->pid, NULL, 0), st->pid);
	buf[f == NULL ? 0 : fread(buf, 1, size - 1, f)] = '\0';
	if (f != NULL)
		(void)fclose(f);
	assert_int_equal(system(command), 0);
	free(command);
}

static int
setup(void **state)
{
	world_init(&world);
	*state = &world;
	return 0;
}

static int
teardown(void **state)
{
	world_fini(&world);
	return 0;
}

/* One run against one speech of that length; s2 is to go out. */
static void
hears(struct world *w, const char *text, size_t len, const char *reason)
{
	struct speech speech = { .text = text, .len = len };
	struct stranger st;
	char asked[4096];

	stranger_start(&st, &speech, 1);
	traffic_free(w->traffic);
	w->traffic = NULL;
	w->conf.traffic_count = 0;
	world_balancer(w, "lb", st.path, "web");
	world_run(w, 0, NODE_BIT(1));
	stranger_stop(&st, asked, sizeof(asked));
	assert_string_equal(asked, "show servers state web\n");
	assert_int_equal(w->ans, ANS_UNKNOWN);
	assert_reason(w, "traffic lb: /tmp/hawatch-str-");
	assert_reason(w, reason);
	assert_true(w->took < USEC_SEC * 3 / 2);
}

static void
test_garbage(void **state)
{
	static const char *const speech[][2] = {
		{ "", "it closed without an answer" },
		{ "\n", "show servers state web: \"\"" },
		{ "SSH-2.0-OpenSSH_9.2\r\n", "middle of an answer: \"SSH-2.0" },
		{ "HTTP/1.1 400 Bad\r\n\r\n<html>\n\n",
		    "\"HTTP/1.1 400 Bad\"" },
		{ "\033[2Jred\377\n\n", "web: \"?[2Jred?\"" },
		{ "2\n" HEAD GOOD1 GOOD2 "\n", "web: \"2\"" },
		{ "1\n\n", "no header" },
		{ "1\n" GOOD1 GOOD2 "\n", "no header" },
		{ "1\n# be_id be_name srv_name srv_addr srv_op_state\n\n",
		    "no column srv_admin_state" },
		{ "1\n# " FIFTY FIFTY "\n\n", "no header" },
		{ "1\n" HEAD "2 web 1 s1 127.0.0.1 2 0\n\n",
		    "a row without all columns" },
		{ "1\n" HEAD GOOD1 GOOD2 FIFTY FIFTY "\n\n",
		    "a row without all columns" },
		{ "1\n" HEAD ROW(
		      "s1", "127.0.0.1", "99999999999", "0", "9") "\n",
		    "s1 has a state that is not known" },
		{ "1\n" HEAD ROW("s1", "127.0.0.1", "2", "-1", "9") "\n",
		    "s1 has a state that is not known" },
		{ "1\n" HEAD ROW("s1", "127.0.0.1", "2", "0", "65536") "\n",
		    "s1 has a state that is not known" },
		{ "1\n" HEAD GOOD1 GOOD1 "\n", "s1 is there twice" },
		{ "1\n" HEAD GOOD1 GOOD2, "it closed in the middle" },
		{ "1\n" HEAD GOOD1 GOOD2 "\nmore", "more than it was asked: "
						   "\"more\"" },
		{ "1\n" HEAD "2 other 1 s1 127.0.0.1 2 0 9\n\n",
		    "web/s1 is not there" },
	};
	size_t i;

	for (i = 0; i < sizeof(speech) / sizeof(speech[0]); i++)
		hears(*state, speech[i][0], strlen(speech[i][0]), speech[i][1]);
	hears(*state, "1\n\0x\n\n", 6, "bytes 0 in its answer");
}

static void
test_too_long(void **state)
{
	size_t len = (size_t)8 * 1024 * 1024;
	char *text = xcalloc(1, len);

	memset(text, 'x', len);
	hears(*state, text, len, "longer than 1 MiB");
	free(text);
}

/* A large site is not too long. */
static void
test_long(void **state)
{
	struct world *w = *state;
	size_t len = (size_t)1000 * 1000, at;
	char *text = xcalloc(1, len + 200);
	struct speech speech = { .text = text };
	struct stranger st;
	char asked[4096];

	at = (size_t)sprintf(text, "1\n" HEAD);
	while (at < len)
		at += (size_t)sprintf(
		    text + at, "2 web 1 x%zu 127.0.0.1 2 0 9\n", at);
	speech.len = at + (size_t)sprintf(text + at, GOOD1 GOOD2 "\n");
	stranger_start(&st, &speech, 1);
	world_balancer(w, "lb", st.path, "web");
	world_run(w, 0, 0);
	assert_int_equal(w->ans, ANS_YES);
	stranger_stop(&st, asked, sizeof(asked));
	free(text);
}

/* Each byte comes in time, the answer does not: one limit for all of it. */
static void
test_slow(void **state)
{
	struct world *w = *state;
	const char *text = "1\n" HEAD GOOD1 GOOD2 "\n";
	struct speech speech = {
		.text = text, .len = strlen(text), .slow = true
	};
	struct stranger st;
	char asked[4096];

	stranger_start(&st, &speech, 1);
	world_balancer(w, "lb", st.path, "web")->timeout = 300 * USEC_MSEC;
	world_run(w, 0, 0);
	assert_int_equal(w->ans, ANS_UNKNOWN);
	assert_reason(w, "no answer within 300ms");
	assert_in_range(w->took, 290 * USEC_MSEC, 1500 * USEC_MSEC);
	stranger_stop(&st, asked, sizeof(asked));
}

/* Obeyed, it says, and it is not so: what was read back counts. */
static void
test_lies(void **state)
{
	struct world *w = *state;
	const char *look = "1\n" HEAD GOOD1 GOOD2 "\n";
	const char *set = "\n1\n" HEAD GOOD1 GOOD2 "\n";
	const struct speech speech[] = {
		{ .text = look, .len = strlen(look) },
		{ .text = set, .len = strlen(set) },
	};
	struct stranger st;
	char asked[4096];

	stranger_start(&st, speech, 2);
	world_balancer(w, "lb", st.path, "web");
	world_run(w, 0, NODE_BIT(1));
	assert_int_equal(w->ans, ANS_UNKNOWN);
	assert_reason(w, "web/s2 is ready, wanted maint");
	assert_int_equal(world_said(w, "ev=traffic.change"), 0);
	stranger_stop(&st, asked, sizeof(asked));
	assert_string_equal(asked,
	    "show servers state web\n"
	    "set server web/s2 state maint;show servers state web\n");
}

/* What was asked for is not known to have been done: the sessions of the
 * former address are still owed when the new one is seen. */
static void
test_owed(void **state)
{
	struct world *w = *state;
	const char *old = "1\n" HEAD ROW("p", "127.0.0.9", "2", "0", "5") "\n";
	const char *cut = "IP changed";
	const char *now = "1\n" HEAD ROW("p", "127.0.0.1", "2", "0", "5") "\n";
	const char *no = "No such server.\n\n"
			 "1\n" HEAD ROW("p", "127.0.0.1", "2", "0", "5") "\n";
	const char *yes =
	    "\n1\n" HEAD ROW("p", "127.0.0.1", "2", "0", "5") "\n";
	const struct speech speech[] = {
		{ .text = old, .len = strlen(old) },
		{ .text = cut, .len = strlen(cut) },
		{ .text = now, .len = strlen(now) },
		{ .text = no, .len = strlen(no) },
		{ .text = now, .len = strlen(now) },
		{ .text = yes, .len = strlen(yes) },
		{ .text = now, .len = strlen(now) },
	};
	struct conf_traffic *t;
	struct stranger st;
	char asked[4096];

	stranger_start(&st, speech, 7);
	t = world_balancer(w, "pg", st.path, "web");
	t->server = "p";
	t->address = "127.0.0.1";
	t->port = 5;
	world_run(w, 0, 0);
	assert_reason(w, "it closed in the middle of an answer: \"IP ch");
	world_run(w, 0, 0);
	assert_int_equal(w->ans, ANS_UNKNOWN);
	assert_reason(w, "web/p: No such server.");
	world_run(w, 0, 0);
	assert_int_equal(w->ans, ANS_YES);
	world_run(w, 0, 0);
	assert_int_equal(w->ans, ANS_YES);
	stranger_stop(&st, asked, sizeof(asked));
	assert_string_equal(asked,
	    "show servers state web\n"
	    "set server web/p addr 127.0.0.1 port 5;"
	    "shutdown sessions server web/p;show servers state web\n"
	    "show servers state web\n"
	    "shutdown sessions server web/p;show servers state web\n"
	    "show servers state web\n"
	    "shutdown sessions server web/p;show servers state web\n"
	    "show servers state web\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_owed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
