/* Damping: which streams of results make it up, down or unknown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hawatch/damp.h"

struct row {
	int window, threshold, initial;
	const char *in;	 /* + good, - bad, ? unknown */
	const char *out; /* after each: U up, D down, ? unknown */
};

static const struct row rows[] = {
	{ 1, 1, 0, "?+-+-", "?UDUD" },
	/* the first result alone decides */
	{ 8, 3, 2, "-", "D" },
	{ 8, 3, 2, "+", "U" },
	/* slow to say down, slower to say up again */
	{ 8, 3, 0, "+--+-+++++++", "UUUUDDDDDUUU" },
	{ 8, 3, 0, "---++++++", "UUDDDDDDU" },
	/* one bad among many good never counts */
	{ 4, 2, 0, "-+++-+++-+++", "UUUUUUUUUUUU" },
	/* unknown moves nothing */
	{ 3, 2, 0, "-?-?+?+", "UUDDDDU" },
	{ 64, 64, 63, "-", "D" },
	{ 64, 64, 64, "+-", "UU" },
	{ 3, 1, 3, "+++", "DDU" },
};

static void
test_rows(void **state)
{
	struct damp d;
	size_t i, k;
	enum answer ans;
	char c;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		damp_init(
		    &d, rows[i].window, rows[i].threshold, rows[i].initial);
		assert_int_equal(damp_up(&d), ANS_UNKNOWN);
		for (k = 0; k < strlen(rows[i].in); k++) {
			c = rows[i].in[k];
			damp_put(&d, c == '+' ? ANS_YES :
				     c == '-' ? ANS_NO :
						ANS_UNKNOWN);
			ans = damp_up(&d);
			c = ans == ANS_YES ? 'U' : ans == ANS_NO ? 'D' : '?';
			if (c != rows[i].out[k])
				fail_msg("row %zu result %zu: %c not %c", i, k,
				    c, rows[i].out[k]);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
