/*
 * What hactl prints of what is around the database, and how it ends: an engine
 * of the test's own gives the answer, the printed text is read.
 */
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hactl/hactl.h"

#define S1 \
	"{\"node\":\"prod-s1\",\"data\":true,\"mode\":\"auto\"," \
	"\"role\":\"primary\",\"postgres\":{\"state\":\"primary\"}," \
	"\"record\":{\"epoch\":7,\"state\":\"held\",\"holder\":\"prod-s1\"," \
	"\"candidates\":[\"prod-s2\"]}," \
	"\"register\":{\"read\":true},\"fence\":{\"armed\":\"yes\"}," \
	"\"site\":{\"role\":\"primary\",\"primary\":\"prod-s1\"}," \
	"\"health\":{\"ok\":true,\"reasons\":\"\",\"spared\":[]}," \
	"\"checks\":[{\"name\":\"iam-http\",\"type\":\"http\"," \
	"\"up\":\"yes\",\"reason\":\"\",\"seen_ms\":300," \
	"\"since_ms\":7200000,\"took_us\":12345,\"health\":true}]," \
	"\"drift\":{\"count\":0,\"items\":[{\"name\":\"db\"," \
	"\"type\":\"line\",\"holds\":\"yes\",\"reason\":\"\"," \
	"\"seen_ms\":5}]}," \
	"\"traffic\":[{\"name\":\"lb\",\"ok\":\"yes\",\"reason\":\"\"," \
	"\"seen_ms\":9,\"in\":[\"prod-s1\"],\"out\":[\"prod-s2\"]}]}"
#define S2 \
	"{\"node\":\"prod-s2\",\"data\":true,\"mode\":\"auto\"," \
	"\"role\":\"standby\",\"postgres\":{\"state\":\"standby\"," \
	"\"receiver\":true},\"record\":{\"epoch\":7,\"state\":\"held\"," \
	"\"holder\":\"prod-s1\",\"candidates\":[\"prod-s2\"]}," \
	"\"register\":{\"read\":true},\"fence\":{\"armed\":\"yes\"}," \
	"\"site\":{\"role\":\"standby\",\"primary\":\"prod-s1\"}," \
	"\"health\":{\"ok\":false,\"reasons\":\"iam-http\",\"spared\":[]}," \
	"\"checks\":[{\"name\":\"iam-http\",\"type\":\"http\"," \
	"\"up\":\"no\",\"reason\":\"connect-refused\",\"seen_ms\":300," \
	"\"since_ms\":42000,\"took_us\":900,\"health\":true}," \
	"{\"name\":\"programs\",\"type\":\"supervisor\"," \
	"\"up\":\"unknown\",\"reason\":\"\",\"seen_ms\":null," \
	"\"since_ms\":null,\"took_us\":0}]," \
	"\"drift\":{\"count\":1,\"items\":[{\"name\":\"memcached-listen\"," \
	"\"type\":\"line\",\"holds\":\"no\",\"reason\":\"line 34 of " \
	"/etc/memcached.conf reads otherwise\",\"seen_ms\":5}," \
	"{\"name\":\"cache\",\"type\":\"cache\",\"holds\":\"unknown\"," \
	"\"reason\":\"\",\"seen_ms\":null}]}," \
	"\"traffic\":[{\"name\":\"lb\",\"ok\":\"unknown\",\"reason\":\"\"," \
	"\"seen_ms\":null,\"in\":[],\"out\":[]}]}"
/* What a run gave up: counted by /health, and not; with an item and none. */
#define STALE(node, reasons, holds) \
	"{\"node\":\"" node "\",\"data\":true,\"mode\":\"auto\"," \
	"\"postgres\":{\"state\":\"standby\",\"receiver\":true}," \
	"\"fence\":{\"armed\":\"yes\"}," \
	"\"health\":{\"ok\":false,\"reasons\":\"" reasons "\"}," \
	"\"drift\":{\"count\":1,\"stale\":true,\"items\":[{\"name\":\"db\"," \
	"\"type\":\"line\",\"holds\":\"" holds "\",\"reason\":\"\"}]}}"
#define DIFFERS(why) \
	"{\"node\":\"prod-s2\",\"data\":true,\"drift\":{\"count\":1," \
	"\"items\":[{\"name\":\"db\",\"type\":\"line\"," \
	"\"holds\":\"no\",\"reason\":\"" why "\",\"seen_ms\":5}]}}"
#define SILENT "{\"node\":\"prod-s2\",\"data\":true,\"silent\":\"timeout\"}"
#define STATUS(nodes) \
	"{\"exit\":0,\"schema\":1,\"register\":{\"revision\":1}," \
	"\"nodes\":[" nodes "]}\n"

static char dir[64], path[96], text[65536], asked[1024];
static pid_t pid;
static int told[2]; /* what was asked, back to the test */

static void
serve(const char *answer)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), one;
	char buf[1024];
	ssize_t n;

	unlink(path);
	strcpy(sun.sun_path, path);
	assert_int_equal(
	    bind(fd, (const struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(pipe(told), 0);
	pid = fork();
	if (pid != 0) {
		close(fd);
		close(told[1]);
		return;
	}
	alarm(30);
	one = accept(fd, NULL, NULL);
	n = read(one, buf, sizeof(buf));
	(void)!write(told[1], buf, n < 0 ? 0 : (size_t)n);
	(void)!write(one, answer, strlen(answer));
	_exit(0);
}

/* Runs hactl with these words; text gets what it printed, errors included. */
static enum exitcode
run(const char *answer, const char *words)
{
	char line[256], *argv[16] = { line }, *word, *save;
	int argc = 1, out, saved[2];
	struct call call;
	enum exitcode code;
	ssize_t n;

	serve(answer);
	(void)snprintf(line, sizeof(line), "%s -s %s", words, path);
	for (word = strtok_r(line, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	(void)snprintf(text, sizeof(text), "%s/out", dir);
	out = open(text, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_int_not_equal(out, -1);
	fflush(stdout);
	saved[0] = dup(1);
	saved[1] = dup(2);
	dup2(out, 1);
	dup2(out, 2);
	if (!verb_parse(&call, argc, argv, &code))
		code = call.verb->run(&call);
	fflush(stdout);
	dup2(saved[0], 1);
	dup2(saved[1], 2);
	close(saved[0]);
	close(saved[1]);
	n = pread(out, text, sizeof(text) - 1, 0);
	text[n < 0 ? 0 : n] = '\0';
	close(out);
	/* What was asked is in the pipe, or never was. */
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	n = read(told[0], asked, sizeof(asked) - 1);
	asked[n < 0 ? 0 : n] = '\0';
	close(told[0]);
	return code;
}

static void
says(const char *what)
{
	if (strstr(text, what) == NULL)
		fail_msg("does not say \"%s\":\n%s", what, text);
}

/* The same, wherever the lines are folded. */
static void
says_folded(const char *what)
{
	static char flat[sizeof(text)];
	size_t i, n = 0;

	for (i = 0; text[i] != '\0'; i++)
		if (strchr(" \n", text[i]) == NULL)
			flat[n++] = text[i];
		else if (n > 0 && flat[n - 1] != ' ')
			flat[n++] = ' ';
	flat[n] = '\0';
	if (strstr(flat, what) == NULL)
		fail_msg("does not say \"%s\":\n%s", what, flat);
}

/* Every line fits, but for a command that is there to be copied. */
static void
fits(void)
{
	const char *line = text, *end;

	for (; (end = strchr(line, '\n')) != NULL; line = end + 1)
		if (end - line > PRINT_WIDTH)
			fail_msg("too long: %.*s", (int)(end - line), line);
}

static void
test_status(void **state)
{
	assert_int_equal(run(STATUS(S1 "," S2), "status"), EXITCODE_DONE);
	fits();
	says("HOST     HEALTH  CHECKS UP  DRIFT   TRAFFIC\n"
	     "prod-s1  200     1 of 1     none    lb ok without prod-s2\n"
	     "prod-s2  503     0 of 2     1 of 2  -\n");
	says("wrong   prod-s2: check iam-http is down: connect-refused:");
	says_folded("/health says 503");
	says("wrong   prod-s2: 1 of 2 items not as its role demands: "
	     "memcached-listen");
	says("next  ssh -t prod-s2 hactl drift --apply");
}

#define DOWN(name, type, why, more) \
	"{\"name\":\"" name "\",\"type\":\"" type "\",\"up\":\"no\"," \
	"\"reason\":\"" why "\"" more "}"
#define DOWNS(checks) \
	"{\"node\":\"prod-s1\",\"data\":true,\"mode\":\"auto\"," \
	"\"postgres\":{\"state\":\"primary\"}," \
	"\"fence\":{\"armed\":\"yes\"},\"checks\":[" checks "]," \
	"\"drift\":{\"count\":1,\"items\":[{\"name\":\"iam\"," \
	"\"type\":\"service\",\"holds\":\"no\"," \
	"\"reason\":\"supervisord: no-socket\"}]}}"

/* To the host where it can be mended, and the cause first. */
static void
test_next(void **state)
{
	const char *cause, *other;

	assert_int_equal(
	    run(STATUS(DOWNS(DOWN("cache", "memcached", "connect-refused",
		    ",\"address\":\"10.0.0.2\"") "," DOWN("own", "memcached",
		    "timeout", ",\"address\":\"127.0.0.1\"") "," DOWN("iam",
		    "http", "connect-refused",
		    ",\"address\":\"10.0.0.1\","
		    "\"url\":\"http://10.0.0.1:81/ok?a=1\"") "," DOWN("bad",
		    "http", "connect-refused",
		    ",\"url\":\"http://10.0.0.1:81/$(x)\"") "," DOWN("programs",
		    "supervisor", "no-socket", ""))),
		"status"),
	    EXITCODE_DONE);
	says("next  ssh 10.0.0.2 service memcached status");
	says("next  ssh prod-s1 service memcached status");
	says("next  ssh prod-s1 \"curl -si 'http://10.0.0.1:81/ok?a=1'\"");
	says("next  ssh prod-s1 supervisorctl status");
	says("next  ssh prod-s1 ps -ef\n");
	says_folded("End what supervisord left there, then systemctl start "
		    "supervisor; see WHAT TO DO");
	assert_null(strstr(text, "--apply"));
	cause = strstr(text, "check programs");
	other = strstr(text, "check cache");
	assert_true(cause != NULL && other != NULL && cause < other);
}

static void
test_stale(void **state)
{
	assert_int_equal(
	    run(STATUS(STALE("prod-s1", "iam,converge", "no") "," STALE(
		    "prod-s2", "converged", "yes")),
		"status"),
	    EXITCODE_DONE);
	fits();
	says_folded("prod-s1: 1 of 1 items not as its role demands: db, and "
		    "could not be brought about; /health says 503");
	says_folded("prod-s2: 0 of 1 items not as its role demands, and could "
		    "not be brought about; no other host is better, so "
		    "/health does not count it");
	says("next  ssh -t prod-s2 hactl drift --apply");
}

static void
test_checks(void **state)
{
	assert_int_equal(run(STATUS(S1 "," S2), "checks"), EXITCODE_REFUSED);
	fits();
	says("HOST     CHECK     TYPE        STATE    SINCE  TOOK     REASON\n"
	     "prod-s1  iam-http  http        up       2 h    12.3 ms\n"
	     "prod-s2  iam-http  http        down     42 s   0.9 ms   "
	     "connect-refused\n"
	     "prod-s2  programs  supervisor  unknown  -      -\n");
	says("connect-refused: nothing listens there");
	assert_int_equal(run(STATUS(S1), "checks"), EXITCODE_DONE);
	assert_int_equal(
	    run(STATUS(S1 "," SILENT), "checks"), EXITCODE_NO_ENGINE);
	says("prod-s2  its engine does not answer");
	says("next  ssh prod-s2 systemctl status hawatchd");
	assert_int_equal(
	    run(STATUS(S1 "," S2), "checks --json"), EXITCODE_REFUSED);
	assert_int_equal(text[0], '{');
	says("\"took_us\":12345");
	assert_non_null(strstr(text, "\"exit\":1"));
}

static void
test_drift(void **state)
{
	assert_int_equal(run(STATUS(S1 "," S2), "drift"), EXITCODE_REFUSED);
	fits();
	says("HOST     AS       ITEMS  DIFFER  LOOKED  NOW\n"
	     "prod-s1  primary  1      none    0 s\n"
	     "prod-s2  standby  2      1 of 2  0 s\n");
	says("prod-s2  memcached-listen (line)  differs: line 34 of");
	says("prod-s2  cache (cache)  not known");
	says("next  ssh -t prod-s2 hactl drift --apply");
	assert_int_equal(run(STATUS(S1), "drift"), EXITCODE_DONE);
	assert_int_equal(
	    run(STATUS(DIFFERS("supervisord: no-socket")), "drift"),
	    EXITCODE_REFUSED);
	says("next  ssh prod-s2 ps -ef\n");
	says_folded("End what supervisord left there, then systemctl start "
		    "supervisor; see WHAT TO DO");
	assert_null(strstr(text, "--apply"));
	assert_int_equal(
	    run(STATUS(DIFFERS("2 lines match instead of one (2, 12)")),
		"drift"),
	    EXITCODE_REFUSED);
	says("        mend the file by hand, or match in hawatch.conf, first\n"
	     "  next  ssh -t prod-s2 hactl drift --apply\n");
	assert_int_equal(
	    run(STATUS(S1 "," SILENT), "drift"), EXITCODE_NO_ENGINE);
}

static void
test_drift_apply(void **state)
{
	static const char steps[] =
	    "{\"step\":\"db\",\"goal\":\"done\",\"ms\":12}\n"
	    "{\"exit\":0,\"done\":\"this host is as its role demands\","
	    "\"ms\":340}\n";
	static const char refusal[] =
	    "{\"exit\":1,\"refused\":\"mode observe: nothing is ever "
	    "changed\",\"next\":\"mode = ...\"}\n";

	assert_int_equal(run(steps, "drift --apply --yes"), EXITCODE_DONE);
	assert_non_null(strstr(asked, "\"drift-apply\""));
	says("0.012 s  db             done");
	says("0.340 s  this host is as its role demands");
	fits();
	assert_int_equal(run(refusal, "drift --apply --yes"), EXITCODE_REFUSED);
	says("hactl: mode observe");
	says("next:  mode = ...");
	assert_int_equal(
	    run(steps, "drift --apply --yes --json"), EXITCODE_DONE);
	says("{\"schema\":1,\"step\":\"db\",\"goal\":\"done\",\"ms\":12}\n"
	     "{\"schema\":1,\"exit\":0,");
	/* Not asked, not done: there is nobody to say yes. */
	assert_int_equal(run(steps, "drift --apply"), EXITCODE_REFUSED);
	assert_string_equal(asked, "");
}

static void
test_plan(void **state)
{
	static const char answer[] =
	    "{\"exit\":0,\"node\":" S2 ",\"rows\":["
	    "{\"plan\":\"takeover\",\"row\":\"pullers\",\"goal\":\"nothing "
	    "pulls\",\"limit_ms\":10000,\"late\":\"abandon\"},"
	    "{\"plan\":\"takeover\",\"row\":\"promote\",\"goal\":\"out of "
	    "recovery\",\"limit_ms\":10000,\"late\":\"try again\","
	    "\"forward\":true},"
	    "{\"plan\":\"takeover\",\"row\":\"converge\",\"goal\":\"as its "
	    "role demands\",\"limit_ms\":10000,\"late\":\"go on\"},"
	    "{\"plan\":\"takeover\",\"row\":\"traffic\",\"goal\":\"balancers"
	    "\",\"limit_ms\":10000,\"late\":\"go on\"},"
	    "{\"plan\":\"takeover\",\"row\":\"verify\",\"goal\":\"checks"
	    "\",\"limit_ms\":10000,\"late\":\"go on\"}],"
	    "\"items\":[{\"name\":\"pullers\",\"what\":\"program syncdirs\","
	    "\"becomes\":\"stopped\",\"before\":true,\"required\":true},"
	    "{\"name\":\"memcached-listen\",\"what\":\"a line of "
	    "/etc/memcached.conf\",\"becomes\":\"-l 127.0.0.1,10.0.0.2\","
	    "\"before\":false}],"
	    "\"traffic\":[{\"name\":\"lb\",\"becomes\":\"servers of backend "
	    "web: ready or maint\"}],\"verify\":[\"iam-http\"]}\n";

	assert_int_equal(run(answer, "plan promote prod-s2"), EXITCODE_DONE);
	fits();
	says_folded("pullers: program syncdirs becomes");
	says_folded("(required)");
	says_folded("127.0.0.1,10.0.0.2");
	says_folded("now: line 34 of");
	says("- now: in recovery:");
	says_folded("lb: servers of backend web:");
	says_folded("check iam-http; now down:");
	says_folded("connect-refused");
}

static int
setup(void **state)
{
	strcpy(dir, "/tmp/hawatch-site-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/s", dir);
	return 0;
}

static int
teardown(void **state)
{
	char out[96];

	(void)snprintf(out, sizeof(out), "%s/out", dir);
	unlink(path);
	unlink(out);
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_drift),
		cmocka_unit_test(test_drift_apply),
		cmocka_unit_test(test_plan),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
