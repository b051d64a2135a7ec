/*
 * Strings, numbers, positions, errors, memory and lists of base.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hawatch/error.h"
#include "hawatch/mem.h"
#include "hawatch/queue.h"
#include "hawatch/random.h"
#include "hawatch/str.h"

static void
test_copy(void **state)
{
	char buf[4];

	assert_int_equal(str_copy(buf, sizeof(buf), "abc"), 0);
	assert_string_equal(buf, "abc");
	assert_int_equal(str_copy(buf, sizeof(buf), "abcd"), -1);
	assert_string_equal(buf, "");
	assert_int_equal(str_copy(buf, 0, ""), -1);
	str_cut(buf, sizeof(buf), "abcdef");
	assert_string_equal(buf, "abc");
	assert_true(str_starts("prod-s1", "prod-"));
	assert_false(str_starts("pro", "prod-"));
}

static void
test_numbers(void **state)
{
	static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "0x10",
		"1e3", "18446744073709551616", "99999999999999999999" };
	uint64_t value = 7;
	int number = 7;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(str_parse_u64(bad[i], &value), -1);
	assert_int_equal(value, 7);
	assert_int_equal(str_parse_u64("18446744073709551615", &value), 0);
	assert_true(value == UINT64_MAX);
	assert_int_equal(str_parse_int("-5", -5, 5, &number), 0);
	assert_int_equal(number, -5);
	assert_int_equal(str_parse_int("6", -5, 5, &number), -1);
	assert_int_equal(str_parse_int("--5", -5, 5, &number), -1);
	assert_int_equal(str_parse_int("-", -5, 5, &number), -1);
	assert_int_equal(
	    str_parse_int("4294967296", INT32_MIN, INT32_MAX, &number), -1);
	assert_int_equal(number, -5);
}

static void
test_durations(void **state)
{
	static const struct {
		const char *text;
		usec_t value;
		const char *back;
	} good[] = {
		{ "500us", 500, "500us" },
		{ "250ms", 250 * USEC_MSEC, "250ms" },
		{ "2s", 2 * USEC_SEC, "2s" },
		{ "2000ms", 2 * USEC_SEC, "2s" },
		{ "90s", 90 * USEC_SEC, "90s" },
		{ "10min", 600 * USEC_SEC, "10min" },
		{ "1h", 3600 * USEC_SEC, "1h" },
		{ "0s", 0, "0s" },
	};
	static const char *const bad[] = { "", "2", "s", "2 s", "2S", "-2s",
		"2.5s", "2m", "2sec", "99999999999999999999s", "2562047789h" };
	char buf[USEC_STR_MAX];
	usec_t value = 7;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(usec_parse(bad[i], &value), -1);
	assert_true(value == 7);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(usec_parse(good[i].text, &value), 0);
		assert_true(value == good[i].value);
		assert_string_equal(usec_str(value, buf), good[i].back);
	}
	assert_string_equal(usec_str(USEC_NEVER, buf), "never");
}

static void
test_lsn(void **state)
{
	static const char *const bad[] = { "", "/", "0/", "/0", "0", "0/0/0",
		"G/0", "0/0 ", " 0/0", "100000000/0", "0/100000000", "-1/0" };
	char buf[LSN_STR_MAX];
	lsn_t lsn = 7;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(lsn_parse(bad[i], &lsn), -1);
	assert_true(lsn == 7);
	assert_int_equal(lsn_parse("16/B374D848", &lsn), 0);
	assert_true(lsn == UINT64_C(0x16B374D848));
	assert_string_equal(lsn_str(lsn, buf), "16/B374D848");
	assert_int_equal(lsn_parse("ffffffff/FFFFFFFF", &lsn), 0);
	assert_true(lsn == UINT64_MAX);
	assert_string_equal(lsn_str(lsn, buf), "FFFFFFFF/FFFFFFFF");
	assert_string_equal(lsn_str(0, buf), "0/0");
}

static void
test_hex(void **state)
{
	unsigned char bytes[2] = { 0, 0 };
	char text[5];

	assert_int_equal(str_hex(text, sizeof(text), "\x0f\xa0", 2), 0);
	assert_string_equal(text, "0fa0");
	assert_int_equal(str_hex(text, sizeof(text), "abc", 3), -1);
	assert_int_equal(str_unhex(bytes, sizeof(bytes), "0FA0"), 2);
	assert_memory_equal(bytes, "\x0f\xa0", 2);
	assert_int_equal(str_unhex(bytes, sizeof(bytes), "0fa"), -1);
	assert_int_equal(str_unhex(bytes, sizeof(bytes), "0g"), -1);
	assert_int_equal(str_unhex(bytes, sizeof(bytes), "000000"), -1);
}

static void
test_utf8(void **state)
{
	assert_int_equal(str_utf8("a"), 1);
	assert_int_equal(str_utf8("\xc3\xa9"), 2);
	assert_int_equal(str_utf8("\xe2\x82\xac"), 3);
	assert_int_equal(str_utf8("\xf0\x9f\x90\x98"), 4);
	assert_int_equal(str_utf8(""), 0);
	assert_int_equal(str_utf8("\x1b"), 0);
	assert_int_equal(str_utf8("\x7f"), 0);
	assert_int_equal(str_utf8("\xc2\x9b"), 0); /* C1: CSI */
	assert_int_equal(str_utf8("\xc0\x80"), 0); /* overlong */
	assert_int_equal(str_utf8("\xe0\x80\x80"), 0);
	assert_int_equal(str_utf8("\xed\xa0\x80"), 0); /* surrogate */
	assert_int_equal(str_utf8("\xf4\x90\x80\x80"), 0);
	assert_int_equal(str_utf8("\xe2\x82"), 0); /* ends too early */
	assert_int_equal(str_utf8("\x80"), 0);
}

static void
test_nearest(void **state)
{
	static const char *const keys[] = { "ttl", "slack", "clock_ppm" };

	assert_string_equal(str_nearest("slak", keys, 3), "slack");
	assert_string_equal(str_nearest("tll", keys, 3), "ttl");
	assert_string_equal(str_nearest("clock-ppm", keys, 3), "clock_ppm");
	assert_null(str_nearest("banana", keys, 3));
	assert_null(str_nearest("slack", keys, 0));
}

static void
test_error(void **state)
{
	struct error err;
	char big[1000];

	assert_int_equal(error_set(&err, ERR_REFUSED, "no %s", "lease"), -1);
	assert_int_equal(err.code, ERR_REFUSED);
	assert_string_equal(err.msg, "no lease");
	assert_int_equal(error_wrap(&err, "node %s", "s1"), -1);
	assert_string_equal(err.msg, "node s1: no lease");
	assert_int_equal(err.code, ERR_REFUSED);
	errno = ENOENT;
	assert_int_equal(error_sys(&err, "open %s", "/x"), -1);
	assert_int_equal(err.code, ERR_SYS);
	assert_int_equal(err.sys, ENOENT);
	assert_int_equal(errno, ENOENT);
	assert_string_equal(err.msg, "open /x: No such file or directory");
	memset(big, 'a', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	error_set(&err, ERR_LIMIT, "%s", big);
	error_wrap(&err, "%s", big);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
}

static void
test_random(void **state)
{
	char a[33], b[33];

	random_hex(a, sizeof(a));
	random_hex(b, sizeof(b));
	assert_int_equal(strlen(a), 32);
	assert_int_equal(strspn(a, "0123456789abcdef"), 32);
	assert_string_not_equal(a, b);
	assert_true(random_u64() != random_u64());
}

static void
test_mem(void **state)
{
	char *s = xasprintf("%s-%d", "a", 7);
	char *p = xmemdup("xyz", 4);

	assert_string_equal(s, "a-7");
	assert_string_equal(p, "xyz");
	p = xrealloc(p, 100, 1);
	assert_string_equal(p, "xyz");
	free(s);
	free(p);
	p = xstrndup("abcdef", 2);
	assert_string_equal(p, "ab");
	free(p);
	free(xmemdup(NULL, 0));
}

/* A size that wraps around must not come back as a small piece of memory. */
static void
test_mem_abort(void **state)
{
	static volatile size_t huge = SIZE_MAX / 4 + 2;
	struct rlimit none = { 0, 0 };
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		setrlimit(RLIMIT_CORE, &none);
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(1);
		free(xrealloc(NULL, huge, 4));
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* AddressSanitizer ends the process by itself, also not with 0. */
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

struct item {
	int value;
	TAILQ_ENTRY(item) entry;
	LIST_ENTRY(item) other;
};

static void
test_queue(void **state)
{
	TAILQ_HEAD(, item) head = TAILQ_HEAD_INITIALIZER(head);
	LIST_HEAD(, item) list = LIST_HEAD_INITIALIZER(list);
	struct item *item, *next;
	int i, sum = 0;

	for (i = 1; i <= 4; i++) {
		item = xcalloc(1, sizeof(*item));
		item->value = i;
		TAILQ_INSERT_TAIL(&head, item, entry);
		LIST_INSERT_HEAD(&list, item, other);
	}
	LIST_FOREACH_SAFE(item, &list, other, next) {
		sum += item->value;
		LIST_REMOVE(item, other);
	}
	assert_int_equal(sum, 10);
	TAILQ_FOREACH_SAFE(item, &head, entry, next) {
		sum -= item->value;
		TAILQ_REMOVE(&head, item, entry);
		free(item);
	}
	assert_int_equal(sum, 0);
	assert_true(TAILQ_EMPTY(&head));
	assert_true(LIST_EMPTY(&list));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_lsn),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_error),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_mem),
		cmocka_unit_test(test_mem_abort),
		cmocka_unit_test(test_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
